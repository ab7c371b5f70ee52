"""Tables and JSON come back as they were, and other programs read the closest plain values."""

import json
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from round_trip import TABLE, round_trip

from checkpoint.errors import CheckpointFormatError
from checkpoint.formats import choose
from checkpoint.formats import json_values as json_format


class Rows(list):
    """A subclass of list, as libraries return it."""


INDEXES = {
    "numbers": lambda frame: frame,
    "named": lambda frame: frame.rename_axis("row"),
    "text": lambda frame: frame.set_index(pd.Index(["x", "NA", ""], name="cell")),
    "dates": lambda frame: frame.set_index(
        pd.to_datetime(["2020-01-01", "2020-01-02", "2021-01-01"])
    ),
    "levels": lambda frame: frame.set_index(["int8", "awkward"]),
    "shuffled": lambda frame: frame.iloc[[2, 0, 1]],
    "empty": lambda frame: frame.iloc[:0],
    "one column": lambda frame: frame[["awkward"]],
}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("index", INDEXES)
def test_tables(tmp_path, suffix, index):
    frame = INDEXES[index](TABLE)
    assert_frame_equal(round_trip(tmp_path, f"table.{suffix}", frame), frame, check_freq=False)


AWKWARD = st.text(st.sampled_from("a,\"'\r\n\t ;#NA0é\x00"), max_size=4)


@pytest.mark.slow
@pytest.mark.versions
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.one_of(AWKWARD, st.text(max_size=5), st.none()),
            st.floats(),
            st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=4,
    )
)
def test_any_small_table_comes_back_from_csv_or_is_refused(tmp_path, rows):
    frame = pd.DataFrame(rows, columns=["text", "float", "int"])
    frame = frame.astype({"text": object, "float": float, "int": "int64"})
    try:
        again = round_trip(tmp_path, "table.csv", frame)
    except CheckpointFormatError:
        assert not all((text or "").isprintable() for text, *_ in rows)
        return
    assert_frame_equal(again, frame, check_exact=True)
    assert list(again["text"]) == list(frame["text"])


ODD = {
    "text and numbers": (pd.DataFrame({"a": [1, "b"]}, dtype=object), ["1", "b"]),
    "kinds of missing": (pd.DataFrame({"a": ["x", None, np.nan]}, dtype=object), ["x", None, None]),
    "lists": (pd.DataFrame({"a": [[1], [2, 3]]}), ["[1]", "[2, 3]"]),
    "tuples": (pd.DataFrame({"a": [("s", "t"), (1, 2)]}), ['["s", "t"]', "[1, 2]"]),
    "intervals": (pd.DataFrame({"a": pd.interval_range(0, 2)}), ["(0, 1]", "(1, 2]"]),
    "dates": (pd.DataFrame({"a": [date(2020, 1, 2), None]}), ["2020-01-02", None]),
}


@pytest.mark.parametrize("key", ["t.csv", "t.tsv", "t.csv.gz", "t"])
@pytest.mark.parametrize("case", ODD)
def test_a_table_comes_back_and_others_read_the_nearest(tmp_path, case, key):
    frame, nearest = ODD[case]
    again = round_trip(tmp_path, key, frame)
    assert_frame_equal(again, frame)
    assert [type(value) for value in again["a"]] == [type(value) for value in frame["a"]]
    if key != "t":
        separator = "\t" if ".tsv" in key else ","
        plain = pd.read_csv(tmp_path / key, sep=separator, dtype=str)["a"]
        assert [value if isinstance(value, str) else None for value in plain] == nearest
    else:
        plain = pd.read_parquet(tmp_path / "t.parquet")["a"]
        assert len(plain) == len(frame)


@pytest.mark.parametrize("name", ["attrs", "frequency", "score"])
def test_a_value_that_a_csv_does_not_give_back_is_kept_whatever_its_column_is_called(
    tmp_path, name
):
    frame = pd.DataFrame({name: [1, 2]})
    file, entry = choose("table.csv", frame)
    details = entry.write(frame, tmp_path / file)
    (tmp_path / file).write_text(f"{name}\n1\n3\n")
    (found,) = entry.changes(frame, tmp_path / file, details)
    assert found.place == (0,)
    assert list(found.value) == [1, 2]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_the_file_does_not_hold_is_told_once(tmp_path, suffix):
    frame = pd.DataFrame({"text": ["a"]})
    frame.attrs["pair"] = (1, 2)
    told = []
    again = round_trip(tmp_path, f"table.{suffix}", frame, told)
    assert again.attrs == frame.attrs
    (note,) = told
    assert note.startswith("attrs is {'pair': (1, 2)}")
    assert note.endswith(f"load restores it from table.{suffix}.rest.pkl")


@pytest.mark.parametrize("name", ["matching.csv", "Kreuz.CSV"])
def test_a_csv_is_plain_for_other_programs(tmp_path, name):
    frame = pd.DataFrame({"rna_cell": ["a"], "score": [0.5]})
    round_trip(tmp_path, name, frame)
    assert (tmp_path / name).with_suffix(".csv").read_bytes() == b"rna_cell,score\na,0.5\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON)
def test_json(tmp_path, value):
    assert round_trip(tmp_path, "value.json", value) == value


@pytest.mark.parametrize(
    ("value", "in_file"),
    [
        ({"a": [1, (2,)]}, {"a": [1, [2]]}),
        ({"a": {1: 2}}, {"a": {"1": 2}}),
        ({"a": math.inf}, {"a": "Infinity"}),
        (["x", {1}], ["x", [1]]),
        ({"when": date(2020, 1, 2)}, {"when": "2020-01-02"}),
        (Rows([1]), [1]),
    ],
)
def test_what_json_would_change_comes_back(tmp_path, value, in_file):
    told = []
    again = round_trip(tmp_path, "value.json", value, told)
    assert again == value and repr(again) == repr(value)
    assert json.loads((tmp_path / "value.json").read_text()) == in_file
    assert "value.json.rest.pkl" in told[0]


def test_json_refuses_what_is_no_text_number_list_or_dict():
    with pytest.raises(CheckpointFormatError, match="a range") as raised:
        choose("value.json", range(3))
    assert "It can be saved as 'value.pkl'" in str(raised.value)


def test_json_refuses_what_holds_itself():
    value = []
    value.append(value)
    assert json_format.unfit(value) == "contains itself"


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("dtype", ["object", "string"])
def test_categories_of_text_keep_their_dtype(tmp_path, dtype, suffix):
    column = pd.Series(pd.Categorical(["a", None, "b"], pd.Index(["b", "a"], dtype=dtype)))
    told = []
    again = round_trip(tmp_path, f"x.{suffix}", pd.DataFrame({"kind": column}), told)["kind"]
    assert again.dtype == column.dtype
    assert again.cat.categories.dtype == column.cat.categories.dtype == dtype
    assert told == []


def test_arrays_in_a_column_can_be_changed(tmp_path):
    table = pd.DataFrame({"pca": [np.arange(2.0), None, np.ones(3)]}, index=["a", "a", "b"])
    again = round_trip(tmp_path, "x", table)
    assert again["pca"].iloc[1] is None
    for was, now in zip(table["pca"].dropna(), again["pca"].dropna(), strict=True):
        now += 1
        np.testing.assert_array_equal(now, was + 1, strict=True)
