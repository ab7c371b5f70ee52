"""`load`, `save`, `data_file` and `figures`, as notebooks call them."""

import datetime
import enum
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from baked import SOURCE
from checkpoint import (
    CheckpointDamagedError,
    CheckpointError,
    CheckpointFormatError,
    CheckpointKeyError,
    CheckpointNotFoundError,
    CheckpointValueError,
    CheckpointWarning,
    data_file,
    figures,
    load,
    save,
)
from checkpoint.hashes import file_hash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

STEP, NEXT = "1_preprocessing", "2_integration"


def record(project, step=STEP):
    return json.loads((project / "results" / step / "params.json").read_text(encoding="utf-8"))


def files(project, step=STEP):
    folder = project / "results" / step
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", ".gitkeep")
    }


def test_what_is_said(project, capsys):
    frame = pd.DataFrame({"a": [1, 2]})
    save(STEP, {"counts": np.zeros((600, 20), "float32"), "pairs.csv": frame, "notes": ["x"]})
    assert capsys.readouterr().out == (
        "Saved to results/1_preprocessing/\n"
        "  counts.npy  600 x 20 float32    48.1 kB\n"
        "  pairs.csv   2 rows x 1 columns  6 B\n"
        "  notes.pkl                       19 B\n"
        "Run 2_integration.ipynb next.\n"
    )
    load(STEP)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Loaded from results/1_preprocessing/"
    assert re.fullmatch(r"Previous run: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", said[1])
    save("3_visualization", {})
    assert "next" not in capsys.readouterr().out


def test_missing(project):
    with pytest.raises(CheckpointNotFoundError) as raised:
        load(STEP)
    assert isinstance(raised.value, FileNotFoundError)
    said = "Results directory 'results/1_preprocessing' not found. Run 1_preprocessing.ipynb first."
    assert str(raised.value) == said
    (project / "results" / STEP / ".gitkeep").unlink()
    (project / "results" / STEP).rmdir()
    with pytest.raises(CheckpointNotFoundError) as raised:
        load(STEP)
    assert str(raised.value) == said


def test_missing_because_of_a_slip(project):
    with pytest.raises(CheckpointNotFoundError, match="the steps are 1_preprocessing, 2_int"):
        load("1_preprocesing")


def test_the_mapping(project):
    made = save(STEP, {"counts": np.arange(3), "pairs.csv": pd.DataFrame({"a": [1]})})
    loaded = load(STEP)
    for checkpoint in (made, loaded):
        assert list(checkpoint) == ["counts", "pairs.csv"]
        assert len(checkpoint) == 2
        assert "counts" in checkpoint
        np.testing.assert_array_equal(checkpoint["counts"], np.arange(3))
        np.testing.assert_array_equal(checkpoint["counts.npy"], np.arange(3))
        assert checkpoint["counts"] is not checkpoint["counts"]
    with pytest.raises(CheckpointKeyError) as raised:
        loaded["count"]
    assert str(raised.value) == "results/1_preprocessing has no 'count'; it has counts, pairs.csv."
    assert repr(loaded) == "Checkpoint('1_preprocessing': counts, pairs.csv)"
    html = save(STEP, {"a&b": 1})._repr_html_()
    assert "a&amp;b" in html and "results/1_preprocessing" in html


def test_the_record(project):
    (project / "data" / "raw.txt").write_text("x")
    data_file("raw.txt")
    save(STEP, {"counts": np.zeros((2, 3), "int8")}, params={"filtering_params": {"min": 3}})
    first = record(project)
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


def test_inputs_are_known_by_content(project):
    save(STEP, {"a": 1}, params={"p": 1})
    load(STEP)
    save(NEXT, {})
    first = record(project, NEXT)["checkpoint"]["inputs"]
    save(STEP, {"a": 1}, params={"p": 1})  # made again, to the same
    load(STEP)
    save(NEXT, {})
    assert record(project, NEXT)["checkpoint"]["inputs"] == first
    save(STEP, {"a": 1}, params={"p": 2})
    load(STEP)
    with pytest.warns(CheckpointWarning, match="2_integration is stale"):
        load(NEXT)  # a step is not an input of its own
    save(NEXT, {})
    inputs = record(project, NEXT)["checkpoint"]["inputs"]
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
        ({"a": object()}, r"params\['a'\] is a object"),
        ({"a": {1}}, r"params\['a'\] is a set"),
        ({"a": pd.NaT}, r"params\['a'\] is NaT"),
        ({"a": Colour.RED}, r"params\['a'\] is a .*Colour"),
        ({"a": {2: 1}}, r"params\['a'\] has the key 2"),
        ({2: 1}, "params has the key 2"),
        ({"timestamp": 1}, r"params\['timestamp'\]: save writes"),
        ({"checkpoint": 1}, r"params\['checkpoint'\]: save writes"),
        ([1], "params is a list"),
    ],
)
def test_params_that_json_cannot_hold(project, params, where):
    save(STEP, {"a": 1})
    before = files(project)
    with pytest.raises(CheckpointValueError, match=where):
        save(STEP, {"a": 2}, params=params)
    assert files(project) == before


PARAMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.text(max_size=5), PARAMS, max_size=3))
def test_any_params_come_back_or_are_refused(project, params):
    try:
        save(STEP, {}, params=params)
    except CheckpointValueError:
        return
    saved = load(STEP).params
    assert {key: saved[key] for key in params} == params


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ({"": 1}, "is empty"),
        ({"../a": 1}, "'..' starts with a dot"),
        ({"/a": 1}, "is empty"),
        ({"a/../b": 1}, "'..' starts with a dot"),
        ({"a\\b": 1}, "Windows"),
        ({"nul": 1}, "device"),
        ({".hidden": 1}, "starts with a dot"),
        ({3: 1}, "not by 3"),
        ({"params.json": {}}, "save writes params.json itself"),
        ({"a": 1, "A": 2}, "would both be saved as A.pkl"),
        ({"a": 1, "a.pkl": 2}, "would both be saved as a.pkl"),
        ([1], "takes a dict of names and objects, not a list"),
    ],
)
def test_names_that_cannot_be_saved(project, objects, said):
    with pytest.raises(CheckpointValueError) as raised:
        save(STEP, objects)
    assert said in str(raised.value)
    assert files(project) == {}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.integers(), max_size=3))
def test_any_keys_come_back_or_are_refused(project, objects):
    try:
        save(STEP, objects)
    except (CheckpointValueError, CheckpointFormatError):
        return
    assert dict(load(STEP)) == objects


def test_a_failing_object_costs_nothing(project):
    save(STEP, {"a": 1, "b": 2})
    before = files(project)
    objects = {"a": 3, "b": 4, "c": 5, "d": 6, "e": lambda: 0, "f": 7}
    with pytest.raises(CheckpointFormatError, match=r"'e': cannot save this function as \.pkl"):
        save(STEP, objects)
    assert files(project) == before
    assert load(STEP)["a"] == 1


def test_what_the_new_save_lacks_is_gone_and_other_files_stay(project):
    save(STEP, {"old": 1, "figures/old.json": {}, "kept": 1})
    figures(STEP).joinpath("mine.png").write_bytes(b"x")
    save(STEP, {"kept": 2})
    assert set(files(project)) == {"kept.pkl", "params.json", str(Path("figures", "mine.png"))}


def test_a_sub_checkpoint(project, capsys):
    save(f"{STEP}/half", {"a": 1})
    assert "next" not in capsys.readouterr().out
    save(STEP, {"b": 1})
    assert load(f"{STEP}/half")["a"] == 1
    assert list(load(STEP)) == ["b"]
    with pytest.raises(CheckpointNotFoundError, match=r"Run 1_preprocessing.ipynb first\."):
        load(f"{STEP}/other")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), r"results/1_preprocessing/a.npy is missing\."),
        (lambda path: path.write_bytes(b"x"), r"has 1 bytes, and 152 were saved\."),
        (lambda path: path.write_bytes(b"x" * 152), "is not what was saved: blake3"),
    ],
)
def test_damage_is_told(project, damage, said):
    save(STEP, {"a": np.arange(3)})
    damage(project / "results" / STEP / "a.npy")
    with pytest.raises(CheckpointDamagedError, match=said) as raised:
        load(STEP)["a"]
    assert str(raised.value).endswith("Run 1_preprocessing.ipynb again.")


def test_broken_json_names_line_and_column(project):
    save(STEP, {})
    (project / "results" / STEP / "params.json").write_text('{\n  "timestamp" 1\n}')
    with pytest.raises(CheckpointDamagedError, match=r"params\.json .* line 2, column 15"):
        load(STEP)


def test_a_newer_format_says_update(project):
    save(STEP, {})
    path = project / "results" / STEP / "params.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(CheckpointError, match="Update the project"):
        load(STEP)


def test_saved_again_since_it_was_loaded(project):
    save(STEP, {"a": np.arange(3)})
    loaded = load(STEP)
    save(STEP, {"a": np.arange(4)})
    with pytest.raises(CheckpointError, match="was saved again since it was loaded"):
        loaded["a"]


@pytest.mark.parametrize("name", ["params.json", "preprocessing_params.json", None])
def test_a_folder_made_by_hand(project, capsys, name):
    folder = project / "results" / STEP
    np.save(folder / "arrays.npy", np.arange(3))
    pd.DataFrame({"a": [1]}).to_csv(folder / "table.csv")
    pd.DataFrame({"a": [1]}).to_parquet(folder / "table.parquet")
    pd.to_pickle({"x": 1}, folder / "matching.pkl")
    np.savez(folder / "many.npz", a=np.arange(2))
    (folder / "notes.txt").write_text("not ours")
    if name:
        (folder / name).write_text('{"timestamp": "2024-05-06", "resolution": 0.5}')
    loaded = load(STEP)
    said = capsys.readouterr().out
    assert said.count("Not recorded by save") == 1
    assert f"Previous run: {'2024-05-06' if name else 'unknown'}" in said
    assert set(loaded) == {"arrays", "table.csv", "table.parquet", "matching", "many"}
    np.testing.assert_array_equal(loaded["arrays"], np.arange(3))
    assert loaded["matching"] == {"x": 1}
    assert list(loaded["table.csv"].columns) == ["a"]
    assert list(loaded["many"]) == ["a"]
    assert loaded.params == ({"timestamp": "2024-05-06", "resolution": 0.5} if name else {})
    save(NEXT, {})
    assert f"results/{STEP}" in record(project, NEXT)["checkpoint"]["inputs"]


def test_data_file(project):
    (project / "data" / "cohort").mkdir()
    (project / "data" / "cohort" / "raw.txt").write_text("x")
    assert data_file("cohort/raw.txt") == project / "data" / "cohort" / "raw.txt"
    with pytest.raises(
        CheckpointNotFoundError, match=r"Raw file 'data/raw.txt' not found\. Put it"
    ):
        data_file("raw.txt")
    for name in ("../README.md", str(project / "README.md")):
        with pytest.raises(CheckpointValueError, match=r"data/"):
            data_file(name)


def test_figures(project):
    assert figures("3_visualization") == project / "results" / "3_visualization" / "figures"
    assert figures("3_visualization").is_dir()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"fig": 1, "figures.json": 1}, {"figures.json/x": 1}),
        ({"a/b": 1}, {"a.pkl": 2, "a": np.arange(2)}),
    ],
)
def test_a_name_that_was_a_file_becomes_a_folder_and_back(project, first, second):
    for objects in (first, second, first):
        save(STEP, objects)
        assert set(load(STEP)) == set(objects)


def test_a_place_that_is_taken_is_told_before_anything_happens(project):
    save(STEP, {"a": 1})
    (project / "results" / STEP / "y.pkl").mkdir()
    before = files(project)
    with pytest.raises(CheckpointValueError, match=r"y\.pkl is a folder that save did not make"):
        save(STEP, {"y": 1})
    assert files(project) == before
    save(STEP, {"z": 1})


@pytest.mark.parametrize("key", ["half/m", "half/params.json"])
def test_a_name_inside_a_sub_checkpoint(project, key):
    save(f"{STEP}/half", {"m": 1})
    with pytest.raises(CheckpointValueError, match=r"sub-checkpoint|params\.json itself"):
        save(STEP, {key: {"m": 2}})
    assert load(f"{STEP}/half")["m"] == 1


@pytest.mark.parametrize(
    "step", ["1_preprocessing.ipynb", "results/1_preprocessing", "1_a/figures"]
)
def test_a_step_is_the_bare_name_of_its_notebook(project, step):
    with pytest.raises(CheckpointValueError, match="name the step as its notebook"):
        save(step, {})


@pytest.mark.parametrize(
    "objects", [{"a.json": 1, "a.json/b": 2}, {"caf\u00e9": 1, "cafe\u0301": 2}]
)
def test_names_that_clash(project, objects):
    with pytest.raises(CheckpointValueError, match="and"):
        save(STEP, objects)
    assert files(project) == {}


def test_a_suffix_is_written_as_gitignore_has_it(project):
    save(STEP, {"big.NPY": np.zeros(3)})
    assert set(files(project)) == {"big.npy", "params.json"}
    assert load(STEP)["big.NPY"].shape == (3,)


def test_asking_for_a_name_reads_nothing(project, monkeypatch):
    save(STEP, {"a": 1})
    loaded = load(STEP)
    (project / "results" / STEP / "a.pkl").unlink()
    assert "a" in loaded and "a.pkl" in loaded and "b" not in loaded and 3 not in loaded


def test_dates_of_numpy_in_params(project):
    dates = {"day": np.datetime64("2026-01-02"), "ns": np.datetime64("2026-01-02", "ns")}
    save(
        STEP, {}, params={"zero": np.array(5), "list": np.array(["2026-01-02"], "M8[ns]"), **dates}
    )
    saved = load(STEP).params
    assert (saved["day"], saved["ns"][:10], saved["zero"]) == ("2026-01-02", "2026-01-02", 5)
    assert saved["list"][0].startswith("2026-01-02")
    with pytest.raises(CheckpointValueError, match=r"params\['a'\] is nan"):
        save(STEP, {}, params={"a": np.datetime64("NaT")})


def test_a_data_folder_is_recorded_file_by_file(project):
    folder = project / "data" / "filtered_feature_bc_matrix"
    folder.mkdir()
    for name in ("barcodes.tsv.gz", "matrix.mtx.gz"):
        (folder / name).write_text(name)
    assert data_file("filtered_feature_bc_matrix") == folder
    save(STEP, {})
    assert list(record(project)["checkpoint"]["inputs"]) == [
        "data/filtered_feature_bc_matrix/barcodes.tsv.gz",
        "data/filtered_feature_bc_matrix/matrix.mtx.gz",
    ]


def test_a_folder_made_by_hand_with_objects_figures_and_a_group_named_as_ours(project):
    folder = project / "results" / STEP
    np.save(folder / "obj.npy", {"a": 1}, allow_pickle=True)
    figures(STEP).joinpath("umap.png").write_bytes(b"x")
    (folder / "params.json").write_text('{"checkpoint": {"dir": "/x"}}')
    loaded = load(STEP)
    assert loaded["obj"].item() == {"a": 1}
    assert loaded["figures/umap"] == folder / "figures" / "umap.png"
    assert loaded.params == {"checkpoint": {"dir": "/x"}}


@pytest.mark.parametrize("text", ["", "[]", '{"timestamp": '])
def test_a_broken_record_names_the_notebook_to_run(project, text):
    save(STEP, {})
    (project / "results" / STEP / "params.json").write_text(text)
    with pytest.raises(
        CheckpointDamagedError, match=r"^results/1_preprocessing/params\.json "
    ) as r:
        load(STEP)
    assert str(r.value).endswith("Run 1_preprocessing.ipynb again.")


@pytest.mark.parametrize("part", ["key", "bytes", "blake3"])
def test_a_record_without_a_part_is_damaged(project, part):
    save(STEP, {"a": 1})
    path = project / "results" / STEP / "params.json"
    content = record(project)
    del content["checkpoint"]["files"]["a.pkl"][part]
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointDamagedError, match="lacks a part"):
        load(STEP)


def test_a_broken_pyproject_is_named(project):
    path = project / "pyproject.toml"
    path.write_text(path.read_text() + "\n[broken\n")
    with pytest.raises(CheckpointError, match=r"pyproject\.toml is not valid TOML"):
        save(STEP, {"a": 1})
    assert files(project) == {}


def test_a_checkpoint_that_git_carried_is_whole(project, tmp_path):
    """Text with the line ends of Windows inside, through add, commit and clone."""
    frame = pd.DataFrame({"note": ["line1\r\nline2", "x"]})
    save(STEP, {"notes.csv": frame, "genes.json": {"a": "\r\n"}})

    def git(*arguments, cwd=project):
        person = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", *person, *arguments], cwd=cwd, check=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "results")
    git("clone", "-q", ".", str(tmp_path / "clone"))
    os.chdir(tmp_path / "clone")
    pd.testing.assert_frame_equal(load(STEP)["notes.csv"], frame)


def test_a_class_of_the_notebook_is_refused(project):
    """It would be missing in the notebook that loads."""
    code = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        "from checkpoint import save\n"
        "class Model: pass\n"
        "save('1_preprocessing', {'model': [Model()]})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        "'model': cannot save this list as .pkl: it needs Model, which is defined in" in done.stderr
    )
    assert files(project) == {}
