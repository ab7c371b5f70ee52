"""Convert cell outputs to text, tables of text and pictures, without anything that runs."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, NamedTuple

from .pictures import Picture

LONGEST = 20_000  # characters of an output; the rest is left out, with a note
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]")
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
MOST_CELLS = 4_000  # cells of a table


class Shown(NamedTuple):
    """A piece of an output."""

    kind: str  # `text`, `error`, `markdown`, `table` or `picture`
    text: str = ""
    # the rows of a table: for each cell, whether it is a heading, its text and its span
    rows: list[list[tuple[bool, str, int]]] = []  # noqa: RUF012
    picture: Picture | None = None
    cut: int = 0  # how many characters, or cells of a table, were left out


def shown(output: object) -> Iterator[Shown]:
    """Yield what a page shows of a cell output, even if that is malformed."""
    if not isinstance(output, dict):
        return
    match output.get("output_type"):
        case "stream":
            yield from _text("text", output.get("text"))
        case "error":
            lines = output.get("traceback")
            traceback = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
            yield from _text("error", traceback or f"{output.get('ename')}: {output.get('evalue')}")
        case "display_data" | "execute_result":
            data = output.get("data")
            yield from _display(data) if isinstance(data, dict) else ()


def joined(value: object) -> str:
    """Return a text, which a notebook may store as a list of lines, as one string."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def embedded(content: str, kind: str) -> Picture | None:
    """Return a picture from base64; None if that is invalid."""
    try:
        return Picture(base64.b64decode(content, validate=False), kind)
    except (binascii.Error, ValueError):
        return None


def _display(data: Mapping[str, Any]) -> Iterator[Shown]:
    for kind in PICTURES:
        if kind in data and (picture := embedded(joined(data[kind]), kind)):
            yield Shown("picture", picture=picture)
            return
    if "image/svg+xml" in data:
        content = joined(data["image/svg+xml"]).encode("utf-8", "replace")
        yield Shown("picture", picture=Picture(content, "image/svg+xml"))
        return
    html = joined(data.get("text/html"))
    if "<table" in html.lower() or ("text/plain" not in data and html):
        yield from _of_html(html)
    elif "text/markdown" in data:
        yield from _text("markdown", joined(data["text/markdown"]))
    elif kinds := [kind for kind in ("text/plain", "text/latex") if kind in data]:
        yield from _text("text", joined(data[kinds[0]]))
    elif data:
        yield Shown("text", f"[{', '.join(sorted(map(str, data)))}]")


def _text(kind: str, value: object) -> Iterator[Shown]:
    text = UNSEEN.sub("", ANSI.sub("", joined(value)))
    # a progress bar overwrites its line
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    if text.strip():
        yield Shown(kind, text[:LONGEST].strip("\n"), cut=max(0, len(text) - LONGEST))


def _of_html(html: str) -> Iterator[Shown]:
    parser = _Tables()
    parser.feed(html)
    parser.close()
    parser.end_text()
    yield from parser.blocks


class _Tables(HTMLParser):
    """A parser that keeps only the tables and the text of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Shown] = []
        self._rows: list[list[tuple[bool, str, int]]] | None = None
        self._cell: tuple[bool, int] | None = None
        self._pieces: list[str] = []
        self._skipped = 0
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script"):
            self._skipped += 1
        elif tag == "table" and self._rows is None:
            self.end_text()
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._end_cell()
            self._rows.append([])
        elif tag in ("td", "th") and self._rows:
            self._end_cell()
            span = dict(attrs).get("colspan") or "1"
            short = span.isascii() and span.isdecimal() and len(span) < 4
            self._cell = (tag == "th", int(span) if short else 1)
        elif tag in ("br", "p", "div", "li"):
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._skipped = max(0, self._skipped - 1)
        elif tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "table" and self._rows is not None:
            self._end_cell()
            if rows := [row for row in self._rows if row]:
                self.blocks.append(Shown("table", rows=rows, cut=max(0, self._cells - MOST_CELLS)))
            self._rows, self._pieces = None, []

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._pieces.append(data)

    def end_text(self) -> None:
        """Add a block of the text since the last table; first close a table that has no end."""
        if self._rows is not None:
            self.handle_endtag("table")
        text = "\n".join(filter(None, map(str.strip, "".join(self._pieces).splitlines())))
        self.blocks += _text("text", text)
        self._pieces = []

    def _end_cell(self) -> None:
        if self._cell and self._rows:
            heading, span = self._cell
            text = " ".join("".join(self._pieces).split())
            self._cells += 1
            if self._cells <= MOST_CELLS:
                self._rows[-1].append((heading, text, span))
            self._cell = None
        if self._rows is not None:
            self._pieces = []
