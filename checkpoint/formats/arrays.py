"""NumPy arrays as `.npy`, SciPy sparse matrices and arrays as `.npz`."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .fidelity import loses_its_type
from .kinds import is_a

SPARSE_FORMATS = ("csr", "csc", "coo", "bsr", "dia")


def npy_refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.npy`."""
    if not is_a(obj, "numpy", "ndarray"):
        return "is not a NumPy array"
    if loses_its_type(obj):
        return f"is a {type(obj).__name__}, which .npy would turn into a plain array"
    if obj.dtype.hasobject:
        return f"has the dtype {obj.dtype}, whose elements .npy does not store"
    return None


def write_npy(array: Any, path: Path) -> None:
    """Write an array of numbers, text of fixed width, dates or records."""
    import numpy as np

    with path.open("wb") as file:
        try:
            np.save(file, array, allow_pickle=False)
        except OSError as error:
            # NumPy counts what it could write, and does not say why it was not all
            number = error.errno or errno.ENOSPC
            raise OSError(number, os.strerror(number), str(path)) from error


def npy_changes(array: Any, path: Path, details: dict[str, Any] | None) -> Iterator[str]:
    """Tell what `.npy` drops."""
    if array.dtype.metadata:
        yield "the metadata of its dtype do not come back"


def read_npy(path: Path, details: dict[str, Any] | None) -> Any:
    """Read an array into memory; one that a hand-written cell made may hold objects."""
    import numpy as np

    return np.load(path, allow_pickle=True)


def npy_shape(array: Any) -> dict[str, Any]:
    """Return the array's shape and dtype."""
    return {"shape": list(array.shape), "dtype": str(array.dtype)}


def npz_refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.npz`."""
    if not is_a(obj, "scipy.sparse", "spmatrix") and not is_a(obj, "scipy.sparse", "sparray"):
        return "is not a SciPy sparse matrix or array"
    if obj.format not in SPARSE_FORMATS:
        return f"is in {obj.format} format, and .npz stores {', '.join(SPARSE_FORMATS)}"
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
