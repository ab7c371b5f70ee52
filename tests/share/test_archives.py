"""Hostile and broken archives are rejected, and existing results stay unchanged."""

import os
import pickle
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from forged import Pack
from hostile_archives import HOSTILE
from project_under_test import ONE, TWO, tree

from checkpoint import ArchiveError, CheckpointError, load, save
from checkpoint.project.project import Project
from checkpoint.share.pack import pack
from checkpoint.share.unpack import unpack
from checkpoint.storage import session


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Return a project that has only results of step 2, and a pack of step 1."""
    folder = tmp_path_factory.mktemp("packed")
    project = folder / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text("[tool.checkpoint]\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        session.forget()
        save(ONE, {"table.csv": pd.DataFrame({"a": [1, 2]})}, params={"group": {"x": 1}})
        pack(Project(project), [ONE], folder / "lesson.zip")
        shutil.rmtree(project / "results" / ONE)
        save(TWO, {"x.json": "a student's"})
        session.forget()
    return project, folder / "lesson.zip"


@pytest.fixture
def lesson(packed, tmp_path, monkeypatch):
    """Return a copy of the project, as the working directory, and a copy of the pack."""
    shutil.copytree(packed[0], tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project", Path(shutil.copy(packed[1], tmp_path))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("make", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_is_refused(packed, tmp_path, make, said):
    project, parts = packed[0], Pack(packed[1])
    bad = tmp_path / "bad.zip"
    make(parts, bad)
    before, around = tree(project), sorted(tmp_path.iterdir())
    with pytest.raises(CheckpointError, match=said) as raised:
        unpack(Project(project), str(bad), Path())
    assert "bad.zip" in str(raised.value) and str(raised.value).endswith(".")
    assert tree(project) == before
    assert sorted(tmp_path.iterdir()) == around
    assert not (project / "results" / ONE).exists()


@pytest.mark.skipif(os.name == "nt", reason="NTFS would fill the file")
def test_too_little_room(lesson, tmp_path):
    """A pack larger than the free disk space, here a sparse file, is rejected before unpacking."""
    project, path = lesson
    free = shutil.disk_usage(tmp_path).free
    with path.open("r+b") as file:
        file.truncate(free + 10**10)
    with pytest.raises(CheckpointError, match="Not enough room on the disk of") as raised:
        unpack(Project(project), str(path), Path())
    assert raised.value.expected == free + 10**10 > raised.value.found
    assert not (project / "results" / ONE).exists()


def test_results_of_ones_own(lesson):
    """Own results are replaced only with --replace; damaged results of a pack are restored."""
    project, path = lesson
    save(ONE, {"mine.json": 1})
    before = tree(project)
    with pytest.raises(CheckpointError, match="was made here and would be replaced"):
        unpack(Project(project), str(path), Path())
    assert tree(project) == before
    assert unpack(Project(project), str(path), Path(), replace=True).steps == [ONE]
    assert load(ONE)["table"]["a"].tolist() == [1, 2]
    assert unpack(Project(project), str(path), Path()).there == [ONE]
    (project / "results" / ONE / "table.csv").write_text("a\n5\n6\n")  # repaired by `unpack`
    assert unpack(Project(project), str(path), Path()).steps == [ONE]
    assert load(ONE)["table"]["a"].tolist() == [1, 2]
    shutil.rmtree(project / "results" / ONE)
    (project / "results" / ONE).mkdir()
    (project / "results" / ONE / "by_hand.csv").write_text("a\n1\n")
    with pytest.raises(CheckpointError, match="was made here"):
        unpack(Project(project), str(path), Path())


def test_trusted_pickles_and_a_wrong_hash(lesson, tmp_path):
    project, path = lesson
    parts = Pack(path)
    parts.replace("table.pkl", pickle.dumps({"a": 1}))
    parts.write(tmp_path / "pickled.zip")
    with pytest.raises(ArchiveError, match="is another archive: expected blake3 000000000000"):
        unpack(Project(project), str(path), Path(), expected="blake3:" + "0" * 64)
    with pytest.raises(ArchiveError, match="64 hexadecimal digits, got 'md5:1'"):
        unpack(Project(project), str(path), Path(), expected="md5:1")
    assert unpack(Project(project), str(tmp_path / "pickled.zip"), Path(), trust=True).steps
    assert load(ONE)["table"] == {"a": 1}


def test_what_zip_needs_for_large_packs(lesson, tmp_path, monkeypatch):
    """ZIP64 archives, needed for more than 4 GB or 65,535 files, must be accepted."""
    project, path = lesson
    usual = Pack(path).write(tmp_path / "usual.zip").stat().st_size
    for limit in ("ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"):
        with monkeypatch.context() as patch:
            patch.setattr(zipfile, limit, 1)
            Pack(path).write(tmp_path / "large.zip")
        assert (tmp_path / "large.zip").stat().st_size > usual
        assert unpack(Project(project), str(tmp_path / "large.zip"), Path()).steps == [ONE]
        shutil.rmtree(project / "results" / ONE)
