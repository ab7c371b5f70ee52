"""Changes of a project happen whole or not at all, and git follows."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from baked import Baked
from chains import ONE, THREE, TWO, add_cell, git, sources, steps, tree

from checkpoint.check.check import check
from checkpoint.edit.change import Change, recover
from checkpoint.edit.renumber import new, remove, rename
from checkpoint.errors import ProjectError
from checkpoint.lineage.states import Lineage
from checkpoint.project.locks import announced, unchanging
from checkpoint.project.project import Project
from checkpoint.storage import store


def test_a_place_that_is_taken(committed):
    (committed / "results" / "2_matching").mkdir()
    before = tree(committed)
    with pytest.raises(ProjectError, match="results/2_matching is already there"):
        rename(Project(committed), TWO, "matching")
    assert tree(committed) == before


def test_when_git_refuses_everything_is_as_before(committed):
    (committed / ".git" / "index.lock").touch()
    before = tree(committed)
    with pytest.raises(ProjectError, match="git could not follow the change"):
        new(Project(committed), "quality", after=ONE)
    (committed / ".git" / "index.lock").unlink()
    assert tree(committed) == before
    assert git(committed, "status", "--porcelain") == ""


def test_a_folder_that_cannot_be_moved(committed):
    """The last of the moves fails, as where another program holds a file on Windows."""
    before = tree(committed)
    with pytest.raises(OSError, match="too long"):
        change = Change(Project(committed))
        readme = committed / "README.md"
        change.rewrite(readme, readme.read_bytes(), b"other")
        change.removals = [committed / "data"]
        change.moves = [
            (committed / "notebooks", committed / "books"),
            (committed / "results" / ONE, committed / "results" / ("x" * 300)),
        ]
        change.apply()
    assert tree(committed) == before
    assert not (committed / ".checkpoint-change").exists()


def test_names_are_no_patterns_for_git(committed):
    for name in ("4_[ab]", "4_a"):
        (committed / "notebooks" / f"{name}.ipynb").write_bytes(
            (committed / "notebooks" / f"{THREE}.ipynb").read_bytes()
        )
    git(committed, "add", ".")
    rename(Project(committed), "4_[ab]", "x")
    assert "notebooks/4_a.ipynb" in git(committed, "ls-files")


@pytest.mark.skipif(os.name == "nt", reason="symbolic links of POSIX")
def test_links(committed):
    """A results folder or a notebook may be elsewhere, and results may link to data."""
    elsewhere = committed.parent / "elsewhere"
    elsewhere.mkdir()
    (committed / "results" / TWO).rename(elsewhere / "two")
    (committed / "results" / TWO).symlink_to(elsewhere / "two")
    (committed / "notebooks" / f"{THREE}.ipynb").rename(elsewhere / "three.ipynb")
    (committed / "notebooks" / f"{THREE}.ipynb").symlink_to(elsewhere / "three.ipynb")
    (committed / "results" / THREE / "raw").symlink_to(committed / "data")
    rename(Project(committed), ONE, "qc")
    rename(Project(committed), TWO, "matching")
    states = {one.step: one.state for one in Lineage(Project(committed)).states()}
    assert set(states.values()) == {"current"}
    assert (committed / "notebooks" / f"{THREE}.ipynb").is_symlink()
    assert "2_matching" in (elsewhere / "three.ipynb").read_text()
    remove(Project(committed), THREE)
    remove(Project(committed), "2_matching")
    assert (committed / "data" / "README.md").exists()
    assert list((elsewhere / "two").iterdir())
    assert steps(committed) == ["1_qc"]
    assert not list(committed.rglob(".checkpoint-*"))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="another file system is needed")
def test_results_on_another_disk(committed):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        shutil.move(committed / "results", f"{other}/results")
        (committed / "results").symlink_to(f"{other}/results")
        new(Project(committed), "quality", after=ONE)
        remove(Project(committed), "2_quality")
        assert {one.state for one in Lineage(Project(committed)).states()} == {"current"}


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


def test_what_was_staged_moves_along(committed):
    add_cell(committed, TWO, "x = 'staged'")
    git(committed, "add", ".")
    add_cell(committed, TWO, "x = 'edited since'")
    rename(Project(committed), TWO, "matching")
    assert "x = 'staged'" in git(committed, "show", ":notebooks/2_matching.ipynb")
    assert "edited since" in sources(committed, "2_matching")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_command_that_is_killed_leaves_the_old_or_the_new(committed):
    chances = random.Random(5)
    command = [sys.executable, "-m", "my_project.checkpoint"]
    baked = Baked(committed)
    before, index = tree(committed), git(committed, "ls-files", "--stage")
    start = time.monotonic()
    assert baked.command("move", THREE, "1").returncode == 0
    whole = time.monotonic() - start
    after, index_after = tree(committed), git(committed, "ls-files", "--stage")
    assert baked.command("move", "1_visualization", "3").returncode == 0
    undone = 0
    for _ in range(40):
        process = subprocess.Popen(
            [*command, "move", THREE, "1"],
            cwd=committed,
            env=baked.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(whole * chances.uniform(0.5, 1.0))
        process.kill()
        process.wait()
        time.sleep(0.2)  # a git that it had started goes on without it
        (committed / ".git" / "index.lock").unlink(missing_ok=True)
        undone += recover(Project(committed))
        assert not (committed / ".checkpoint-change").exists()
        now = (tree(committed), git(committed, "ls-files", "--stage"))
        assert now in ((before, index), (after, index_after))
        if now[0] == after:
            assert baked.command("move", "1_visualization", "3").returncode == 0
    assert tree(committed) == before


@pytest.mark.parametrize("meanwhile", ["edited", "gone"])
def test_what_another_program_saved_meanwhile_is_not_lost(committed, meanwhile):
    path = committed / "notebooks" / f"{TWO}.ipynb"
    change = Change(Project(committed))
    change.rewrite(path, path.read_bytes(), b"{}")
    change.moves = [(path, path.with_name("2_x.ipynb"))]
    if meanwhile == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    before = tree(committed)
    with pytest.raises(ProjectError, match=r"2_integration\.ipynb was changed by another program"):
        change.apply()
    assert tree(committed) == before


def test_a_run_begins_after_a_change_only(committed):
    """It would look for notebooks that are being moved."""
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


def test_check_leaves_a_change_that_was_cut_short_alone(committed):
    journal = committed / ".checkpoint-change" / "journal.json"
    journal.parent.mkdir()
    journal.write_text("{}")
    assert "follows the rules" in Baked(committed).command("check").stdout
    assert journal.exists()


def test_edits_after_a_change_was_cut_short_are_kept(committed):
    """The process was killed; its user went on in JupyterLab before the next command."""
    project = Project(committed)
    old = committed / "notebooks" / f"{TWO}.ipynb"
    made = committed / "notebooks" / "4_made.ipynb"
    change = Change(project)
    change.rewrite(old, old.read_bytes(), b"rewritten")
    change.creations = {made: b"made"}
    before = tree(committed)
    change._prepare(committed / ".checkpoint-change")
    change._do(committed / ".checkpoint-change")
    old.write_bytes(b"edited")
    made.write_bytes(b"edited, too")
    assert recover(project)
    after = tree(committed)
    assert after.pop("notebooks/2_integration.ipynb.kept") == b"edited"
    assert after.pop("notebooks/4_made.ipynb.kept") == b"edited, too"
    assert after == before


def test_a_journal_that_was_not_flushed(committed):
    journal = committed / ".checkpoint-change" / "journal.json"
    journal.parent.mkdir()
    journal.touch()
    with pytest.raises(ProjectError, match=r"journal\.json cannot be read"):
        recover(Project(committed))


@pytest.mark.skipif(os.name == "nt", reason="Windows moves no folder that has an open file")
def test_while_a_kernel_saves(committed):
    before = tree(committed)
    with (
        store.locked(committed / "results" / TWO / "part"),
        pytest.raises(ProjectError, match="results/2_integration/part is being saved"),
    ):
        rename(Project(committed), TWO, "x")
    assert tree(committed) == before


def test_what_cannot_be_removed_does_not_stop_the_next_change(committed, monkeypatch):
    """As where a file is somebody else's: it is out of the way, under a name of its own."""

    def refuse(path):
        raise OSError("not permitted")

    with monkeypatch.context() as patched:
        patched.setattr("checkpoint.edit.change._remove", refuse)
        remove(Project(committed), THREE)
    assert list((committed / "results").glob(".checkpoint-aside-*"))
    remove(Project(committed), TWO)
    assert steps(committed) == [ONE]
    assert [one.state for one in Lineage(Project(committed)).states()] == ["current"]


def test_what_is_meant_to_be_added_to_git_is_not_committed_empty(committed):
    path = committed / "notebooks" / "4_new.ipynb"
    path.write_bytes((committed / "notebooks" / f"{THREE}.ipynb").read_bytes())
    git(committed, "add", "-N", path.relative_to(committed).as_posix())
    rename(Project(committed), "4_new", "newer")
    git(committed, "commit", "-qm", "x", "--allow-empty")
    assert "4_new" not in git(committed, "ls-tree", "-r", "--name-only", "HEAD")
    assert path.with_name("4_newer.ipynb").stat().st_size
