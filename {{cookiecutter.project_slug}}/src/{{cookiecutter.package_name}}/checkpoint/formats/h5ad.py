"""AnnData as `.h5ad`."""

import copy
from pathlib import Path
from typing import Any

from .kinds import is_a


def refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.h5ad`."""
    return None if is_a(obj, "anndata", "AnnData") else "is not an AnnData"


def write(adata: Any, path: Path) -> None:
    """Write an AnnData; the one in memory stays as it is.

    `AnnData.write_h5ad` turns text columns into categories in place, so it gets a stand-in that
    shares everything but its annotations.
    """
    stand_in = adata.copy() if adata.is_view else copy.copy(adata)
    stand_in.obs, stand_in.var = adata.obs.copy(), adata.var.copy()
    if adata.raw is not None:
        stand_in.raw = _raw_stand_in(adata)
    stand_in.write_h5ad(path)


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read an AnnData into memory."""
    import anndata

    return anndata.read_h5ad(path)


def shape(adata: Any) -> dict[str, Any]:
    """Return the number of cells and of features (genes, antibodies, peaks)."""
    return {"n_cells": adata.n_obs, "n_features": adata.n_vars}


def _raw_stand_in(adata: Any) -> Any:
    import anndata

    return anndata.AnnData(adata.raw.X, obs=adata.obs[[]], var=adata.raw.var, varm=adata.raw.varm)
