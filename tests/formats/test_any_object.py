"""Arbitrary Python objects: what is loaded equals what was saved, or the save is refused."""

import datetime
import functools
import sys
import typing
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from canonical import canon, dtypes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkpoint import CheckpointFormatError, load, save

pytestmark = pytest.mark.versions
STEP = "1_preprocessing"
ROWS = 3
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
NAMES = st.one_of(TEXT, st.sampled_from(["index", "_index", "a/b", "a\\", "..", "x.rest", "NA"]))
TIMES = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1))
WHOLE = st.integers(-(2**40), 2**40)
SCALARS = st.one_of(
    *(st.none(), st.booleans(), WHOLE, st.floats(allow_nan=False), TEXT),
    *(TIMES, st.dates(), st.decimals(allow_nan=False), st.tuples(WHOLE, TEXT)),
    st.timedeltas(datetime.timedelta(-9), datetime.timedelta(9)),
)


def columns(items, dtype=None):
    values = st.lists(items, min_size=ROWS, max_size=ROWS)
    return values.map(lambda found: pd.Series(found, dtype=dtype))


def categories(items):
    return st.builds(
        lambda values, unused, ordered: pd.Series(
            pd.Categorical(values, pd.unique(pd.Series([*values, unused])), ordered=ordered)
        ),
        *(st.lists(items, min_size=ROWS, max_size=ROWS), items, st.booleans()),
    )


COLUMNS = st.one_of(
    *(columns(WHOLE, "int64"), columns(st.floats(), "float64"), columns(st.booleans(), "bool")),
    *(columns(WHOLE | st.none(), "Int64"), columns(st.booleans() | st.none(), "boolean")),
    *(columns(TEXT), columns(TEXT | st.none(), object), columns(SCALARS, object)),
    *(columns(TIMES, "datetime64[ns]"), columns(st.dates(), object)),
    *(categories(TEXT), categories(WHOLE), categories(TIMES), categories(st.dates())),
    *(categories(st.booleans()), categories(st.floats(allow_nan=False))),
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        *(st.lists(inner, max_size=3), st.tuples(inner, inner)),
        st.dictionaries(NAMES | WHOLE, inner, max_size=3),
        st.sets(TEXT, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def tables(draw):
    names = draw(st.lists(NAMES, max_size=4))
    data = [draw(COLUMNS) for _ in names]
    table = pd.concat(data, axis=1) if data else pd.DataFrame(index=range(ROWS))
    table.columns = pd.Index(names, dtype=object)
    table.index = draw(st.one_of(columns(TEXT), columns(WHOLE), columns(SCALARS, object))).array
    return table


@st.composite
def cells(draw):
    table = draw(tables())
    table = table.loc[:, ~table.columns.duplicated()]
    table.index = draw(st.lists(TEXT, min_size=ROWS, max_size=ROWS, unique=True))
    adata = ad.AnnData(np.eye(ROWS, 2, dtype="float32"), obs=table)
    adata.uns.update(draw(st.dictionaries(NAMES, NESTED, max_size=3)))
    return adata


def is_back(key, obj):
    before = canon(obj)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(STEP, {key: obj})
        again = load(STEP)[key]
    assert canon(again) == before
    assert dtypes(again) == dtypes(obj)
    assert canon(obj) == before, "the object in memory has changed"


as_people_do = settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "tsv"])
@as_people_do
@given(tables())
def test_any_table(project, suffix, table):
    is_back(f"table.{suffix}", table)


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
@as_people_do
@given(cells())
def test_any_anndata(project, suffix, adata):
    is_back(f"cells.{suffix}", adata)


@as_people_do
@given(NESTED)
def test_anything_nested(project, value):
    is_back("value", value)


def test_exceptions_and_results_that_have_more_than_a_pickle_keeps(project):
    scipy = pytest.importorskip("scipy.stats")
    failed = ValueError("x")
    failed.__cause__ = KeyError("k")
    contains_itself = []
    contains_itself.append(contains_itself)
    save(
        STEP,
        {
            "failed": failed,
            "text": UnicodeDecodeError("utf-8", b"a", 0, 1, "bad"),
            "test": scipy.ttest_ind([1, 2, 3], [2, 3, 5]),
            "list": contains_itself,
            "records": np.rec.array([(1, "a")], dtype=[("a", "i8"), ("b", "U1")]),
        },
    )
    again = load(STEP)
    assert repr(again["failed"].__cause__) == "KeyError('k')"
    assert str(again["text"]) == str(UnicodeDecodeError("utf-8", b"a", 0, 1, "bad"))
    assert again["test"].pvalue == scipy.ttest_ind([1, 2, 3], [2, 3, 5]).pvalue
    found = again["list"]
    assert found[0] is found
    assert again["records"].a[0] == 1 and type(again["records"]) is np.recarray


class Unreachable(OSError):
    """An OSError whose `args` differ from the arguments of its constructor."""

    def __init__(self, server, *, tries):
        super().__init__(111, "refused", server)
        self.tries = tries


class NotReady(OSError):
    def __init__(self, server, tries):
        super().__init__(f"{server} after {tries}")


def test_errors_of_the_system_come_back(project):
    failed = Unreachable("host", tries=3)
    failed.__cause__ = FileNotFoundError(2, "gone", "a.csv")
    errors = [failed, NotReady("host", 2), ImportError("x", name="y"), PermissionError(13, "no")]
    save(STEP, {"errors": errors})
    again = load(STEP)["errors"]
    assert [(type(one), str(one), one.args) for one in again] == [
        (type(one), str(one), one.args) for one in errors
    ]
    assert (again[0].errno, again[0].filename, again[0].tries) == (111, "host", 3)
    assert again[0].__cause__.filename == "a.csv"
    assert again[2].name == "y"


class Slotted(Exception):
    __slots__ = ("found", "tries")

    def __init__(self, found, *, tries):
        super().__init__(f"{found} after {tries}")
        self.found, self.tries = found, tries


def test_what_errors_keep_outside_their_dict_comes_back(project):
    try:
        raise Slotted(None, tries=0) from None
    except Slotted as error:
        slotted = error
    names = NameError("no", name="x"), AttributeError("no", name="y", obj=open)
    axis = np.exceptions.AxisError(3, 2)
    group = ExceptionGroup("both", [KeyError("k")])
    save(STEP, {"errors": [slotted, *names, axis, group]})
    again = load(STEP)["errors"]
    assert (again[0].found, again[0].tries, str(again[0])) == (None, 0, "None after 0")
    assert again[0].__suppress_context__
    assert [one.name for one in again[1:3]] == ["x", "y"]
    assert (again[3].axis, again[3].ndim, str(again[3])) == (3, 2, str(axis))
    assert repr(again[4].exceptions) == "(KeyError('k'),)"


def test_masked_arrays_come_back_with_hard_masks_and_attributes(project):
    hard = np.ma.array([1, 2], mask=[True, False], fill_value=-9, hard_mask=True)
    united = np.ma.array([1.5])
    united.unit = "K"
    save(STEP, {"arrays": [hard, united, np.ma.array([3])], "one.npy": hard})
    again = load(STEP)
    for array in (again["arrays"][0], again["one"]):
        array[:] = 7
        assert (array.tolist(), array.fill_value, array.hardmask) == ([None, 7], -9, True)
    assert again["arrays"][1].unit == "K"
    assert not again["arrays"][2].hardmask


def test_a_refusal_names_the_part_that_cannot_be_pickled(project):
    rows = list(pd.DataFrame({"n": [1]}).itertuples())
    with Path(__file__).open() as file:
        for results, message in (
            (file, r"it cannot be pickled: .* Save what it holds"),
            ({"a": 1, "b": [2, file]}, r"\['b'\]\[1\] cannot be pickled: .* Save what it holds"),
            (rows, r"\[0\] cannot be pickled: .* Define it at the top of a module"),
        ):
            with pytest.raises(CheckpointFormatError, match=message):
                save(STEP, {"results": results})


@functools.cache
def cached(sample):
    return sample


@pytest.mark.parametrize("made", [cached, typing.NewType("Sample", str), typing.TypeVar("T")])
def test_what_a_notebook_defines_beside_classes_and_functions_is_refused(
    project, monkeypatch, made
):
    save(STEP, {"results": 1})
    monkeypatch.setattr(made, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], made.__name__, made, raising=False)
    with pytest.raises(CheckpointFormatError, match="which is defined in the notebook"):
        save(STEP, {"results": {"made": [made]}})
    assert load(STEP)["results"] == 1


class Nameless:
    def __eq__(self, other):
        return type(self) is type(other)


def test_an_object_whose_type_has_no_module_comes_back(project):
    kind = type("f", (), {"__reduce__": lambda self: (Nameless, ())})
    kind.__module__ = None  # as functions of sympy do
    adata = ad.AnnData(np.eye(2), uns={"f": kind()})
    save(STEP, {"solved": kind(), "all": [kind()], "cells": adata})
    again = load(STEP)
    assert again["solved"] == again["all"][0] == again["cells"].uns["f"] == Nameless()


def of_itself():
    adata = ad.AnnData(np.eye(2))
    adata.uns["settings"] = {"seed": 1}
    adata.uns["settings"]["of"] = adata.uns["settings"]
    adata.uns["parent"] = adata
    return adata


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_an_anndata_that_contains_itself_comes_back(project, suffix):
    save(STEP, {f"cells.{suffix}": of_itself()})
    again = load(STEP)["cells"].uns
    assert again["settings"]["seed"] == 1
    assert again["settings"]["of"]["of"] is again["settings"]["of"]
    assert again["parent"].uns["parent"] is again["parent"]


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_sparse_arrays_of_one_dimension_come_back_in_uns(project, suffix):
    sparse = pytest.importorskip("scipy.sparse")
    array = sparse.coo_array(np.array([0, 1, 2]))
    save(STEP, {f"cells.{suffix}": ad.AnnData(np.eye(2), uns={"mask": array})})
    assert load(STEP)["cells"].uns["mask"].toarray().tolist() == [0, 1, 2]


def test_tables_of_xarray_in_obsm_and_layers_come_back(project):
    xarray = pytest.importorskip("xarray")
    adata = ad.AnnData(np.eye(2), obs=pd.DataFrame(index=["a", "b"]))
    table = xarray.Dataset({"v": ("cell", [1, 2])}, coords={"cell": ["a", "b"]})
    try:
        adata.obsm["table"] = table
    except (TypeError, ValueError, AttributeError) as error:
        pytest.skip(f"this version of anndata takes none: {error}")
    save(STEP, {"adata": adata, "other.zarr": adata})
    again = load(STEP)
    for key in ("adata", "other"):
        found, saved = again[key].obsm["table"], adata.obsm["table"]
        assert type(found) is type(saved) and found["v"].equals(saved["v"])
        assert again[key].X.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("key", ["counts", "counts.npz"])
def test_sparse_arrays_of_one_and_three_dimensions_come_back(project, key):
    sparse = pytest.importorskip("scipy.sparse")
    save(STEP, {key: sparse.coo_array(np.array([0, 1, 2]))})
    assert load(STEP)["counts"].toarray().tolist() == [0, 1, 2]
    try:
        cube = sparse.coo_array(np.arange(8).reshape(2, 2, 2))
    except ValueError:
        return  # this version of SciPy has no sparse arrays of three dimensions
    save(STEP, {key: cube})
    assert load(STEP)["counts"].toarray().tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]


class Count(int):
    pass


class Level(str):
    __slots__ = ()


def test_numbers_and_text_of_subclasses_come_back_from_json(project):
    value = [Count(3), Level("low"), {Level("high"): 1}, True, 2.5]
    save(STEP, {"values.json": value})
    again = load(STEP)["values"]
    assert again == value
    assert [type(one) for one in again] == [type(one) for one in value]
    assert type(next(iter(again[2]))) is Level


def of_a_registry():
    """Return a quantity whose type is created on each call, as pint does per registry of units."""
    kind = type("Quantity", (), {"__module__": __name__, "__qualname__": "Quantity"})
    kind.__reduce__ = lambda self: (of_a_registry, ())
    return kind()


def test_a_type_that_is_made_anew_is_no_reason_to_warn(project):
    save(STEP, {"length": of_a_registry()})
    assert load(STEP).record.notes == []
    assert type(load(STEP)["length"]).__name__ == "Quantity"


class Image(np.ndarray):
    """An array with attributes, as libraries that read images return it."""


def test_arrays_keep_their_attributes(project):
    image = np.arange(3.0).view(Image)
    image.meta = {"unit": "um", "of": image}
    other = np.array(["x", None], dtype=object).view(Image)
    other.meta = "text"
    save(STEP, {"image": image, "nested": {"first": image, "again": image, "other": other}})
    previous = load(STEP)
    again, nested = previous["image"], previous["nested"]
    assert type(again) is Image
    assert again.meta["unit"] == "um"
    assert nested["first"] is nested["again"] is nested["first"].meta["of"]
    assert nested["other"].meta == "text"
    np.testing.assert_array_equal(again, image)
    np.testing.assert_array_equal(nested["other"], other)
