"""AnnData as `.h5ad`."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import CheckpointFormatError
from .fidelity import differences, loses_its_type
from .kinds import a_type, is_a, type_name
from .registry import Format, reason

FRAMES = ("obs", "var")
MATRICES = ("layers", "obsm", "varm", "obsp", "varp")


def write(adata: Any, path: Path) -> None:
    """Write an AnnData; the one in memory stays as it is.

    `AnnData.write_h5ad` turns text columns into categories in place, so it gets a stand-in that
    shares everything but its annotations.
    """
    _refuse_names(adata)
    _stand_in(adata).write_h5ad(path)


def changes(adata: Any, path: Path, details: dict[str, Any] | None) -> Iterator[str]:
    """Yield what will come back changed; everything but the matrices is small, and is read back."""
    adata = adata.to_memory() if _is_lazy(adata) else adata
    from anndata.io import read_elem

    with _opened(path) as file:
        for slot in FRAMES:
            yield from differences(getattr(adata, slot), read_elem(file[slot]), slot)
        yield from differences(dict(adata.uns), read_elem(file["uns"]), "uns")
        if adata.raw is not None:
            yield from differences(adata.raw.var, read_elem(file["raw/var"]), "raw.var")
        if adata.X is not None:
            yield from _of_matrix(adata.X, file["X"], "X")
        for slot, key, value in _matrices(adata):
            here = f"{slot}[{key!r}]"
            if is_a(value, "pandas", "DataFrame"):
                yield from differences(value, read_elem(file[slot][key]), here)
            else:
                yield from _of_matrix(value, file[slot][key], here)


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read an AnnData into memory."""
    import anndata
    from anndata.io import read_elem

    with _opened(path) as file:
        if file.attrs.get("encoding-type") == "anndata":
            return read_elem(file)
    return anndata.read_h5ad(path)  # as anndata before 0.7 wrote it


def shape(adata: Any) -> dict[str, Any]:
    """Return the numbers of cells and of features (genes, antibodies, peaks)."""
    return {"n_cells": adata.n_obs, "n_features": adata.n_vars}


def _opened(path: Path) -> Any:
    """Open a file for reading, without HDF5's lock.

    The files of a checkpoint never change in place, so no lock is needed. Taking one fails on file
    systems without locks, and while another process has the file open for writing.
    """
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except OSError:
        # this process has the file open with the lock; HDF5 requires the same for both
        return h5py.File(path, "r")


def _matrices(adata: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield slot, key and value of each layer and of each entry of obsm, varm, obsp and varp."""
    for slot in MATRICES:
        for key, value in getattr(adata, slot).items():
            if key is not None:  # since anndata 0.13 the layer None is X
                yield slot, key, value


def _refuse_names(adata: Any) -> None:
    """Raise for names that HDF5 takes for groups: the file could not be read again."""
    named = [(slot, name) for slot in FRAMES for name in getattr(adata, slot)]
    named += [(slot, key) for slot, key, _ in _matrices(adata)]
    for slot, name in named:
        if isinstance(name, str) and (not name or "/" in name):
            why = "has a '/' in its name" if name else "has an empty name"
            raise CheckpointFormatError(f"{slot}[{name!r}] {why}, which HDF5 cannot store")


def _is_lazy(adata: Any) -> bool:
    """Return whether an AnnData is from `read_lazy`, whose obs has not been read yet."""
    return not is_a(adata.obs, "pandas", "DataFrame")


def _blame(adata: Any, error: Exception) -> str:
    """Find the field that cannot be written, by writing each one alone into memory."""
    adata = adata.to_memory() if adata.isbacked or _is_lazy(adata) else adata
    fields: list[tuple[str, Any]] = []
    for slot in FRAMES:
        frame = getattr(adata, slot)
        fields += [(f"{slot}[{name!r}]", frame.iloc[:, [i]]) for i, name in enumerate(frame)]
    fields += _leaves(dict(adata.uns), "uns")
    fields += [(f"{slot}[{key!r}]", value) for slot, key, value in _matrices(adata)]
    for field, value in fields:
        if why := _unwritable(value):
            kind = str(value.dtypes.iloc[0]) if field.startswith(FRAMES) else type_name(value)
            return (
                f"{field} ({kind}) cannot be written: {why}. Convert it to text, numbers or "
                "categories, or save it under a key of its own"
            )
    return f"it cannot be written: {reason(error)}"


def _leaves(mapping: dict, slot: str) -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():
        if isinstance(value, dict) and all(isinstance(name, str) for name in value):
            yield from _leaves(value, f"{slot}[{key!r}]")
        else:
            yield f"{slot}[{key!r}]", value


def _unwritable(value: Any) -> str | None:
    import h5py
    from anndata.io import write_elem

    with h5py.File.in_memory() as file:
        try:
            write_elem(file, "value", value)
        except Exception as error:
            return reason(error)
    return None


def _stand_in(adata: Any) -> Any:
    import anndata

    if adata.isbacked or _is_lazy(adata):
        # in memory, since it may read from the file that it is about to replace
        return adata.to_memory()
    stand_in = adata.copy() if adata.is_view else copy.copy(adata)
    stand_in.obs, stand_in.var = adata.obs.copy(), adata.var.copy()
    if adata.raw is not None:
        raw = adata.raw
        stand_in.raw = anndata.AnnData(raw.X, obs=adata.obs[[]], var=raw.var, varm=raw.varm)
    return stand_in


def _of_matrix(value: Any, element: Any, slot: str) -> Iterator[str]:
    """Compare a matrix's type and dtype with those in the file, without reading its values."""
    encoding = element.attrs.get("encoding-type", "")
    kind = encoding.removesuffix("_matrix")
    stored = element["data"].dtype if kind in ("csr", "csc") else getattr(element, "dtype", None)
    was = getattr(value, "format", "array")
    if loses_its_type(value) or was != kind or (stored is not None and stored != value.dtype):
        yield (f"{slot} is {a_type(value)} of {value.dtype} and comes back as {kind} of {stored}")


FORMATS = (
    Format(
        suffix=".h5ad",
        holds="AnnData",
        comes_back="AnnData; text columns as categories",
        writer=write,
        reader=read,
        types=(("anndata", "AnnData"),),
        comparer=changes,
        explain=_blame,
        shape=shape,
    ),
)
