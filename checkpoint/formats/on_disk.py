"""Read files partially: matrices as dask arrays, or only the selected parts.

Dask reads a block when it computes with it, perhaps long after the file was replaced. So an HDF5 or
NumPy file stays open, which keeps its content available to this process. For folders and in the
workers of a cluster, where this is not possible, reading a block of a replaced file fails.
"""

import os
import threading
from ast import literal_eval
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import CheckpointDamagedError, CheckpointError, CheckpointFormatError
from .elements import MATRICES
from .kinds import a_type, is_a
from .rest import NAMES, VALUES, Place, at, joined

BLOCK = 1 << 24  # approximate number of bytes of a matrix read at a time
NO_PART = ("", ".", "..")  # names that mean a folder itself or its parent
LAZY = ("array", "csr_matrix", "csc_matrix")


class Source:
    """A file or folder as it was when it was opened.

    Attributes
    ----------
    path
        The path of the file or folder.
    """

    def __init__(self, path: Path) -> None:
        self.__setstate__((path, identity(path)))

    def __getstate__(self) -> tuple[Path, tuple]:
        return self.path, self._identity  # handles stay in their process

    def __setstate__(self, state: tuple[Path, tuple]) -> None:
        self.path, self._identity = state
        self._handle: Any = None
        self._lock = threading.Lock()

    def __dask_tokenize__(self) -> tuple:
        return str(self.path), self._identity

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """Yield the open source: an HDF5 file, a zarr group or array, or the bytes of a `.npy`.

        Raises
        ------
        CheckpointError
            If the file or folder was replaced or changed since then.
        """
        with self._lock:
            if self._handle is None:
                try:
                    handle = _open(self.path)
                except OSError:
                    self._check()
                    raise
                self._check()
                self._handle = handle
        try:
            yield self._handle
        finally:
            self._check_open()  # zarr and HDF5 read zeros where a file is missing or cut short

    @contextmanager
    def reading_a_block(self) -> Iterator[Any]:
        """Yield the open source, as `opened`, long after the user's call that opened it.

        Raises
        ------
        CheckpointDamagedError
            If a library cannot read what is there.
        """
        try:
            with self.opened() as handle:
                yield handle
        except (CheckpointError, ImportError, MemoryError):
            raise
        except Exception as error:
            raise CheckpointDamagedError(
                f"{self._shown}: a block cannot be read ({error or type(error).__name__}). The "
                "file may not be what was saved: lazy(…, verify=True) checks it.",
                file=str(self.path),
            ) from error

    @property
    def _shown(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    def _check_open(self) -> None:
        """Raise if what is open changed; an open file keeps its content if it is replaced."""
        if self.path.suffix not in (".h5ad", ".npy"):
            self._check()
            return
        status = os.fstat(_descriptor(self._handle))
        ((_, *recorded),) = self._identity
        if [status.st_mtime_ns, status.st_size] != recorded:
            raise CheckpointDamagedError(
                f"{self._shown} was changed since it was opened. Run the load cell again.",
                file=str(self.path),
            )

    def _check(self) -> None:
        try:
            same = identity(self.path) == self._identity
        except OSError:
            raise CheckpointError(
                f"{self._shown} no longer exists: its step was saved again, renamed or removed "
                "since it was opened. Run the load cell again.",
                file=str(self.path),
            ) from None
        if not same:
            raise CheckpointError(
                f"{self._shown} was saved again since it was opened. Run the load cell again.",
                file=str(self.path),
            )


def opened(path: Path) -> Any:
    """Open an HDF5 file for reading, if possible with the lock that other readers of it use.

    Within a process, HDF5 opens a file either always with its lock or always without, and other
    libraries open it with the lock. That fails on file systems without locks, and while another
    process has the file open for writing; the files of a checkpoint never change in place, so it
    is not needed.
    """
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError:
        return h5py.File(path, "r", locking=False)


def identity(path: Path) -> tuple:
    """Return inodes, times and sizes, which change when a file or folder is replaced."""
    paths = [path, *sorted(path.glob("*"))] if path.is_dir() else [path]
    statuses = [each.stat() for each in paths]
    return tuple((status.st_ino, status.st_mtime_ns, status.st_size) for status in statuses)


def _descriptor(handle: Any) -> int:
    """Return the file descriptor of an open HDF5 file or plain file."""
    return int(handle.id.get_vfd_handle() if is_a(handle, "h5py", "File") else handle.fileno())


def lazy_anndata(path: Path, details: dict[str, Any] | None = None) -> Any:
    """Open an AnnData with the tables and `uns` in memory and the matrices as dask arrays."""
    import anndata
    from anndata.io import read_elem

    source = Source(path)
    with source.opened() as group:
        if group.attrs.get("encoding-type") != "anndata":
            raise CheckpointFormatError("it is not an AnnData, or written by anndata before 0.7")
        parts: dict[str, Any] = {
            slot: {key: matrix(source, f"{slot}/{key}") for key in group.get(slot, ())}
            for slot in MATRICES
        }
        parts |= {name: read_elem(group[name]) for name in ("obs", "var", "uns") if name in group}
        parts["X"] = matrix(source, "X") if "X" in group else None
        if "raw" in group:
            parts["raw"] = {"X": matrix(source, "raw/X"), "var": read_elem(group["raw/var"])}
            parts["raw"]["varm"] = read_elem(group["raw/varm"]) if "varm" in group["raw"] else {}
    return anndata.AnnData(**parts)


def lazy_zarr(path: Path, details: dict[str, Any] | None) -> Any:
    """Open an AnnData or an array in a `.zarr` lazily."""
    source = Source(path)
    with source.opened() as stored:
        if hasattr(stored, "shape"):
            known = details or {}
            chunks = known.get("chunks")
            array = matrix(source, "", chunks and tuple(map(tuple, chunks)))
            return array.astype(known["dtype"]) if "dtype" in known else array
        if stored.attrs.get("encoding-type") == "anndata":
            return lazy_anndata(path)
    kind = (details or {}).get("type", "a group")
    raise CheckpointFormatError(f"it holds {kind}; of .zarr, AnnData and arrays open lazily")


def lazy_npy(path: Path, details: dict[str, Any] | None = None) -> Any:
    """Open an array as a dask array whose blocks are contiguous in the file."""
    import numpy as np
    from dask import array as da

    source = Source(path)
    with source.opened() as file:
        shape, dtype, by_columns, start = _npy_header(file)
    if dtype.hasobject:
        raise CheckpointFormatError("it holds Python objects, which are read whole")
    if not shape or 0 in shape:
        return da.from_array(np.load(path))  # type: ignore[no-untyped-call]
    axis = len(shape) - 1 if by_columns else 0
    chunks = _blocks(shape, axis, dtype.itemsize)
    read = partial(_npy_block, source, dtype, by_columns, start, shape)
    return da.map_blocks(read, chunks=chunks, dtype=dtype, meta=np.empty((0,) * len(shape), dtype))  # type: ignore[no-untyped-call]


def matrix(source: Source, name: str, chunks: Any = None) -> Any:
    """Return an element of an AnnData as a dask array, or in memory if dask cannot hold it."""
    from anndata.io import read_elem
    from dask import array as da

    with source.opened() as group:
        element = group[name] if name else group
        kind = element.attrs.get("encoding-type", "array")
        if kind not in LAZY or (not hasattr(element, "shape") and "shape" not in element.attrs):
            return read_elem(element)
        plain = kind == "array"
        shape = tuple(map(int, element.shape if plain else element.attrs["shape"]))
        if not shape or 0 in shape:
            return read_elem(element) if name else da.from_array(element[...])  # type: ignore[no-untyped-call]
        dtype = element.dtype if plain else element["data"].dtype
        if plain and dtype.kind not in "biufc":
            return read_elem(element) if name else da.from_array(element[...])  # type: ignore[no-untyped-call]
        if plain:
            step = element.chunks[0] if element.chunks else 1
            chunks = chunks or _blocks(shape, 0, dtype.itemsize, step)
        else:
            axis = 0 if kind == "csr_matrix" else 1
            stored = (dtype.itemsize + element["indices"].dtype.itemsize) * element["data"].shape[0]
            chunks = _blocks(shape, axis, stored / (shape[0] * shape[1]))
    read = partial(_block, source, name)
    return da.map_blocks(read, chunks=chunks, dtype=dtype, meta=_meta(kind, shape, dtype))  # type: ignore[no-untyped-call]


def parts(path: Path, names: tuple[str, ...], rest: Mapping[str, list]) -> list[Any]:
    """Read only the named parts of an AnnData, such as `obs` or `obsm/X_umap`.

    Parameters
    ----------
    path
        The file or folder.
    names
        The names of the parts.
    rest
        The content of the rest file.

    Raises
    ------
    CheckpointFormatError
        If a part does not exist, or its name is not text. The message lists the existing parts.
    """
    for name in names:
        if not isinstance(name, str):
            example = "text such as 'obs' or 'obsm/X_umap'"
            raise CheckpointFormatError(f"the name of a part is {example}, not {a_type(name)}")
    source = Source(path)
    with source.opened() as group:
        return [_part(group, tuple(name.strip("/").split("/")), rest) for name in names]


def _part(group: Any, place: tuple[str, ...], rest: Mapping[str, list]) -> Any:
    from anndata.io import read_elem

    around = group
    inside: Place = ()
    for depth, step in enumerate(place):
        if step in NO_PART or not hasattr(around, "keys") or step not in around:
            there = ", ".join(sorted(around)) if hasattr(around, "keys") else "nothing"
            where = "/".join(place[:depth]) or "it"
            raise CheckpointFormatError(f"{where} has no {step!r}; there are {there}")
        inside = (*inside, _step_to(around, step))
        around = around[step]
    value = read_elem(around)
    # the X of raw is its attribute `_X`
    inside = ("raw", "_X") if place == ("raw", "X") else inside
    for kept, whole in rest.get(VALUES, ()):
        if kept == inside[: len(kept)]:
            value = at(whole, inside[len(kept) :])
            value = _values_of(value) if is_a(value, "pandas", "Series") else value
    below = {
        kind: [
            (kept[len(inside) :], part) for kept, part in rest.get(kind, ()) if _is_in(kept, inside)
        ]
        for kind in (VALUES, NAMES)
    }
    return joined(value, below)


def _step_to(group: Any, name: str) -> Any:
    """Return the step to a member of a group, as in a place: for a column, its position."""
    columns = [*group.attrs.get("column-order", ())]
    if name in columns:
        return columns.index(name)
    return "index" if name == group.attrs.get("_index") else name


def _values_of(column: Any) -> Any:
    """Return the values of a column as anndata returns them when it reads only this column."""
    values = column.array
    return values.to_numpy() if is_a(values, "pandas.arrays", "NumpyExtensionArray") else values


def _is_in(kept: tuple, place: tuple) -> bool:
    return len(kept) > len(place) and kept[: len(place)] == place


def _open(path: Path) -> Any:
    if path.suffix == ".h5ad":
        return opened(path)
    if path.suffix == ".npy":
        return path.open("rb")
    import zarr

    return zarr.open(str(path), mode="r")


def _blocks(shape: tuple[int, ...], axis: int, item: float, step: int = 1) -> tuple:
    """Return the chunks of a matrix that is split along an axis, in multiples of `step`."""
    row = item
    for other, side in enumerate(shape):
        row *= side if other != axis else 1
    count = max(1, int(BLOCK / max(row, 1)))
    count = min(max(step, count - count % step), shape[axis])
    whole, left = divmod(shape[axis], count)
    sides = (count,) * whole + ((left,) if left else ())
    return tuple(sides if other == axis else (side,) for other, side in enumerate(shape))


def _block(source: Source, name: str, block_info: Any = None) -> Any:
    """Read a block of a matrix."""
    import scipy.sparse

    start, stop = zip(*block_info[None]["array-location"], strict=True)
    with source.reading_a_block() as group:
        element = group[name] if name else group
        kind = element.attrs.get("encoding-type", "array")
        if kind == "array":
            return element[tuple(map(slice, start, stop))]
        axis = 0 if kind == "csr_matrix" else 1
        pointers = element["indptr"][start[axis] : stop[axis] + 1]
        inside = slice(int(pointers[0]), int(pointers[-1]))
        values, indices = element["data"][inside], element["indices"][inside]
    make = scipy.sparse.csc_matrix if axis else scipy.sparse.csr_matrix
    shape = tuple(end - begin for begin, end in zip(start, stop, strict=True))
    return make((values, indices, pointers - pointers[0]), shape=shape)


def _meta(kind: str, shape: tuple[int, ...], dtype: Any) -> Any:
    import numpy as np
    import scipy.sparse

    if kind == "array":
        return np.empty((0,) * len(shape), dtype)
    make = scipy.sparse.csr_matrix if kind == "csr_matrix" else scipy.sparse.csc_matrix
    return make((0, 0), dtype=dtype)


def _npy_header(file: Any) -> tuple[tuple[int, ...], Any, bool, int]:
    """Return an array's shape and dtype, whether it is in column order, and its values' offset."""
    from numpy.lib import format as npy

    file.seek(0)
    version = npy.read_magic(file)
    if version == (3, 0):  # in UTF-8, for names of fields; NumPy has no public function for it
        header = literal_eval(file.read(int.from_bytes(file.read(4), "little")).decode())
        dtype = npy.descr_to_dtype(header["descr"])
        return header["shape"], dtype, header["fortran_order"], file.tell()
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, by_columns, dtype = read(file)
    return shape, dtype, by_columns, file.tell()


def _npy_block(
    source: Source,
    dtype: Any,
    by_columns: bool,
    start: int,
    shape: tuple[int, ...],
    block_info: Any = None,
) -> Any:
    """Read a block of whole rows, or of whole columns if the array is in column order."""
    import numpy as np

    location = block_info[None]["array-location"]
    sides = tuple(stop - begin for begin, stop in location)
    axis = len(shape) - 1 if by_columns else 0
    row = dtype.itemsize
    for other, side in enumerate(shape):
        row *= side if other != axis else 1
    offset = start + location[axis][0] * row
    with source.reading_a_block() as file:
        order = "F" if by_columns else "C"
        # maps only this block, and is closed with it
        return np.array(np.memmap(file, dtype, "r", offset, sides, order))  # type: ignore[call-overload]
