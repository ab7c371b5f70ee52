"""DataFrames as `.parquet`."""

from pathlib import Path
from typing import Any

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
    return None


def write(frame: Any, path: Path) -> None:
    """Write a DataFrame with its index, dtypes and categories."""
    frame.to_parquet(path, engine="pyarrow")


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read a DataFrame into memory."""
    import pandas as pd

    return pd.read_parquet(path, engine="pyarrow")


def shape(frame: Any) -> dict[str, Any]:
    """Return the number of rows and of columns."""
    return {"rows": frame.shape[0], "columns": frame.shape[1]}
