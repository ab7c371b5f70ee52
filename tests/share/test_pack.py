"""The contents of packs, and that packing the same results gives the same bytes."""

import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from project_under_test import ONE, TWO

from checkpoint import CheckpointDamagedError, CheckpointError, load, save
from checkpoint.project.project import Project
from checkpoint.share.pack import pack
from checkpoint.share.unpack import unpack
from checkpoint.storage import session


def test_a_pack_comes_back_whole(project, tmp_path):
    """Including sub-checkpoints, folders, sidecar files and names with accents."""
    zarr = pytest.importorskip("zarr", reason="an extra of projects")
    objects = {"a": np.arange(3), "ä.csv": pd.DataFrame({"a": [1]}), "m": {1: 2}, "f.txt": None}
    (tmp_path / "f.txt").write_text("a file")
    objects |= {"f.txt": tmp_path / "f.txt", "z.zarr": zarr.array(np.arange(4))}
    objects["ä.csv"].attrs["kept"] = {1, 2}
    save(ONE, objects, params={"group": {"x": 1}})
    save(f"{ONE}/part", {"b": 1})
    before = load(ONE)
    first = pack(Project(project), [ONE], tmp_path / "first.zip")
    again = pack(Project(project), [ONE], tmp_path / "again.zip")
    assert first.blake3 == again.blake3
    assert first.steps == [ONE, f"{ONE}/part"]
    assert f"{ONE}/m.pkl" in first.pickles and f"{ONE}/a.npy" not in first.pickles
    with zipfile.ZipFile(first.path) as archive:
        names = archive.namelist()
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        manifest = json.loads(archive.read("manifest.json"))
        text = archive.read(f"{ONE}/params.json").decode()
    assert names[0] == "manifest.json" and names[1:] == sorted(names[1:])
    assert manifest["by"] == "my_project" and manifest["steps"][ONE]["versions"]["numpy"]
    assert not any("session.json" in name for name in names)
    assert str(project) not in text and '"log"' not in text
    folder = project / "results" / ONE
    content = before.content_hash()
    folder.rename(folder.with_name("moved"))
    done = unpack(Project(project), str(first.path), project, trust=True)
    assert done.steps == [ONE, f"{ONE}/part"]
    after = load(ONE)
    assert after.content_hash() == content and after.params == before.params
    assert list(after) == list(before) and after["m"] == {1: 2}
    assert after["ä.csv"].equals(objects["ä.csv"])
    assert after["z.zarr"][:].tolist() == [0, 1, 2, 3]
    assert after["f.txt"].read_text() == "a file"
    assert load(f"{ONE}/part")["b"] == 1
    assert project.states()[ONE] == "current"


def test_large_files_on_another_disk(project, tmp_path):
    """They are packed from the other disk, and unpacked to where this project keeps large files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    project.add_settings(f'results = "{disk.as_posix()}"')
    save(ONE, {"a": np.arange(3), "t.csv": pd.DataFrame({"a": [1]})})
    packing = pack(Project(project), [ONE], tmp_path / "x.zip")
    shutil.rmtree(project / "results" / ONE)
    assert unpack(Project(project), str(packing.path), project).steps == [ONE]
    assert not (project / "results" / ONE / "a.npy").exists()
    assert load(ONE)["a"].tolist() == [0, 1, 2] and project.states()[ONE] == "current"
    shutil.rmtree(disk)
    assert unpack(Project(project), str(packing.path), project).steps == [ONE]
    assert load(ONE)["a"].tolist() == [0, 1, 2]


def test_no_code_is_packed(project, tmp_path):
    """The results may be those of an exercise, whose solution must not be given away."""
    save(ONE, {"a": np.arange(3)})
    cells = {"cells": ["x"], "parameters": {"x": "secret = 1"}}
    fits = {**cells, "inputs": {}, "modules": {}, "params": {}}
    accepted = [{"why": "a comment", "date": "2026-01-01", "reasons": [], "fits": fits}]
    project.edit_record(ONE, lambda r: r["checkpoint"].update(run=cells, accepted=accepted))
    path = pack(Project(project), [ONE], tmp_path / "x.zip").path
    assert b"a comment" in path.read_bytes() and b"secret" not in path.read_bytes()


def test_what_cannot_be_packed(project, tmp_path):
    target = tmp_path / "x.zip"
    with pytest.raises(CheckpointError, match="not found"):
        pack(Project(project), [ONE], target)
    folder = project / "results" / ONE
    (folder / "by_hand.csv").write_text("a\n1\n")
    with pytest.raises(CheckpointError, match="was not written by save"):
        pack(Project(project), [ONE], target)
    save(TWO, {"a": np.arange(3)})
    path = project / "results" / TWO / "a.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckpointDamagedError, match=r"a\.npy is not what was saved"):
        pack(Project(project), [TWO], target)
    session.forget()
    save(TWO, {"a": np.arange(3)})
    target.write_text("notes")
    with pytest.raises(CheckpointError, match="is there, and is not a pack"):
        pack(Project(project), [TWO], target)
    assert target.read_text() == "notes"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my_project", "x.zip"]


def test_a_note_on_what_is_not_current(project, tmp_path):
    (project / "data" / "raw.txt").write_text("raw")
    project.make()
    (project / "data" / "raw.txt").write_text("other")
    packing = pack(Project(project), [ONE], tmp_path / "x.zip")
    assert packing.notes == [f"results/{ONE} is stale: data/raw.txt changed."]


@pytest.mark.versions
def test_the_commands(project):
    """`pack` and `unpack` as a teacher and a student would use them."""
    save(ONE, {"table.csv": pd.DataFrame({"a": [1]})})
    save(f"{TWO}/a", {"x.json": 1})
    done = project.command("pack", f"{TWO}/a")
    assert (project / f"{TWO}-a.zip").is_file() and "sources" not in done.stdout
    assert done.stdout.endswith(f"\nProjects fetch whole steps; for that, pack {TWO}.\n")
    done = project.command("pack", ONE)
    assert done.returncode == 0, done.stderr
    first, blake3, *_, line = done.stdout.splitlines()
    assert first.startswith(f"Packed results/{ONE} into {ONE}.zip: 3 files, ")
    (project / "results" / ONE).rename(project / "results" / "moved")
    done = project.command("unpack", f"{ONE}.zip", "--hash", blake3)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"given by my_project.\n{blake3}\n")
    done = project.command("unpack", "3_visualization")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is neither a file nor a step with an address" in done.stderr
    assert line.startswith(f'  {ONE} = {{ urls = ["https://…/{ONE}.zip"], hash = "{blake3}", bytes')
