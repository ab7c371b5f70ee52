"""AnnData objects as `.h5ad`, with functions that `h5mu` and `zarr_folders` share."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from ..errors import is_the_machines
from . import in_blocks, nearest, options
from .fidelity import (
    computed,
    differences,
    is_array,
    is_lazy,
    loses_its_type,
    of_array,
    of_frames,
    of_some_columns,
    renamed,
)
from .kinds import a_type, is_a, shown, type_name
from .names import names_in_file
from .on_disk import lazy_anndata, opened, parts
from .registry import Format
from .rest import Difference, Place

FRAMES = ("obs", "var")
MATRICES = ("layers", "obsm", "varm", "obsp", "varp")
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
        matrices += _matrices(adata, slot).values()
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
        slot: {key: _read_table(value) for key, value in _matrices(adata, slot).items()}
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
        write_item(group, slot, _matrices(adata, slot), arrays=True)
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


def of_anndata(adata: Any, stored: Any, slot: str = "", place: Place = ()) -> Iterator[Difference]:
    """Yield the parts of an AnnData that a file does not preserve.

    Parameters
    ----------
    adata
        The AnnData in memory.
    stored
        The group that it was written to, or an AnnData that was read.
    slot, place
        Its place in the saved object, in words (`mod['rna'].`) and as a tuple of steps.
    """
    if adata.X is not None:
        yield from of_matrix(adata.X, _part(stored, "X"), f"{slot}X", (*place, "X"))
    for name in FRAMES:
        frame, again = getattr(adata, name), _part(stored, name)
        yield from of_frame(frame, again, f"{slot}{name}", (*place, name))
    for name in MATRICES:
        if matrices := _matrices(adata, name):
            here = _part(stored, name)
            yield from of_matrices(matrices, here, f"{slot}{name}", (*place, name))
    if uns := dict(adata.uns):
        again, folders = in_file(_part(stored, "uns")), are_folders(stored)
        yield from differences(uns, again, f"{slot}uns", (*place, "uns"), folders=folders)
    if adata.raw is not None:
        raw, here = _part(stored, "raw"), (*place, "raw")
        yield from of_matrix(adata.raw.X, _part(raw, "X"), f"{slot}raw.X", (*here, "_X"))
        var = _part(raw, "var")
        yield from of_frame(adata.raw.var, var, f"{slot}raw.var", (*here, "var"))
        varm = _part(raw, "varm")
        yield from of_matrices(dict(adata.raw.varm), varm, f"{slot}raw.varm", (*here, "varm"))
    yield from _of_type(adata, slot, place)


def of_frame(frame: Any, stored: Any, slot: str, place: Place) -> Iterator[Difference]:
    """Yield what a file does not preserve of obs or var; only doubtful columns are read back."""
    import pandas as pd

    plain = partial(nearest.has_plain_labels, folders=are_folders(stored))
    if not (_is_stored(stored) and plain(frame)):
        yield from of_frames(frame, in_file(stored), slot, place, loose=True)
        return
    doubtful = [j for j in range(frame.shape[1]) if not nearest.is_kept(frame.iloc[:, j])]
    again = pd.DataFrame({j: in_file(stored[frame.columns[j]]) for j in doubtful})
    yield from of_some_columns(doubtful, frame, again, slot, place, loose=True)


def of_matrices(
    matrices: Mapping[Any, Any], stored: Any, slot: str, place: Place
) -> Iterator[Difference]:
    """Yield what a file does not preserve of layers, obsm, varm, obsp or varp."""
    names = names_in_file(matrices, folders=are_folders(stored))
    for key, name in zip(matrices, names, strict=True):
        here = f"{slot}[{key!r}]"
        if name not in stored:
            yield Difference(here, "is not in the file", (*place, name), matrices[key])
        else:
            yield from of_matrix(matrices[key], stored[name], here, (*place, name))
        if name != key:
            yield renamed(here, key, (*place, name))


def of_matrix(value: Any, element: Any, slot: str, place: Place) -> Iterator[Difference]:
    """Yield how a matrix differs; of numeric and lazy ones, only types and dtypes are compared."""
    plain = is_a(value, "numpy", "ndarray") and value.dtype.kind in "biufc"
    matrix = getattr(value, "format", None) in ("csr", "csc") and hasattr(value, "indptr")
    if not _is_stored(element) or not (plain or matrix or is_lazy(value)):
        yield from differences(value, in_file(element), slot, place)
        return
    encoding = element.attrs.get("encoding-type", "")
    kind = encoding.removesuffix("_matrix")
    stored = element["data"].dtype if kind in ("csr", "csc") else getattr(element, "dtype", None)
    held = getattr(value, "format", "array"), value.dtype
    if is_lazy(value):
        yield computed(value, _empty(kind, stored), slot)
    elif loses_its_type(value) or held != (kind, stored):
        what = f"is {a_type(value)} of {value.dtype}, stored as {kind} of {stored}"
        yield Difference(slot, what, place, value)
    elif is_array(value):
        yield of_array(value, slot, place)


def in_file(element: Any) -> Any:
    """Read an element of a file; return values in memory unchanged."""
    from anndata.experimental import read_dispatched

    if not _is_stored(element):
        return element
    value: Any = read_dispatched(element, _in_blocks)
    # anndata reads a raw without cells as None
    if is_a(value, "anndata", "AnnData") and value.raw is None and "raw" in element:
        value.raw = read_dispatched(element["raw"], _in_blocks)
    return value


def _in_blocks(read: Callable[[Any], Any], name: str, element: Any, iospec: Any) -> Any:
    """Read an element of a file as anndata does, but large matrices in HDF5 block by block."""
    import anndata
    import scipy.sparse

    kind = iospec.encoding_type
    if kind == "array" and is_a(element, "h5py", "Dataset"):
        return in_blocks.read(element)
    is_sparse = kind in ("csr_matrix", "csc_matrix") and not are_folders(element)
    if not is_sparse or element["data"].nbytes <= in_blocks.BLOCK:
        return read(element)
    if anndata.settings.use_sparse_array_on_read:
        kind = kind.replace("matrix", "array")
    shape, data = element.attrs["shape"], element["data"]
    matrix = getattr(scipy.sparse, kind)(tuple(map(int, shape)), dtype=data.dtype)
    # not through the constructor, which may copy the indices
    for part in ("data", "indices", "indptr"):
        setattr(matrix, part, in_blocks.read(element[part]))
    return matrix


def are_folders(group: Any) -> bool:
    """Return whether the names in a group are folder names, as in zarr."""
    return is_a(group, "zarr", "Group")


def _is_stored(element: Any) -> bool:
    kinds = (("h5py", "HLObject"), ("zarr", "Group"), ("zarr", "Array"))
    return any(is_a(element, *kind) for kind in kinds)


def _part(stored: Any, name: str) -> Any:
    return stored[name] if _is_stored(stored) else getattr(stored, name)


def _mark(group: Any, kind: str) -> None:
    group.attrs["encoding-type"] = kind
    group.attrs["encoding-version"] = VERSIONS[kind]


def _matrices(adata: Any, slot: str) -> dict[Any, Any]:
    """Return the entries of layers, obsm, varm, obsp or varp."""
    # since anndata 0.13 the layer None is X
    return {key: shown(value) for key, value in getattr(adata, slot).items() if key is not None}


def _of_type(adata: Any, slot: str, place: Place) -> Iterator[Difference]:
    """Yield the type of an AnnData subclass, and attributes that a plain AnnData does not have."""
    import anndata

    plain = _plain_attributes()
    added = {name: value for name, value in vars(adata).items() if name not in plain}
    here = slot.rstrip(".") or "it"
    if type(adata) is not anndata.AnnData:
        yield Difference(here, f"is {a_type(adata)}", (*place, "__class__"), type(adata))
    if added:
        names = f"{slot}{', '.join(added)}"
        yield Difference(names, "is not in the file", (*place, "__dict__"), added)


@cache
def _plain_attributes() -> frozenset[str]:
    """Return the names of the attributes that every AnnData has."""
    import anndata

    return frozenset(vars(anndata.AnnData()))


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


def _empty(kind: str, dtype: Any) -> Any:
    """Return an empty array of the kind that an element of a file is read as."""
    import numpy as np
    import scipy.sparse

    makes: dict[str, Callable[..., Any]] = {
        "csr": scipy.sparse.csr_matrix,
        "csc": scipy.sparse.csc_matrix,
    }
    return makes.get(kind, np.empty)((0, 0), dtype=dtype)


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
