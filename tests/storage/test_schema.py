"""The typed record of a checkpoint: all format versions are read, unsafe paths are rejected."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_under_test import ProjectUnderTest
from scipy import sparse

from checkpoint import CheckpointDamagedError, CheckpointError, load, save
from checkpoint.lineage.accept import accept
from checkpoint.lineage.snapshot import is_step
from checkpoint.lineage.states import Lineage
from checkpoint.project.names import contained
from checkpoint.project.project import Project
from checkpoint.storage.json_record import parse, to_json
from checkpoint.storage.schema import FORMAT_VERSION, Record

RECORDS = Path(__file__).parent / "records"
STEP = "1_preprocessing"


def golden(version=FORMAT_VERSION):
    return json.loads((RECORDS / f"format-{version}.json").read_text(encoding="utf-8"))


def test_there_is_a_golden_file_of_every_format_version():
    versions = {path.stem for path in RECORDS.glob("*.json")}
    assert versions == {f"format-{version}" for version in range(1, FORMAT_VERSION + 1)}


@pytest.mark.parametrize("version", range(1, FORMAT_VERSION + 1))
def test_every_format_version_is_read(version):
    record = parse(golden(version))
    assert isinstance(record, Record)
    assert record.step == "2_integration"
    assert record.params == {"filtering_params": {"min_genes": 200, "kept": ["B", "T"]}}
    assert record.files["matching.csv"].details == {"index": [], "missing": ""}
    assert record.inputs["data/rna_counts.h5ad"].bytes == 3
    assert record.run.cells == ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"]
    assert record.baseline is record.accepted[-1].fits
    assert record.baseline.inputs["data/rna_counts.h5ad"] is None


def test_what_is_read_is_written_again_as_it_was():
    content = golden()
    again = to_json(parse(content))
    assert json.dumps(again) == json.dumps(content)


def test_every_key_is_documented():
    """Each key of the golden file is in docs/params.md, except names that users chose."""
    text = (Path(__file__).parents[2] / "docs" / "params.md").read_text(encoding="utf-8")
    ours = golden()["checkpoint"]
    keys = {*golden().keys() - {"filtering_params"}, *ours}
    for entry in (ours["files"]["matching.csv"], ours["environment"], ours["accepted"][0]):
        keys |= entry.keys()
    keys |= ours["accepted"][0]["fits"].keys() | {"as_it_is"} | ours["run"].keys()
    assert not [key for key in sorted(keys) if f"`{key}`" not in text]


def test_keys_that_a_later_version_added_are_kept(project):
    (project / "data" / "raw.txt").write_text("x")
    save(STEP, {"a": 1})
    path = project / "results" / STEP / "params.json"
    content = json.loads(path.read_text())
    content["checkpoint"]["later"] = {"key": 1}
    content["checkpoint"]["modules"]["src/gone.py"] = "0" * 16
    path.write_text(json.dumps(content))
    accept(Project(project), STEP, "not needed")
    assert json.loads(path.read_text())["checkpoint"]["later"] == {"key": 1}


def test_a_file_that_save_did_not_write_is_not_a_record():
    assert parse({"resolution": 1.0}) is None
    assert parse({"checkpoint": {"dir": "/x"}}) is None


def test_a_newer_format():
    content = golden()
    content["checkpoint"]["format"] = FORMAT_VERSION + 1
    with pytest.raises(CheckpointError) as raised:
        parse(content)
    assert (raised.value.found, raised.value.expected) == (FORMAT_VERSION + 1, FORMAT_VERSION)


OUTSIDE = ["../x", "a/../../x", "/etc/passwd", "C:/x", "C:x", "..\\x", "\\\\host\\x", ""]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("part", ["files", "inputs", "modules", "freeze", "accepted"])
def test_names_that_lead_out_of_the_folder(name, part):
    content = golden()
    ours = content["checkpoint"]
    if part == "freeze":
        ours["environment"]["freeze"]["key"] = name
    else:
        table = ours["accepted"][0]["fits"]["inputs"] if part == "accepted" else ours[part]
        table[name] = next(iter(table.values()))
    with pytest.raises(CheckpointDamagedError) as raised:
        parse(content)
    assert raised.value.found == name


def test_a_forged_record_is_an_error_wherever_it_is_read(project):
    secret = project.parent / "secret.json"
    secret.write_text('{"token": 1}')
    save(STEP, {"a": 1})
    path = project / "results" / STEP / "params.json"
    content = json.loads(path.read_text())
    files = content["checkpoint"]["files"]
    files["../../../secret.json"] = {**files.pop("a.pkl"), "bytes": secret.stat().st_size}
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointDamagedError, match="leads out of the folder"):
        load(STEP)
    assert Lineage(Project(project)).state(STEP).state == "damaged"
    save(STEP, {"a": 2})
    assert secret.exists()
    assert load(STEP)["a"] == 2


class RunsCode:
    def __reduce__(self):
        return exec, ("import pathlib; pathlib.Path('ran').touch()",)


@pytest.mark.parametrize("suffix", [".pkl", ".npy", ".npz"])
def test_a_forged_file_is_not_opened_if_its_hash_is_another(project, suffix):
    """Opening it could run a stranger's code; the hash cannot protect if it is forged as well."""
    objects = {".pkl": [1], ".npy": np.arange(3), ".npz": sparse.eye(3, format="csr")}
    save(STEP, {f"a{suffix}": objects[suffix]})
    folder = project / "results" / STEP
    path = folder / f"a{suffix}"
    if suffix == ".pkl":
        path.write_bytes(pickle.dumps(RunsCode()))
    elif suffix == ".npy":
        np.save(path, np.array(RunsCode(), dtype=object), allow_pickle=True)
    else:
        np.savez(path, format=np.array([RunsCode()], dtype=object))
    content = json.loads((folder / "params.json").read_text())
    entry = content["checkpoint"]["files"][path.name]
    entry["bytes"] = path.stat().st_size
    (folder / "params.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointDamagedError, match="is not what was saved"):
        load(STEP)[f"a{suffix}"]
    assert not Path("ran").exists()


STEPS = ["results/../../secret", "results/..", "results//etc", "results/C:/x", "results/.hidden"]


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_an_input_that_is_not_a_step_is_not_looked_for(project, name):
    secret = project.parent / "secret"
    secret.mkdir()
    (secret / "params.json").write_text('{"token": 1}')
    save(STEP, {"a": 1})
    path = project / "results" / STEP / "params.json"
    content = json.loads(path.read_text())
    content["checkpoint"]["inputs"][name] = {"blake3": "0" * 64}
    path.write_text(json.dumps(content))
    assert not is_step(name)
    done = ProjectUnderTest(project).command("status")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "token" not in done.stdout


@given(st.text())
def test_a_contained_name_stays_below_its_folder(name):
    if contained(name) and "\0" not in name:
        assert Path("/top", name).resolve().is_relative_to("/top")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["files", "matching.csv", "bytes"], "3"),
        (["files", "matching.csv", "bytes"], True),
        (["files", "matching.csv"], []),
        (["files"], []),
        (["inputs", "data/barcodes/"], {"bytes": 1}),
        (["run", "cells"], [1]),
        (["environment"], 3),
        (["accepted"], [{}]),
        (["format"], "1"),
    ],
)
def test_parts_of_another_type(path, value):
    content = golden()
    part = content["checkpoint"]
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(CheckpointDamagedError, match=rf"checkpoint\.{path[0]}"):
        parse(content)
