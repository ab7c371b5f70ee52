"""DataFrames as `.parquet`."""

from io import BytesIO
from pathlib import Path
from typing import Any

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
    """Write a DataFrame; return the categories that Parquet does not keep by itself.

    Raises
    ------
    CheckpointFormatError
        If a dtype, the index or a label would not come back the same. An empty slice shows that.
    """
    categorical = {
        name: columns.describe(frame[name])
        for name in frame.columns
        if str(frame[name].dtype) == "category"
    }
    head = BytesIO()
    frame.iloc[:0].to_parquet(head, engine="pyarrow")
    columns.compare_kinds(frame, read(head, {"categories": categorical}), "Parquet")
    frame.to_parquet(path, engine="pyarrow")
    # Parquet keeps categories of text, as long as there are rows
    lost = {
        name: described
        for name, described in categorical.items()
        if described["of"] not in ("object", "str", "string") or frame.empty
    }
    return {"categories": lost} if lost else None


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
