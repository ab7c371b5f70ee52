"""Render a notebook for a page, without anything that runs or loads other files.

Code is highlighted, Markdown is rendered without the HTML in it, and outputs become text, tables of
text and pictures. nbconvert is not used: its HTML runs what outputs contain, and it takes 5 s to
import.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight as highlighted
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from ..notebooks import notebook
from .outputs import PICTURES, Shown, embedded, joined, shown
from .pictures import Picture

MOST_CODE = 20_000  # characters; longer cells are not highlighted
STYLES = ("default", "github-dark")  # pygments styles; both have enough contrast here


class CellView(NamedTuple):
    """A cell of the page."""

    number: int  # the number of the code cell, from 1; 0 for other cells
    html: Markup  # its highlighted code or rendered Markdown
    outputs: list[Shown]


def cells_of(content: dict[str, Any]) -> list[CellView]:
    """Return the cells of a notebook that are not empty."""
    language, number, views = notebook.language(content), 0, []
    for cell in content["cells"]:
        source = notebook.source_of(cell)
        if cell["cell_type"] == "code":
            number += 1
            outputs = [piece for output in cell["outputs"] for piece in shown(output)]
            if source.strip() or outputs:
                views.append(CellView(number, code(source, language), outputs))
        elif source.strip():
            html = markdown(source) if cell["cell_type"] == "markdown" else escape(source)
            views.append(CellView(0, html, list(attached(cell))))
    return views


def attached(cell: dict[str, Any]) -> Iterator[Shown]:
    """Yield the pictures that were pasted into a Markdown cell."""
    attachments = cell.get("attachments")
    for bundle in attachments.values() if isinstance(attachments, dict) else ():
        for kind, data in bundle.items() if isinstance(bundle, dict) else ():
            picture = embedded(joined(data), kind) if kind in PICTURES else None
            if picture:
                yield Shown("picture", picture=picture)


def pictures_of(cells: list[CellView]) -> Iterator[Picture]:
    """Yield the pictures in the outputs of cells."""
    for cell in cells:
        for output in cell.outputs:
            if output.picture:
                yield output.picture


def first_heading(content: dict[str, Any]) -> tuple[str, str]:
    """Return the first heading of a notebook, and the paragraph below it, as text."""
    for cell in content["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        tokens = _markdown().parse(notebook.source_of(cell))
        kinds = [token.type for token in tokens[:5]]
        if kinds[:1] == ["heading_open"]:
            lead = plain(tokens[4].content) if kinds[3:4] == ["paragraph_open"] else ""
            return plain(tokens[1].content), lead
    return "", ""


def code(source: str, language: str) -> Markup:
    """Return code as HTML with pygments' CSS classes; very long code is not highlighted."""
    if len(source) > MOST_CODE:
        return escape(source)
    return Markup(highlighted(source.strip("\n"), _lexer(language), HtmlFormatter(nowrap=True)))


def markdown(source: str) -> Markup:
    """Return Markdown as HTML; HTML in it becomes text, and pictures become their names."""
    parser = _markdown()
    tokens = parser.parse(source)
    for token in tokens:
        _tame(token)
    return Markup(parser.renderer.render(tokens, parser.options, {}))


def plain(markdown: str) -> str:
    """Return a line of Markdown as plain text."""
    return "".join(_texts(_markdown().parseInline(markdown.strip()))).strip()


def colours() -> str:
    """Return the style sheet for highlighted code, in light and dark mode."""
    styles = (HtmlFormatter(style=style).get_style_defs(".code") for style in STYLES)
    light, dark = ([r for r in css.splitlines() if r.startswith(".code .")] for css in styles)
    return "\n".join([*light, "@media screen and (prefers-color-scheme: dark) {", *dark, "}"])


def _tame(token: Token) -> None:
    """Adapt a token to the page: remove pictures and styles, lower headings, protect links."""
    if "style" in token.attrs:  # alignment of table columns
        side = str(token.attrs.pop("style")).rpartition(":")[2]
        token.attrs["class"] = "right" if side == "right" else "left"
    if token.type in ("heading_open", "heading_close"):  # below the heading of the step
        token.tag = f"h{min(6, int(token.tag[1]) + 3)}"
    if token.type == "link_open":
        token.attrs["rel"] = "noopener noreferrer"
    for child in token.children or ():
        if child.type == "image":
            where = str(child.attrs.get("src", "")).partition(",")[0][:80]
            child.type, child.children = "text", None
            child.content = f"[picture: {child.content or where}]"
        _tame(child)


def _texts(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield from _texts(token.children)
        else:
            yield " " if token.type in ("softbreak", "hardbreak") else token.content


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@cache
def _lexer(language: str) -> Any:
    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return get_lexer_by_name("text")
