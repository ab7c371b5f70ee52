"""The setting `results`, for large files on another disk."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from project_under_test import ONE, TEMPLATE, TWO

from checkpoint import load, save
from checkpoint.errors import CheckpointError, CheckpointNotFoundError
from checkpoint.project.places import large_files_of
from checkpoint.project.project import Project

TABLE = pd.DataFrame({"a": [1.5, 2.5]})
OBJECTS = {"counts": np.arange(9), "table.csv": TABLE, "mixed": pd.DataFrame({"x": [1, "a"]})}


@pytest.fixture
def disk():
    """Yield a folder on another file system if the machine has one."""
    memory = Path("/dev/shm")
    place = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
    yield Path(place)
    shutil.rmtree(place)


@pytest.fixture
def scratch(project, disk, monkeypatch):
    """Return a project that keeps its large files on the other disk."""
    monkeypatch.setenv("ANNA", "anna")
    project.add_settings(f'results = "{disk.as_posix()}/$ANNA/{{project}}"')
    return project


def files_on(disk):
    return sorted(p.name for p in disk.rglob("*") if p.is_file() and p.name[0] != ".")


def test_large_files_are_there_and_the_rest_here(scratch, disk):
    save(ONE, OBJECTS, params={"qc": {"n": 1}})
    assert files_on(disk) == ["counts.npy", "mixed.parquet", "mixed.rest.pkl"]
    (place,) = disk.glob("anna/my_project/*")
    assert place == large_files_of(Project(scratch))
    here = {path.name for path in (scratch / "results" / ONE).iterdir()} - {".lock"}
    assert here == {
        *("table.csv", "params.json", "environment.txt", ".checkpoint-away"),
        *({".gitkeep"} & here),
    }
    previous = load(ONE)
    np.testing.assert_array_equal(previous["counts"], np.arange(9))
    assert list(previous["mixed"]["x"]) == [1, "a"]
    assert previous.path("counts").is_relative_to(disk)
    record = json.loads((scratch / "results" / ONE / "params.json").read_text())
    assert str(disk) not in json.dumps(record)  # git tracks the record
    assert scratch.states()[ONE] in ("current", "edited", "unrecorded", "unclean")

    save(ONE, {"other": np.arange(3)})  # replaces all files of the previous save
    assert files_on(disk) == ["other.npy"]
    assert list(load(ONE)) == ["other"]
    save(ONE, {"table.csv": TABLE})
    assert files_on(disk) == []
    assert not (scratch / "results" / ONE / ".checkpoint-away").exists()


def test_a_save_that_fails_leaves_what_was_there(scratch, disk):
    save(ONE, OBJECTS)
    before = files_on(disk)
    with pytest.raises(CheckpointError):
        save(ONE, {"counts": np.zeros(5), "never": (value for value in ())})
    assert files_on(disk) == before
    np.testing.assert_array_equal(load(ONE)["counts"], np.arange(9))


def test_the_setting_comes_and_goes(project, disk):
    save(ONE, OBJECTS)
    local = project / "checkpoint.local.toml"
    local.write_text(f'results = "{disk.as_posix()}/here"', encoding="utf-8")
    np.testing.assert_array_equal(load(ONE)["counts"], np.arange(9))
    save(ONE, OBJECTS)
    assert "counts.npy" in files_on(disk)
    assert not (project / "results" / ONE / "counts.npy").exists()
    local.unlink()
    np.testing.assert_array_equal(load(ONE)["counts"], np.arange(9))
    save(ONE, OBJECTS)
    assert files_on(disk) == []
    np.testing.assert_array_equal(load(ONE)["counts"], np.arange(9))


@pytest.mark.slow
def test_two_copies_never_share(scratch, disk, tmp_path):
    save(ONE, OBJECTS)
    copy = tmp_path / "copy" / "my_project"
    shutil.copytree(scratch, copy)
    theirs = Project(copy)
    assert large_files_of(theirs) != large_files_of(Project(scratch))
    script = "import numpy, sys; from checkpoint import save; save(sys.argv[1], {'counts': 0})"
    _python(copy, script, ONE)
    np.testing.assert_array_equal(load(ONE)["counts"], np.arange(9))
    save(ONE, {"counts": np.arange(2)})
    _python(copy, "import sys; from checkpoint import load; load(sys.argv[1])['counts']", ONE)


@pytest.mark.slow
def test_it_follows_a_step_that_is_renamed(scratch, disk):
    save(ONE, OBJECTS)
    scratch.command("rename", ONE, "qc")
    (renamed,) = (scratch / "results").glob("1_qc")
    np.testing.assert_array_equal(load(renamed.name)["counts"], np.arange(9))
    save(renamed.name, {"counts": np.arange(2)})
    assert files_on(disk) == ["counts.npy"]


@pytest.mark.slow
def test_a_moved_project_reads_and_replaces_what_it_has(scratch, disk, tmp_path):
    save(ONE, OBJECTS)
    moved = tmp_path / "moved"
    scratch.rename(moved)
    code = "import sys; from checkpoint import load, save; load(sys.argv[1])['counts']; "
    _python(moved, code + "save(sys.argv[1], {'new': [0, object]})", ONE)
    assert files_on(disk) == ["new.pkl"]
    moved.rename(scratch)


def test_a_clone_has_none(scratch, disk, tmp_path):
    save(ONE, OBJECTS)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], cwd=scratch, check=True)
    subprocess.run(["git", "clone", "-q", scratch, tmp_path / "clone"], check=True)
    assert not (tmp_path / "clone" / "results" / ONE / ".checkpoint-away").exists()


def test_a_disk_that_is_not_there(scratch, disk):
    save(ONE, OBJECTS)
    hidden = disk.with_name(f"{disk.name}-gone")
    disk.rename(hidden)
    try:
        with pytest.raises(CheckpointNotFoundError, match=f"large files in {disk}.*Mount that"):
            load(ONE)
        assert scratch.states()[ONE] == "absent"
        with pytest.raises(CheckpointError, match=f"{disk} is not there. Mount its disk"):
            save(ONE, OBJECTS)
        with pytest.raises(CheckpointError, match="results"):
            save(TWO, OBJECTS)
    finally:
        hidden.rename(disk)
    np.testing.assert_array_equal(load(ONE)["counts"], np.arange(9))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("/no/such/$HOME/x", "/no/such is not there"),
        ("relative/x", "not an absolute path"),
        ("/tmp/$NOT_SET_ANYWHERE/x", "a variable that is not set"),
    ],
)
def test_settings_that_cannot_be(project, value, reason):
    project.add_settings(f'results = "{value}"')
    with pytest.raises(CheckpointError, match=reason):
        save(ONE, OBJECTS)
    assert not (project / "results" / ONE / "params.json").exists()


def test_a_pointer_that_no_save_wrote_is_not_followed(scratch, disk, tmp_path):
    save(ONE, OBJECTS)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "counts.npy").write_bytes(b"secret")
    (scratch / "results" / ONE / ".checkpoint-away").write_text(str(secret))
    with pytest.raises(CheckpointNotFoundError):
        load(ONE)


@pytest.mark.slow
def test_clean_removes_them_and_what_a_kill_left(scratch, disk):
    save(ONE, OBJECTS)
    place = large_files_of(Project(scratch))
    left = place / TWO / ".save-12345678"
    left.mkdir(parents=True)
    (left / ".checkpoint-unfinished").write_text(str(scratch / "results" / TWO))
    (left / "half.npy").write_bytes(b"half")
    scratch.command("clean", "--yes")
    assert files_on(disk) == []
    assert not list((scratch / "results").rglob(".checkpoint-away"))


@pytest.mark.slow
def test_clean_leaves_what_a_project_that_was_moved_still_names(scratch, disk, monkeypatch):
    save(ONE, OBJECTS)
    save(ONE, OBJECTS)
    moved = scratch.with_name("moved")
    scratch.rename(moved)
    shutil.copytree(moved, scratch, ignore=shutil.ignore_patterns("results"))  # a new clone
    files = files_on(disk)
    assert "left" not in scratch.command("clean", "--yes").stdout
    assert files_on(disk) == files
    monkeypatch.chdir(moved)
    np.testing.assert_array_equal(load(ONE)["counts"], np.arange(9))
    save(ONE, OBJECTS)  # replaces the files of the moved project
    assert files_on(disk) == files


def test_a_sub_checkpoint_and_a_folder(scratch, disk):
    tree = scratch / "model"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "weights.bin").write_bytes(b"w")
    save(f"{ONE}/a", {"model": tree, "x": np.arange(2)})
    assert files_on(disk) == ["weights.bin", "x.npy"]
    assert (load(f"{ONE}/a")["model"] / "inner" / "weights.bin").read_bytes() == b"w"


def _python(project, script, *arguments):
    env = {**os.environ, "PYTHONPATH": str(TEMPLATE)}
    command = [sys.executable, "-c", script, *arguments]
    subprocess.run(command, cwd=project / "notebooks", env=env, check=True)
