"""What the columns of a DataFrame were, kept beside the file that does not say it."""

from collections.abc import Iterator
from typing import Any

from ..errors import CheckpointFormatError
from .fidelity import differences
from .kinds import a_type

ATTRS, FREQUENCY = "attrs", "the frequency of the index"
TRUTH = {"True": True, "False": False}


def describe(column: Any) -> dict[str, Any]:
    """Return what a column's text does not say: its dtype, categories, kind of missing value."""
    described: dict[str, Any] = {"name": column.name, "dtype": str(column.dtype)}
    if described["dtype"] == "category":
        categories = column.cat.categories
        described["categories"] = [str(category) for category in categories]
        described["of"] = str(categories.dtype)
        described["ordered"] = bool(column.cat.ordered)
    if described["dtype"] == "object":
        described["hole"] = _hole(column)
    return described


def typed(texts: list[str], described: dict[str, Any], missing: str | None) -> Any:
    """Turn the texts of a column into what they were."""
    import numpy as np
    import pandas as pd

    dtype = described["dtype"]
    if dtype == "object":
        hole = {"None": None, "nan": np.nan, "<NA>": pd.NA, "NaT": pd.NaT}[described["hole"]]
        return pd.Series([hole if text == missing else text for text in texts], dtype=object)
    if dtype == "category":
        codes = {text: code for code, text in enumerate(described["categories"])}
        numbers = [codes.get(text, -1) for text in texts]
        return pd.Series(pd.Categorical.from_codes(numbers, dtype=category_dtype(described)))
    if dtype in ("bool", "boolean"):
        return pd.Series([TRUTH.get(text) for text in texts], dtype=dtype)
    values = pd.Series([None if text == missing else text for text in texts], dtype=object)
    if dtype.startswith("datetime64"):
        zoned = "," in dtype
        return pd.to_datetime(values, format="ISO8601", utc=zoned).astype(dtype)
    if dtype.startswith("timedelta64"):
        return pd.to_timedelta(values).astype(dtype)
    return values.astype(dtype)


def category_dtype(described: dict[str, Any]) -> Any:
    """Return the dtype of a described categorical column."""
    import pandas as pd

    kinds = {"name": None, "dtype": described["of"], "hole": "None"}
    categories = pd.Index(typed(described["categories"], kinds, missing=None))
    return pd.CategoricalDtype(categories, described["ordered"])


def changes(frame: Any, again: Any) -> Iterator[str]:
    """Tell which dtypes, labels and names of a DataFrame come back as others."""
    found = _kinds(again)
    for slot, kind in _kinds(frame).items():
        if found.get(slot) != kind:
            yield f"{slot} is {kind} and comes back as {found.get(slot)}"


def value_changes(frame: Any, again: Any) -> Iterator[str]:
    """Tell which values of a DataFrame come back as others; `changes` has told of its attrs."""
    frame, again = frame.copy(deep=False), again.copy(deep=False)
    frame.attrs, again.attrs = {}, {}
    yield from differences(frame, again, "the table")


def _kinds(frame: Any) -> dict[str, Any]:
    """Return the dtype of each column and of each level of the index, and the index's names."""
    index = [frame.index.get_level_values(i) for i in range(frame.index.nlevels)]
    return {
        **{f"column {name!r}": str(dtype) for name, dtype in frame.dtypes.items()},
        **{f"level {i} of the index": str(level.dtype) for i, level in enumerate(index)},
        "the name of the index": list(frame.index.names),
        "the name of the columns": frame.columns.name,
        FREQUENCY: getattr(frame.index, "freqstr", None),
        ATTRS: frame.attrs,
    }


def _hole(column: Any) -> str:
    """Return what stands for a missing value among text: `None`, `nan` or `<NA>`."""
    import pandas as pd

    others = [value for value in column if not isinstance(value, str)]
    for value in others:
        nan = isinstance(value, float) and value != value
        if not (nan or value is None or value is pd.NA or value is pd.NaT):
            raise CheckpointFormatError(
                f"column {column.name!r} holds {a_type(value)} among objects, and a CSV "
                "gives back text"
            )
    holes = sorted({str(value) for value in others})
    if len(holes) > 1:
        raise CheckpointFormatError(
            f"column {column.name!r} has missing values of several kinds, {' and '.join(holes)}"
        )
    return holes[0] if holes else "None"
