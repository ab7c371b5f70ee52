"""DataFrames as `.parquet`."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from ..errors import CheckpointFormatError, is_the_machines
from . import columns
from .kinds import is_a


def refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.parquet`."""
    if not is_a(obj, "pandas", "DataFrame"):
        return "is not a DataFrame"
    if not is_a(obj, "pandas", "DataFrame", exactly=True):
        return f"is a {type(obj).__name__}, which would come back as a plain DataFrame"
    if not all(isinstance(label, str) for label in obj.columns):
        return "has column names that are not text"
    if not obj.columns.is_unique:
        return "has two columns of one name"
    return None if len(obj.columns) else "has no columns"


def write(frame: Any, path: Path) -> dict[str, Any] | None:
    """Write a DataFrame; return the categories that Parquet does not keep by itself."""
    try:
        frame.to_parquet(path, engine="pyarrow")
    except Exception as error:
        if is_the_machines(error):
            raise
        raise CheckpointFormatError(_blame(frame, error)) from error
    # Parquet keeps categories of text, as long as there are rows and categories
    lost = {
        name: described
        for name, described in _categorical(frame).items()
        if described["of"] not in ("object", "str", "string")
        or frame.empty
        or not described["categories"]
    }
    return {"categories": lost} if lost else None


def changes(frame: Any, path: Path, details: dict[str, Any] | None) -> Iterator[str]:
    """Tell what will come back otherwise.

    An empty slice shows what becomes of dtypes, index and labels; only columns of objects, which
    may hold anything, are read back.
    """
    head = BytesIO()
    frame.iloc[:0].to_parquet(head, engine="pyarrow")
    yield from columns.changes(frame, read(head, {"categories": _categorical(frame)}))
    objects = [name for name in frame.columns if frame[name].dtype == object]
    if objects:
        yield from columns.value_changes(frame[objects], _read_columns(path, objects))


def read(path: Path | BytesIO, details: dict[str, Any] | None) -> Any:
    """Read a DataFrame, with the categories it had."""
    import pandas as pd

    frame = pd.read_parquet(path, engine="pyarrow")
    for name, described in (details or {}).get("categories", {}).items():
        frame[name] = frame[name].astype(columns.category_dtype(described))
    return frame


def shape(frame: Any) -> dict[str, Any]:
    """Return the number of rows and of columns."""
    return {"rows": frame.shape[0], "columns": frame.shape[1]}


def _categorical(frame: Any) -> dict[str, dict[str, Any]]:
    """Describe the categorical columns."""
    return {
        name: columns.describe(frame[name])
        for name in frame.columns
        if str(frame[name].dtype) == "category"
    }


def _blame(frame: Any, error: Exception) -> str:
    """Find the column that cannot be written, by writing each one alone into memory."""
    for name in frame.columns:
        alone = frame[[name]].reset_index(drop=True)
        alone.attrs = {}
        try:
            alone.to_parquet(BytesIO(), engine="pyarrow")
        except Exception as reason:
            why = str(reason).rstrip(".")
            return (
                f"column {name!r} ({frame[name].dtype}) cannot be written: {why}. Turn it into "
                "one kind of value"
            )
    return f"it cannot be written: {error}"


def _read_columns(path: Path, names: list[str]) -> Any:
    import pandas as pd

    try:
        return pd.read_parquet(path, engine="pyarrow", columns=names)
    except Exception as error:
        if is_the_machines(error):
            raise
        raise CheckpointFormatError(f"it could be written, but not read back: {error}") from error
