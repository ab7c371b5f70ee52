"""Changes to a project are atomic, and are staged in git."""

import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import pytest
from project_under_test import ONE, THREE, TWO, git, tree

from checkpoint.check.check import check
from checkpoint.edit.chain import new, remove, rename
from checkpoint.edit.change import Change
from checkpoint.errors import ProjectError
from checkpoint.project.locks import announced, unchanging
from checkpoint.project.project import Project
from checkpoint.storage import store


def test_a_place_that_is_taken(committed):
    (committed / "results" / "2_matching").mkdir()
    before = tree(committed)
    with pytest.raises(ProjectError) as raised:
        rename(Project(committed), TWO, "matching")
    assert raised.value.file == "results/2_matching"
    assert tree(committed) == before


def test_when_git_refuses_everything_is_as_before(committed):
    (committed / ".git" / "index.lock").touch()
    before = tree(committed)
    with pytest.raises(ProjectError, match="git could not stage the change"):
        new(Project(committed), "quality", after=ONE)
    (committed / ".git" / "index.lock").unlink()
    assert tree(committed) == before
    assert committed.git("status", "--porcelain") == ""


def test_a_folder_that_cannot_be_moved(committed):
    """The last move fails, as if another program held a file on Windows; all must be undone."""
    before = tree(committed)
    with pytest.raises(OSError, match="too long"):
        change = Change(Project(committed))
        change.writes = {
            "README.md": ((committed / "README.md").read_bytes(), b"other"),
            "results/new/x": (None, b"new"),
        }
        change.removals = ["data"]
        change.moves = {"notebooks": "books", f"results/{ONE}": f"results/{'x' * 300}"}
        change.apply()
    assert tree(committed) == before
    assert not (committed / ".checkpoint-change").exists()


def test_names_are_no_patterns_for_git(committed):
    for name in ("4_[ab]", "4_a"):
        (committed / "notebooks" / f"{name}.ipynb").write_bytes(
            (committed / "notebooks" / f"{THREE}.ipynb").read_bytes()
        )
    committed.git("add", ".")
    rename(Project(committed), "4_[ab]", "x")
    assert "notebooks/4_a.ipynb" in committed.git("ls-files")


@pytest.mark.skipif(os.name == "nt", reason="symbolic links of POSIX")
def test_links(committed):
    """A results folder or a notebook may be a symbolic link, and results may link to data."""
    elsewhere = committed.parent / "elsewhere"
    elsewhere.mkdir()
    (committed / "results" / TWO).rename(elsewhere / "two")
    (committed / "results" / TWO).symlink_to(elsewhere / "two")
    (committed / "notebooks" / f"{THREE}.ipynb").rename(elsewhere / "three.ipynb")
    (committed / "notebooks" / f"{THREE}.ipynb").symlink_to(elsewhere / "three.ipynb")
    (committed / "results" / THREE / "raw").symlink_to(committed / "data")
    rename(Project(committed), ONE, "qc")
    rename(Project(committed), TWO, "matching")
    assert set(committed.states().values()) == {"current"}
    assert (committed / "notebooks" / f"{THREE}.ipynb").is_symlink()
    assert "2_matching" in (elsewhere / "three.ipynb").read_text()
    remove(Project(committed), THREE)
    remove(Project(committed), "2_matching")
    assert (committed / "data" / "README.md").exists()
    assert list((elsewhere / "two").iterdir())
    assert committed.steps() == ["1_qc"]
    assert not list(committed.rglob(".checkpoint-*"))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="another file system is needed")
def test_results_on_another_disk(committed):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        shutil.move(committed / "results", f"{other}/results")
        (committed / "results").symlink_to(f"{other}/results")
        new(Project(committed), "quality", after=ONE)
        remove(Project(committed), "2_quality")
        assert set(committed.states().values()) == {"current"}


def test_while_notebooks_run(committed):
    with announced(Project(committed)), pytest.raises(ProjectError, match="are running"):
        rename(Project(committed), TWO, "x")
    rename(Project(committed), TWO, "x")


def test_permissions_are_kept(committed):
    path = committed / "notebooks" / f"{THREE}.ipynb"
    path.chmod(0o664)
    rename(Project(committed), TWO, "x")
    assert path.stat().st_mode & 0o777 == 0o664


def test_without_git(project):
    new(Project(project), "quality", after=ONE)
    assert check(project) == []


def test_in_a_folder_of_a_repository(committed):
    """A lab's repository may hold several projects."""
    outer = committed.parent
    (committed / ".git").rename(outer / "git")
    (outer / "git").rename(outer / ".git")
    git(outer, "add", "-A")
    git(outer, "commit", "-qm", "moved")
    new(Project(committed), "quality", after=ONE)
    moved = git(outer, "diff", "--cached", "--name-status", "-M")
    name = committed.name
    assert f"{name}/notebooks/2_integration.ipynb\t{name}/notebooks/3_integration.ipynb" in moved


def test_edits_that_git_does_not_have_are_refused(committed):
    """Unstaged edits would be mixed with the rewritten code and could not be separated in git."""
    committed.change_cell(TWO, "x = 'edited'")
    before, index = tree(committed), committed.git("ls-files", "--stage")
    with pytest.raises(ProjectError, match="edits that git does not have") as raised:
        rename(Project(committed), ONE, "qc")
    assert raised.value.file == f"notebooks/{TWO}.ipynb"
    assert (tree(committed), committed.git("ls-files", "--stage")) == (before, index)
    rename(Project(committed), THREE, "figures")  # rewrites only another notebook
    committed.git("add", ".")
    rename(Project(committed), TWO, "matching")
    assert "x = 'edited'" in committed.git("show", ":notebooks/2_matching.ipynb")
    assert committed.git("diff", "--name-only") == ""


@pytest.mark.parametrize("file", ["src/my_project/help.py", "pyproject.toml"])
def test_edits_of_other_files_are_refused_only_where_they_are_rewritten(committed, file):
    named = {
        "src/my_project/help.py": f'from .checkpoint import load\nload("{TWO}")\n',
        "pyproject.toml": (committed / "pyproject.toml").read_text(encoding="utf-8")
        + f"\n[tool.checkpoint.resources]\n{TWO} = {{ mem_mb = 1 }}\n",
    }
    path = committed / file
    path.write_text(named[file], encoding="utf-8")
    committed.git("add", ".")
    path.write_text(named[file] + "\n# edited\n", encoding="utf-8")
    rename(Project(committed), ONE, "qc")
    with pytest.raises(ProjectError) as raised:
        rename(Project(committed), TWO, "matching")
    assert raised.value.file == file


def test_what_run_wrote_is_no_edit_and_staged_with_the_rest(committed):
    with committed.edited(TWO) as notebook:
        notebook.metadata["language_info"] = {"name": "python"}
        (cell, *_) = [cell for cell in notebook.cells if cell.cell_type == "code"]
        cell.execution_count = 3
        cell.metadata["execution"] = {"iopub.execute_input": "2026"}
        cell.outputs = [nbformat.v4.new_output("stream", text="done")]
    (committed / "results" / TWO / "table.csv").write_text("a\n2\n", encoding="utf-8")
    rename(Project(committed), TWO, "matching")
    assert '"done"' in committed.git("show", ":notebooks/2_matching.ipynb")
    assert committed.git("show", ":results/2_matching/table.csv") == "a\n2\n"
    assert committed.git("diff", "--name-only") == ""


def test_what_git_ignores_follows_only_if_it_is_in_git(committed):
    """Large ignored results must not be added to git, and tracked ones must stay tracked."""
    for name in ("kept.h5ad", "large.h5ad"):
        (committed / "results" / TWO / name).touch()
    committed.git("add", "-f", f"results/{TWO}/kept.h5ad")
    untracked = committed / "notebooks" / "4_new.ipynb"
    untracked.write_bytes((committed / "notebooks" / f"{THREE}.ipynb").read_bytes())
    rename(Project(committed), TWO, "matching")
    rename(Project(committed), "4_new", "newer")
    listed = committed.git("ls-files")
    assert "results/2_matching/kept.h5ad" in listed
    assert "large.h5ad" not in listed and "4_new" not in listed


def test_a_merge_conflict_is_an_edit(committed):
    path = committed / "notebooks" / f"{TWO}.ipynb"
    path.write_text(f"<<<<<<<\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    with pytest.raises(ProjectError, match="cannot be read"):
        rename(Project(committed), TWO, "x")


@pytest.mark.parametrize("meanwhile", ["edited", "gone"])
def test_what_another_program_saved_meanwhile_is_not_lost(committed, meanwhile):
    path = committed / "notebooks" / f"{TWO}.ipynb"
    change = Change(Project(committed))
    name = f"notebooks/{TWO}.ipynb"
    change.writes = {name: (path.read_bytes(), b"{}")}
    change.moves = {name: "notebooks/2_x.ipynb"}
    if meanwhile == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    before = tree(committed)
    with pytest.raises(ProjectError, match="another program") as raised:
        change.apply()
    assert raised.value.file == name
    assert tree(committed) == before


def test_a_run_begins_after_a_change_only(committed):
    """A run that began during a change would look for notebooks that are being moved."""
    order = []

    def begin():
        with announced(Project(committed)):
            order.append("run")

    with unchanging(Project(committed)):
        thread = threading.Thread(target=begin)
        thread.start()
        time.sleep(0.5)
        order.append("change")
    thread.join(timeout=30)
    assert order == ["change", "run"]


@pytest.mark.skipif(os.name == "nt", reason="Windows moves no folder that has an open file")
def test_while_a_kernel_saves(committed):
    before = tree(committed)
    with (
        store.locked(committed / "results" / TWO / "part"),
        pytest.raises(ProjectError, match="results/2_integration/part is being saved"),
    ):
        rename(Project(committed), TWO, "x")
    assert tree(committed) == before


def test_what_is_meant_to_be_added_to_git_is_not_committed_empty(committed):
    path = committed / "notebooks" / "4_new.ipynb"
    path.write_bytes((committed / "notebooks" / f"{THREE}.ipynb").read_bytes())
    committed.git("add", "-N", path.relative_to(committed).as_posix())
    with pytest.raises(ProjectError) as raised:
        rename(Project(committed), "4_new", "newer")
    assert raised.value.file == "notebooks/4_new.ipynb"
