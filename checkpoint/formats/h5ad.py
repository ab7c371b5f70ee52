"""AnnData objects as `.h5ad`, with functions that also write one into `.h5mu` and `.zarr`."""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import is_the_machines
from . import in_blocks, nearest, options
from .anndata_fidelity import of_anndata
from .elements import FRAMES, MATRICES, are_folders, in_file, matrices_of
from .kinds import is_a, shown, type_name
from .names import names_in_file
from .on_disk import lazy_anndata, opened, parts
from .registry import Format
from .rest import Difference

VERSIONS = {"anndata": "0.1.0", "raw": "0.1.0"}  # of the elements in anndata's file format


def write(adata: Any, path: Path) -> None:
    """Write an AnnData, with the nearest forms of what HDF5 cannot hold; `adata` is not changed."""
    import h5py

    with h5py.File(path, "w") as file:
        write_anndata(file, in_memory(adata))


def changes(adata: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Yield what the file does not preserve; numeric matrices, often large, are not read back."""
    with opened(path) as file:
        yield from of_anndata(in_memory(adata), file)


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read an AnnData into memory."""
    import anndata

    with opened(path) as file:
        if file.attrs.get("encoding-type") == "anndata":
            return in_file(file)
    return anndata.read_h5ad(path)  # written by anndata before 0.7


def shape(adata: Any) -> dict[str, Any]:
    """Return the numbers of cells and of features (genes, antibodies, peaks)."""
    return {"n_cells": adata.n_obs, "n_features": adata.n_vars}


def size(adata: Any) -> int:
    """Return the size of the matrices in bytes, as far as known; 0 for compressed files."""
    if options.compresses_hdf5():
        return 0
    matrices = [adata.X]
    for slot in MATRICES:
        matrices += matrices_of(adata, slot).values()
    if adata.raw is not None and not adata.isbacked:  # else its X would be read
        matrices.append(adata.raw.X)
    return sum(map(in_blocks.size_of, matrices))


def in_memory(adata: Any) -> Any:
    """Return an AnnData that is not a view and has its annotations in memory."""
    if adata.isbacked and adata.is_view:
        return _with_tables(adata.to_memory())  # its matrices are still views
    if adata.isbacked or not is_a(adata.obs, "pandas", "DataFrame"):
        return _with_tables(adata)
    return adata.copy() if adata.is_view else adata


def _with_tables(adata: Any) -> Any:
    """Return a backed or lazy AnnData with its tables in memory, and its matrices left on disk.

    The matrices are read block by block, before the file that they may come from is replaced.
    """
    import anndata

    slots: dict[str, Any] = {
        slot: {key: _read_table(value) for key, value in matrices_of(adata, slot).items()}
        for slot in MATRICES
    }
    slots |= {name: _read_table(getattr(adata, name)) for name in FRAMES}
    if adata.raw is not None:
        varm = {key: _read_table(value) for key, value in adata.raw.varm.items()}
        slots["raw"] = {"X": adata.raw.X, "var": _read_table(adata.raw.var), "varm": varm}
    return anndata.AnnData(X=shown(adata.X), uns=dict(adata.uns), **slots)


def _read_table(value: Any) -> Any:
    """Read a table of a lazy AnnData; return other values unchanged."""
    return value.to_memory() if hasattr(value, "to_memory") and hasattr(value, "columns") else value


def write_anndata(group: Any, adata: Any, around: tuple[int, ...] = ()) -> None:
    """Write an AnnData to a group of an HDF5 file or zarr store, with nearest forms."""
    _mark(group, "anndata")
    if adata.X is not None:
        write_item(group, "X", adata.X)
    for slot in FRAMES:
        write_frame(group, slot, getattr(adata, slot))
    for slot in MATRICES:
        write_item(group, slot, matrices_of(adata, slot), arrays=True)
    write_item(group, "uns", dict(adata.uns), around=(*around, id(adata)))
    if adata.raw is not None:
        raw = group.create_group("raw")
        _mark(raw, "raw")
        write_item(raw, "X", adata.raw.X)
        write_frame(raw, "var", adata.raw.var)
        write_item(raw, "varm", dict(adata.raw.varm))


def nearest_anndata(adata: Any) -> Any:
    """Return the nearest AnnData that a file can hold, by writing it to memory."""
    import h5py

    with h5py.File.in_memory() as file:
        write_anndata(file, in_memory(adata))
        return in_file(file["/"])


def write_frame(group: Any, name: str, frame: Any) -> None:
    """Write obs or var as anndata does, with repeated text as categories."""
    import anndata
    from anndata.io import write_elem
    from pandas.api.types import is_string_dtype

    holds, folders = partial(_holds, group), are_folders(group)
    near = nearest.frame(frame, holds, text_index=True, paths=True, folders=folders)
    if any(map(is_string_dtype, near.dtypes)):
        anndata.AnnData().strings_to_categoricals(near)
    write_elem(group, name, near)


def write_item(
    group: Any, name: str, value: Any, *, arrays: bool = False, around: tuple[int, ...] = ()
) -> None:
    """Write a value, or the nearest form that the file can hold, or nothing if there is none.

    With `arrays`, text is not used as a form, since AnnData does not accept it as a matrix. If a
    value contains itself, only its type is written; `around` has the ids of the dicts and AnnData
    that contain the value.
    """
    from anndata.io import write_elem

    kind = MutableMapping if arrays else Mapping  # an xarray table is not a group of matrices
    if id(value) in around:
        write_elem(group, name, type_name(value))
    elif isinstance(value, kind) and not hasattr(value, "tocsr"):
        write_elem(group, name, {})
        names = names_in_file(value, folders=are_folders(group))
        for key, item in zip(names, value.values(), strict=True):
            write_item(group[name], key, item, arrays=arrays, around=(*around, id(value)))
    elif is_a(value, "anndata", "AnnData"):
        write_anndata(group.create_group(name), in_memory(value), (*around, id(value)))
    elif is_a(value, "pandas", "DataFrame"):
        folders = are_folders(group)
        near = nearest.frame(value, partial(_holds, group), paths=True, folders=folders)
        write_elem(group, name, nearest.with_missing_as_categories(near))
    elif in_blocks.takes(group, value):
        in_blocks.write(group, name, value)
    else:
        forms = nearest.forms(value)
        with suppress(RecursionError):  # a list that contains itself
            any(_try(group, name, form) for form in forms if not (arrays and isinstance(form, str)))


def _mark(group: Any, kind: str) -> None:
    group.attrs["encoding-type"] = kind
    group.attrs["encoding-version"] = VERSIONS[kind]


def _try(group: Any, name: str, value: Any) -> bool:
    """Write a value; return whether the file could hold it."""
    from anndata.io import write_elem

    is_numpy = is_a(value, "numpy", "ndarray") or is_a(value, "numpy", "generic")
    fields = (value.dtype.fields if is_numpy else None) or {}
    if are_folders(group) and any(dtype.fields or dtype.subdtype for dtype, *_ in fields.values()):
        return False  # zarr writes records within records but cannot read them
    try:
        write_elem(group, name, value)
    except Exception as error:
        if is_the_machines(error):
            raise
        if name in group:
            del group[name]
        return False
    return True


def _holds(group: Any, column: Any) -> bool:
    """Return whether a file of this kind can hold a column's values, by writing them to memory."""
    import h5py

    if column.dtype == object:
        return False  # zarr would write any object as text
    if isinstance(group, h5py.Group):
        with h5py.File.in_memory() as file:
            return _try(file, "values", column._values)
    import zarr

    return _try(zarr.group(), "values", column._values)


FORMATS = (
    Format(
        suffix=".h5ad",
        holds="AnnData",
        comes_back="AnnData; text columns as categories",
        writer=write,
        reader=read,
        types=(("anndata", "AnnData"),),
        comparer=changes,
        shape=shape,
        size=size,
        lazily=lazy_anndata,
        parts=parts,
    ),
)
