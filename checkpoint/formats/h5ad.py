"""AnnData as `.h5ad`."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import CheckpointFormatError, is_the_machines
from .fidelity import differences, loses_its_type
from .kinds import a_type, is_a, type_name

FRAMES = ("obs", "var")
MATRICES = ("layers", "obsm", "varm", "obsp", "varp")


def refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.h5ad`."""
    return None if is_a(obj, "anndata", "AnnData") else "is not an AnnData"


def write(adata: Any, path: Path) -> None:
    """Write an AnnData; the one in memory stays as it is.

    `AnnData.write_h5ad` turns text columns into categories in place, so it gets a stand-in that
    shares everything but its annotations.

    Raises
    ------
    CheckpointFormatError
        If a slot cannot be written; the message names it.
    """
    _refuse_names(adata)
    stand_in = _stand_in(adata)
    try:
        stand_in.write_h5ad(path)
    except Exception as error:
        if is_the_machines(error):
            raise
        raise CheckpointFormatError(_blame(stand_in, error)) from error


def changes(adata: Any, path: Path, details: dict[str, Any] | None) -> list[str]:
    """Tell what will come back otherwise: all but the matrices is small, and is read back.

    Raises
    ------
    CheckpointFormatError
        If what was written cannot be read back.
    """
    try:
        return list(_changes(adata.to_memory() if _is_lazy(adata) else adata, path))
    except Exception as error:
        if is_the_machines(error):
            raise
        raise CheckpointFormatError(f"it could be written, but not read back: {error}") from error


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read an AnnData into memory."""
    import anndata
    from anndata.io import read_elem

    with _opened(path) as file:
        if file.attrs.get("encoding-type") == "anndata":
            return read_elem(file)
    return anndata.read_h5ad(path)  # as anndata before 0.7 wrote it


def shape(adata: Any) -> dict[str, Any]:
    """Return the number of cells and of features (genes, antibodies, peaks)."""
    return {"n_cells": adata.n_obs, "n_features": adata.n_vars}


def _opened(path: Path) -> Any:
    """Open a file to read, without HDF5's lock.

    A checkpoint's files never change in place, so there is nothing to lock against; and the lock
    fails where the file system has none, or where somebody has the file open to write.
    """
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except OSError:
        # this process has it open already, with the lock: HDF5 wants both alike
        return h5py.File(path, "r")


def _matrices(adata: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield slot, key and value of each layer and of each entry of obsm, varm, obsp and varp."""
    for slot in MATRICES:
        for key, value in getattr(adata, slot).items():
            if key is not None:  # since anndata 0.13 the layer None is X
                yield slot, key, value


def _refuse_names(adata: Any) -> None:
    """Refuse the names that HDF5 takes for folders: the file could not be read again."""
    named = [(slot, name) for slot in FRAMES for name in getattr(adata, slot)]
    named += [(slot, key) for slot, key, _ in _matrices(adata)]
    for slot, name in named:
        if isinstance(name, str) and (not name or "/" in name):
            why = "has a '/' in its name" if name else "has an empty name"
            raise CheckpointFormatError(f"{slot}[{name!r}] {why}, which HDF5 cannot keep")


def _is_lazy(adata: Any) -> bool:
    """Tell whether an AnnData is of `read_lazy`, whose obs is not there yet."""
    return not is_a(adata.obs, "pandas", "DataFrame")


def _blame(adata: Any, error: Exception) -> str:
    """Find the slot that cannot be written, by writing each one alone into memory."""
    slots: list[tuple[str, Any]] = []
    for frame in FRAMES:
        columns = getattr(adata, frame)
        slots += [(f"{frame}[{name!r}]", columns.iloc[:, [i]]) for i, name in enumerate(columns)]
    slots += _leaves(dict(adata.uns), "uns")
    slots += [(f"{slot}[{key!r}]", value) for slot, key, value in _matrices(adata)]
    for slot, value in slots:
        if reason := _unwritable(value):
            kind = str(value.dtypes.iloc[0]) if slot.startswith(FRAMES) else type_name(value)
            return (
                f"{slot} ({kind}) cannot be written: {reason}. Turn it into text, numbers or "
                "categories, or save it under a key of its own"
            )
    return f"it cannot be written: {error}"


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
            return " ".join(str(error).split()).rstrip(".")
    return None


def _stand_in(adata: Any) -> Any:
    import anndata

    if adata.isbacked or _is_lazy(adata):
        # whole, since it may read from the very file that it is about to replace
        return adata.to_memory()
    stand_in = adata.copy() if adata.is_view else copy.copy(adata)
    stand_in.obs, stand_in.var = adata.obs.copy(), adata.var.copy()
    if adata.raw is not None:
        raw = adata.raw
        stand_in.raw = anndata.AnnData(raw.X, obs=adata.obs[[]], var=raw.var, varm=raw.varm)
    return stand_in


def _changes(adata: Any, path: Path) -> Iterator[str]:
    """Read back what is small, and what kind of matrix each matrix is."""
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


def _of_matrix(value: Any, element: Any, slot: str) -> Iterator[str]:
    """Hold a matrix's kind and dtype against what the file says of it, without reading it."""
    encoding = element.attrs.get("encoding-type", "")
    kind = encoding.removesuffix("_matrix")
    stored = element["data"].dtype if kind in ("csr", "csc") else getattr(element, "dtype", None)
    was = getattr(value, "format", "array")
    if loses_its_type(value) or was != kind or (stored is not None and stored != value.dtype):
        yield (f"{slot} is {a_type(value)} of {value.dtype} and comes back as {kind} of {stored}")
