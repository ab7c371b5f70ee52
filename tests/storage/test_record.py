"""The content of `params.json`."""

import datetime
import enum
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkpoint import (
    CheckpointError,
    CheckpointValueError,
    data_file,
    load,
    save,
)
from checkpoint.storage.hashes import file_hash

STEP, NEXT = "1_preprocessing", "2_integration"


def test_the_record(project):
    (project / "data" / "raw.txt").write_text("x")
    data_file("raw.txt")
    save(STEP, {"counts": np.zeros((2, 3), "int8")}, params={"filtering_params": {"min": 3}})
    first = project.record()
    assert list(first) == ["timestamp", "filtering_params", "data_shapes", "checkpoint"]
    assert datetime.datetime.fromisoformat(first["timestamp"]).tzinfo
    assert first["filtering_params"] == {"min": 3}
    assert first["data_shapes"] == {"counts": {"shape": [2, 3], "dtype": "int8"}}
    path = project / "results" / STEP / "counts.npy"
    assert first["checkpoint"]["files"] == {
        "counts.npy": {
            "key": "counts",
            "bytes": path.stat().st_size,
            "mtime_ns": path.stat().st_mtime_ns,
            "blake3": file_hash(path),
        }
    }
    assert list(first["checkpoint"]["inputs"]) == ["data/raw.txt"]
    assert first["checkpoint"]["format"] == 1
    assert first["checkpoint"]["environment"]["packages"]["numpy"] == np.__version__
    assert "run" not in first["checkpoint"]  # pytest is not a notebook
    text = path.with_name("params.json").read_text(encoding="utf-8")
    assert text.endswith("}\n") and text.startswith('{\n  "timestamp"')


def test_inputs_are_known_by_content(project, capsys):
    save(STEP, {"a": 1}, params={"p": 1})
    load(STEP)
    save(NEXT, {})
    first = project.record(NEXT)["checkpoint"]["inputs"]
    save(STEP, {"a": 1}, params={"p": 1})  # regenerated with the same content
    load(STEP)
    save(NEXT, {})
    assert project.record(NEXT)["checkpoint"]["inputs"] == first
    save(STEP, {"a": 1}, params={"p": 2})
    load(STEP)
    load(NEXT)  # a step is not its own input
    assert "Note: results/2_integration is stale" in capsys.readouterr().out
    save(NEXT, {})
    inputs = project.record(NEXT)["checkpoint"]["inputs"]
    assert list(inputs) == [f"results/{STEP}"]
    assert inputs != first


class Colour(enum.Enum):
    RED = "red"


def test_params_take_what_has_one_form_in_json(project):
    params = {
        "numpy": {
            "int": np.int64(3),
            "float": np.float32(0.5),
            "bool": np.True_,
            "text": np.str_("a"),
        },
        "path": Path("data") / "raw.txt",
        "date": datetime.date(2020, 1, 2),
        "time": pd.Timestamp("2020-01-02 03:04"),
        "tuple": (1, 2),
        "array": np.arange(2),
        "none": None,
    }
    save(STEP, {}, params=params)
    saved = load(STEP).params
    assert {key: saved[key] for key in params} == {
        "numpy": {"int": 3, "float": 0.5, "bool": True, "text": "a"},
        "path": "data/raw.txt",
        "date": "2020-01-02",
        "time": "2020-01-02T03:04:00",
        "tuple": [1, 2],
        "array": [0, 1],
        "none": None,
    }


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"a": {"b": float("nan")}}, r"params\['a'\]\['b'\] is nan"),
        ({"a": [1, np.float64("inf")]}, r"params\['a'\]\[1\] is inf"),
        ({"a": object()}, r"params\['a'\] is an object"),
        ({"a": {1}}, r"params\['a'\] is a set"),
        ({"a": [np.timedelta64(1, "D")]}, r"params\['a'\]\[0\] is a numpy\.timedelta64"),
        ({"a": np.array(3, "m8[s]")}, r"params\['a'\] is a numpy\.timedelta64"),
        ({"a": np.longdouble(1)}, r"params\['a'\] is a numpy\.longdouble"),
        ({"a": pd.NaT}, r"params\['a'\] is NaT"),
        ({"a": Colour.RED}, r"params\['a'\] is a .*Colour"),
        ({"a": {2: 1}}, r"params\['a'\] has the key 2"),
        ({2: 1}, "params has the key 2"),
        ({"timestamp": 1}, r"params\['timestamp'\]: save writes"),
        ({"checkpoint": 1}, r"params\['checkpoint'\]: save writes"),
        ([1], "params must be a dict, got a list"),
    ],
)
def test_params_that_json_cannot_hold(project, params, where):
    save(STEP, {"a": 1})
    before = project.files()
    with pytest.raises(CheckpointValueError, match=where):
        save(STEP, {"a": 2}, params=params)
    assert project.files() == before


def test_dates_of_numpy_in_params(project):
    dates = {"day": np.datetime64("2026-01-02"), "ns": np.datetime64("2026-01-02", "ns")}
    save(
        STEP, {}, params={"zero": np.array(5), "list": np.array(["2026-01-02"], "M8[ns]"), **dates}
    )
    saved = load(STEP).params
    assert (saved["day"], saved["ns"][:10], saved["zero"]) == ("2026-01-02", "2026-01-02", 5)
    assert saved["list"][0].startswith("2026-01-02")
    with pytest.raises(CheckpointValueError, match=r"params\['a'\] is NaT"):
        save(STEP, {}, params={"a": np.datetime64("NaT")})


PARAMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@pytest.mark.slow
@pytest.mark.versions
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.text(max_size=5), PARAMS, max_size=3))
def test_any_params_come_back_or_are_refused(project, params):
    try:
        save(STEP, {}, params=params)
    except CheckpointValueError:
        return
    saved = load(STEP).params
    assert {key: saved[key] for key in params} == params


def test_a_data_folder_is_recorded_file_by_file(project):
    folder = project / "data" / "filtered_feature_bc_matrix"
    folder.mkdir()
    for name in ("barcodes.tsv.gz", "matrix.mtx.gz", ".DS_Store"):
        (folder / name).write_text(name)
    assert data_file("filtered_feature_bc_matrix") == folder
    save(STEP, {})
    assert list(project.record()["checkpoint"]["inputs"]) == [
        "data/filtered_feature_bc_matrix/",
        "data/filtered_feature_bc_matrix/barcodes.tsv.gz",
        "data/filtered_feature_bc_matrix/matrix.mtx.gz",
    ]


def test_a_broken_pyproject_is_named(project):
    path = project / "pyproject.toml"
    path.write_text(path.read_text() + "\n[broken\n")
    with pytest.raises(CheckpointError, match=r"pyproject\.toml is not valid TOML"):
        save(STEP, {"a": 1})
    assert project.files() == {}
