"""Atomic saves: a step's folder changes all at once or not at all."""

import json
import multiprocessing
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from project_under_test import TEMPLATE

from checkpoint import CheckpointError, load, save
from checkpoint.storage import store

STEP = "1_preprocessing"
posix = pytest.mark.skipif(os.name == "nt", reason="signals and permissions of POSIX")


def folder_of(project):
    return project / "results" / STEP


def left_over(project):
    return sorted(p.name for p in folder_of(project).iterdir() if p.name.startswith((".s", ".c")))


def run_python(project, code, **options):
    head = f"import sys, os; sys.path.insert(0, {str(TEMPLATE)!r}); from checkpoint import *\n"
    return subprocess.Popen([sys.executable, "-c", head + code], cwd=project, **options)


KILLED = """
import threading, time, signal
threading.Timer(float(sys.argv[1]), lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
for value in range(1, 10_000):
    save("1_preprocessing", {name: [value] * 5_000 for name in "abcdef"})
"""


@posix
@pytest.mark.slow
def test_killed_at_any_moment(project):
    """After a kill at any moment, one complete save is loaded and the next save cleans up."""
    save(STEP, {name: [0] * 5_000 for name in "abcdef"})
    for kill in range(10):
        code = KILLED.replace("sys.argv[1]", f"{0.15 + kill / 50}")
        run = run_python(project, code, stdout=subprocess.DEVNULL)
        assert run.wait(60) == -signal.SIGKILL
        assert len(left_over(project)) <= 1
        loaded = load(STEP)
        assert {tuple(loaded[name]) for name in "abcdef"} == {tuple(loaded["a"])}
    save(STEP, {"a": 1})
    assert left_over(project) == []


@posix
def test_an_interrupted_commit_is_finished_by_whoever_loads(project, monkeypatch):
    save(STEP, {"a": 1, "gone": 1})
    sync = store.sync

    def interrupted(path):
        if path.name == STEP:  # right after the rename to .commit
            raise KeyboardInterrupt
        sync(path)

    with monkeypatch.context() as patch:
        patch.setattr(store, "sync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            save(STEP, {"a": 2, "b": 2})
    assert left_over(project) == [".commit"]
    assert dict(load(STEP)) == {"a": 2, "b": 2}
    assert left_over(project) == []
    assert not (folder_of(project) / "gone.pkl").exists()


def test_reading_where_nothing_may_be_written(project, monkeypatch):
    """A save interrupted after its commit must be readable, even in a read-only shared folder."""
    save(STEP, {"a": 1})
    commit = folder_of(project) / ".commit"
    commit.mkdir()
    for name in ("a.pkl", "params.json"):
        (folder_of(project) / name).rename(commit / name)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    before = sorted(folder_of(project).rglob("*"))
    assert load(STEP)["a"] == 1
    assert sorted(folder_of(project).rglob("*")) == before


def test_an_exception_leaves_no_staging_folder(project):
    save(STEP, {"a": 1})
    with pytest.raises(ZeroDivisionError), store.transaction(folder_of(project)) as staging:
        (staging / "a.pkl").write_bytes(b"half")
        raise ZeroDivisionError
    assert left_over(project) == []
    assert load(STEP)["a"] == 1


def test_a_staging_folder_that_was_left_is_removed_by_the_next_save(project):
    (folder_of(project) / ".staging-dead").mkdir()
    (folder_of(project) / ".staging-dead" / "a.pkl").write_bytes(b"half")
    save(STEP, {"b": 1})
    assert left_over(project) == []
    assert list(load(STEP)) == ["b"]


def test_a_commit_without_its_record_never_happened(project):
    save(STEP, {"a": 1})
    (folder_of(project) / ".commit").mkdir()
    (folder_of(project) / ".commit" / "a.pkl").write_bytes(b"half")
    assert load(STEP)["a"] == 1
    assert left_over(project) == []


def test_a_record_edited_by_hand_removes_nothing_outside(project):
    victim = project / "data" / "raw.txt"
    victim.write_text("raw")
    save(STEP, {"a": 1})
    path = folder_of(project) / "params.json"
    record = json.loads(path.read_text())
    record["checkpoint"]["files"]["../../data/raw.txt"] = {"key": "x", "bytes": 3, "blake3": ""}
    path.write_text(json.dumps(record))
    save(STEP, {"b": 1})
    assert victim.read_text() == "raw"


def write_many(project, name, barrier):
    os.chdir(project)
    sys.path.insert(0, str(TEMPLATE))
    barrier.wait()
    for value in range(20):
        save(STEP, {"a": (name, value), "b": (name, value)})


@pytest.mark.slow
def test_two_writers_and_a_reader(project):
    """Both loaded objects must always come from the same save of the same writer."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    save(STEP, {"a": ("x", 0), "b": ("x", 0)})
    writers = [context.Process(target=write_many, args=(project, n, barrier)) for n in "xy"]
    for writer in writers:
        writer.start()
    seen = 0
    while any(writer.is_alive() for writer in writers):
        loaded = load(STEP)
        try:
            assert loaded["a"] == loaded["b"]
            seen += 1
        except Exception as error:
            assert "was saved again since it was loaded" in str(error)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen
    assert left_over(project) == []


@pytest.mark.versions
def test_waiting_for_another_process_is_said(project):
    holder = run_python(
        project,
        "from checkpoint.storage import store; from pathlib import Path\n"
        "with store.transaction(Path('results/1_preprocessing')) as staging:\n"
        "    print('held', flush=True); sys.stdin.readline(); raise SystemExit\n",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    waiter = run_python(project, f"save({STEP!r}, {{'a': 1}})", stdout=subprocess.PIPE, text=True)
    assert waiter.stdout.readline().startswith("Waiting: another process is saving to")
    time.sleep(0.2)
    assert waiter.poll() is None
    holder.communicate("go\n")
    assert "Saved to results/1_preprocessing/" in waiter.communicate()[0]


@posix
def test_files_carry_the_permissions_of_the_umask(project):
    previous = os.umask(0o007)
    try:
        save(STEP, {"a": 1, "figures/b.json": {}})
    finally:
        os.umask(previous)
    paths = [path for path in folder_of(project).rglob("*") if path.name != ".gitkeep"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}
    assert modes.pop("figures") == 0o770
    assert set(modes) == {"a.pkl", "b.json", "environment.txt", "params.json", ".lock"}
    assert set(modes.values()) == {0o660}


@posix
def test_everything_is_flushed_before_the_commit(project, monkeypatch):
    """To survive a power failure: flush all files, then rename, then flush the folder."""
    events = []
    sync, rename = store.sync, store.Path.rename
    monkeypatch.setattr(store, "sync", lambda path: (events.append(path.name), sync(path))[1])
    monkeypatch.setattr(
        store.Path, "rename", lambda self, to: (events.append("COMMIT"), rename(self, to))[1]
    )
    save(STEP, {"a": 1, "b": 2})
    before = events[: events.index("COMMIT")]
    assert {"a.pkl", "b.pkl", "params.json"} <= set(before)
    assert before[-1].startswith(".staging-")
    assert events[events.index("COMMIT") + 1] == STEP


@pytest.fixture
def held(project):
    """Yield a function that makes a file irreplaceable, like a file that is open on Windows."""
    paths = []

    def hold(path):
        done = subprocess.run(["chattr", "+i", str(path)], capture_output=True)
        if done.returncode:
            pytest.skip("this file system has no immutable files")
        paths.append(path)

    yield hold
    for path in paths:
        subprocess.run(["chattr", "-i", str(path)], check=True)


@posix
def test_a_file_that_cannot_be_replaced(project, held, capsys):
    """The save counts: it can be loaded, and is completed once the file can be replaced."""
    save(STEP, {"a": 1, "b": 1})
    path = folder_of(project) / "b.pkl"
    held(path)
    save(STEP, {"a": 2, "b": 2})
    assert re.search(r"Note: Saved, but .*b\.pkl could not be replaced", capsys.readouterr().out)
    assert dict(load(STEP)) == {"a": 2, "b": 2}
    with pytest.raises(CheckpointError, match=r"b\.pkl could not be replaced .* Close the program"):
        save(STEP, {"a": 3, "b": 3})
    assert dict(load(STEP)) == {"a": 2, "b": 2}
    subprocess.run(["chattr", "-i", str(path)], check=True)
    assert dict(load(STEP)) == {"a": 2, "b": 2}
    assert left_over(project) == []


def test_what_threads_still_write_is_removed(tmp_path):
    """The threads of an interrupted library may keep writing for a short time."""
    ended = threading.Event()

    def write(folder):
        for number in range(100_000):
            if ended.is_set():
                return
            with suppress(OSError):  # the folder has just been removed
                folder.mkdir(parents=True, exist_ok=True)
                (folder / str(number)).touch()

    with pytest.raises(KeyboardInterrupt), store.transaction(tmp_path / "1_one") as staging:
        thread = threading.Thread(target=write, args=[staging / "x.zarr"])
        thread.start()
        threading.Timer(0.3, ended.set).start()
        raise KeyboardInterrupt
    thread.join()
    assert not [path for path in (tmp_path / "1_one").iterdir() if path.name != store.LOCK]
