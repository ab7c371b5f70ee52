"""Other risks of unpacking: terminal escapes, invalid shapes, concurrent saves and addresses."""

import json
import shutil
import struct
import threading
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from project_under_test import ONE, tree

from checkpoint import ArchiveError, CheckpointError, load, save
from checkpoint.project.project import Project
from checkpoint.share.pack import pack
from checkpoint.share.unpack import unpack
from checkpoint.storage import session, store
from checkpoint.storage.hashes import bytes_hash

RECORD = f"{ONE}/params.json"
CLEAR = "\x1b[2Jall is well"  # an escape sequence that clears the terminal
FITS = {"cells": None, "parameters": {}, "inputs": {}, "modules": {}, "params": {}}
ACCEPTED = {"why": CLEAR, "date": "2026-01-01", "reasons": [], "fits": FITS}


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Return a project without results, which contains a pack of its first step."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "pyproject.toml").write_text("[tool.checkpoint]\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        session.forget()
        save(ONE, {"table.csv": pd.DataFrame({"a": [1, 2]})})
        pack(Project(folder), [ONE], folder / "lesson.zip")
        shutil.rmtree(folder / "results" / ONE)
        session.forget()
    return folder


@pytest.fixture
def lesson(packed, tmp_path, monkeypatch):
    """Return a copy of the project and its pack, as the working directory."""
    shutil.copytree(packed, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def with_record(lesson, change):
    """Write a pack with a changed record and a matching manifest; return its path."""
    with zipfile.ZipFile(lesson / "lesson.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    record, manifest = json.loads(files[RECORD]), json.loads(files["manifest.json"])
    change(record)
    files[RECORD] = json.dumps(record).encode()
    manifest["files"][RECORD] = {
        "bytes": len(files[RECORD]),
        "blake3": bytes_hash(files[RECORD]),
    }
    files["manifest.json"] = json.dumps(manifest).encode()
    bad = lesson / "bad.zip"
    with zipfile.ZipFile(bad, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return bad


FOR_A_TERMINAL = {
    "why it was accepted": lambda r: r["checkpoint"].update(accepted=[ACCEPTED]),
    "a version": lambda r: r["checkpoint"]["environment"]["packages"].update(numpy=CLEAR),
    "a package": lambda r: r["checkpoint"]["environment"]["packages"].update({CLEAR: "1"}),
    "a time": lambda r: r.update(timestamp=CLEAR),
    "a note": lambda r: r["checkpoint"].update(notes=[CLEAR]),
    "a key": lambda r: r["checkpoint"]["files"]["table.csv"].update(key=CLEAR),
    "an input": lambda r: r["checkpoint"]["inputs"].update({CLEAR: None}),
    "a shape": lambda r: r["data_shapes"].update(table={"shape": [1], "dtype": CLEAR}),
}


def test_texts_for_a_terminal(lesson):
    """Escape sequences are rejected, since `status` and `load` would print them."""
    for title, change in FOR_A_TERMINAL.items():
        bad = with_record(lesson, change)
        before = tree(lesson)
        with pytest.raises(ArchiveError, match=r"params\.json has an unprintable character") as e:
            unpack(Project(lesson), str(bad), Path())
        assert str(e.value).isprintable() and tree(lesson) == before, title


def test_shapes_that_are_none(lesson):
    """Invalid shapes must neither stop unpacking nor break the display of the checkpoint."""
    for shape in ({"rows": "x", "columns": [1]}, {"shape": 7, "dtype": None}, {"n_cells": 1}):
        shapes = {"table": shape}
        bad = with_record(lesson, lambda record, s=shapes: record.update(data_shapes=s))
        unpack(Project(lesson), str(bad), Path())
        assert "table" in repr(load(ONE)) and load(ONE)["table"]["a"].tolist() == [1, 2]
        shutil.rmtree(lesson / "results" / ONE)


@pytest.mark.parametrize(("offset", "value"), [(6, 0x41), (8, 8), (18, 1), (22, 1), (14, 1)])
def test_two_headers_that_differ(lesson, offset, value):
    """A file's local header must not be trusted: the directory and the hashes decide."""
    path = lesson / "lesson.zip"
    content = bytearray(path.read_bytes())
    place = content.find(b"table.csv", content.find(b"table.csv") + 1) - 30 - len(f"{ONE}/")
    place = content.rfind(b"PK\3\4", 0, place + 31)
    struct.pack_into("<H", content, place + offset, value)
    (lesson / "bad.zip").write_bytes(content)
    try:
        unpack(Project(lesson), "bad.zip", lesson)
    except ArchiveError as error:
        assert "bad.zip" in str(error) and not (lesson / "results" / ONE).exists()
    else:
        assert load(ONE)["table"]["a"].tolist() == [1, 2]  # its hash was checked


def test_a_page_that_is_an_archive(lesson):
    page = b"<!doctype html><title>Log in</title><!--"
    (lesson / "bad.zip").write_bytes(page + (lesson / "lesson.zip").read_bytes() + b"-->")
    with pytest.raises(ArchiveError, match=r"bad\.zip was refused: it is a web page"):
        unpack(Project(lesson), "bad.zip", lesson)


def test_a_save_meanwhile(lesson):
    """Results that appear while `unpack` waits for the lock must not be replaced."""
    folder = lesson / "results" / ONE
    raised = []

    def give():
        try:
            unpack(Project(lesson), "lesson.zip", lesson)
        except CheckpointError as error:
            raised.append(str(error))

    folder.mkdir()
    with store.locked(folder):
        thread = threading.Thread(target=give)
        thread.start()
        time.sleep(0.5)
        (folder / "mine.csv").write_text("a\n1\n")
    thread.join()
    assert raised and "was made here and would be replaced" in raised[0]
    assert [path.name for path in folder.iterdir() if path.name[0] != "."] == ["mine.csv"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://[1", r"http://\[1 is not an address"),
        ("https://exa mple.invalid/a.zip", "cannot be fetched"),
        ("https://" + "a" * 300 + ".invalid/a.zip", "cannot be fetched"),
        ("/dev/null", "/dev/null is not a file|does not exist"),
        ("", "is a folder"),
        ("http://ada:hush@127.0.0.1:9/a.zip?token=hush", r"^http://127\.0\.0\.1:9/a\.zip cannot"),
    ],
)
def test_addresses(lesson, address, said):
    """Errors show no password or token, because notebooks are shared with their outputs."""
    before = tree(lesson)
    with pytest.raises(ArchiveError, match=said) as raised:
        unpack(Project(lesson), address, lesson, timeout=1)
    assert "hush" not in f"{raised.value}{raised.value.__cause__}"
    assert tree(lesson) == before
