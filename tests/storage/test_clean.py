"""`checkpoint clean`: removes the files that `save` created and keeps all others."""

import os
import shutil

import pytest
from project_under_test import ONE, TWO, tree

from checkpoint import CheckpointError, CheckpointNotFoundError, figures, load, save
from checkpoint.errors import ProjectError
from checkpoint.project.project import Project
from checkpoint.storage import clean

pytestmark = pytest.mark.slow


@pytest.fixture
def filled(project):
    save(ONE, {"a": 1, "sub/b": 2})
    save(f"{ONE}/part", {"c": 3})
    save(TWO, {"a": 1})
    folder = project / "results" / ONE
    (figures(ONE) / "umap.png").write_bytes(b"x")
    (folder / "notes.txt").write_text("mine")
    (folder / "failed.ipynb").write_text("{}")
    (folder / ".staging-1").mkdir()
    (folder / ".staging-1" / "a.pkl").write_bytes(b"half")
    return project


def test_one_step(filled):
    folder = filled / "results" / ONE
    done = filled.command("clean", ONE, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("results/1_preprocessing/: 10 files, ")
    assert done.stdout.splitlines()[0].endswith("; keeps 2 files that save did not create")
    assert sorted(tree(folder)) == [".gitkeep", "figures/umap.png", "notes.txt"]
    assert not (folder / "sub").exists() and not (folder / "part").exists()
    assert not (folder / ".staging-1").exists()
    with pytest.raises(CheckpointNotFoundError):
        load(ONE)
    assert load(TWO)["a"] == 1


def test_all_steps(filled):
    assert filled.command("clean", "-y").returncode == 0
    assert sorted(tree(filled / "results" / TWO)) == [".gitkeep"]
    done = filled.command("clean")
    assert (done.returncode, done.stdout) == (
        0,
        "Nothing to remove: there are no checkpoints.\n",
    )


def test_it_asks_first(filled):
    before = tree(filled)
    done = filled.command("clean")
    assert done.returncode == 2
    assert "results/2_integration/: 3 files" in done.stdout
    assert (
        done.stderr == "Nothing was removed: not an interactive terminal; pass --yes to confirm.\n"
    )
    assert tree(filled) == before


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals of POSIX")
@pytest.mark.parametrize(("answer", "left"), [("n", True), ("y", False)])
def test_the_answer_counts(filled, answer, left):
    import pty
    import subprocess

    terminal, end = pty.openpty()
    process = filled.start("clean", TWO, stdin=end, stdout=subprocess.PIPE)
    os.write(terminal, f"{answer}\n".encode())
    said = process.communicate(timeout=60)[0]
    assert "Remove them? [y/N]: " in said
    assert (filled / "results" / TWO / "params.json").exists() is left


def test_a_folder_that_was_filled_by_hand_stays(project):
    (project / "results" / ONE / "x.csv").write_text("a\n1\n")
    assert project.command("clean", "--yes").stdout.startswith("Nothing to remove")
    assert (project / "results" / ONE / "x.csv").exists()


def test_a_step_that_is_not_there(project):
    done = project.command("clean", "9_x", "--yes")
    assert done.returncode == 2
    assert done.stderr.startswith("results/9_x does not exist; there are 1_preprocessing,")


@pytest.mark.skipif(os.name == "nt", reason="symbolic links of POSIX")
@pytest.mark.parametrize("linked", ["results", f"results/{TWO}"])
def test_nothing_in_data_is_ever_removed(filled, linked):
    raw = filled / "data" / "raw"
    shutil.move(filled / linked, raw)
    (filled / linked).symlink_to(raw, target_is_directory=True)
    before = tree(filled / "data")
    with pytest.raises(ProjectError, match="leads into data/, which is never cleaned"):
        clean.find(Project(filled), [])
    assert tree(filled / "data") == before


@pytest.mark.skipif(os.name == "nt", reason="symbolic links of POSIX")
def test_a_record_that_names_files_elsewhere(filled):
    (filled / "data" / "raw.txt").write_text("raw")
    link = filled / "results" / TWO / "linked"
    link.symlink_to(filled / "data", target_is_directory=True)
    path = filled / "results" / TWO / "params.json"
    text = path.read_text()
    assert '"a.pkl": {' in text
    for name in ("../../data/raw.txt", "linked/raw.txt"):
        path.write_text(text.replace('"a.pkl": {', f'"{name}": {{'))
        filled.command("clean", TWO, "--yes")
        assert (filled / "data" / "raw.txt").read_text() == "raw"


def test_what_was_saved_meanwhile_stays(filled):
    found = clean.find(Project(filled), [TWO])
    save(TWO, {"a": 1})
    with pytest.raises(CheckpointError, match="2_integration was saved meanwhile"):
        clean.clean(found)
    assert load(TWO)["a"] == 1
