"""Comparing the submissions of a class with the handout and the expected results."""

import gzip
import json
import os
import pickle
import shutil
import subprocess
import sys
import time

import h5py
import nbformat
import numpy as np
import pandas as pd
import pytest
from course.teaching import (
    CLUSTERS,
    DISTANCES,
    TWO,
    save_points,
    solve,
    write_lessons,
)
from hypothesis import given
from hypothesis import strategies as st
from project_under_test import TEMPLATE

from checkpoint import ProjectError
from checkpoint.project.project import Project
from notebook_checkpoints.compare.compare import compare
from notebook_checkpoints.compare.shown import as_text
from notebook_checkpoints.compare.values import Tolerance, adjusted_rand, differences
from notebook_checkpoints.handout.handout import handout

SOLVED = {"distances": DISTANCES, "clusters": CLUSTERS}


class Student:
    """A submission with correct answers and results, which tests then change."""

    def __init__(self, folder, copy, expected):
        self.folder = folder
        self.notebook = folder / "notebooks" / f"{TWO}.ipynb"
        self.results = folder / "results" / TWO
        self.notebook.parent.mkdir(parents=True)
        shutil.copy(copy / "notebooks" / f"{TWO}.ipynb", self.notebook)
        shutil.copytree(expected / "results" / TWO, self.results)
        self.answer(**SOLVED)

    def answer(self, **sources):
        nb = nbformat.read(self.notebook, as_version=4)
        for cell in nb.cells:
            cell.source = sources.get(cell.id, cell.source)
        nbformat.write(nb, self.notebook)

    def table(self, change):
        path = self.results / "clusters.csv"
        change(pd.read_csv(path)).to_csv(path, index=False)


class Evil:
    """An object whose pickle makes a folder when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def course(project, tmp_path):
    """Return the teacher's project with results, the students' copy, and a submissions folder."""
    write_lessons(project)
    save_points()
    solve()
    copy = handout(Project(project), [TWO], tmp_path / "copy", proof=False).path
    return project, copy, tmp_path / "submitted"


def renamed_labels(table):
    return table.assign(cluster=table["cluster"].map({"c0": "c2", "c1": "c0", "c2": "c1"}))


def test_forty_students(course, tmp_path):
    project, copy, submitted = course
    opened = tmp_path / "opened"
    students = [Student(submitted / f"student{k:02}", copy, project) for k in range(40)]
    unanswered = {"clusters": "# YOUR CODE HERE\nraise NotImplementedError()"}
    students[1].answer(**unanswered)
    students[2].answer(load="import numpy as np\ncenters = 1")
    students[3].table(lambda t: t.assign(distance=t["distance"] * (1 + 1e-6)))
    students[4].table(renamed_labels)  # k-means numbers clusters in any order
    np.save(students[4].results / "labels.npy", np.load(students[4].results / "labels.npy") * -7)
    students[5].table(lambda t: t.assign(distance=t["distance"] * 2))
    students[6].table(lambda t: t.assign(cluster=t["cluster"].to_numpy()[::-1].copy() + "x"))
    students[7].table(lambda t: t.assign(cluster=["c0", "c1"] * 30))
    students[8].table(lambda t: t.drop(columns="distance").head(9))
    (students[9].results / "labels.npy").unlink()
    (students[10].results / "labels.npy").write_bytes(pickle.dumps(Evil(opened)))
    (students[11].results / "model.pkl").write_bytes(pickle.dumps(Evil(opened)))
    (students[12].results / "params.json").write_text("{")
    students[13].notebook.write_text("{")
    students[14].notebook.unlink()
    shutil.rmtree(students[15].results)
    np.save(students[16].results / "labels.npy", np.array([{}], dtype=object), allow_pickle=True)
    with (students[17].results / "clusters.csv").open("ab") as file:
        file.truncate(20_000_000)
    record = json.loads((students[18].results / "params.json").read_text())
    record["checkpoint"]["files"] = {"../../../x": {"key": "x", "bytes": 1, "blake3": ""}}
    (students[18].results / "params.json").write_text(json.dumps(record))
    students[19].answer(distances=DISTANCES.replace("axis=2)", "axis=2)  # mine"), save="x = 1")
    (students[20].results / "clusters.csv").unlink()
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    if os.name != "nt":
        (students[20].results / "clusters.csv").symlink_to(secret)
    began = time.monotonic()
    rows = list(compare(Project(copy), submitted, Project(project), Tolerance()))
    assert time.monotonic() - began < 30
    assert not opened.exists() and len(rows) == 40
    said = {int(row.student[-2:]): row for row in rows}
    results = {number: row.results for number, row in said.items()}
    for fine in (0, 3, 4, 6, 11, 12, 18, *range(21, 40)):
        assert results[fine] == []
        assert (said[fine].cells.open, said[fine].cells.changed) == ([], [])
        assert len(said[fine].cells.answered) == 2 and said[fine].not_opened == ["model.pkl"]
    assert said[1].cells.open == ["raise NotImplementedError()"]
    assert said[2].cells.changed == ['points = load("1_preprocessing")["points"]']
    assert results[5] == ["clusters.csv: distance differs in 60 of 60 numbers"]
    (wrong,) = results[7]
    assert wrong.startswith("clusters.csv: cluster adjusted Rand index -0.0")
    assert results[8] == [
        "clusters.csv: distance is missing",
        "clusters.csv: cluster has shape 9; expected 60",
    ]
    assert results[9] == ["labels.npy: missing"]
    assert "labels.npy: cannot be read" in results[10][0]
    assert said[13].cells.problem.startswith("is not valid JSON")
    assert said[14].cells is None
    assert results[15] == ["clusters.csv: missing", "labels.npy: missing", "model.pkl: missing"]
    assert "labels.npy: cannot be read" in results[16][0]
    assert results[17] == ["clusters.csv: holds 20,000,000 bytes, too many to be read"]
    assert len(said[19].cells.changed) == 1 and len(said[19].cells.answered) == 2
    assert results[20] == ["clusters.csv: missing"]
    alone = list(compare(Project(copy), submitted, None, Tolerance()))
    assert [row.cells for row in alone] == [row.cells for row in rows]
    assert {row.results for row in alone} == {None}
    with pytest.raises(ProjectError, match="has no results of 2_integration"):
        list(compare(Project(copy), submitted, Project(copy), Tolerance()))


@pytest.mark.versions
def test_the_command_and_nbgraders_folders(course):
    """Submissions are found in nbgrader's folders, with the results next to the notebook."""
    project, copy, submitted = course
    for name in ("ada", "grace"):
        student = Student(submitted / "x", copy, project)
        folder = submitted / name / "ps1"
        folder.mkdir(parents=True)
        student.notebook.rename(folder / f"{TWO}.ipynb")
        (student.folder / "results").rename(folder / "results")
        shutil.rmtree(student.folder)
    np.save(folder / "results" / TWO / "labels.npy", np.arange(60) % 3)
    command = [sys.executable, "-m", "notebook_checkpoints", "compare", str(copy), str(submitted)]
    command += ["--expected", str(project)]

    def run(*options):
        return subprocess.run(
            [*command, *options], cwd=TEMPLATE, capture_output=True, text=True, check=True
        ).stdout

    assert run().splitlines() == [
        "ada    2 of 2 answered; results as expected",
        "    not compared: model.pkl",
        "grace  2 of 2 answered; results differ",
        "    labels.npy: adjusted Rand index -0.03; expected 0.9 or more",
        "    not compared: model.pkl",
    ]
    ada, grace = json.loads(run("--json", "--rand=-1"))["students"]
    assert (grace["results"], ada["cells"]["open"]) == ([], [])


def test_notebooks_without_ids_and_with_other_names(course):
    """Answers must be found although Colab drops cell ids and students rename files."""
    project, copy, submitted = course

    def student(name, change):
        one = Student(submitted / name, copy, project)
        content = json.loads(one.notebook.read_text(encoding="utf-8"))
        change(content["cells"])
        content["nbformat_minor"] = 4 if not any("id" in c for c in content["cells"]) else 5
        one.notebook.write_text(json.dumps(content), encoding="utf-8")
        return one

    def strip(cells):
        for cell in cells:
            cell.pop("id")
        cells.insert(2, {**cells[1], "source": "import scipy\n"})

    def anew(cells):
        cells[2] = {**cells[2], "id": "new"}

    student("colab", strip)
    student("made anew", anew)
    student("removed", lambda cells: cells.pop(3))
    student("untouched", lambda cells: None).answer(
        **{
            cell.id: cell.source
            for cell in nbformat.read(copy / "notebooks" / f"{TWO}.ipynb", 4).cells
        }
    )
    renamed = student("renamed", lambda cells: None).notebook
    renamed.rename(renamed.parent / f"{TWO} (1).ipynb")
    (renamed.parent / "scratch.ipynb").write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []}),
        encoding="utf-8",
    )
    twice = student("twice", lambda cells: None).notebook
    (twice.parent / "old").mkdir()
    shutil.copy(twice, twice.parent / "old")
    rows = {row.student: row for row in compare(Project(copy), submitted, None, Tolerance())}
    counts = {
        name: (len(row.cells.answered), len(row.cells.open), row.cells.added)
        for name, row in rows.items()
    }
    assert counts == {
        "colab": (2, 0, 1),
        "made anew": (2, 0, 0),
        "removed": (1, 1, 0),
        "untouched": (0, 2, 0),
        "renamed": (2, 0, 0),
        "twice": (2, 0, 0),
    }
    assert not any(row.cells.changed or row.cells.missing for row in rows.values())
    shown = as_text([*rows.values()]).splitlines()
    assert f"    compared notebooks/{TWO} (1).ipynb" in shown
    assert f"    compared notebooks/{TWO}.ipynb; there is also notebooks/old/{TWO}.ipynb" in shown


def h5(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            file[name] = value
    return path


def test_files_of_hdf5(tmp_path):
    """Components may have the opposite sign; links into other files must not be followed."""
    import anndata

    x = np.random.default_rng(0).normal(size=(20, 4))
    obs = pd.DataFrame({"leiden": pd.Categorical(["a", "b"] * 10)}, index=list(map(str, range(20))))
    adata = anndata.AnnData(x, obs=obs, obsm={"X_pca": x[:, :2]})
    adata.write_h5ad(tmp_path / "a.h5ad")
    adata.obsm["X_pca"] = x[:, :2] * [1, -1]
    adata.obs["leiden"] = pd.Categorical(["x", "y"] * 10)
    (tmp_path / "b").mkdir()
    adata.write_h5ad(tmp_path / "b" / "a.h5ad")
    ours, theirs = tmp_path / "a.h5ad", tmp_path / "b" / "a.h5ad"
    assert list(differences(ours, theirs, Tolerance())) == []
    adata.X = x + 1
    adata.write_h5ad(theirs)
    assert list(differences(ours, theirs, Tolerance())) == ["a.h5ad: X differs in 80 of 80 numbers"]
    with h5py.File(theirs, "w") as file:
        file["X"] = h5py.ExternalLink(str(ours), "X")
    assert list(differences(ours, theirs, Tolerance())) == ["a.h5ad: X is a link"]
    with h5py.File(theirs, "w") as file:
        file.create_dataset("X", (2,), "u1", external=[(str(ours), 0, 2)])
    assert list(differences(ours, theirs, Tolerance())) == ["a.h5ad: X lies in another file"]
    with h5py.File(theirs, "w") as file:  # a small file that would fill the memory
        file.create_dataset("X", (10**12,), "u1", chunks=(10**6,), compression="gzip")
    (said,) = differences(ours, theirs, Tolerance())
    assert said == "a.h5ad: holds 1,000,000,000,000 bytes, too many to be read"


def test_small_files_that_hold_a_lot(tmp_path):
    """A small file must not fill the memory, be it compressed or with a false array header."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir(), theirs.mkdir()
    for folder, size in ((ours, 10), (theirs, 6_000_000)):
        with gzip.open(folder / "t.csv.gz", "wb", compresslevel=1) as file:
            file.write(b"a\n" + b"0\n" * size)
        pd.DataFrame({"a": np.zeros(size)}).to_parquet(folder / "t.parquet")
        np.savez_compressed(folder / "a.npz", a=np.zeros(size))
        np.save(folder / "a.npy", np.zeros(10))
    content = bytearray((ours / "a.npy").read_bytes())
    (theirs / "a.npy").write_bytes(
        content.replace(b"(10,), }", b"(9000000000,), }")[: len(content)]
    )
    for name in ("t.csv.gz", "t.parquet", "a.npz", "a.npy"):
        (said,) = differences(ours / name, theirs / name, Tolerance())
        assert "too many to be read" in said or "cannot be read" in said


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ([0, 0, 1, 1, 2, 2], ["a", "a", "c", "c", "b", "b"], True),
        ([-1, 0, 1, -1, 0, 1], [5, 6, 7, 5, 6, 7], True),
        ([3, 5, 3, 5, 3, 3], [4, 6, 4, 6, 4, 4], False),  # counts, not labels
        ([True, False, True, True], [False, True, False, False], False),  # a mask, not labels
        ([0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 0, 0], False),
        ([np.nan] * 3, [1.0, 2, 3], False),
        ([1, np.inf, 2.0], [1, -np.inf, 2.0], False),
        ([1.0, 2.0, 0.0], [1.0, 2.0, 1e-12], True),
    ],
)
def test_what_is_taken_for_labels(tmp_path, ours, theirs, same):
    for name, values in (("ours", ours), ("theirs", theirs)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", np.array(values))
    paths = (tmp_path / name / "a.npy" for name in ("ours", "theirs"))
    assert (list(differences(*paths, Tolerance())) == []) == same


@given(st.lists(st.integers(0, 3), min_size=4, max_size=40), st.permutations(range(4)))
def test_names_of_clusters_do_not_matter(labels, names):
    labels = np.array(labels)
    assert adjusted_rand(labels, np.array(names)[labels]) == pytest.approx(1)


def test_the_adjusted_rand_index_of_a_known_example():
    first, second = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    assert adjusted_rand(first, second) == pytest.approx(0.24242424)
    assert adjusted_rand(np.zeros(5), np.arange(5)) == pytest.approx(0)
