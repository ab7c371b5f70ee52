"""Tables of polars and Arrow, under the names that people give to tables."""

import datetime

import pyarrow as pa
import pytest

from checkpoint import load, save

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
