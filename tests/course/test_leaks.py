"""Searching for leaked solutions: where lines can hide, and what is not a leak."""

import bz2
import gzip
import html
import json
import lzma
import zipfile

import pytest

from notebook_checkpoints.handout.leaks import leaks, telling
from notebook_checkpoints.handout.texts import Texts

LINE = 'scores = table.groupby("é")["distance"].agg(lambda each: each.max() - each.min())'
SHORT = "width = 17"
WORDS = LINE.replace('"', "'").split(" ")


def zipped(path, content, name="word/document.xml", **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content, **options)


def colored(path):
    """Write a page with highlighted code, as nbconvert does."""
    spans = "".join(f'<span class="n">{html.escape(word)}</span> ' for word in LINE.split(" "))
    path.write_text(f"<html><pre>{spans}</pre></html>", encoding="utf-8")


def in_slides(path):
    runs = "".join(f"<a:r><a:t>{html.escape(word)} </a:t></a:r>" for word in LINE.split(" "))
    zipped(path, f"<p:sld>{runs}</p:sld>")


def twice_zipped(path):
    zipped(path, LINE, "a.txt")
    content = path.read_bytes()
    zipped(path, content, "inner.zip")


def in_metadata(path):
    cell = json.dumps(
        {"outputs": [{"data": {"x": [json.dumps({"code": LINE}, ensure_ascii=False)]}}]}
    )
    path.write_text(cell, encoding="utf-8")


HIDING = {
    "page.html": colored,
    "slides.pptx": in_slides,
    "nested.zip": twice_zipped,
    "notebook.ipynb": in_metadata,
    "wrapped.py": lambda p: p.write_text("x\n  " + "\n      ".join(WORDS), encoding="utf-8"),
    "table.tsv": lambda p: p.write_text("a\t" + LINE + "\tb\n", encoding="utf-8"),
    "utf16.txt": lambda p: p.write_text(LINE, encoding="utf-16"),
    "windows.txt": lambda p: p.write_text(LINE, encoding="cp1252"),
    "mac.txt": lambda p: p.write_bytes(f"a\r{LINE}\rb".encode()),
    "text.gz": lambda p: p.write_bytes(gzip.compress(LINE.encode())),
    "text.bz2": lambda p: p.write_bytes(bz2.compress(LINE.encode())),
    "text.xz": lambda p: p.write_bytes(lzma.compress(LINE.encode())),
    "called.png": lambda p: p.write_bytes(gzip.compress(gzip.compress(LINE.encode()))),
    "record.json": lambda p: p.write_text(json.dumps({"why": f"cell `{LINE[:59]}…` changed"})),
    "nul.db": lambda p: p.write_bytes(b"SQLite\0\1" + LINE.encode() + b"\0"),
    "named.zip": lambda p: zipped(p, "", f"{LINE[:60]}.txt"),
}


@pytest.mark.parametrize(("name", "hide"), HIDING.items(), ids=HIDING.keys())
def test_where_a_line_hides(tmp_path, name, hide):
    lines = telling([f"    {LINE}  # the range"], ["x = 1"])
    hide(tmp_path / name)
    assert {leak.file for leak in leaks(tmp_path, lines, [], Texts())} == {name}
    assert list(leaks(tmp_path, lines, [name], Texts())) == []


@pytest.mark.parametrize("before", ["", ">>> ", "# ", "  - ", "#> # ", "... "])
def test_a_short_line_counts_alone(tmp_path, before):
    lines = telling([SHORT, "ok = 1"], [])
    (tmp_path / "a.md").write_text(f"a\n{before}{SHORT}  # so\nok = 1\n")
    assert [leak.line for leak in leaks(tmp_path, lines, [], Texts())] == [SHORT]
    (tmp_path / "a.md").write_text(f"{SHORT}1\nmy_{SHORT}\n")
    assert list(leaks(tmp_path, lines, [], Texts())) == []


@pytest.mark.parametrize(
    ("kept", "known"),
    [
        (LINE, True),
        (f"if True:\n    {LINE}", True),
        (f"x = 1  # {LINE}", False),
        (f"# {LINE}\nx = 1", False),
        (f'def f():\n    """\n    {LINE.replace(chr(34), chr(39))}\n    """\n    return 1', False),
        (f"def f():\n    {LINE!r}\n    return 1", False),
        (f"%matplotlib inline\n# {LINE}", False),
        (f"%matplotlib inline\n{LINE}", True),
    ],
)
def test_only_code_that_students_get_is_known(kept, known):
    """A solution in a comment or docstring of the students' copy was not removed: a leak."""
    assert (telling([LINE], [kept]) == set()) == known


def test_short_lines_in_a_row(tmp_path):
    """Lines that are too short to reveal anything do reveal the solution if in sequence."""
    chained = ["means = (", "    table", "    .groupby()", "    .mean()", ")"]
    lines = telling([*chained, "import numpy as np", "", "import pandas as pd", "x"], [])
    (tmp_path / "a.py").write_text("means = (table\n  .groupby()\n  .mean())\n")
    (tmp_path / "b.py").write_text("import numpy as np\nimport pandas as pd\nx\n")
    found = {leak.file for leak in leaks(tmp_path, lines, [], Texts())}
    assert found == {"a.py"}
    assert telling(chained, ["\n".join(chained)]) == set()


def test_a_comment_of_the_exercise_may_be_repeated():
    removed = ["# Use the nearest center", "x = nearest(center)  # Use the nearest center"]
    assert telling(removed, ["# Use the nearest center\n..."]) == {
        "x = nearest(center)",
        removed[1],
    }
    assert "# Use the nearest center" in telling(removed, ["x = 1"])


def test_markers_in_modules(tmp_path):
    """Solutions are removed only from notebooks, so markers in other code are leaks."""
    (tmp_path / "a.py").write_text("### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n")
    (tmp_path / "b.R").write_text("x <- 1 # SOLUTION\n")
    (tmp_path / "c.md").write_text("Write between ### BEGIN SOLUTION and ### END SOLUTION.\n")
    found = [(leak.file, leak.line) for leak in leaks(tmp_path, set(), [], Texts())]
    assert found == [("a.py", "### BEGIN SOLUTION"), ("b.R", "x <- 1 # SOLUTION")]


def test_what_cannot_be_read_is_told(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n\0\xff\xfe")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    zipped(tmp_path / "c.zip", b"\x89PNG\0\xff", "c.png")
    zipped(tmp_path / "d.zip", b"x" * 1000, "d.txt")
    content = bytearray((tmp_path / "d.zip").read_bytes())
    content[6] |= 1  # marked as encrypted
    content[content.rfind(b"PK\1\2") + 8] |= 1
    (tmp_path / "d.zip").write_bytes(content)
    (tmp_path / "e.zip").write_bytes(b"PK\3\4" + b"x" * 100)
    (tmp_path / "f.csv").write_text("a,b\n1,2\n")
    texts = Texts()
    assert list(leaks(tmp_path, {LINE}, [], texts)) == []
    assert texts.unread == ["a.pdf", "b.gz", "c.zip: c.png", "d.zip", "e.zip"]
