"""Notebooks that save as another one: copies, and notebooks renamed in the file browser."""

import shutil
import time
from types import SimpleNamespace

import pytest
from project_under_test import ONE, THREE, TWO, ProjectUnderTest

from checkpoint import CheckpointError, CheckpointNotFoundError, data_file, load, save
from checkpoint.check.check import check
from checkpoint.edit.chain import rename
from checkpoint.notebooks.copies import written_back
from checkpoint.project import caller
from checkpoint.project.project import Project
from checkpoint.watch import cells


@pytest.fixture
def runs(project, monkeypatch):
    """Return a function that says which notebook the front end names."""

    def name(path):
        names = SimpleNamespace(user_ns={"__vsc_ipynb_file__": str(path)}, execution_count=1)
        monkeypatch.setattr(cells, "running_shell", lambda: names)
        return project / "notebooks" / path

    return lambda file: name(project / "notebooks" / file)


def refused(step):
    with pytest.raises(CheckpointError) as raised:
        save(step, {"a": "other"})
    return raised.value


@pytest.mark.parametrize("copy", [f"{TWO}-Copy1", f"{TWO}_v2", "scratch", "drafts/draft"])
@pytest.mark.parametrize("step", [TWO, f"{TWO}/part"])
def test_a_copy_is_refused(project, runs, copy, step):
    runs(f"{TWO}.ipynb")
    save(step, {"a": "own"})
    path = runs(f"{copy}.ipynb")
    path.parent.mkdir(exist_ok=True)
    shutil.copy(project / "notebooks" / f"{TWO}.ipynb", path)
    error = refused(step)
    assert (error.step, error.expected, error.found) == (step, f"{TWO}.ipynb", path.name)
    assert f"save as '{path.stem}" in str(error)
    assert load(step)["a"] == "own"
    save(path.stem, {"a": "copy"})


def test_a_notebook_of_a_given_order_is_renamed_in_the_file_browser(project, runs):
    for step, name in ((ONE, "import"), (TWO, "qc"), (THREE, "umap")):
        path = project.notebook(step)
        source = path.read_text(encoding="utf-8")
        for old, new in ((ONE, "import"), (TWO, "qc"), (THREE, "umap")):
            source = source.replace(old, new)
        path.with_stem(name).write_text(source, encoding="utf-8")
        path.unlink()
    project.add_settings('order = ["import", "qc", "umap"]')
    runs("import.ipynb")
    save("import", {"a": "own"})
    now = runs("load_data.ipynb")
    project.notebook("import").rename(now)
    how = "`checkpoint rename import load_data`"
    assert how in str(refused("import"))
    assert load("import")["a"] == "own"
    said = [str(one) for one in check(project) if one.rule == "not-a-step"]
    assert any(how in each for each in said), said
    status = project.command("status")
    assert "`checkpoint rename import NAME` with its new name" in status.stderr
    assert rename(Project(project), "import", "load_data") == {"import": "load_data"}
    assert project.steps() == ["load_data", "qc", "umap"]
    assert load("load_data")["a"] == "own"
    assert [one for one in check(project) if one.rule == "not-a-step"] == []


def test_a_copy_of_the_same_name_in_another_folder(project, runs):
    path = runs(f"drafts/{TWO}.ipynb")
    path.parent.mkdir()
    shutil.copy(project / "notebooks" / f"{TWO}.ipynb", path)
    assert "rename one of them" in str(refused(TWO))
    (project / "notebooks" / f"{TWO}.ipynb").unlink()
    save(TWO, {})  # no other notebook saves this step


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("new", ["2_matching", "matching", "3_matching"])
def test_a_notebook_that_was_renamed_in_the_file_browser(project, runs, restarted, new):
    """`save` refuses even before a restart, while the front end still reports the old name."""
    path = runs(f"{TWO}.ipynb")
    save(TWO, {"a": "own"})
    path.rename(path.with_stem(new))
    if restarted:
        runs(f"{new}.ipynb")
    for step in (TWO, f"{TWO}/part"):
        error = refused(step)
        assert f"notebooks/{TWO}.ipynb does not exist" in str(error)
        assert f"`checkpoint rename {TWO} {new}`" in str(error)
        assert (error.expected, error.found) == (f"{TWO}.ipynb", f"{new}.ipynb")
    assert load(TWO)["a"] == "own"
    save(new, {})


def test_a_notebook_that_was_moved_away(project, runs, tmp_path):
    path = runs(f"{TWO}.ipynb")
    (project / "old").mkdir()
    moved = path.rename(project / "old" / f"{TWO}_old.ipynb")
    runs(moved)
    assert "If you renamed that notebook, move it back." in str(refused(TWO))


def test_a_renaming_that_is_finished_needs_no_restart(project, runs):
    path = runs(f"{TWO}.ipynb")
    path.rename(path.with_stem("2_matching"))
    text = path.with_stem("2_matching").read_text().replace(TWO, "2_matching")
    path.with_stem("2_matching").write_text(text)
    save("2_matching", {})


def test_a_copy_that_was_renamed_since_the_kernel_started(project, runs):
    path = runs(f"{TWO}_v2.ipynb")
    shutil.copy(project / "notebooks" / f"{TWO}.ipynb", path.with_stem("4_other"))
    error = refused(TWO)
    assert error.found == "4_other.ipynb"
    assert "restart the kernel" in str(error)


def test_where_nothing_is_known_nothing_is_refused(project, runs, monkeypatch):
    shutil.copy(project / "notebooks" / f"{TWO}.ipynb", project / "notebooks" / f"{TWO}_v2.ipynb")
    runs(f"/elsewhere/{TWO}.ipynb")  # a path on another machine
    save(TWO, {})
    runs(f"{ONE}.ipynb")
    save("scran", {})  # as a script would
    monkeypatch.setattr(cells, "running_shell", lambda: None)
    save(TWO, {})


@pytest.mark.parametrize("inherited", [False, True])
def test_the_name_that_a_jupyter_server_gives(project, monkeypatch, inherited):
    """A kernel started from a cell, as by `!papermill`, inherits the name and must ignore it."""
    import psutil

    path = project / "notebooks" / f"{TWO}_v2.ipynb"
    shutil.copy(project / "notebooks" / f"{TWO}.ipynb", path)
    monkeypatch.setattr(cells, "running_shell", lambda: SimpleNamespace(user_ns={}))
    environment = {"JPY_SESSION_NAME": str(path)}
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    server = environment if inherited else {}
    parent = SimpleNamespace(environ=lambda: server, create_time=time.time)
    monkeypatch.setattr(psutil, "Process", lambda pid: parent)
    if inherited:
        save(TWO, {})
    else:
        assert refused(TWO).found == path.name
    monkeypatch.setenv("JPY_SESSION_NAME", f"lab/{path.name}")  # relative, as in older servers
    assert caller.notebook() == path


def test_what_is_looked_at_to_refuse_a_copy_is_no_input(project, runs):
    """`save` reads other notebooks and `data/README.md`, but results do not depend on them."""
    with pytest.raises(CheckpointNotFoundError):
        data_file("counts.csv")
    path = runs(f"{TWO}.ipynb")
    path.rename(path.with_stem("2_matching"))
    refused(TWO)
    runs("2_matching.ipynb")
    save("2_matching", {"a": 1})
    assert list(project.record("2_matching")["checkpoint"]["inputs"]) == []


def test_a_notebook_that_is_written_back_after_a_rename(committed):
    project = Project(committed)
    for name in (f"{TWO}-Copy1", "2_x"):
        shutil.copy(committed.notebook(TWO), committed.notebook(name))  # they save as 2_integration
    assert written_back(project) == []
    for name in (f"{TWO}-Copy1", "2_x"):
        committed.notebook(name).unlink()
    before = committed.notebook(TWO).read_bytes()
    rename(project, TWO, "matching")
    assert written_back(project) == []
    committed.notebook(TWO).write_bytes(before)
    ((old, new),) = written_back(project)
    assert (old.name, new.name) == (TWO, "2_matching")
    (problem,) = [one for one in check(committed) if one.rule == "written-back"]
    assert problem.file == f"notebooks/{TWO}.ipynb"
    said = ProjectUnderTest(committed).command("status").stdout
    assert f"notebooks/{TWO}.ipynb has the cells of 2_matching.ipynb and no results" in said
