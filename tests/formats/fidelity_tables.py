"""Tables that people save, each with the expected outcome."""

import datetime
import decimal
import uuid

import dateutil.tz
import numpy as np
import pandas as pd
import pyarrow as pa
from made import (
    BERLIN,
    DAY,
    EQUAL,
    LATER,
    NOON,
    UTC,
    D,
    Kind,
    column,
    table,
    with_attrs,
)

# name: (function that makes the object, key, expected outcome)
TABLES = {
    # DataFrames as Parquet
    "table": (table({"a": [1, 2], "b": ["x", "y"]}), "x", EQUAL),
    "bool labels": (table([[1, 2]], columns=[True, False]), "x.parquet", EQUAL),
    "int labels": (table([[1, 2]]), "x.parquet", EQUAL),
    "duplicate labels": (table([[1, 2]], columns=["a", "a"]), "x.parquet", EQUAL),
    "text and None": (column(["a", None]), "x", EQUAL),
    "text and nan": (column(["a", np.nan], object), "x", EQUAL),
    "text as objects": (column(["a", "b"], object), "x", EQUAL),
    "text and None as objects": (column(["a", None], object), "x", EQUAL),
    "text and two kinds of missing": (column(["a", None, np.nan], object), "x", EQUAL),
    "nan as objects": (column([np.nan, np.nan], object), "x", EQUAL),
    "index of objects": (table({"a": [1]}, index=pd.Index(["r"], dtype=object)), "x", EQUAL),
    "index of string": (table({"a": [1]}, index=pd.Index(["r"], dtype="string")), "x", EQUAL),
    "level of string": (
        table({"a": [1]}, index=pd.MultiIndex.from_arrays([pd.Index(["r"], dtype="string"), [1]])),
        "x",
        EQUAL,
    ),
    "level of tuples": (
        table({"a": [1]}, index=pd.MultiIndex.from_arrays([["r"], [("s", "t")]])),
        "x",
        EQUAL,
    ),
    "labels of objects": (table({"a": [1]}, columns=pd.Index(["a"], dtype=object)), "x", EQUAL),
    "labels of string": (table({"a": [1]}, columns=pd.Index(["a"], dtype="string")), "x", EQUAL),
    "labels of categories": (table({"a": [1]}, columns=pd.CategoricalIndex(["a"])), "x", EQUAL),
    "mixed": (column(["a", 1], object), "x", EQUAL),
    "lists": (column([[1], [2, 3]]), "x", EQUAL),
    "sets": (column([{1}, {2}]), "x", EQUAL),
    "dicts": (column([{"a": 1}, {"b": 2}]), "x", EQUAL),
    "tuples": (column([(1, 2), (3,)]), "x", EQUAL),
    "dates": (column([DAY, None]), "x", EQUAL),
    "mixed zones": (
        column([pd.Timestamp(NOON, tz=UTC), pd.Timestamp(NOON, tz=BERLIN)], object),
        "x",
        EQUAL,
    ),
    "zone": (column(pd.date_range("2020", periods=2, tz=BERLIN)), "x", EQUAL),
    "seconds": (column(np.array(["2020-01-01"], dtype="datetime64[s]")), "x", EQUAL),
    "timedelta": (column(pd.to_timedelta([1], unit="ns")), "x", EQUAL),
    "Decimal": (column([decimal.Decimal("1.10")]), "x", EQUAL),
    "bytes": (column([b"a"]), "x", EQUAL),
    "uuid": (column([uuid.UUID(int=1)]), "x", EQUAL),
    "ints and None": (column([1, None], object), "x", EQUAL),
    "bools and None": (column([True, None], object), "x", EQUAL),
    "big ints": (column([2**70, 1], object), "x", EQUAL),
    "category": (column(pd.Categorical(["a", "b"], ["b", "a", "c"], ordered=True)), "x", EQUAL),
    "int category": (column(pd.Categorical([1, 2])), "x", EQUAL),
    "bool category": (column(pd.Categorical([True, False])), "x", EQUAL),
    "date category": (column(pd.Categorical(pd.to_datetime(["2020", "2021"]))), "x", EQUAL),
    "duration category": (
        column(pd.Categorical(pd.to_timedelta([1, None, 1], unit="D"))),
        "x",
        EQUAL,
    ),
    "interval category": (column(pd.cut([1, 2], 2)), "x", EQUAL),
    "empty category": (column(pd.Categorical([None], [])), "x", EQUAL),
    "empty": (table({"a": pd.Series([], dtype="int8"), "c": pd.Categorical([], ["z"])}), "x", EQUAL),
    "period": (column(pd.period_range("2020", periods=2)), "x", EQUAL),
    "interval": (column(pd.interval_range(0, 2)), "x", EQUAL),
    "Sparse": (column(pd.arrays.SparseArray([0, 1])), "x", EQUAL),
    "complex": (column([1j, 2]), "x", EQUAL),
    "float16": (column(np.array([1], dtype="float16")), "x", EQUAL),
    "string": (column(["a", None], "string"), "x", EQUAL),
    "string[pyarrow]": (column(["a", None], "string[pyarrow]"), "x", EQUAL),
    "arrow list": (column([[1]], pd.ArrowDtype(pa.list_(pa.int64()))), "x", EQUAL),
    "named index": (lambda: pd.DataFrame({"a": [1]}, index=pd.Index(["r"], name="n")), "x", EQUAL),
    "levels": (lambda: pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("r", 1)])), "x", EQUAL),
    "index of dates with a frequency": (
        lambda: pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020", periods=2)),
        "x",
        EQUAL,
    ),
    "categorical index": (lambda: pd.DataFrame({"a": [1]}, index=pd.CategoricalIndex(["r"])), "x", EQUAL),
    "interval index": (lambda: pd.DataFrame({"a": [1]}, index=pd.interval_range(0, 1)), "x", EQUAL),
    "name of columns": (lambda: pd.DataFrame({"a": [1]}).rename_axis(columns="c"), "x", EQUAL),
    "attrs": (with_attrs(table({"a": [1]}), unit="x"), "x", EQUAL),
    "attrs that are no JSON": (with_attrs(table({"a": [1]}), unit={1}), "x", EQUAL),
    "attrs with a tuple": (with_attrs(table({"a": [1]}), unit=(1, 2)), "x", EQUAL),
    "a column named as the index": (
        lambda: pd.DataFrame({"n": [1]}, index=pd.Index([5], name="n")),
        "x",
        EQUAL,
    ),
    "__index_level_0__": (table({"__index_level_0__": [1]}, index=["r"]), "x", EQUAL),
    # CSV
    "csv": (table({"a": ["007", "NA", ""], "b": [0.1, 1 / 3, 1e-300]}), "x.csv", EQUAL),
    "csv with a carriage return": (table({"a": ["x\ry", "z"]}), "x.csv", EQUAL),
    "csv levels": (
        lambda: pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("r", 1)], names=["k", None])),
        "x.csv",
        EQUAL,
    ),
    "csv attrs": (with_attrs(table({"a": [1]}), unit="x"), "x.csv", EQUAL),
    "csv labels of objects": (
        table({"a": [1]}, columns=pd.Index(["a"], dtype=object)),
        "x.csv",
        EQUAL,
    ),
    "csv labels of categories": (
        table({"a": [1]}, columns=pd.CategoricalIndex(["a"])),
        "x.csv",
        EQUAL,
    ),
    "csv index of string": (
        table({"a": [1]}, index=pd.Index(["r"], dtype="string")),
        "x.csv",
        EQUAL,
    ),
    "csv duration category": (
        column(pd.Categorical(pd.to_timedelta([1, None, 1], unit="D"))),
        "x.csv",
        EQUAL,
    ),
    "csv date category": (
        column(pd.Categorical(pd.to_datetime(["2020", None, "2021"]))),
        "x.csv",
        EQUAL,
    ),
    "csv duration index": (
        table({"a": [1, 2]}, index=pd.CategoricalIndex(pd.to_timedelta([2, 1], unit="D"))),
        "x.csv",
        EQUAL,
    ),
    "csv lists": (column([[1]]), "x.csv", EQUAL),
    "csv interval": (column(pd.interval_range(0, 2)), "x.csv", EQUAL),
    "csv name of columns": (lambda: pd.DataFrame({"a": [1]}).rename_axis(columns="c"), "x.csv", EQUAL),
    "csv arrow": (column([1], pd.ArrowDtype(pa.int64())), "x.csv", EQUAL),
    "csv bool category": (column(pd.Categorical([True, False])), "x.csv", EQUAL),
    "csv float category": (column(pd.Categorical([0.1, np.pi])), "x.csv", EQUAL),
    "csv bytes": (column([b"a"]), "x.csv", EQUAL),
    # tables
    **{
        f"{name}{suffix}": (make, f"x{suffix}", EQUAL)
        for suffix in ("", ".csv", ".tsv", ".csv.gz")
        for name, make in {
            "index of zones": table({"a": [1, 2]}, index=pd.Index([pd.Timestamp(NOON, tz=UTC), pd.Timestamp(NOON, tz=BERLIN)], dtype=object)),
            "index of ints and None": table({"a": [1, 2]}, index=pd.Index([1, None], dtype=object)),
            "index of tuples": table({"a": [1, 2]}, index=pd.Index([("a", 1), ("b", 2)], tupleize_cols=False)),
            "index of text and nan": table({"a": [1, 2]}, index=pd.Index(["a", np.nan], dtype=object)),
            "index of dates": table({"a": [1, 2]}, index=pd.Index([DAY, LATER], name="day")),
            "levels of dates and tuples": table(
                {"a": [1, 2]}, index=pd.MultiIndex.from_arrays([[DAY, LATER], [("s", 1), ("t", 2)]], names=["d", "t"])
            ),
            "levels of names": table([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "mean"), ("a", "std")])),
            "names None and nan": table([[1, 2]], columns=pd.Index([None, np.nan], dtype=object)),
            "names that repeat": table([[1, 2, 3]], columns=["a", "a", "a_2"]),
            "no columns": table(index=["r", "s"]),
            "no columns, no index": table(index=range(3)),
            "date categories": column(pd.Categorical([DAY, None], [LATER, DAY], ordered=True)),
            "time categories": column(pd.Categorical([datetime.time(1), datetime.time(2)])),
            "Decimal categories": column(pd.Categorical([D("1.10"), D("2")], [D("3"), D("2"), D("1.10")])),
            "tuple categories": column(pd.Categorical([("a", 1), ("b", 2)])),
            "text with a zero byte": column(["a\0b", "c"], object),
            "text that is no UTF-8": column(["\ud800", "c"], object),
            "values equal across types": column([1, True, 1.0], object),
            "dicts with a float": column([{"a": 1}, {"a": 2.5}]),
            "Decimals of other digits": column([D("1.1"), D("1.10")], object),
            "period index": table({"a": [1, 2]}, index=pd.period_range("2020", periods=2)),
            "nullable index": table({"a": [1, 2]}, index=pd.Index([1, None], dtype="Int64")),
        }.items()
    },
    # tables and series that other file formats change or refuse
    **{
        f"{name} as {suffix}": (make, f"x{suffix}", EQUAL)
        for suffix in (".parquet", ".csv")
        for name, make in {
            "table that may not repeat names": lambda: pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
            "labels named by a tuple": lambda: pd.DataFrame([[1]], columns=pd.Index(["a"], name=("b", "std"))),
            "a single level": lambda: pd.DataFrame({"a": list("aab")}).value_counts().to_frame(),
            "numbers of another byte order": table({"a": np.arange(2, dtype=">i4"), "b": np.arange(2, dtype=">f8")}),
            "numbers of 80 bits": table({"a": np.arange(2, dtype="longdouble") / 3}),
            "text of an enum": column([Kind.RNA, Kind.RNA], object),
            "categories that are no UTF-8": column(pd.Categorical.from_codes([0, 1], pd.Index(["a\0", "\ud800"], dtype=object), ordered=True)),
            "zone of dateutil": column(pd.to_datetime(["2020"]).tz_localize(dateutil.tz.tzoffset("CET", 3600))),
            "years 1 and 9999": column(np.array(["0001-01-01", "9999-12-31"], dtype="datetime64[s]")),
            "durations of millennia": column(np.array([10**12], dtype="timedelta64[s]")),
            "series": lambda: pd.Series([1, None], index=["a", "b"], name="n"),
            "counts": lambda: pd.DataFrame({"k": list("aab"), "v": [1, 2, 3]}).groupby(["k", "v"]).size(),
        }.items()
    },
}  # fmt: skip
