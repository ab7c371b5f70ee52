"""DataFrames, and tables of polars and Arrow, as `.parquet`."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from ..errors import is_the_machines
from . import columns, nearest, other_tables
from .block_files import create, until_stopped
from .fidelity import of_frame_labels, of_index, of_some_columns, of_subclass
from .kinds import is_a
from .names import names_in_file
from .registry import Format
from .rest import Difference

TABLES = (("pandas", "DataFrame"), ("pandas", "Series"), *other_tables.TYPES)
CERTAIN = "biuf"  # dtype kinds that Parquet preserves, besides text in pandas' own dtype


def write(frame: Any, path: Path) -> dict[str, Any] | None:
    """Write a table; return what Parquet does not keep: categories and text dtypes."""
    if other_tables.library_of(frame):
        return other_tables.write(frame, path)
    near = _near(frame)
    categories = _lost_categories(near)
    durations = [name for name, lost in categories.items() if lost["of"].startswith("timedelta")]
    # an Arrow dictionary of durations would come back as integers
    with create(path) as file:
        _to_parquet(near.astype({name: categories[name]["of"] for name in durations}), file)
    details = {
        "categories": categories,
        "text": columns.text_lost(near),
        "index": columns.index_lost(near.index),
        "labels": columns.label_dtype_lost(near.columns),
    }
    return {key: lost for key, lost in details.items() if lost} or None


def changes(frame: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Yield what the file does not preserve; only columns that may have changed are read back."""
    if other_tables.library_of(frame):
        yield from other_tables.changes(frame, path)
        return
    if subclass := of_subclass(frame):
        yield subclass
        return
    uncertain = [i for i in range(frame.shape[1]) if not _is_certain(frame.iloc[:, i])]
    names = names_in_file(frame.columns, paths=False)
    again = _read(path, details, [names[i] for i in uncertain])
    yield from of_some_columns(uncertain, frame, again)
    yield from of_index(frame, again)
    head = BytesIO()
    _to_parquet(_near(frame.iloc[:0]), head)
    labels = {"labels": details["labels"]} if details and "labels" in details else None
    yield from of_frame_labels(frame, _read(head, labels))


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read a table and restore its categories and dtypes."""
    if details and "library" in details:
        return other_tables.read(path, details["library"])
    return _read(path, details)


def shape(frame: Any) -> dict[str, Any]:
    """Return the numbers of rows and columns of a table; empty for a Series."""
    if len(frame.shape) == 1:
        return {}
    return {"rows": frame.shape[0], "columns": frame.shape[1]}


def _near(frame: Any) -> Any:
    """Return the nearest table that Parquet can hold."""
    near = nearest.frame(frame, _holds)
    try:
        json.dumps(near.attrs)
    except (TypeError, ValueError):
        near.attrs = {}
    return near


def _is_certain(column: Any) -> bool:
    dtype = column.dtype
    if str(dtype) == "str":
        return columns.text_dtype() == "str"  # pandas 2 reads it as objects
    numpys = nearest.is_numpy(dtype) and dtype.isnative
    return numpys and dtype.kind in CERTAIN and dtype.char not in "eg"


def _holds(column: Any) -> bool:
    """Return whether Parquet can hold a column, by writing it to memory and reading it back."""
    if column.dtype == object and _is_endless(column.tolist()):
        return False  # Arrow would crash the process
    alone = column.reset_index(drop=True).to_frame("column")
    try:
        head = BytesIO()
        _to_parquet(alone, head)
        _read(head, None)
    except Exception as error:
        if is_the_machines(error):
            raise
        return False
    return True


def _is_endless(values: list) -> bool:
    """Return whether lists or dicts contain themselves."""
    try:
        json.dumps(values, default=lambda _: None, skipkeys=True)
    except (ValueError, RecursionError):
        return True
    return False


def _to_parquet(frame: Any, target: IO[bytes]) -> None:
    if str(frame.columns.dtype) not in columns.TEXT:  # pandas could not read other labels
        labels = columns.labels(list(frame.columns), None).rename(frame.columns.name)
        frame = frame.set_axis(labels, axis="columns")
    frame.to_parquet(target, engine="pyarrow")


def _read(
    source: Path | BytesIO, details: dict[str, Any] | None, names: list[str] | None = None
) -> Any:
    """Read some or all columns, and restore what Parquet did not keep."""
    import pandas as pd

    lost = details or {}
    frame = until_stopped(pd.read_parquet, source, engine="pyarrow", columns=names)
    for i in range(frame.shape[1]):
        values = frame.iloc[:, i]
        if values.dtype == object and is_a(next(iter(values.dropna()), None), "numpy", "ndarray"):
            # Arrow's arrays are read-only
            frame.isetitem(i, values.map(lambda array: array.copy(), na_action="ignore"))
    for name, described in lost.get("categories", {}).items():
        if name in frame:
            frame[name] = frame[name].astype(columns.category_dtype(described))
    for name, missing in lost.get("text", {}).items():
        if name in frame:
            frame[name] = columns.objects(frame[name], missing)
    if "index" in lost:
        frame.index = columns.restored_index(frame.index, lost["index"])
    if "labels" in lost:
        frame.columns = columns.labels(frame.columns, lost["labels"])
    return frame


def _lost_categories(frame: Any) -> dict[str, dict[str, Any]]:
    """Describe the categories that Parquet loses: not of default text, empty, or without rows."""
    described = {
        name: columns.describe(frame[name])
        for name in frame.columns
        if str(frame[name].dtype) == "category"
    }
    return {
        name: lost
        for name, lost in described.items()
        if lost["of"] != columns.text_dtype() or frame.empty or not lost["categories"]
    }


FORMATS = (
    Format(
        suffix=".parquet",
        holds="DataFrame",
        comes_back="the same index, dtypes and categories",
        writer=write,
        reader=read,
        types=TABLES,
        default_for=TABLES[:1],
        unfit=columns.unfit,
        nearest=lambda series: series.to_frame(),
        comparer=changes,
        shape=shape,
    ),
)
