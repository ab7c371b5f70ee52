"""The tabular example, run as users run it."""

import io

import pandas as pd
import pytest
from project_under_test import generate

pytestmark = pytest.mark.slow

STEPS = ["1_ingest", "2_explore", "3_model"]
FIGURES = {"comparison", "predictions", "importance"}


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    baked = generate(tmp_path_factory.mktemp("example"), pipeline="tabular")
    for verb in ("run", "status", "check"):
        done = baked.command(verb)
        assert done.returncode == 0, done.stdout + done.stderr
    return baked


def table(baked, step, name):
    path = baked / "results" / step / name
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, index_col=0)


def test_the_data_are_those_of_scikit_learn(example, tmp_path):
    from sklearn.datasets import load_diabetes

    shipped = (example / "data" / "diabetes.csv").read_bytes()
    frame = pd.read_csv(io.BytesIO(shipped))
    assert (frame == load_diabetes(scaled=False, as_frame=True).frame).all(axis=None)
    done = example.python("scripts/write_diabetes.py", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "diabetes.csv").read_bytes() == shipped


def test_each_notebook_is_made_from_the_one_before(example):
    inputs = [list(example.record(step)["checkpoint"]["inputs"]) for step in STEPS]
    assert inputs == [["data/diabetes.csv"], ["results/1_ingest"], ["results/2_explore"]]
    assert all(example.outputs_on_stderr(step) == [] for step in STEPS)


def test_the_checks_find_what_is_wrong_with_the_columns(example):
    rows = table(example, "1_ingest", "checks.csv")["rows"]
    assert rows["cholesterol_ratio is a whole number"] == 380
    assert rows["cholesterol_ratio is the wrong whole number"] == 9
    assert rows["triglycerides are not a whole number of mg/dl"] == 0
    assert rows["ldl differs from Friedewald's formula"] == 4
    patients = table(example, "1_ingest", "patients.parquet")
    assert len(patients) == 442 and "ldl" not in patients


def test_the_test_patients_take_no_part_in_the_choice(example):
    train, test = (table(example, "2_explore", f"{name}.parquet") for name in ("train", "test"))
    assert not train.index.intersection(test.index).size
    assert len(train) + len(test) == 442
    assert abs(train["progression"].mean() - test["progression"].mean()) < 5
    assert list(table(example, "3_model", "predictions.csv").index) == list(test.index)


def test_the_best_model_beats_the_mean(example):
    accuracy = example.record("3_model")["accuracy"]
    comparison = table(example, "3_model", "comparison.csv")["mean_absolute_error"]
    assert accuracy["model"] == comparison.idxmin() == "ridge"
    low, high = accuracy["mean_absolute_error_95"]
    assert (
        low < accuracy["mean_absolute_error"] < high < accuracy["mean_absolute_error_of_the_mean"]
    )
    assert accuracy["r2"] > 0.4


def test_the_saved_model_makes_the_saved_predictions(example):
    test = table(example, "2_explore", "test.parquet")
    model = pd.read_pickle(example / "results" / "3_model" / "model.pkl")
    predicted = table(example, "3_model", "predictions.csv")["predicted"]
    again = model.predict(test.drop(columns="progression"))
    assert abs(again - predicted).max() < 0.051
    figures = (example / "results" / "3_model" / "figures").iterdir()
    expected = {f"{name}.{suffix}" for name in FIGURES for suffix in ("png", "pdf")}
    assert {path.name for path in figures} == expected
