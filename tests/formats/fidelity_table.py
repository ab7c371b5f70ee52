"""Objects that people save, each with the key it is saved under and what becomes of it."""

import dataclasses
import datetime
import decimal
import enum
import fractions
import uuid
from pathlib import Path

import anndata as ad
import dateutil.tz
import numpy as np
import pandas as pd
import pyarrow as pa
import scipy.sparse as sp

EQUAL, TOLD, REFUSED = "equal", "told", "refused"


def cells(n=4, **slots):
    adata = ad.AnnData(sp.eye(n, 3, format="csr", dtype="float32"))
    adata.obs_names = [f"cell{i}" for i in range(n)]
    for slot, value in slots.items():
        if slot in ("obs", "var"):
            for name, column in value.items():
                getattr(adata, slot)[name] = column
        else:
            setattr(adata, slot, value)
    return adata


def obs(column):
    return lambda: cells(obs={"x": column})


def uns(value):
    return lambda: cells(uns={"x": value})


def table(*args, **kwargs):
    return lambda: pd.DataFrame(*args, **kwargs)


def column(values, dtype=None):
    return lambda: pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


def ragged():
    array = np.empty(2, dtype=object)
    array[:] = [[1], [1, 2]]
    return array


def with_attrs(make, **attrs):
    def build():
        frame = make()
        frame.attrs.update(attrs)
        return frame

    return build


def raw_of(adata):
    adata.raw = adata
    return adata


def indexed(index):
    adata = cells()
    adata.obs.index = index
    return adata


def renamed(adata, name):
    adata.obs.index.name = name
    return adata


UTC, BERLIN = "UTC", "Europe/Berlin"
DAY = datetime.date(2020, 1, 2)
NOON = datetime.datetime(2020, 1, 2, 12)

D = decimal.Decimal
LATER = datetime.date(2021, 3, 4)


class Colour(enum.Enum):
    RED = 1


class Kind(enum.StrEnum):
    RNA = "rna"


@dataclasses.dataclass
class Settings:
    seed: int
    pair: tuple


class Failed(Exception):
    """An exception whose arguments are not those that it was made with, as libraries have it."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class Units(np.ndarray):
    """An array with units, as those of unyt, astropy and pint are."""

    def __new__(cls, values, unit):
        array = np.asarray(values).view(cls)
        array.unit = unit
        return array

    def __array_finalize__(self, other):
        self.unit = getattr(other, "unit", None)

    def __reduce__(self):
        return Units, (np.asarray(self), self.unit)


# name: (how to make it, the key, what is expected)
CASES = {
    # AnnData: obs
    "obs text": (obs(["a", "b", "a", "c"]), "x", EQUAL),
    "obs text and None": (
        lambda: cells(obs={"x": pd.Series(["a", None, "b", None], [f"cell{i}" for i in range(4)], dtype=object)}),
        "x",
        EQUAL,
    ),
    "obs text and nan": (obs(["a", np.nan, "b", "c"]), "x", EQUAL),
    "obs text and numbers": (obs(["a", 1, "b", 2.5]), "x", EQUAL),
    "obs dates": (obs([DAY] * 4), "x", EQUAL),
    "obs datetimes": (obs(pd.date_range("2020", periods=4)), "x", EQUAL),
    "obs timedeltas": (obs(pd.to_timedelta([1, 2, 3, 4], unit="s")), "x", EQUAL),
    "obs intervals": (obs(pd.cut([1, 2, 3, 4], 2)), "x", EQUAL),
    "obs periods": (obs(pd.period_range("2020", periods=4)), "x", EQUAL),
    "obs Float64": (obs(pd.array([1.5, None, 2, 3], dtype="Float64")), "x", EQUAL),
    "obs Int64": (obs(pd.array([1, None, 2, 3], dtype="Int64")), "x", EQUAL),
    "obs boolean": (obs(pd.array([True, None, False, True], dtype="boolean")), "x", EQUAL),
    "obs bool": (obs([True, False, True, True]), "x", EQUAL),
    "obs string": (obs(pd.array(["a", None, "b", "c"], dtype="string")), "x", EQUAL),
    "obs string[pyarrow]": (obs(pd.array(["a", "d", "b", "c"], dtype="string[pyarrow]")), "x", EQUAL),
    "obs arrow int": (obs(pd.array([1, 2, 3, 4], dtype=pd.ArrowDtype(pa.int64()))), "x", EQUAL),
    "obs int8": (obs(np.array([1, 2, 3, 4], dtype="int8")), "x", EQUAL),
    "obs float16": (obs(np.array([1, 2, 3, 4], dtype="float16")), "x", EQUAL),
    "obs complex": (obs(np.array([1j, 2, 3, 4])), "x", EQUAL),
    "obs ordered": (obs(pd.Categorical(list("abca"), list("cab"), ordered=True)), "x", EQUAL),
    "obs unused category": (obs(pd.Categorical(list("abaa"), list("abz"))), "x", EQUAL),
    "obs int categories": (obs(pd.Categorical([3, 1, 3, 2])), "x", EQUAL),
    "obs bool categories": (obs(pd.Categorical([True, False, True, True])), "x", EQUAL),
    "obs category with missing": (obs(pd.Categorical(["a", None, "b", "a"])), "x", EQUAL),
    "obs empty category": (obs(pd.Categorical([None] * 4, [])), "x", EQUAL),
    "obs lists": (obs([[1], [2], [3], [4]]), "x", EQUAL),
    "obs all None": (obs([None] * 4), "x", EQUAL),
    "obs Decimal": (obs([decimal.Decimal(1)] * 4), "x", EQUAL),
    "obs named _index": (lambda: cells(obs={"_index": range(4)}), "x", EQUAL),
    "obs named as the index": (
        lambda: renamed(cells(obs={"barcode": list("abcd")}), "barcode"),
        "x",
        EQUAL,
    ),
    "obs index named": (lambda: renamed(cells(), "barcode"), "x", EQUAL),
    "obs integer name": (lambda: cells(obs={3: range(4)}), "x", EQUAL),
    "obs name with /": (lambda: cells(obs={"a/b": range(4)}), "x", EQUAL),
    "obs name empty": (lambda: cells(obs={"": range(4)}), "x", EQUAL),
    "obs attrs": (lambda: (a := cells(), a.obs.attrs.update(unit="x"), a)[2], "x", EQUAL),
    "obs duplicate names": (
        lambda: (
            a := cells(obs={"a": range(4)}),
            setattr(a, "obs", pd.concat([a.obs, a.obs], axis=1)),
            a,
        )[2],
        "x",
        EQUAL,
    ),
    "obs_names not unique": (lambda: (a := cells(), setattr(a, "obs_names", list("aabb")), a)[2], "x", EQUAL),
    # AnnData: uns
    "uns text": (uns("a"), "x", EQUAL),
    "uns int": (uns(3), "x", EQUAL),
    "uns numpy scalar": (uns(np.float32(0.5)), "x", EQUAL),
    "uns bool": (uns(True), "x", EQUAL),
    "uns None": (uns(None), "x", EQUAL),
    "uns nested dict": (uns({"a": {"b": 1, "c": "d"}}), "x", EQUAL),
    "uns empty dict": (uns({}), "x", EQUAL),
    "uns list": (uns([1, 2]), "x", EQUAL),
    "uns list of text": (uns(["a", "b"]), "x", EQUAL),
    "uns mixed list": (uns([1, "a"]), "x", EQUAL),
    "uns empty list": (uns([]), "x", EQUAL),
    "uns ragged list": (uns([[1], [1, 2]]), "x", EQUAL),
    "uns tuple": (uns((1, 2)), "x", EQUAL),
    "uns set": (uns({1, 2}), "x", EQUAL),
    "uns int keys": (uns({1: "a"}), "x", EQUAL),
    "uns key with /": (uns({"a/b": 1}), "x", EQUAL),
    "uns key with a backslash": (uns({"a\\": 1}), "x.zarr", EQUAL),
    "uns empty key": (uns({"": 1}), "x", EQUAL),
    "uns Path": (uns(Path("a")), "x", EQUAL),
    "uns datetime": (uns(NOON), "x", EQUAL),
    "uns Timestamp": (uns(pd.Timestamp(NOON)), "x", EQUAL),
    "uns Series": (uns(pd.Series([1, 2])), "x", EQUAL),
    "uns DataFrame": (uns(pd.DataFrame({"a": [1, 2]}, index=["r", "s"])), "x", EQUAL),
    "uns DataFrame with numbers as index": (uns(pd.DataFrame({"a": [1, 2]})), "x", EQUAL),
    "uns MultiIndex": (
        uns(pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("r", 1)]))),
        "x",
        EQUAL,
    ),
    "uns array": (uns(np.arange(3)), "x", EQUAL),
    "uns array of text": (uns(np.array(["a", "b"])), "x", EQUAL),
    "uns array of objects": (uns(np.array(["a", 1], dtype=object)), "x", EQUAL),
    "uns array of dates": (uns(np.array(["2020"], dtype="datetime64[D]")), "x", EQUAL),
    "uns masked array": (uns(np.ma.masked_array([1, 2], [True, False])), "x", EQUAL),
    "uns record array": (uns(np.rec.array([(1, 2.0)], dtype=[("a", "i8"), ("b", "f8")])), "x", EQUAL),
    "uns sparse": (uns(sp.eye(2, format="csr")), "x", EQUAL),
    "uns 0-d": (uns(np.array(1)), "x", EQUAL),
    "uns complex": (uns(1j), "x", EQUAL),
    "uns bytes": (uns(b"a"), "x", EQUAL),
    "uns big int": (uns(2**70), "x", EQUAL),
    "uns function": (uns(len), "x", EQUAL),
    "uns object": (uns(fractions.Fraction(1, 2)), "x", EQUAL),
    # AnnData: matrices and the rest
    "X dense": (lambda: cells(X=np.eye(4, 3)), "x", EQUAL),
    "X None": (lambda: ad.AnnData(obs=pd.DataFrame(index=list("ab"))), "x", EQUAL),
    "X csc": (lambda: cells(X=sp.eye(4, 3, format="csc")), "x", EQUAL),
    "X csr_array": (lambda: cells(X=sp.csr_array(sp.eye(4, 3))), "x", EQUAL),
    "X int64": (lambda: cells(X=np.arange(12).reshape(4, 3)), "x", EQUAL),
    "X masked": (lambda: cells(X=np.ma.masked_array(np.eye(4, 3), np.eye(4, 3) > 0)), "x", EQUAL),
    "layers": (lambda: cells(layers={"counts": np.eye(4, 3, dtype="int8")}), "x", EQUAL),
    "layer with /": (lambda: cells(layers={"a/b": np.eye(4, 3)}), "x", EQUAL),
    "obsm array": (lambda: cells(obsm={"X_pca": np.eye(4, 2)}), "x", EQUAL),
    "obsm with /": (lambda: cells(obsm={"X/pca": np.eye(4, 2)}), "x", EQUAL),
    "obsm DataFrame": (
        lambda: cells(obsm={"m": pd.DataFrame({"a": range(4)}, index=[f"cell{i}" for i in range(4)])}),
        "x",
        EQUAL,
    ),
    "obsp": (lambda: cells(obsp={"d": sp.eye(4, format="csr")}), "x", EQUAL),
    "raw": (lambda: raw_of(cells(var={"s": ["a", "b", "a"]})), "x", EQUAL),
    "view": (lambda: cells()[:2], "x", EQUAL),
    "no cells": (lambda: cells()[:0].copy(), "x", EQUAL),
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
    # arrays
    "array": (lambda: np.arange(6).reshape(2, 3), "x", EQUAL),
    "array of objects": (lambda: np.array(["a", 1], dtype=object), "x", EQUAL),
    "array of objects as .npy": (lambda: np.array(["a", 1], dtype=object), "x.npy", EQUAL),
    "ragged array as .npy": (ragged, "x.npy", EQUAL),
    "ragged array": (ragged, "x", EQUAL),
    "string dtype": (lambda: np.array(["a"], dtype=np.dtypes.StringDType()), "x", EQUAL),
    "string dtype as .npy": (lambda: np.array(["a"], dtype=np.dtypes.StringDType()), "x.npy", EQUAL),
    "list as .npy": (lambda: [1, 2], "x.npy", REFUSED),
    "masked as .npy": (lambda: np.ma.masked_array([1], [True]), "x.npy", EQUAL),
    "matrix": (lambda: np.asmatrix(np.eye(2)), "x", EQUAL),
    "record array": (lambda: np.rec.array([(1, "a")], dtype=[("a", "i8"), ("b", "U1")]), "x", EQUAL),
    "fortran order": (lambda: np.asfortranarray(np.eye(2)), "x", EQUAL),
    "dtype with metadata": (lambda: np.zeros(1, np.dtype("f8", metadata={"unit": "x"})), "x", EQUAL),
    "dates array": (lambda: np.array(["2020", "NaT"], dtype="datetime64[D]"), "x", EQUAL),
    "sparse": (lambda: sp.eye(2, format="csc", dtype="int8"), "x", EQUAL),
    "sparse array": (lambda: sp.csr_array(sp.eye(2)), "x", EQUAL),
    # other objects
    "set": (lambda: {"a", 1}, "x", EQUAL),
    "series": (lambda: pd.Series([1, 2], name="n"), "x", EQUAL),
    "lambda": (lambda: len.__class__ and (lambda: 0), "x", REFUSED),
    "json tuple": (lambda: {"a": (1, 2)}, "x.json", EQUAL),
    "json int keys": (lambda: {1: 2}, "x.json", EQUAL),
    "json": (lambda: {"a": [1, 2.5, None, "é"]}, "x.json", EQUAL),
    # kinds that other file formats change, or refuse: obs and uns
    "obs zones": (obs(pd.date_range("2020", periods=4, tz=BERLIN)), "x", EQUAL),
    "obs mixed zones": (obs([pd.Timestamp(NOON, tz=UTC), pd.Timestamp(NOON, tz=BERLIN), None, NOON]), "x", EQUAL),
    "obs None and True": (obs([None, True, False, None]), "x", EQUAL),
    "obs sparse": (obs(pd.arrays.SparseArray([0, 0, 1, 0])), "x", EQUAL),
    "obs dicts": (obs([{"a": 1}, {}, {"b": (1,)}, {"a": 2.0}]), "x", EQUAL),
    "obs times": (obs([datetime.time(1), None, datetime.time(2), datetime.time(1)]), "x", EQUAL),
    "obs arrow list": (obs(pd.array([[1], [], [2], None], pd.ArrowDtype(pa.list_(pa.int64())))), "x", EQUAL),
    "obs date categories": (obs(pd.Categorical([DAY, None, DAY, DAY], [LATER, DAY], ordered=True)), "x", EQUAL),
    "obs Decimal categories": (obs(pd.Categorical([D("1.10"), D("2"), None, D("2")])), "x", EQUAL),
    "obs duration categories": (obs(pd.Categorical(pd.to_timedelta([1, 2, 1, 2], unit="D"))), "x", EQUAL),
    "obs text with a zero byte": (obs(["a\0b", "c", "d", "c"]), "x", EQUAL),
    "obs text that is no UTF-8": (obs(pd.Series(["\ud800", "c", "d", "c"], [f"cell{i}" for i in range(4)], dtype=object)), "x", EQUAL),
    "obs name of tuples": (lambda: cells(obs={("a", "b"): range(4), "a_b": range(4)}), "x", EQUAL),
    "obs name is dots": (lambda: cells(obs={".": range(4), "..": range(4)}), "x", EQUAL),
    "obs names that collide": (lambda: cells(obs={"1": range(4), 1: [4, 3, 2, 1]}), "x", EQUAL),
    "obs index of numbers": (lambda: (a := cells(), setattr(a.obs, "index", pd.Index([4, 3, 2, 1])), a)[2], "x", EQUAL),
    "obs index of levels": (
        lambda: (a := cells(), setattr(a.obs, "index", pd.MultiIndex.from_product([["a", "b"], [1, 2]])), a)[2],
        "x",
        EQUAL,
    ),
    "uns AnnData": (uns(cells(obs={"y": ["a", "b", "a", "b"]})), "x", EQUAL),
    "uns enum": (uns(Colour.RED), "x", EQUAL),
    "uns dataclass": (uns(Settings(1, (2, 3))), "x", EQUAL),
    "uns exception": (uns(Failed(404, "gone")), "x", EQUAL),
    "uns list of dicts": (uns([{"a": 1}, {"b": (1, 2)}]), "x", EQUAL),
    "uns list of arrays": (uns([np.arange(2), np.arange(3)]), "x", EQUAL),
    "uns list of tables": (uns([pd.DataFrame({"a": [1]})]), "x", EQUAL),
    "uns tuples in a dict in a dict": (uns({"a": {"b": (1, [2, (3,)])}}), "x", EQUAL),
    "uns Index": (uns(pd.Index(["a", "b"], name="n")), "x", EQUAL),
    "uns Categorical": (uns(pd.Categorical(["a", "b", "a"])), "x", EQUAL),
    "uns timedelta": (uns(datetime.timedelta(1)), "x", EQUAL),
    "uns datetime64": (uns(np.datetime64("2020-01-01")), "x", EQUAL),
    "uns frozenset": (uns(frozenset({1, 2})), "x", EQUAL),
    "uns table with text and None": (uns(pd.DataFrame({"a": ["x", None, "y"]}, index=list("rst"))), "x", EQUAL),
    "uns table with numbers as names": (uns(pd.DataFrame([[1, 2]], columns=[0, 1], index=["r"])), "x", EQUAL),
    "uns keys that collide": (uns({"1": "a", 1: "b", (1, 2): "c"}), "x", EQUAL),
    "uns nan": (uns(float("nan")), "x", EQUAL),
    "uns list with an int and a bool": (uns([1, True]), "x", EQUAL),
    "obsm masked": (lambda: cells(obsm={"m": np.ma.masked_array(np.eye(4), np.eye(4) > 0)}), "x", EQUAL),
    "obsm text": (lambda: cells(obsm={"m": np.array([["a"], ["b"], ["c"], ["d"]], dtype=object)}), "x", EQUAL),
    "obsm table with None": (
        lambda: cells(obsm={"m": pd.DataFrame({"a": ["x", None, "y", "z"]}, index=[f"cell{i}" for i in range(4)])}),
        "x",
        EQUAL,
    ),
    "raw with dates": (lambda: raw_of(cells(var={"d": [DAY, None, DAY]})), "x", EQUAL),
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
    # fields that readers of AnnData drop or refuse
    "attribute of an AnnData": (lambda: (a := cells(), setattr(a, "protocol", "10x"), a)[2], "x", EQUAL),
    "no cells, with raw": (lambda: raw_of(cells(var={"s": ["a", None, "a"]}))[:0].copy(), "x", EQUAL),
    "obs text of an enum": (obs(pd.Series([Kind.RNA] * 4, [f"cell{i}" for i in range(4)], dtype=object)), "x", EQUAL),
    "obs may not repeat names": (
        lambda: (a := cells(), setattr(a, "obs", a.obs.set_flags(allows_duplicate_labels=False)), a)[2],
        "x",
        EQUAL,
    ),
    **{
        f"{name} as {suffix}": (make, f"x{suffix}", EQUAL)
        for suffix in (".h5ad", ".zarr")
        for name, make in {
            "obs index of string": lambda: indexed(pd.Index(list("abcd"), dtype="string")),
            "obs index with None": lambda: indexed(pd.Index(["a", None, "b", "c"])),
            "obs of 80 bits": obs(np.arange(4, dtype="longdouble") / 3),
            "X and layer of sparse arrays": lambda: cells(X=sp.csr_array(np.eye(4, 3)), layers={"n": sp.csc_array(np.eye(4, 3))}),
            "uns sparse arrays": uns({"m": sp.csr_matrix(np.eye(2)), "a": sp.csr_array(np.eye(2)), "d": sp.dok_matrix(np.eye(2))}),
            "uns records in records": uns(np.array([((1, 2.0), 3)], dtype=[("p", [("x", "i4"), ("y", "f8")]), ("n", "i4")])),
            "uns names of folders": uns({"zarr.json": 1, "k" * 2000: 2, "A": 3, "a": 4, "CON": 5, "a:b*?": 6, ".zgroup": 7}),
            "obs names of folders": lambda: cells(obs={"n" * 2000: range(4), "S": range(4), "s": list("abab"), "aux": range(4)}),
        }.items()
    },
    # tables and series that other file formats change, or refuse
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
    # other objects
    "metadata of a field": (lambda: np.zeros(2, np.dtype([("a", np.dtype("f8", metadata={"unit": "x"}))])), "x", EQUAL),
    "exception": (lambda: {"sample": Failed(404, "gone")}, "x", EQUAL),
    "units": (lambda: Units(np.arange(3.0), "m"), "x", EQUAL),
    "Index": (lambda: pd.MultiIndex.from_tuples([("a", 1)]), "x", EQUAL),
    "masked": (lambda: np.ma.masked_array([1, 2], [True, False]), "x.npy", EQUAL),
    "nan in json": (lambda: {"a": [float("nan"), float("inf")]}, "x.json", EQUAL),
    "matrix of lists": (lambda: sp.lil_matrix(np.eye(2)), "x.npz", EQUAL),
}  # fmt: skip
