"""Objects as people bring them: what is saved is what is loaded, whatever is in it."""

import datetime
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from canonical import canon, dtypes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkpoint import load, save

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
    """An error of the system whose arguments are not those that it was made with."""

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


def of_a_registry():
    """Return a quantity whose type is made anew for each registry of units, as pint does it."""
    kind = type("Quantity", (), {"__module__": __name__, "__qualname__": "Quantity"})
    kind.__reduce__ = lambda self: (of_a_registry, ())
    return kind()


def test_a_type_that_is_made_anew_is_no_reason_to_warn(project):
    save(STEP, {"length": of_a_registry()})
    assert load(STEP).record.notes == []
    assert type(load(STEP)["length"]).__name__ == "Quantity"


class Image(np.ndarray):
    """An array as libraries that read pictures return it, with an attribute of its own."""


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
