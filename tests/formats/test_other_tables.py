"""Tables of polars and Arrow, saved as Parquet, pickle and CSV."""

import datetime

import pyarrow as pa
import pytest

from checkpoint import CheckpointFormatError, load, save

STEP = "1_preprocessing"


def arrow():
    kinds = pa.array(["T", "B"]).dictionary_encode()
    return pa.table({"n": [1, None], "kind": kinds, "genes": [["a"], None]}, metadata={"k": "v"})


def polars():
    pl = pytest.importorskip("polars")
    table = {"n": [1, None], "x": [float("nan"), 1.0], "kind": ["T", "B"], "genes": [["a"], []]}
    whole = pl.DataFrame(table | {"day": [datetime.date(2026, 1, 1), None]})
    return whole.with_columns(pl.col("kind").cast(pl.Enum(["B", "T"])))


@pytest.mark.parametrize("make", [arrow, polars])
def test_a_table_of_another_library(project, make):
    table = make()
    flat = table.select(["n", "kind"])
    save(STEP, {"a.parquet": table, "b": table, "c.csv": flat})
    previous = load(STEP)
    assert previous.record.data_shapes["a.parquet"] == {"rows": 2, "columns": table.shape[1]}
    for key, saved in {"a": table, "b": table, "c": flat}.items():
        assert previous[key].schema == saved.schema
        assert previous[key].equals(saved)
    assert set(previous.files) == {"a.parquet", "b.pkl", "c.csv", "c.rest.pkl"}
    assert previous.path("c").read_text(encoding="utf-8").splitlines()[0] == "n,kind"


def slices():
    names = pa.table({"donor": [f"donor{i}" for i in range(2000)], "n": range(2000)})
    column = names["donor"]
    yield from (names, names.to_batches()[0], column, column.chunk(0))
    yield column.chunk(0).dictionary_encode()


@pytest.mark.parametrize("whole", [*slices()], ids=lambda whole: type(whole).__name__)
@pytest.mark.parametrize("length", [0, 3])
def test_a_slice_does_not_take_its_table_along(project, whole, length):
    slice_ = whole.slice(5, length)
    save(STEP, {"kept": {"a": slice_, "b": slice_}})
    again = load(STEP)["kept"]
    assert type(again["a"]) is type(whole)
    assert again["a"].equals(slice_)
    assert again["a"] is again["b"]
    is_dictionary = isinstance(whole, pa.DictionaryArray)
    assert is_dictionary or b"donor1999" not in load(STEP).path("kept").read_bytes()


def test_a_table_that_csv_and_pandas_cannot_hold_is_refused(project):
    types, places = pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32())
    mixed = pa.UnionArray.from_dense(types, places, [pa.array([1]), pa.array(["a"])])
    table = pa.table({"mixed": mixed})
    with pytest.raises(CheckpointFormatError, match=r"It can be saved as 'table\.pkl'"):
        save(STEP, {"table.csv": table})
    save(STEP, {"table": table})
    assert load(STEP)["table"].equals(table)
