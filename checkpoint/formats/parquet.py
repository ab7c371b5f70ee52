"""DataFrames as `.parquet`."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from . import columns
from .kinds import is_a
from .registry import Format, reason


def unfit(frame: Any) -> str | None:
    """Say why a DataFrame does not fit into `.parquet` or `.csv`, or return None."""
    if not is_a(frame, "pandas", "DataFrame", exactly=True):
        return f"is a {type(frame).__name__}, which would come back as a plain DataFrame"
    if not all(isinstance(label, str) for label in frame.columns):
        return "has column names that are not text"
    if not frame.columns.is_unique:
        return "has two columns of the same name"
    return None if len(frame.columns) else "has no columns"


def write(frame: Any, path: Path) -> dict[str, Any] | None:
    """Write a DataFrame; return what Parquet does not keep: categories, dtypes of text."""
    categories = _lost_categories(frame)
    durations = [name for name, lost in categories.items() if lost["of"].startswith("timedelta")]
    # a dictionary of durations would come back as integers
    plain = frame.astype({name: categories[name]["of"] for name in durations})
    _to_parquet(plain, path)
    details = {
        "categories": categories,
        "text": columns.text_lost(frame),
        "index": columns.index_lost(frame.index),
        "labels": columns.label_dtype_lost(frame.columns),
    }
    return {key: lost for key, lost in details.items() if lost} or None


def changes(frame: Any, path: Path, details: dict[str, Any] | None) -> Iterator[str]:
    """Yield what will come back changed.

    An empty slice shows what becomes of dtypes, index and labels. Only what may hold anything is
    read back: objects and categories that Parquet does not keep.
    """
    head = BytesIO()
    _to_parquet(frame.iloc[:0], head)
    slots = columns.slots(_read(head, {**(details or {}), "categories": _categorical(frame)}))
    uncertain = [
        name
        for name in frame.columns
        if frame[name].dtype == object or name in (details or {}).get("categories", {})
    ]
    levels = [frame.index.get_level_values(i) for i in range(frame.index.nlevels)]
    if not uncertain and all(level.dtype != object for level in levels):
        yield from columns.changed_slots(frame, slots)
        return
    again = _read(path, details, uncertain)
    yield from columns.changed_slots(frame, {**slots, **columns.slots(again)})
    yield from columns.value_changes(frame[uncertain], again)


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read a DataFrame, with the categories and dtypes it had."""
    return _read(path, details)


def shape(frame: Any) -> dict[str, Any]:
    """Return the numbers of rows and columns."""
    return {"rows": frame.shape[0], "columns": frame.shape[1]}


def _to_parquet(frame: Any, target: Path | BytesIO) -> None:
    if str(frame.columns.dtype) not in columns.TEXT:  # pandas could not read such labels
        labels = columns.labels(list(frame.columns), None).rename(frame.columns.name)
        frame = frame.set_axis(labels, axis="columns")
    frame.to_parquet(target, engine="pyarrow")


def _read(
    source: Path | BytesIO, details: dict[str, Any] | None, names: list[str] | None = None
) -> Any:
    """Read some columns, or all, and give them back what Parquet did not keep."""
    import pandas as pd

    lost = details or {}
    frame = pd.read_parquet(source, engine="pyarrow", columns=names)
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


def _categorical(frame: Any) -> dict[str, dict[str, Any]]:
    """Describe the categorical columns."""
    return {
        name: columns.describe(frame[name])
        for name in frame.columns
        if str(frame[name].dtype) == "category"
    }


def _lost_categories(frame: Any) -> dict[str, dict[str, Any]]:
    """Describe the categories that Parquet loses: all but those of text with rows to show them."""
    return {
        name: described
        for name, described in _categorical(frame).items()
        if described["of"] not in ("object", "str", "string")
        or frame.empty
        or not described["categories"]
    }


def _blame(frame: Any, error: Exception) -> str:
    """Find the column that cannot be written, by writing each one alone into memory."""
    for name in frame.columns:
        alone = frame[[name]].reset_index(drop=True)
        alone.attrs = {}
        try:
            _to_parquet(alone, BytesIO())
        except Exception as why:
            return (
                f"column {name!r} ({frame[name].dtype}) cannot be written: {reason(why)}. Convert "
                "it to values of one type"
            )
    return f"it cannot be written: {reason(error)}"


FORMATS = (
    Format(
        suffix=".parquet",
        holds="DataFrame",
        comes_back="the same index, dtypes and categories",
        writer=write,
        reader=read,
        types=(("pandas", "DataFrame"),),
        unfit=unfit,
        comparer=changes,
        explain=_blame,
        shape=shape,
        only_trying_tells=True,
    ),
)
