"""NumPy arrays as `.npy`; SciPy sparse matrices and arrays as `.npz`."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..progress import advance
from .block_files import LARGE, opened
from .fidelity import loses_its_type, mapped
from .in_blocks import each_block, layout_of
from .kinds import is_a
from .nearest import text
from .on_disk import lazy_npy
from .registry import Format
from .rest import Difference

SPARSE_FORMATS = ("csr", "csc", "coo", "bsr", "dia")


def npy_unfit(array: Any) -> str | None:
    """Return why `.npy` cannot hold an array, or None."""
    if is_a(array, "dask.array", "Array"):
        plain = layout_of(array) == "array"
        return None if plain else "has chunks that are not NumPy arrays of numbers of a known size"
    if loses_its_type(array):
        return f"is a {type(array).__name__}, which would come back as a plain array"
    if array.dtype.hasobject:
        return f"has the dtype {array.dtype}, whose elements the file cannot hold"
    if _has_metadata(array.dtype):
        return "has a dtype with metadata, which would not come back"
    return None


def npy_nearest(array: Any) -> Any:
    """Return a plain array, of text if its elements are objects; a mask is dropped."""
    import numpy as np

    if is_a(array, "dask.array", "Array"):
        raise TypeError("has no nearest form")
    plain = np.asarray(array)
    if plain.dtype.hasobject or plain.dtype.kind == "T":
        return np.array([text(item) for item in plain.flat], dtype=str).reshape(plain.shape)
    return np.array(plain, dtype=np.dtype(plain.dtype.str) if not plain.dtype.names else None)


def write_npy(array: Any, path: Path) -> dict[str, Any] | None:
    """Write an array of numbers, fixed-width text, dates or records, block by block.

    Return `{"recarray": True}` for a `numpy.recarray`, else None.
    """
    from numpy.lib import format as npy

    with path.open("wb") as file:
        if not is_a(array, "dask.array", "Array"):
            npy.write_array(_Blocks(file), array, allow_pickle=False)
            return {"recarray": True} if is_a(array, "numpy", "recarray") else None
        shape = tuple(map(int, array.shape))
        header = {"shape": shape, "fortran_order": False, "descr": array.dtype.str}
        npy.write_array_header_1_0(file, header)
        each_block(array, lambda block: _Blocks(file).write(block.tobytes()))
    return None


class _Blocks:
    """A file wrapper that makes NumPy write in blocks, since it is not a file type NumPy knows."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, block: Any) -> None:
        self._file.write(block)
        advance(len(block))


def npy_changes(array: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Yield what `.npy` does not preserve."""
    if is_a(array, "numpy", "memmap"):
        yield mapped()
    if is_a(array, "dask.array", "Array"):
        yield Difference("it", "was computed, and comes back as a NumPy array")


def read_npy(path: Path, details: dict[str, Any] | None) -> Any:
    """Read an array into memory; a file that `save` did not write may hold objects."""
    import numpy as np

    large = path.stat().st_size >= LARGE
    array = _read_in_blocks(path) if large else np.load(path, allow_pickle=True)
    return array.view(np.recarray) if details and "recarray" in details else array


def _read_in_blocks(path: Path) -> Any:
    """Read a large array in blocks, so that Ctrl-C stops it after the current one."""
    import numpy as np

    try:
        header = np.load(path, mmap_mode="r")
    except ValueError:  # Python objects, which are unpickled one by one
        return np.load(path, allow_pickle=True)
    array = np.empty_like(header, subok=False)
    values = memoryview(array.ravel(order="K").view("u1"))
    with opened(path) as file:
        file.seek(header.offset)
        file.readinto(values)
    return array


def npy_shape(array: Any) -> dict[str, Any]:
    """Return the array's shape and dtype; empty if its shape is unknown."""
    if any(map(math.isnan, array.shape)):
        return {}  # dask knows it only after computing the array
    return {"shape": list(array.shape), "dtype": str(array.dtype)}


def npz_unfit(matrix: Any) -> str | None:
    """Return why `.npz` cannot hold a sparse matrix or array, or None."""
    if matrix.ndim != 2:  # SciPy before 1.15 writes these but cannot read them
        return "does not have two dimensions"
    if matrix.format not in SPARSE_FORMATS:
        return f"is in {matrix.format} format; .npz stores {', '.join(SPARSE_FORMATS)}"
    return None


def npz_nearest(matrix: Any) -> Any:
    """Return a sparse matrix or array in csr format with two dimensions."""
    return (matrix if matrix.ndim == 2 else matrix.reshape((matrix.shape[0], -1))).tocsr()


def write_npz(matrix: Any, path: Path) -> None:
    """Write a sparse matrix or array in its own sparse format."""
    import scipy.sparse

    with path.open("wb") as file:
        scipy.sparse.save_npz(file, matrix)


def read_npz(path: Path, details: dict[str, Any] | None) -> Any:
    """Read a sparse matrix or array, or the arrays of a plain `.npz` as a dict."""
    import numpy as np
    import scipy.sparse

    with np.load(path, allow_pickle=True) as arrays:
        if "format" not in arrays.files:
            return dict(arrays)
    return scipy.sparse.load_npz(path)


def npz_shape(matrix: Any) -> dict[str, Any]:
    """Return the shape, dtype, number of stored values and sparse format."""
    return {**npy_shape(matrix), "nnz": int(matrix.nnz), "format": matrix.format}


def _has_metadata(dtype: Any) -> bool:
    fields = (dtype.fields or {}).values()
    return bool(dtype.metadata) or any(_has_metadata(field) for field, *_ in fields)


FORMATS = (
    Format(
        suffix=".npy",
        holds="NumPy array",
        comes_back="the same array",
        writer=write_npy,
        reader=read_npy,
        types=(("numpy", "ndarray"), ("dask.array", "Array")),
        default_for=(("numpy", "ndarray"),),
        unfit=npy_unfit,
        nearest=npy_nearest,
        comparer=npy_changes,
        shape=npy_shape,
        size=lambda array: array.nbytes if array.dtype.kind in "biufcmM" else 0,
        lazily=lazy_npy,
        runs_code=True,
    ),
    Format(
        suffix=".npz",
        holds="SciPy sparse matrix or array",
        comes_back="the same, in the same sparse format",
        writer=write_npz,
        reader=read_npz,
        types=(("scipy.sparse", "spmatrix"), ("scipy.sparse", "sparray")),
        unfit=npz_unfit,
        nearest=npz_nearest,
        shape=npz_shape,
        runs_code=True,
    ),
)
