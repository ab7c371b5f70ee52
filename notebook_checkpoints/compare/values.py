"""Compare results in files as data, with a tolerance, and without running code in them."""

import gzip
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

NOT_OPENED = (".pkl", ".pickle", ".joblib", ".dill", ".pt")  # opening them runs code
TABLES = {".csv": ",", ".tsv": "\t", ".csv.gz": ",", ".tsv.gz": "\t"}
MANY_TIMES, FEW = 4, 10_000_000  # a file so much larger than expected, and than this, is not read
CHUNK = 1 << 20
MOST_LABELS = 100  # different numbers that may be the labels of clusters


class Tolerance(NamedTuple):
    """How far results may differ.

    Attributes
    ----------
    relative
        Of numbers: the difference, as a part of the expected number or of the typical one.
    rand
        Of labels: the least adjusted Rand index.
    """

    relative: float = 1e-3
    rand: float = 0.9


class Unreadable(Exception):
    """A file that is not what its name says, or too large."""


def differences(expected: Path, found: Path, tolerance: Tolerance) -> Iterator[str]:
    """Yield how the content of a file differs from what is expected; nothing if it does not.

    Parameters
    ----------
    expected, found
        The files; `found` comes from a student and is not trusted.
    tolerance
        How far they may differ.
    """
    name = expected.name
    try:
        ours = dict(arrays(expected))
        size = max(expected.stat().st_size, sum(array.nbytes for array in ours.values()))
        theirs = dict(arrays(found, largest=max(MANY_TIMES * size, FEW)))
    except Unreadable as error:
        yield f"{name}: {error}"
        return
    for key in [key for key in ours if key not in theirs]:
        yield f"{name}: {key} is missing"
    for key, array in ours.items():
        if key in theirs and (what := _difference(array, theirs[key], tolerance)):
            yield f"{name}: {f'{key} ' if key else ''}{what}"


def is_compared(file: Path) -> bool:
    """Tell whether the content of such a file is compared."""
    return _suffix(file) in (*TABLES, ".parquet", ".npy", ".npz", ".json", ".h5ad", ".h5mu", ".h5")


def arrays(path: Path, largest: float = np.inf) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of a file by name: the columns of a table, the datasets of an HDF5 file.

    Raises
    ------
    Unreadable
        If it cannot be read, or holds more bytes than `largest`.
    """
    try:
        _check_size(path.stat().st_size, largest)
        yield from _read(path, largest)
    except Unreadable:
        raise
    except Exception as error:  # an untrusted file may fail in any way
        reason = " ".join(str(error).split())[:100]
        raise Unreadable(f"cannot be read ({type(error).__name__}: {reason})") from error


def adjusted_rand(first: np.ndarray, second: np.ndarray) -> float:
    """Return how well two clusterings of the same things agree: 1 if equal, about 0 by chance.

    Hubert and Arabie, Comparing partitions, Journal of Classification 2 (1985), equation 5.

    Examples
    --------
    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array(["b", "b", "a", "a"]))
    1.0
    """
    groups, a = np.unique(first, return_inverse=True)
    others, b = np.unique(second, return_inverse=True)
    table = np.zeros((len(groups), len(others)))
    np.add.at(table, (a, b), 1)

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    chance = rows * columns / max(len(a) * (len(a) - 1) / 2, 1)
    most = (rows + columns) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def _difference(ours: np.ndarray, theirs: np.ndarray, tolerance: Tolerance) -> str | None:
    if ours.shape != theirs.shape:
        return f"has shape {_shown(theirs)}; expected {_shown(ours)}"
    if not ours.size or np.array_equal(ours, theirs):
        return None
    if _is_labels(ours) and _are_counted(ours) and _is_labels(theirs):
        index = adjusted_rand(ours, theirs)
        words = f"adjusted Rand index {index:.2f}; expected {tolerance.rand} or more"
        return None if index >= tolerance.rand else words
    if ours.dtype.kind in "biufc" and theirs.dtype.kind in "biufc":
        return _of_numbers(ours, theirs, tolerance.relative)
    different = int((ours.astype(str) != theirs.astype(str)).sum())
    return f"differs in {_part(different, ours.size)} values" if different else None


def _of_numbers(ours: np.ndarray, theirs: np.ndarray, relative: float) -> str | None:
    signs = ours.ndim == 2 and ours.dtype.kind == "f"  # of components, which are arbitrary
    with np.errstate(all="ignore"):
        magnitudes = np.abs(ours.astype(complex))
        magnitudes = magnitudes[np.isfinite(magnitudes)]
        usual = (float(np.median(magnitudes)) if magnitudes.size else 0.0) or 1.0
        near = _near(ours, theirs, relative, usual)
        if signs:
            turned = _near(ours, -theirs, relative, usual)
            near = np.where(near.all(axis=0) | ~turned.all(axis=0), near, turned)
    different = int((~near).sum())
    return f"differs in {_part(different, ours.size)} numbers" if different else None


def _near(ours: np.ndarray, theirs: np.ndarray, relative: float, usual: float) -> np.ndarray:
    if ours.dtype.kind == "b":
        ours, theirs = ours.astype(int), theirs.astype(int)
    near: np.ndarray = np.isclose(
        theirs, ours, rtol=relative, atol=relative * usual, equal_nan=True
    )
    return near


def _is_labels(array: np.ndarray) -> bool:
    """Tell whether the values of a list are names of groups, and not names of single things."""
    if array.ndim != 1 or array.dtype.kind in "bfcmM" or len(array) < 4:
        return False
    different = len(np.unique(array.astype(str)))
    return 1 < different <= min(MOST_LABELS, len(array) // 2)


def _are_counted(array: np.ndarray) -> bool:
    """Tell whether labels are texts, or numbers without gaps from -1, 0 or 1 on, as of clusters."""
    if array.dtype.kind not in "iu":
        return True
    numbers = np.unique(array)
    first, last = int(numbers[0]), int(numbers[-1])
    return first in (-1, 0, 1) and last - first + 1 == len(numbers)


def _part(count: int, size: int) -> str:
    return f"{count:,} of {size:,}"


def _shown(array: np.ndarray) -> str:
    return " x ".join(f"{side:,}" for side in array.shape) or "of one value"


def _suffix(path: Path) -> str:
    suffixes = path.suffixes
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:]).lower()


def _read(path: Path, largest: float) -> Iterator[tuple[str, np.ndarray]]:
    suffix = _suffix(path)
    if suffix in TABLES:
        import pandas as pd

        if suffix.endswith(".gz"):
            with gzip.open(path) as file:
                while file.read(CHUNK):
                    _check_size(file.tell(), largest)
        yield from _columns(pd.read_csv(path, sep=TABLES[suffix]))
    elif suffix == ".parquet":
        import pyarrow.parquet as pq

        about = pq.read_metadata(path)
        _check_size(8 * about.num_rows * about.num_columns, largest)
        # without the metadata of pandas, which is not trusted
        table = pq.read_table(path).replace_schema_metadata(None)
        yield from _columns(table.to_pandas())
    elif suffix == ".npy":
        # mapped, since NumPy would make room for as much as the file says that it has
        yield "", np.array(np.load(path, allow_pickle=False, mmap_mode="r"))
    elif suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            _check_size(sum(info.file_size for info in archive.infolist()), largest)
        with np.load(path, allow_pickle=False) as read:
            yield from read.items()
    elif suffix == ".json":
        yield from _leaves(json.loads(path.read_text(encoding="utf-8")), "")
    else:
        import h5py

        with h5py.File(path, "r", locking=False) as file:
            yield from _datasets(file, "", largest)


def _columns(table: Any) -> Iterator[tuple[str, np.ndarray]]:
    for name in table.columns:
        column = table[name]
        numeric = column.dtype.kind in "biufc" and not column.isna().any()
        numeric |= column.dtype.kind == "f"
        yield str(name), column.to_numpy() if numeric else column.astype(str).to_numpy(dtype=str)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, np.ndarray]]:
    numbers = isinstance(value, list) and all(type(item) in (int, float) for item in value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}/{key}" if name else str(key))
    elif isinstance(value, list) and not numbers:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{name}/{number}")
    elif isinstance(value, str) or value is None:
        yield name, np.array(str(value))
    else:
        yield name, np.array(value)


def _datasets(group: Any, name: str, largest: float) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the datasets of an HDF5 file; no links into other files are followed."""
    inside = {key: _inner(group, key, f"{name}/{key}" if name else key) for key in group}
    if group.attrs.get("encoding-type") == "categorical":
        names = np.append(_text(inside["categories"], largest), "nan")
        yield name, names[_array(inside["codes"], largest)]
        return
    for key, item in inside.items():
        place = f"{name}/{key}" if name else key
        if hasattr(item, "keys"):
            yield from _datasets(item, place, largest)
        elif item.dtype.kind == "O":
            yield place, _text(item, largest)
        elif item.dtype.kind in "biufcSU":
            yield place, _array(item, largest)


def _inner(group: Any, key: str, place: str) -> Any:
    """Return a group or dataset that lies in the same file."""
    import h5py

    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        raise Unreadable(f"{place} is a link")
    item = group[key]
    if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
        raise Unreadable(f"{place} lies in another file")
    return item


def _array(dataset: Any, largest: float) -> np.ndarray:
    _check_size(dataset.nbytes, largest)
    return np.asarray(dataset[()])


def _text(dataset: Any, largest: float) -> np.ndarray:
    _check_size(dataset.nbytes, largest)
    return np.asarray(dataset.asstr()[()] if dataset.dtype.kind == "O" else dataset[()], dtype=str)


def _check_size(size: float, largest: float) -> None:
    """Raise if data would fill the memory; a small compressed file may hold a lot."""
    if size > largest:
        raise Unreadable(f"holds {size:,.0f} bytes, too many to be read")
