"""Small DataFrames as `.csv`, with the dtypes kept beside the file.

A CSV is text, so what its columns were stands in `params.json`. It is small, so it is read back
as soon as it is written: what would not come back the same is refused.
"""

from itertools import chain, count
from pathlib import Path
from typing import Any

from ..errors import CheckpointFormatError
from . import parquet
from .kinds import type_name

TRUTH = {"True": True, "False": False}


def refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.csv`."""
    return parquet.refusal(obj)


def write(frame: Any, path: Path) -> dict[str, Any]:
    """Write a DataFrame; return the dtypes, and the index where it is not just 0, 1, 2, ….

    Raises
    ------
    CheckpointFormatError
        If the file would not give back the same DataFrame.
    """
    import pandas as pd

    numbered = frame.index.equals(pd.RangeIndex(len(frame))) and frame.index.names == [None]
    levels = [] if numbered else _levels(frame.index)
    columns = [frame[name] for name in frame.columns]
    details: dict[str, Any] = {
        "missing": _missing_text([*levels, *columns]),
        "index": [_describe(level) for level in levels],
        "columns": [_describe(column) for column in columns],
    }
    frame.to_csv(
        path,
        index=not numbered,
        index_label=[level.name or "" for level in levels] or None,
        na_rep=details["missing"],
        lineterminator="\n",
        encoding="utf-8",
    )
    _compare(frame, read(path, details))
    return details


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read a DataFrame, with the dtypes it had where `save` wrote it."""
    import pandas as pd

    if details is None:
        frame = pd.read_csv(path, encoding="utf-8")
        first = str(frame.columns[0]) if len(frame.columns) else ""
        return frame.set_index(first).rename_axis(None) if first == "Unnamed: 0" else frame

    described = [*details["index"], *details["columns"]]
    if not described:
        return pd.DataFrame(index=pd.RangeIndex(0))
    text = pd.read_csv(
        path,
        header=0,
        names=range(len(described)),
        index_col=False,
        dtype=str,
        na_filter=False,
        skip_blank_lines=False,
        encoding="utf-8",
    )
    series = [_typed(list(text[i]), one, details["missing"]) for i, one in enumerate(described)]
    n_levels = len(details["index"])
    frame = pd.DataFrame(dict(enumerate(series[n_levels:])), index=text.index)
    frame.columns = pd.Index([one["name"] for one in details["columns"]], dtype=object)
    if n_levels:
        frame.index = _index(series[:n_levels], [one["name"] for one in details["index"]])
    return frame


def _levels(index: Any) -> list[Any]:
    """Return each level of an index as a Series named as the level is."""
    import pandas as pd

    for name in index.names:
        if name is not None and not isinstance(name, str):
            raise CheckpointFormatError(f"the index is named {name!r}, and a CSV's names are text")
    values = [index.get_level_values(i) for i in range(index.nlevels)]
    return [pd.Series(level, name=level.name).reset_index(drop=True) for level in values]


def _index(levels: list[Any], names: list[str | None]) -> Any:
    import pandas as pd

    if len(levels) == 1:
        return pd.Index(levels[0], name=names[0])
    return pd.MultiIndex.from_arrays(levels, names=names)


def _missing_text(columns: list[Any]) -> str:
    """Return what stands for a missing value: the first that is not itself a text in there."""
    texts = {
        value
        for column in columns
        if column.dtype.kind == "O"
        for value in column.unique()
        if isinstance(value, str)
    }
    candidates = chain(("", "NA"), (f"<missing {n}>" for n in count(1)))
    return next(text for text in candidates if text not in texts)


def _describe(column: Any) -> dict[str, Any]:
    """Return what a column's text does not say: its dtype, categories, kind of missing value."""
    described: dict[str, Any] = {"name": column.name, "dtype": str(column.dtype)}
    if described["dtype"] == "category":
        categories = column.cat.categories
        described["of"] = str(categories.dtype)
        described["categories"] = [str(category) for category in categories]
        described["ordered"] = bool(column.cat.ordered)
    if described["dtype"] == "object":
        described["hole"] = _hole(column)
    return described


def _hole(column: Any) -> str:
    """Return what stands for a missing value among text: `None`, `nan` or `<NA>`."""
    import pandas as pd

    others = [value for value in column if not isinstance(value, str)]
    for value in others:
        nan = isinstance(value, float) and value != value
        if not (nan or value is None or value is pd.NA or value is pd.NaT):
            raise CheckpointFormatError(
                f"column {column.name!r} holds a {type_name(value)} among objects, and a CSV "
                "gives back text"
            )
    holes = sorted({str(value) for value in others})
    if len(holes) > 1:
        raise CheckpointFormatError(
            f"column {column.name!r} has missing values of several kinds, {' and '.join(holes)}"
        )
    return holes[0] if holes else "None"


def _typed(texts: list[str], described: dict[str, Any], missing: str) -> Any:
    """Turn the texts of a column into what they were."""
    import numpy as np
    import pandas as pd

    dtype = described["dtype"]
    if dtype == "object":
        hole = {"None": None, "nan": np.nan, "<NA>": pd.NA, "NaT": pd.NaT}[described["hole"]]
        return pd.Series([hole if text == missing else text for text in texts], dtype=object)
    if dtype == "category":
        codes = {text: code for code, text in enumerate(described["categories"])}
        kinds = {"name": None, "dtype": described["of"], "hole": "None"}
        categories = pd.Index(_typed(described["categories"], kinds, missing))
        return pd.Series(
            pd.Categorical.from_codes(
                [codes.get(text, -1) for text in texts], categories, described["ordered"]
            )
        )
    if dtype in ("bool", "boolean"):
        return pd.Series([TRUTH.get(text) for text in texts], dtype=dtype)
    values = pd.Series([None if text == missing else text for text in texts], dtype=object)
    if dtype.startswith("datetime64"):
        zoned = "," in dtype
        return pd.to_datetime(values, format="ISO8601", utc=zoned).astype(dtype)
    if dtype.startswith("timedelta64"):
        return pd.to_timedelta(values).astype(dtype)
    return values.astype(dtype)


def _compare(frame: Any, again: Any) -> None:
    """Refuse a DataFrame that a CSV does not give back the same."""
    from pandas.testing import assert_frame_equal

    try:
        assert_frame_equal(frame, again, check_exact=True, check_freq=False, check_flags=False)
    except AssertionError as error:
        differs = " ".join(str(error).split())
        raise CheckpointFormatError(f"a CSV would not give it back the same: {differs}") from error
