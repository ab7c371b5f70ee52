"""Fetching packs from files, and from a real server that may fail, be slow or lie."""

import gzip
import shutil
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from project_under_test import ONE, TWO, tree

from checkpoint import ArchiveError, CheckpointError, CheckpointNotFoundError, load, save
from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project
from checkpoint.run.schedule import Schedule
from checkpoint.share.pack import pack, sources_line
from checkpoint.share.unpack import fetch, unpack
from checkpoint.storage import session


class Handler(BaseHTTPRequestHandler):
    """Serve a pack with the behaviour that the URL's path names."""

    def __init__(self, content, *arguments):
        self.content = content
        super().__init__(*arguments)

    def log_message(self, *arguments):
        """Suppress the server's log."""

    def do_GET(self):
        kind, content = self.path.strip("/"), self.content
        if kind == "redirect":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
            return
        if kind == "file":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            return
        status = {"missing": 404, "broken": 503, "forbidden": 403}.get(kind, 200)
        length = {"short": len(content) + 1000, "long": len(content) // 2}.get(kind, len(content))
        if kind == "page":
            content = b"<html>Log in</html>"
        if kind == "endless":
            content *= 1000
        if kind == "bomb":
            content = gzip.compress(content * 1000)
        if kind == "loop":
            status = 302
        self.send_response(status)
        self.send_header("Location", "/loop")  # only used with status 302
        if kind in ("bomb", "damaged"):
            self.send_header("Content-Encoding", "gzip")
        if kind not in ("unknown", "endless", "page", "bomb"):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        try:
            if kind == "slow":
                self.wfile.write(content[:100])
                self.wfile.flush()
                time.sleep(3)
            if kind == "other":
                content = content[::-1]
            self.wfile.write(content if status == 200 else b"no")
        except OSError:
            return  # the client has closed the connection


@contextmanager
def serving(content):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, content))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def lesson(project, tmp_path):
    """Return a project without results, and a pack of its first step."""
    session.forget()
    save(ONE, {"table.csv": pd.DataFrame({"a": [1, 2]})})
    packing = pack(Project(project), [ONE], tmp_path / "lesson.zip")
    shutil.rmtree(project / "results" / ONE)
    session.forget()
    return project, packing


def set_source(project, packing, *urls):
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    text = text.partition("[tool.checkpoint.sources]")[0]
    line = sources_line(packing, ONE, list(urls))
    content = f"{text}[tool.checkpoint.sources]\n{line}\n"
    (project / "pyproject.toml").write_text(content, encoding="utf-8")


def test_servers(lesson):
    project, packing = lesson
    place = Project(project)
    with serving(packing.path.read_bytes()) as url:
        before = tree(project)
        size, most = packing.bytes, {"most": packing.bytes}
        for path, options, said in [
            ("missing", {}, r"/missing cannot be fetched: 404 Not Found\.$"),
            ("broken", {}, "503"),
            ("loop", {}, "Exceeded 30 redirects"),
            ("bomb", most, f"sends more than the {size:,} bytes that were expected"),
            ("damaged", {}, "or what came is damaged"),
            ("file", {}, "cannot be fetched: No connection adapters"),
            ("forbidden", {}, "403"),
            ("short", {}, "cannot be fetched|incomplete"),
            ("long", {}, "cannot be read as an archive"),
            ("long", most, f"ended after {size // 2:,} bytes; expected {size:,} bytes"),
            ("slow", {"timeout": 0.3}, "cannot be fetched: .*timed out"),
            ("page", {}, "is a web page and not an archive"),
            ("page", {"expected": packing.blake3}, "is a web page and not an archive"),
            ("other", {}, "not a zip archive"),
            ("endless", most, f"sends more than the {size:,} bytes that were expected"),
            ("good", {"expected": "0" * 64}, "is another archive"),
            ("good", {"step": TWO}, f"holds {ONE}, and not {TWO}"),
        ]:
            with pytest.raises(ArchiveError, match=said):
                unpack(place, f"{url}/{path}", Path(), **options)
            assert tree(project) == before
        with pytest.raises(ArchiveError, match="cannot be fetched"):
            unpack(place, "http://127.0.0.1:9/lesson.zip", Path(), timeout=1)
        with pytest.raises(ArchiveError, match="expected https://"):
            unpack(place, "ftp://example.org/lesson.zip", Path())
        for path in ("redirect", "unknown", "good"):
            done = unpack(place, f"{url}/{path}?token=secret", Path(), expected=packing.blake3)
            assert done.steps == [ONE] and done.given.source == f"{url.rpartition(':')[0]}/{path}"
            shutil.rmtree(project / "results" / ONE)


def test_a_load_names_and_fetches_prepared_results(lesson, tmp_path):
    """It uses the first mirror that works, which may be a file on a shared folder or USB stick."""
    project, packing = lesson
    set_source(project, packing, "http://127.0.0.1:9/a.zip", "lost.zip", packing.path.as_uri())
    with pytest.raises(CheckpointNotFoundError) as raised:
        load(ONE)
    assert str(raised.value) == (
        f"Results directory 'results/{ONE}' not found. Run {ONE}.ipynb first, or fetch the "
        f"prepared results ({packing.bytes / 1000:.1f} kB): `checkpoint unpack {ONE}`, or "
        f'`load("{ONE}", fetch=True)` in the notebook.'
    )
    assert load(ONE, fetch=True)["table"]["a"].tolist() == [1, 2]
    (state, *_) = Lineage(Project(project)).states()
    assert (state.state, state.origin) == ("current", "given")
    save(TWO, {"x.json": 1})
    assert Lineage(Project(project)).state(TWO).state == "current"
    (project / "notebooks" / f"{ONE}.ipynb").unlink()
    assert Lineage(Project(project)).state(TWO).state == "current"
    shutil.rmtree(project / "results" / ONE)
    with pytest.raises(CheckpointNotFoundError, match=r"not found\. Fetch the prepared results"):
        load(ONE)
    assert project.command("status").stdout.endswith(f"\nNext: checkpoint unpack {ONE}\n")
    set_source(project, packing, "http://127.0.0.1:9/a.zip", "lost.zip")
    with pytest.raises(ArchiveError, match="No address of 1_preprocessing gave its results:") as e:
        load(ONE, fetch=True)
    assert str(e.value).endswith("lost.zip does not exist.")
    with pytest.raises(CheckpointNotFoundError, match=r"in pyproject\.toml does not list"):
        load(TWO + "x", fetch=True)
    assert fetch(Project(project), TWO) is None


def test_what_was_given_is_left_alone(lesson):
    """Unpacked results are never stale or edited, but damage is found and a named step runs."""
    project, packing = lesson
    unpack(Project(project), str(packing.path), Path())
    project.change_cell(ONE, "x = 1")
    project.edit_record(
        ONE, lambda r: r["checkpoint"]["environment"]["packages"].update(numpy="1.2")
    )
    state = Lineage(Project(project)).state(ONE)
    assert (state.state, state.reasons, state.loads) == ("current", [], [])
    assert state.notes[0].startswith("given by my_project on 20")
    assert state.notes[0].endswith(" (lesson.zip)")
    assert state.notes[1].startswith("made with numpy 1.2; this environment has ")
    assert "given by my_project on 20" in repr(load(ONE))
    steps = Project(project).steps()
    assert not Schedule(Project(project), steps, set()).is_due(ONE)
    assert Schedule(Project(project), steps, set(), named=[ONE]).is_due(ONE)
    (project / "results" / ONE / "table.csv").write_text("a\n1\n3\n")
    assert project.state(ONE)[0] == "damaged"


def test_a_clone_of_given_results(lesson):
    """The pack restores large files missing from a clone, but not over results made here."""
    import numpy as np

    project, _ = lesson
    save(ONE, {"a": np.arange(3)})
    packing = pack(Project(project), [ONE], project.parent / "lesson.zip")
    set_source(project, packing, str(packing.path))
    (project / "results" / ONE / "a.npy").unlink()
    with pytest.raises(CheckpointNotFoundError, match=r"Run 1_preprocessing\.ipynb, or fetch the"):
        load(ONE)
    assert load(ONE, fetch=True)["a"].tolist() == [0, 1, 2]
    save(ONE, {"a": np.arange(4)})
    with pytest.raises(CheckpointError, match="was made here"):
        unpack(Project(project), str(packing.path), Path())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('sources = "x"', "sources: expected a table"),
        ('sources = { x = { hash = "blake3:1" } }', "sources.x: expected a table such as"),
        ("sources = { x = { urls = [] } }", "sources.x: expected a table such as"),
        (
            'sources = { x = { urls = ["a"], hash = "md5:1" } }',
            "64 hexadecimal digits, got 'md5:1'",
        ),
        ('sources = { x = { urls = ["a"], trust = true } }', "sources.x.hash: expected blake3:"),
        ('sources = { x = { urls = ["a"], bytes = -1 } }', "a number of bytes, got -1"),
        ('sources = { x = { urls = ["a"], url = 1 } }', "one of urls, hash, bytes, trust"),
        ('sources = { "a/b" = { urls = ["a"] } }', "the name of a step"),
    ],
)
def test_invalid_sources(line, said, tmp_path):
    from checkpoint import ProjectError
    from checkpoint.project.settings import check_settings

    (tmp_path / "pyproject.toml").write_text(f"[tool.checkpoint]\n{line}\n")
    with pytest.raises(ProjectError) as raised:
        check_settings(Project(tmp_path))
    assert said in str(raised.value)
