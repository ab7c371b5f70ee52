"""`load`, `save`, `data_file` and `figures`, as notebooks call them."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from anndata.experimental import read_lazy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project_under_test import TEMPLATE

from checkpoint import (
    CheckpointFormatError,
    CheckpointNotFoundError,
    CheckpointValueError,
    data_file,
    figures,
    load,
    save,
)
from checkpoint.formats import FORMATS
from checkpoint.notebooks.calls import calls

STEP, NEXT = "1_preprocessing", "2_integration"


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
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"
    said = rf"Loaded from results/1_preprocessing/ \(previous run: {time}\)\n"
    assert re.fullmatch(said, capsys.readouterr().out)
    save("3_visualization", {})
    assert "next" not in capsys.readouterr().out


def test_the_examples_of_the_help_run(project):
    for function in (save, load):
        examples = doctest.DocTestFinder().find(function, globs={"load": load, "save": save})
        assert examples[0].examples
        assert doctest.DocTestRunner().run(examples[0]).failed == 0


def test_the_help_of_save_lists_the_formats():
    missing = [entry.suffix for entry in FORMATS if f"`{entry.suffix}`" not in save.__doc__]
    assert missing == []


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
        ({3: 1}, "got 3"),
        ({"params.json": {}}, "save writes params.json itself"),
        ({"a": 1, "A": 2}, "would both be saved as A.pkl"),
        ({"a": 1, "a.pkl": 2}, "would both be saved as a.pkl"),
        ([1], "takes a dict of names and objects, got a list"),
    ],
)
def test_names_that_cannot_be_saved(project, objects, said):
    with pytest.raises(CheckpointValueError) as raised:
        save(STEP, objects)
    assert said in str(raised.value)
    assert project.files() == {}


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
    before = project.files()
    objects = {"a": 3, "b": 4, "c": 5, "d": 6, "e": lambda: 0, "f": 7}
    with pytest.raises(CheckpointFormatError, match=r"'e': cannot save this function as \.pkl"):
        save(STEP, objects)
    assert project.files() == before
    assert load(STEP)["a"] == 1


def test_what_the_new_save_lacks_is_gone_and_other_files_stay(project):
    save(STEP, {"old": 1, "figures/old.json": {}, "kept": 1})
    figures(STEP).joinpath("mine.png").write_bytes(b"x")
    save(STEP, {"kept": 2})
    assert set(project.files()) == {"kept.pkl", "params.json", str(Path("figures", "mine.png"))}


def test_a_step_is_loaded_by_the_file_name_that_tab_completes(project, capsys):
    save(STEP, {"a": 1})
    assert load(f"{STEP}.ipynb")["a"] == load(f"notebooks/{STEP}.ipynb")["a"] == 1
    assert "Loaded from results/1_preprocessing/ (" in capsys.readouterr().out
    with pytest.raises(CheckpointNotFoundError, match=r"Run 2_integration\.ipynb first\."):
        load(f"{NEXT}.ipynb")
    assert calls('load("notebooks/1_a.ipynb")', {"load": "load"})[0].argument == "1_a"


def test_the_next_good_save_removes_what_a_failed_run_left(project):
    failed = project / "results" / STEP / "failed.ipynb"
    failed.write_text("{}")
    save(f"{STEP}/half", {"a": 1})
    assert failed.exists()
    save(STEP, {"a": 1})
    assert not failed.exists()


def test_a_sub_checkpoint(project, capsys):
    save(f"{STEP}/half", {"a": 1})
    assert "next" not in capsys.readouterr().out
    save(STEP, {"b": 1})
    assert load(f"{STEP}/half")["a"] == 1
    assert list(load(STEP)) == ["b"]
    with pytest.raises(CheckpointNotFoundError, match=r"Run 1_preprocessing.ipynb first\."):
        load(f"{STEP}/other")


def test_data_file(project):
    (project / "data" / "cohort").mkdir()
    (project / "data" / "cohort" / "raw.txt").write_text("x")
    assert data_file("cohort/raw.txt") == project / "data" / "cohort" / "raw.txt"
    with pytest.raises(
        CheckpointNotFoundError, match=r"Raw file 'data/raw.txt' not found\. Put it"
    ):
        data_file("raw.txt")
    for name in ("../README.md", str(project / "README.md"), "", 3, None):
        with pytest.raises(CheckpointValueError, match=r"data/"):
            data_file(name)


def test_a_missing_example_file_names_the_script_that_makes_it(project):
    """Git does not track raw data, so users of a clone need to know how to make the file."""
    (project / "scripts").mkdir(exist_ok=True)
    script = project / "scripts" / "simulate.py"
    script.write_text("write(folder / 'rna_counts.h5ad')")
    named = r"or make it with `python scripts/simulate\.py`; see data/README\.md"
    with pytest.raises(CheckpointNotFoundError, match=r"rna_counts\.h5ad; see data/README\.md"):
        data_file("rna_counts.h5ad")
    readme = project / "data" / "README.md"
    readme.write_text("`python scripts/simulate.py --force` makes `rna_counts.h5ad`")
    with pytest.raises(CheckpointNotFoundError, match=named):
        data_file("rna_counts.h5ad")
    readme.write_text("`scripts/simulate.py` makes `rna_counts.h5ad`; `counts.h5ad` is measured")
    for name in ("counts.h5ad", "other.h5ad"):
        with pytest.raises(CheckpointNotFoundError, match=rf"{name}; see data/README\.md"):
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
    before = project.files()
    with pytest.raises(CheckpointValueError, match=r"y\.pkl is a folder that save did not write"):
        save(STEP, {"y": 1})
    assert project.files() == before
    save(STEP, {"z": 1})


@pytest.mark.parametrize("key", ["half/m", "half/params.json"])
def test_a_name_inside_a_sub_checkpoint(project, key):
    save(f"{STEP}/half", {"m": 1})
    with pytest.raises(CheckpointValueError, match=r"sub-checkpoint|params\.json itself"):
        save(STEP, {key: {"m": 2}})
    assert load(f"{STEP}/half")["m"] == 1


@pytest.mark.parametrize("step", ["a", "a/t.json", "x.pkl"])
def test_a_sub_checkpoint_where_the_step_has_saved(project, step):
    save(STEP, {"a/t.json": 1, "x": 2})
    with pytest.raises(CheckpointValueError, match="'1_preprocessing' has saved '"):
        save(f"{STEP}/{step}", {"t.json": 3})
    assert load(STEP)["a/t.json"] == 1
    save(f"{STEP}/b", {"t.json": 3})


@pytest.mark.parametrize(
    "step", ["1_preprocessing.ipynb", "results/1_preprocessing", "1_a/figures"]
)
def test_a_step_is_the_bare_name_of_its_notebook(project, step):
    with pytest.raises(CheckpointValueError, match="Name the step after its notebook"):
        save(step, {})


@pytest.mark.parametrize(
    "objects", [{"a.json": 1, "a.json/b": 2}, {"caf\u00e9": 1, "cafe\u0301": 2}]
)
def test_names_that_clash(project, objects):
    with pytest.raises(CheckpointValueError, match="and"):
        save(STEP, objects)
    assert project.files() == {}


def test_a_suffix_is_written_as_gitignore_has_it(project):
    save(STEP, {"big.NPY": np.zeros(3)})
    assert set(project.files()) == {"big.npy", "params.json"}
    assert load(STEP)["big.NPY"].shape == (3,)


def test_a_class_of_the_notebook_is_refused(project):
    """A class defined in a notebook would be missing in the notebook that loads the object."""
    code = (
        f"import sys; sys.path.insert(0, {str(TEMPLATE)!r})\n"
        "from checkpoint import save\n"
        "class Model: pass\n"
        "save('1_preprocessing', {'model': [Model()]})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        "'model': cannot save this list as .pkl: it needs Model, which is defined in" in done.stderr
    )
    assert project.files() == {}


@pytest.mark.parametrize("way", ["backed", "lazy"])
def test_an_anndata_that_reads_from_the_file_it_replaces(project, way):
    adata = ad.AnnData(np.arange(12, dtype="float32").reshape(4, 3))
    adata.obs["cell_type"] = pd.Categorical(list("abab"))
    save(STEP, {"rna": adata, "other": 1})
    path = project / "results" / STEP / "rna.h5ad"
    opened = ad.read_h5ad(path, backed="r") if way == "backed" else read_lazy(path)
    np.testing.assert_array_equal(load(STEP)["rna"].X, adata.X)  # may be open elsewhere
    save(STEP, {"rna": opened})
    again = load(STEP)["rna"]
    np.testing.assert_array_equal(again.X, adata.X)
    pd.testing.assert_frame_equal(again.obs, adata.obs)
    np.testing.assert_array_equal(opened.to_memory().X, adata.X)  # it stays readable


def test_a_raw_file_that_a_cell_wrote_is_noticed(project, capsys):
    """`save` reports an input that changed after it was read, whichever program wrote it."""
    raw = project / "data" / "raw.csv"
    raw.write_text("a\n1\n")
    data_file("raw.csv")
    raw.write_text("a\n2\n")
    save(STEP, {"a": 1})
    assert "Note: data/raw.csv changed after this notebook read it." in capsys.readouterr().out
