"""The recorded environment: package versions and environment.txt."""

import subprocess
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from checkpoint import load, save
from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project
from checkpoint.storage.hashes import file_hash

STEP = "1_preprocessing"


def frozen(project):
    text = (project / "results" / STEP / "environment.txt").read_text(encoding="utf-8")
    return [Requirement(line) for line in text.splitlines()]


def set_recorded_pandas(project, version):
    def change(record):
        record["checkpoint"]["environment"]["packages"]["pandas"] = version

    project.edit_record(STEP, change)


def test_everything_that_the_dependencies_need_is_recorded(project):
    save(STEP, {"a": 1})
    names = {requirement.name.lower() for requirement in frozen(project)}
    assert {"pandas", "python-dateutil", "six", "jupyterlab", "traitlets"} <= names
    assert "pytest" not in names  # installed, but not a dependency of the project
    for requirement in frozen(project):
        assert str(requirement.specifier) == f"=={metadata.version(requirement.name)}"
    entry = project.record()["checkpoint"]["environment"]["freeze"]
    path = project / "results" / STEP / "environment.txt"
    assert entry["blake3"] == file_hash(path)
    # an unchanged environment.txt is kept, a different one is replaced
    before = path.stat().st_mtime_ns, path.read_bytes()
    save(STEP, {"a": 2})
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    path.write_text("numpy==1.0\n")
    save(STEP, {"a": 3})
    assert path.read_bytes() == before[1]


def test_git_keeps_the_list(project):
    save(STEP, {"a": 1})
    project.git("init", "-q")
    path = f"results/{STEP}/environment.txt"
    ignored = subprocess.run(["git", "check-ignore", "-q", path], cwd=project)
    assert ignored.returncode == 1


def test_the_list_is_not_part_of_what_later_steps_depend_on(project):
    save(STEP, {"a": 1})
    content = load(STEP).content_hash()
    (project / "results" / STEP / "environment.txt").write_text("")
    assert load(STEP).content_hash() == content


@pytest.mark.parametrize(
    ("recorded", "noted"),
    [("1.5.9", True), ("2.0.0", True), (None, False), ("0.0", True), ("not a version", True)],
)
def test_another_minor_version_is_a_note_and_makes_nothing_stale(project, recorded, noted):
    save(STEP, {"a": 1})
    here = metadata.version("pandas")
    set_recorded_pandas(project, recorded or here)
    state = Lineage(Project(project)).state(STEP)
    assert state.state == "current"
    said = f"made with pandas {recorded}; this environment has {here}"
    assert (said in state.notes) == noted


def test_a_patch_release_is_not_worth_a_note(project):
    save(STEP, {"a": 1})
    major, minor = metadata.version("pandas").split(".")[:2]
    set_recorded_pandas(project, f"{major}.{minor}.99")
    assert Lineage(Project(project)).state(STEP).notes == []
