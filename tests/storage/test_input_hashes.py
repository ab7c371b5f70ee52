"""Inputs are hashed only once, but never if they may have changed since."""

import json
import os
import time

import pytest
from project_under_test import ONE, TWO

from checkpoint import data_file, save
from checkpoint.project.project import Project
from checkpoint.storage import hashes, input_hashes, session

OLD = time.time_ns() - 3_600 * 10**9


@pytest.fixture
def raw(project, monkeypatch):
    """Return a raw file just large enough for its hash to be cached."""
    # cache hashes of new files, too: their change time (ctime) cannot be set to an older one
    monkeypatch.setattr(input_hashes, "SETTLED_NS", 0)
    path = project / "data" / "counts.bin"
    path.write_bytes(b"1" * input_hashes.LARGE)
    time.sleep(0.05)
    return path


@pytest.fixture
def hashing(monkeypatch):
    hash_now, seen = hashes.file_hash, []

    def counted(path, advance=hashes.ignored):
        seen.append(path.name)
        return hash_now(path, advance)

    monkeypatch.setattr(hashes, "file_hash", counted)
    return lambda: seen.count("counts.bin")


def new_kernel():
    session.forget()
    input_hashes.forget()


def test_hashed_once_in_all_kernels_and_steps(project, raw, hashing):
    data_file("counts.bin")
    data_file("counts.bin")
    save(ONE, {})
    new_kernel()
    data_file("counts.bin")
    save(TWO, {})
    assert project.state(ONE) == ("current", [])
    assert hashing() == 1
    assert [path.name for path in project.glob(".checkpoint-*")] == [input_hashes.CACHE]
    assert len({step["blake3"] for step in map(entry, [project] * 2, [ONE, TWO])}) == 1

    raw.write_bytes(b"2" * input_hashes.LARGE)
    assert project.state(ONE) == ("stale", ["data/counts.bin changed"])
    new_kernel()
    time.sleep(0.05)
    data_file("counts.bin")
    save(ONE, {})
    assert project.state(ONE) == ("current", [])
    assert entry(project, ONE) != entry(project, TWO)


def entry(project, step):
    return project.record(step)["checkpoint"]["inputs"]["data/counts.bin"]


def test_times_that_a_copy_keeps(project, raw, hashing):
    """`cp -p`, rsync and tar can give new content an old modification time."""
    os.utime(raw, ns=(OLD, OLD))
    time.sleep(0.05)
    data_file("counts.bin")
    save(ONE, {})
    before = entry(project, ONE)
    raw.write_bytes(b"2" * input_hashes.LARGE)
    os.utime(raw, ns=(OLD, OLD))
    time.sleep(0.05)
    if os.name != "nt":  # Windows has no change time (ctime) that users cannot set
        assert project.state(ONE) == ("stale", ["data/counts.bin changed"])
    new_kernel()
    data_file("counts.bin")
    save(ONE, {})
    assert entry(project, ONE)["blake3"] != before["blake3"]


def test_what_is_written_while_the_clock_stands_still(project, hashing, monkeypatch):
    """The hash of a just modified file is not cached: a later change may have the same time."""
    path = project / "data" / "counts.bin"
    path.write_bytes(b"1" * input_hashes.LARGE)
    data_file("counts.bin")
    save(ONE, {})
    assert "mtime_ns" not in entry(project, ONE)
    assert hashing() == 2  # twice, to see whether it changed meanwhile
    # as on a file system with timestamps in whole seconds
    stamp = input_hashes.Stamp.of(path)
    monkeypatch.setattr(input_hashes.Stamp, "of", lambda path: stamp)
    path.write_bytes(b"2" * input_hashes.LARGE)
    assert project.state(ONE) == ("stale", ["data/counts.bin changed"])
    assert not (project / input_hashes.CACHE).exists()


def test_a_cache_that_is_damaged(project, raw, hashing):
    """The file is hashed again and the cache replaced, except if a folder has the cache's name."""
    cache = project / input_hashes.CACHE
    data_file("counts.bin")
    known = json.loads(cache.read_text())
    for stamp in known.values():
        stamp[1] += 1
        stamp[-1] = "0" * 64
    contents = ["", "{", "[]", "[" * 100_000, '{"x": 1}', "\udcff", json.dumps(known), None]
    for number, content in enumerate(contents, start=2):
        if content is None:
            cache.unlink()
            cache.mkdir()
        else:
            cache.write_text(content, encoding="utf-8", errors="surrogateescape")
        new_kernel()
        data_file("counts.bin")
        assert hashing() == number
    save(ONE, {})
    assert entry(project, ONE)["blake3"] == hashes.file_hash(raw)


def test_a_file_that_changes_while_it_is_hashed(project, raw, monkeypatch):
    monkeypatch.setattr(input_hashes, "BESIDE", 0)
    chunk = iter([lambda: raw.write_bytes(b"3" * input_hashes.LARGE)])

    def change(self, amount):
        next(chunk, lambda: None)()

    monkeypatch.setattr(input_hashes.Progress, "count", change)
    data_file("counts.bin")
    save(ONE, {})
    assert entry(project, ONE)["blake3"] == ""
    assert project.state(ONE)[0] == "stale"


def test_it_is_hashed_beside_the_notebooks_own_work(project, raw, monkeypatch):
    """`data_file` returns at once; a save waits for the hash, and Ctrl-C stops the hashing."""
    monkeypatch.setattr(input_hashes, "BESIDE", 0)
    advance = input_hashes.Progress.count

    def slowly(self, amount):
        time.sleep(0.3)
        advance(self, amount)

    monkeypatch.setattr(input_hashes.Progress, "count", slowly)
    began = time.monotonic()
    data_file("counts.bin")
    data_file("counts.bin")
    assert time.monotonic() - began < 0.25
    save(ONE, {})
    assert entry(project, ONE)["blake3"] == hashes.file_hash(raw)

    new_kernel()
    (project / input_hashes.CACHE).unlink()

    def interrupted(*_):
        raise KeyboardInterrupt

    job = input_hashes.begin(Project(project), raw)
    monkeypatch.setattr(input_hashes.Progress, "reach", interrupted)
    with pytest.raises(KeyboardInterrupt):
        job.result()
    monkeypatch.undo()
    time.sleep(1)  # the other thread checks after each chunk whether to stop
    assert not (project / input_hashes.CACHE).exists()
    assert job.result().blake3 == hashes.file_hash(raw)


def test_a_file_edited_before_the_save_with_its_time_put_back(project, raw, capsys):
    data_file("counts.bin")
    times = raw.stat().st_atime_ns, raw.stat().st_mtime_ns
    raw.write_bytes(b"2" * input_hashes.LARGE)
    os.utime(raw, ns=times)
    time.sleep(1.1)  # the record's time is in whole seconds
    save(ONE, {})
    assert "data/counts.bin changed after this notebook read it." in capsys.readouterr().out
    assert project.state(ONE) == ("stale", ["data/counts.bin changed"])
    raw.write_bytes(b"1" * input_hashes.LARGE)
    assert project.state(ONE) == ("current", [])


@pytest.mark.parametrize("way", ["link", "folder"])
def test_another_file_of_the_same_size_and_time_comes_in_its_place(project, way, monkeypatch):
    monkeypatch.setattr(input_hashes, "SETTLED_NS", 0)
    data = project / "data"
    for release, number in (("release_1", b"1"), ("release_2", b"2")):
        (data / release).mkdir()
        (data / release / "counts.bin").write_bytes(number * 100)
        os.utime(data / release / "counts.bin", ns=(OLD, OLD))
    current = data / "current"
    current.symlink_to("release_1") if way == "link" else (data / "release_1").rename(current)
    time.sleep(1.1)  # the record's time is in whole seconds
    data_file("current/counts.bin")
    save(ONE, {})
    assert project.state(ONE) == ("current", [])
    if way == "link":
        current.unlink()
        current.symlink_to("release_2")
    else:
        current.rename(data / "old")
        (data / "release_2").rename(current)
    assert project.state(ONE) == ("stale", ["data/current/counts.bin changed"])
