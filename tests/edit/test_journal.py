"""An interrupted change is undone by the next command."""

import os
import random
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from project_under_test import ONE, THREE, TWO, tree

from checkpoint import files
from checkpoint.edit.chain import new, remove
from checkpoint.edit.change import Change, recover
from checkpoint.errors import ProjectError
from checkpoint.project.project import Project


class Killed(BaseException):
    """Simulates the end of the process, after which no file changes."""


@contextmanager
def killed_at(action):
    """Raise `Killed` in place of the file change number `action` and of all later ones."""
    count = 0

    def dying(method):
        def call(path, *arguments, **options):
            nonlocal count
            count += path.suffix != ".lock"
            if count >= action:
                raise Killed
            return method(path, *arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patched:
        for name in ("rename", "replace", "touch", "unlink"):
            patched.setattr(Path, name, dying(getattr(Path, name)))
        with suppress(Killed):
            yield


def state(root):
    return tree(root), root.git("ls-files", "--stage")


@pytest.mark.slow
def test_a_kill_at_any_point_is_undone_even_if_the_undoing_is_killed(committed):
    project, before, undone = Project(committed), state(committed), 0
    for action in range(1, 100):
        with killed_at(action):
            new(project, "quality", after=TWO)
        for again in (action % 7 + 1, action % 3 + 1):
            with killed_at(again):
                recover(project)
        recover(project)
        assert not (committed / ".checkpoint-change").exists()
        if state(committed) != before:
            break
        undone += 1
    assert undone > 20
    assert committed.steps() == [ONE, TWO, "3_quality", "4_visualization"]
    assert set(committed.states().values()) == {"current", "missing"}
    assert not list(committed.rglob(".checkpoint-*"))
    assert not list(committed.rglob("*.part"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_command_that_is_killed_leaves_the_old_or_the_new(committed):
    chances = random.Random(5)
    before, index = tree(committed), committed.git("ls-files", "--stage")
    start = time.monotonic()
    assert committed.command("move", THREE, "1").returncode == 0
    whole = time.monotonic() - start
    after, index_after = tree(committed), committed.git("ls-files", "--stage")
    assert committed.command("move", "1_visualization", "3").returncode == 0
    undone = 0
    for _ in range(8):  # the test above stops at each action
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = committed.start("move", THREE, "1", **streams)
        time.sleep(whole * chances.uniform(0.5, 1.0))
        process.kill()
        process.wait()
        time.sleep(0.2)  # a git process that it started may still run
        (committed / ".git" / "index.lock").unlink(missing_ok=True)
        undone += recover(Project(committed))
        assert not (committed / ".checkpoint-change").exists()
        now = (tree(committed), committed.git("ls-files", "--stage"))
        assert now in ((before, index), (after, index_after))
        if now[0] == after:
            assert committed.command("move", "1_visualization", "3").returncode == 0
    assert tree(committed) == before


def test_check_leaves_a_change_that_was_cut_short_alone(committed):
    journal = committed / ".checkpoint-change" / "journal.json"
    journal.parent.mkdir()
    journal.write_text("{}")
    assert "follows the rules" in committed.command("check").stdout
    assert journal.exists()


def test_edits_after_a_change_was_cut_short_are_kept(committed):
    """A user may edit files after a kill, so the undo must keep these edits in other files."""
    project = Project(committed)
    old = committed / "notebooks" / f"{TWO}.ipynb"
    made = committed / "notebooks" / "4_made.ipynb"
    change = Change(project)
    change.writes = {
        f"notebooks/{TWO}.ipynb": (old.read_bytes(), b"rewritten"),
        "notebooks/4_made.ipynb": (None, b"made"),
    }
    before = tree(committed)
    action = 0
    while not made.exists():  # the last file to be written
        action += 1
        with killed_at(action):
            change.apply()
    assert old.read_bytes() == b"rewritten"
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


def test_what_cannot_be_removed_does_not_stop_the_next_change(committed, monkeypatch):
    """A file that cannot be deleted, such as another user's, must not block the next change."""

    def refuse(path):
        if path.name.startswith(".checkpoint-aside-"):
            raise OSError("not permitted")
        files.remove(path)

    with monkeypatch.context() as patched:
        patched.setattr("checkpoint.edit.journal.remove", refuse)
        remove(Project(committed), THREE)
    assert list((committed / "results").glob(".checkpoint-aside-*"))
    remove(Project(committed), TWO)
    assert committed.steps() == [ONE]
    assert list(committed.states().values()) == ["current"]
