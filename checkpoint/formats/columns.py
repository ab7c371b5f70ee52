"""Describe and restore the dtypes of columns, indexes and labels that a file does not keep."""

from collections import Counter
from typing import Any

MISSING = ("None", "nan", "<NA>", "NaT")
TRUTH = {"True": True, "False": False}
TYPED = ("int", "uint", "float", "bool", "boolean", "Int", "UInt", "Float")
DATED = ("datetime64[", "timedelta64[")
TEXT = ("object", "str", "string")  # `str` is the default for text in pandas 3


def unfit(table: Any) -> str | None:
    """Return why a table file holds another form of an object, or None."""
    return "is a Series" if len(table.shape) == 1 else None


def describe(column: Any) -> dict[str, Any]:
    """Return what a column's text does not show: dtype, categories and kind of missing value."""
    described: dict[str, Any] = {"name": column.name, "dtype": str(column.dtype)}
    if described["dtype"] == "category":
        categories = column.cat.categories
        described["categories"] = [str(category) for category in categories]
        described["of"] = str(categories.dtype)
        described["ordered"] = bool(column.cat.ordered)
    if described["dtype"] == "object":
        described["hole"] = _missing_among_text(column)
    return described


def typed(texts: list[str], described: dict[str, Any], missing: str | None) -> Any:
    """Convert the texts of a column to values of its described dtype."""
    import pandas as pd

    dtype = described["dtype"]
    values = pd.Series([None if text == missing else text for text in texts], dtype=object)
    if dtype == "object":
        return objects(values, described["hole"])
    if dtype == "str" and text_dtype() == "object":  # saved under pandas 3, read under pandas 2
        return objects(values, "nan")
    if dtype == "category":
        codes = {text: code for code, text in enumerate(described["categories"])}
        numbers = [codes.get(text, -1) for text in texts]
        return pd.Series(pd.Categorical.from_codes(numbers, dtype=category_dtype(described)))
    if dtype in ("bool", "boolean"):
        return pd.Series([TRUTH.get(text) for text in texts], dtype=dtype)
    if dtype.startswith("datetime64"):
        zoned = "," in dtype
        return pd.to_datetime(values, format="ISO8601", utc=zoned).astype(dtype)
    if dtype.startswith("timedelta64"):
        return pd.to_timedelta(values).astype(dtype)
    return values.astype(dtype)


def is_typed(column: Any) -> bool:
    """Return whether `typed` can restore a column from its text."""
    dtype = column.dtype
    if str(dtype) == "category":
        categories = dtype.categories
        if _is_text(categories):
            return _is_utf8(categories)
        return categories.dtype != object and is_typed(categories)
    if str(dtype) in TEXT:
        return _is_text(column) and _is_utf8(column)
    if str(dtype).startswith(DATED):
        return _has_readable_dates(column)
    return str(dtype).rstrip("0123456789") in TYPED


def as_text(column: Any) -> Any:
    """Return a categorical column as text, with the category texts of `describe`."""
    import pandas as pd

    texts = [str(category) for category in column.cat.categories]
    values = [None if code < 0 else texts[code] for code in column.cat.codes]
    return pd.Series(values, name=column.name, dtype=object)


def objects(column: Any, missing: str) -> Any:
    """Return a text column as objects, with `None`, `nan`, `<NA>` or `NaT` as missing values."""
    import numpy as np
    import pandas as pd

    fill = {"None": None, "nan": np.nan, "<NA>": pd.NA, "NaT": pd.NaT}[missing]
    values = np.array(column.to_numpy(dtype=object))
    values[column.isna().to_numpy()] = fill
    return pd.Series(values, index=column.index, name=column.name, dtype=object)


def category_dtype(described: dict[str, Any]) -> Any:
    """Return the dtype of a described categorical column."""
    import pandas as pd

    kinds = {"name": None, "dtype": described["of"], "hole": "None"}
    categories = pd.Index(typed(described["categories"], kinds, missing=None))
    return pd.CategoricalDtype(categories, described["ordered"])


def labels(names: Any, dtype: str | None) -> Any:
    """Return column labels in a dtype, or in pandas' default if the record has none."""
    import pandas as pd

    return pd.Index(names, dtype=dtype if dtype in TEXT else None)


def text_lost(frame: Any) -> dict[str, str]:
    """Return the object columns whose text Parquet would restore as another dtype.

    Each value says how the column marks missing values: `None`, `nan` or `<NA>`.
    """
    lost = {}
    for name in frame.columns:
        if frame[name].dtype == object and (missing := _lost_missing(frame[name])):
            lost[name] = missing
    return lost


def index_lost(index: Any) -> dict[str, str]:
    """Return the dtypes of index levels whose text Parquet would restore as another dtype."""
    levels = {str(i): index.get_level_values(i) for i in range(index.nlevels)}
    return {
        i: str(level.dtype)
        for i, level in levels.items()
        if str(level.dtype) in TEXT and str(level.dtype) != text_dtype() and _is_text(level)
    }


def restored_index(index: Any, dtypes: dict[str, str]) -> Any:
    """Return an index with the original dtypes of its levels."""
    for i, dtype in dtypes.items():
        if index.nlevels == 1:
            index = index.astype(dtype)
        else:
            index = index.set_levels(index.levels[int(i)].astype(dtype), level=int(i))
    return index


def label_dtype_lost(names: Any) -> str | None:
    """Return the dtype of column labels if Parquet would restore them as another one, else None."""
    dtype = str(names.dtype)
    return dtype if dtype in TEXT and dtype != text_dtype() else None


def text_dtype() -> str:
    """Return pandas' default dtype for text: `object` or, since pandas 3, `str`."""
    import pandas as pd

    return str(pd.Series(["text"]).dtype)


def _has_readable_dates(column: Any) -> bool:
    """Return whether dates or durations, and the name of their dtype, can be read from text."""
    import pandas as pd

    try:
        pd.Series(column).dt.as_unit("ns")  # years beyond the range of ns have another text form
        return bool(pd.api.types.pandas_dtype(str(column.dtype)) == column.dtype)
    except (TypeError, ValueError, OverflowError):
        return False


def _is_text(values: Any) -> bool:
    from pandas.api.types import infer_dtype

    return infer_dtype(values, skipna=True) in ("string", "empty")


def _is_utf8(column: Any) -> bool:
    try:
        "".join(text for text in column.to_numpy() if isinstance(text, str)).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _lost_missing(column: Any) -> str | None:
    """Return how an object column marks missing values if Parquet would restore another dtype.

    Under pandas 2, text comes back as objects with None; under pandas 3, as `str`.
    """
    if not _is_text(column):
        return None
    kinds = {str(value) for value in column[column.isna()]} or {"None"}
    has_text = not column.isna().all()
    restored = has_text and text_dtype() != "object"
    if len(kinds) > 1 or (kinds == {"None"} and not restored):
        return None
    return kinds.pop()


def _missing_among_text(column: Any) -> str:
    """Return how an object column of text marks most of its missing values: as `None`, `nan`, ….

    If it marks them in several ways, the column is kept in the rest file.
    """
    kinds = Counter(str(value) for value in column if not isinstance(value, str))
    known = [kind for kind, _ in kinds.most_common() if kind in MISSING]
    return known[0] if known else "None"
