"""Read and write matrices in blocks, for data larger than memory and to let Ctrl-C stop it."""

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from ..errors import CheckpointFormatError
from ..progress import advance, heed
from . import options
from .in_turn import compute_in_turn
from .kinds import a_type, is_a

BLOCK = 1 << 25  # approximate number of bytes written at a time
FILES = (("numpy", "memmap"), ("h5py", "Dataset"), ("zarr", "Array"))
ITEMS = 1 << 17  # values in a chunk of the file
SPARE = 1 << 22  # bytes that HDF5 may still write when it closes a file
BUFFERS = 1 << 25  # bytes that it may buffer until then


def takes(group: Any, value: Any) -> bool:
    """Return whether a matrix is written in blocks: if it is lazy, large, or compressed as set."""
    if not layout_of(value) or 0 in value.shape:
        return False
    return is_lazy(value) or size_of(value) > BLOCK or bool(options.for_group(group))


def is_lazy(value: Any) -> bool:
    """Return whether a matrix is not in memory."""
    lazy = (("dask.array", "Array"), *FILES)
    return any(is_a(value, *kind) for kind in lazy) or _is_backed(value)


def layout_of(value: Any) -> str | None:
    """Return `array`, `csr` or `csc`; None if the matrix cannot be written in blocks."""
    if _is_backed(value):
        return str(value.format)
    plain = value
    if is_a(value, "dask.array", "Array"):
        if any(side != side for side in value.shape):
            return None  # unknown length
        plain = value._meta
    if any(is_a(plain, "scipy.sparse", kind) for kind in ("spmatrix", "sparray")):
        known = plain.format in ("csr", "csc") and plain.ndim == 2
        return str(plain.format) if known and plain.dtype.kind in "biufc" else None
    in_memory = is_a(plain, "numpy", "ndarray", exactly=True)
    if not in_memory and not any(is_a(plain, *kind) for kind in FILES):
        return None
    numbers = plain.dtype.kind in "biuf" and plain.dtype.char != "g"
    return "array" if numbers and value.shape else None


def size_of(value: Any) -> int:
    """Return how many bytes a matrix takes in a file; 0 if unknown until it is computed."""
    if layout_of(value) == "array":
        size = value.dtype.itemsize
        for side in value.shape:
            size *= side
        return int(size)
    if hasattr(value, "indptr"):
        return int(value.data.nbytes + value.indices.nbytes + value.indptr.nbytes)
    if _is_backed(value):
        group = value.group
        return sum(int(group[name].nbytes) for name in ("data", "indices", "indptr"))
    return 0


def write(group: Any, name: str, value: Any) -> None:
    """Write a matrix that `takes` accepts as an element of an AnnData."""
    kind = layout_of(value)
    if kind == "array":
        _write_dense(group, name, value)
    elif kind:
        _write_sparse(group, name, value, kind)


def read(dataset: Any) -> Any:
    """Read an HDF5 dataset into memory in blocks, so that Ctrl-C stops it after the current one."""
    import numpy as np

    if dataset.nbytes <= BLOCK or not dataset.shape:
        return dataset[()]
    values = np.empty(dataset.shape, dataset.dtype)
    step = max(1, len(values) * BLOCK // dataset.nbytes)
    if dataset.chunks:  # whole chunks, since each block decompresses every chunk that it needs
        step = -(-step // dataset.chunks[0]) * dataset.chunks[0]
    for start in range(0, len(values), step):
        block = slice(start, start + step)
        dataset.read_direct(values, block, block)
        heed()
    return values


def each_block(value: Any, use: Callable[[Any], None], axis: int = 0) -> None:
    """Call a function with each block of a matrix along an axis, in order and one at a time.

    A dask array is computed by `compute_in_turn`; on a cluster, in as many blocks at a time as the
    workers have threads.

    Raises
    ------
    CheckpointFormatError
        If a block does not match what the dask array declares.
    """
    if not is_a(value, "dask.array", "Array"):
        for block in _slices(value, axis):
            use(block)
        return
    from dask.base import compute

    whole = {other: -1 for other in range(value.ndim) if other != axis}
    value = value.rechunk(whole)
    blocks = list(value.to_delayed().ravel())
    shapes = iter(product(*value.chunks))

    def use_checked(block: Any) -> None:
        use(as_declared(block, next(shapes), value.dtype, layout_of(value)))

    if cores := cores_of_cluster():
        for first in range(0, len(blocks), cores):
            for block in compute(*blocks[first : first + cores]):  # type: ignore[no-untyped-call]
                use_checked(block)
        return
    compute_in_turn(blocks, use_checked)


def as_declared(block: Any, shape: tuple[int, ...], dtype: Any, layout: str | None) -> Any:
    """Return a block of a dask array with the shape, kind and dtype that the array declares.

    Dask does not check whether the blocks that a function returns match the declaration.

    Raises
    ------
    CheckpointFormatError
        If the block has another shape or kind, or values that the declared dtype cannot hold.
    """
    import numpy as np

    sparse = layout if layout in ("csr", "csc") else None
    if sparse and hasattr(block, "asformat"):
        block = block.asformat(sparse)
    fits = layout is None or getattr(block, "format", None) == sparse
    masked = is_a(block, "numpy.ma", "MaskedArray")
    if fits and not masked and getattr(block, "shape", None) == shape:
        if block.dtype == dtype:
            return block
        if np.can_cast(block.dtype, dtype):
            return block.astype(dtype)
    of, sides = getattr(block, "dtype", "no dtype"), getattr(block, "shape", ())
    found = f"{a_type(block)} of {of}, {sides}"
    expected = f"{sparse or 'an array'} of {dtype}, {shape}"
    raise CheckpointFormatError(
        f"a block of the dask array is {found}, where the array declares {expected}; tell "
        "`map_blocks` with dtype=, chunks= and meta= what its function makes",
        expected=expected,
        found=found,
    )


def cores_of_cluster() -> int:
    """Return how many threads the workers of this process's dask cluster have; 0 without one."""
    distributed: Any = sys.modules.get("distributed")
    try:
        return sum(distributed.default_client().nthreads().values()) if distributed else 0
    except ValueError:  # no client
        return 0


def _write_dense(group: Any, name: str, value: Any) -> None:
    shape = tuple(map(int, value.shape))
    how = options.for_group(group)
    if _is_hdf5(group):
        row = max(1, size_of(value) // shape[0])
        rows = max(1, min(shape[0], 8 * ITEMS // row))
        chunked = {"chunks": (rows, *shape[1:])} if how else {}
        dataset = group.create_dataset(name, shape=shape, dtype=value.dtype, **chunked, **how)
    else:
        chunks = (_step(value, 0), *shape[1:])  # one chunk for each block written
        dataset = group.create_array(name, shape=shape, dtype=value.dtype, chunks=chunks, **how)
    dataset.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    place = 0

    def put(block: Any) -> None:
        nonlocal place
        if _is_hdf5(group):
            _refuse_full(group, block.nbytes)
        dataset[place : place + block.shape[0]] = block
        place += block.shape[0]
        advance(block.nbytes)

    each_block(value, put)


def _write_sparse(group: Any, name: str, value: Any, kind: str) -> None:
    """Write a sparse matrix as anndata does, as three arrays, appending block by block."""
    import numpy as np

    inner = group.create_group(name)
    inner.attrs.update({"encoding-type": f"{kind}_matrix", "encoding-version": "0.1.0"})
    inner.attrs["shape"] = tuple(map(int, value.shape))
    axis = 0 if kind == "csr" else 1
    datasets: dict[str, Any] = {}
    pointers = [np.zeros(1, "i8")]
    place = 0

    def put(block: Any) -> None:
        nonlocal place
        if _is_hdf5(group):
            _refuse_full(group, block.data.nbytes + block.indices.nbytes)
        for part in ("data", "indices"):
            values = getattr(block, part)
            if part not in datasets:
                n_blocks = -(-value.shape[axis] // max(1, block.shape[axis]))
                expected = len(values) if n_blocks == 1 else max(ITEMS, n_blocks * len(values))
                datasets[part] = _growing(inner, part, values.dtype, expected)
            datasets[part].resize((place + len(values),))
            datasets[part][place:] = values
            advance(values.nbytes)
        pointers.append(block.indptr[1:].astype("i8") + place)
        place += len(block.data)

    each_block(value, put, axis)
    ends = np.concatenate(pointers)
    narrow = ends[-1] <= np.iinfo("i4").max and datasets["indices"].dtype == "i4"
    ends = ends.astype("i4") if narrow else ends
    indptr = _growing(inner, "indptr", ends.dtype, len(ends))
    indptr.resize(ends.shape)
    indptr[:] = ends


def _growing(group: Any, name: str, dtype: Any, expected: int) -> Any:
    """Create an empty array that grows; `expected` is its final length, as far as known.

    A chunk that is not full takes as much space as a full one, unless it is compressed.
    """
    how = options.for_group(group)
    chunks = (max(1, min(expected, ITEMS if _is_hdf5(group) else 8 * ITEMS)),)
    if _is_hdf5(group):
        return group.create_dataset(
            name, shape=(0,), maxshape=(None,), dtype=dtype, chunks=chunks, **how
        )
    return group.create_array(name, shape=(0,), dtype=dtype, chunks=chunks, **how)


def _slices(value: Any, axis: int) -> Iterator[Any]:
    """Yield the blocks of a matrix that is in memory or in a file."""
    import scipy.sparse

    length = value.shape[axis]
    step = _step(value, axis)
    for start in range(0, length, step):
        stop = min(start + step, length)
        if not hasattr(value, "indptr"):
            yield value[start:stop] if axis == 0 else value[:, start:stop]
            continue
        # without copying data in memory
        pointers = value.indptr[start : stop + 1]
        inside = slice(int(pointers[0]), int(pointers[-1]))
        make = scipy.sparse.csr_matrix if axis == 0 else scipy.sparse.csc_matrix
        other = value.shape[1 - axis]
        shape = (stop - start, other) if axis == 0 else (other, stop - start)
        parts = (value.data[inside], value.indices[inside], pointers - pointers[0])
        yield make(parts, shape=shape, copy=False)


def _step(value: Any, axis: int) -> int:
    """Return the length of a matrix's blocks along an axis; they are equally long."""
    length = int(value.shape[axis])
    n_blocks = min(-(-size_of(value) // BLOCK) or 1, length)
    return -(-length // n_blocks)


def _refuse_full(group: Any, block: int) -> None:
    """Raise an error while HDF5 can still close its file: if that fails, the process crashes."""
    file = Path(group.file.filename)
    needed = SPARE + (0 if options.compresses_hdf5() else block)
    # a file in memory has a name, too
    if not file.is_file() or shutil.disk_usage(file.parent).free > needed + BUFFERS:
        return
    group.file.flush()
    if shutil.disk_usage(file.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))


def _is_backed(value: Any) -> bool:
    return any(is_a(value, "anndata.abc", name) for name in ("CSRDataset", "CSCDataset"))


def _is_hdf5(group: Any) -> bool:
    import h5py

    return isinstance(group, h5py.Group)
