"""NumPy arrays as `.npy`; SciPy sparse matrices and arrays as `.npz`."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .fidelity import loses_its_type
from .kinds import is_a
from .nearest import text
from .on_disk import lazy_npy
from .registry import Format
from .rest import Difference

SPARSE_FORMATS = ("csr", "csc", "coo", "bsr", "dia")


def npy_unfit(array: Any) -> str | None:
    """Say why an array does not fit into `.npy`, or return None."""
    if loses_its_type(array):
        return f"is a {type(array).__name__}, which would come back as a plain array"
    if array.dtype.hasobject:
        return f"has the dtype {array.dtype}, whose elements the file cannot hold"
    if array.dtype.metadata:
        return "has a dtype with metadata, which would not come back"
    return None


def npy_nearest(array: Any) -> Any:
    """Return a plain array, of text if its elements are objects; masked values are as stored."""
    import numpy as np

    plain = np.asarray(array)
    if plain.dtype.hasobject or plain.dtype.kind == "T":
        return np.array([text(item) for item in plain.flat], dtype=str).reshape(plain.shape)
    return np.array(plain, dtype=np.dtype(plain.dtype.str) if not plain.dtype.names else None)


def write_npy(array: Any, path: Path) -> None:
    """Write an array of numbers, fixed-width text, dates or records."""
    import numpy as np

    with path.open("wb") as file:
        try:
            np.save(file, array, allow_pickle=False)
        except OSError as error:
            # NumPy says how much it wrote, but not why it could not write the rest
            number = error.errno or errno.ENOSPC
            raise OSError(number, os.strerror(number), str(path)) from error


def npy_changes(array: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Yield what `.npy` drops."""
    if is_a(array, "numpy", "memmap"):
        yield Difference("it", "is mapped from a file and comes back in memory")


def read_npy(path: Path, details: dict[str, Any] | None) -> Any:
    """Read an array into memory; a file that `save` did not write may hold objects."""
    import numpy as np

    return np.load(path, allow_pickle=True)


def npy_shape(array: Any) -> dict[str, Any]:
    """Return the array's shape and dtype."""
    return {"shape": list(array.shape), "dtype": str(array.dtype)}


def npz_unfit(matrix: Any) -> str | None:
    """Say why a sparse matrix or array does not fit into `.npz`, or return None."""
    if matrix.format not in SPARSE_FORMATS:
        return f"is in {matrix.format} format; .npz stores {', '.join(SPARSE_FORMATS)}"
    return None


def write_npz(matrix: Any, path: Path) -> None:
    """Write a sparse matrix or array in its own sparse format."""
    import scipy.sparse

    with path.open("wb") as file:
        scipy.sparse.save_npz(file, matrix)


def read_npz(path: Path, details: dict[str, Any] | None) -> Any:
    """Read a sparse matrix or array; the arrays of a plain `.npz` as a dict."""
    import numpy as np
    import scipy.sparse

    with np.load(path, allow_pickle=True) as arrays:
        if "format" not in arrays.files:
            return dict(arrays)
    return scipy.sparse.load_npz(path)


def npz_shape(matrix: Any) -> dict[str, Any]:
    """Return the shape, dtype, number of stored values and sparse format."""
    return {**npy_shape(matrix), "nnz": int(matrix.nnz), "format": matrix.format}


FORMATS = (
    Format(
        suffix=".npy",
        holds="NumPy array",
        comes_back="the same array",
        writer=write_npy,
        reader=read_npy,
        types=(("numpy", "ndarray"),),
        unfit=npy_unfit,
        nearest=npy_nearest,
        comparer=npy_changes,
        shape=npy_shape,
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
        nearest=lambda matrix: matrix.tocsr(),
        shape=npz_shape,
        runs_code=True,
    ),
)
