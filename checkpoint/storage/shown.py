"""Show the messages of `load` and `save`: as text, or in a notebook with a table and links.

Colours are not set, so that messages suit light and dark themes. All names are escaped.
"""

import os
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from .. import text
from ..project import caller
from ..project.chain import Step
from ..project.project import Project
from ..watch.cells import running_shell

LEFT, RIGHT = "text-align: left", "text-align: right"


class Message(NamedTuple):
    """The message of a call of `load` or `save`.

    Attributes
    ----------
    project
        The project; its notebooks are linked in the notes.
    head
        What the call did, in one line.
    rows
        A row per file: its name, shape and size.
    notes
        Notes for the user.
    following
        The step to run next.
    """

    project: Project
    head: str
    rows: Sequence[tuple[str, ...]] | None = None
    notes: Sequence[str] = ()
    following: Step | None = None

    def show(self) -> None:
        """Display the message in a notebook; print it elsewhere."""
        if hasattr(running_shell(), "kernel"):
            from IPython.display import display

            shown = {"text/plain": str(self), "text/html": self._repr_html_()}
            display(shown, raw=True)  # type: ignore[no-untyped-call]
        else:
            print(self)

    def __str__(self) -> str:
        lines = [self.head]
        if self.rows is not None:
            lines.append(text.columns(self.rows) if self.rows else "  no objects")
        lines += [f"Note: {note}" for note in self.notes]
        if self.following:
            command = f"`checkpoint run {self.following.name}`"
            what = command if self.following.is_script else self.following.path.name
            lines.append(f"Run {what} next.")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [_line(escape(self.head))]
        if self.rows is not None:
            parts.append(table(self.rows) if self.rows else _line("no objects"))
        parts += [_line(f"<b>Note:</b> {self._linked(note)}") for note in self.notes]
        if self.following:
            command = f"<code>checkpoint run {escape(self.following.name)}</code>"
            is_script, path = self.following.is_script, self.following.path
            parts.append(_line(f"Run {command if is_script else link(self.project, path)} next."))
        return "\n".join(parts)

    def _linked(self, note: str) -> str:
        """Return a note in which the names of notebooks are links, and `code` is shown as code."""
        notebooks = {path.name: path for path in self.project.notebook_files()}
        names = "|".join(re.escape(name) for name in sorted(notebooks, key=len, reverse=True))
        words = re.split(rf"(`[^`]+`|(?<![\w/-])(?:notebooks/)?(?:{names or '(?!)'}))", note)
        html = []
        for word in words:
            path = notebooks.get(word.removeprefix("notebooks/"))
            if path:
                html.append(link(self.project, path, word))
            elif word[:1] == "`" and len(word) > 1:
                html.append(f"<code>{escape(word.strip('`'))}</code>")
            else:
                html.append(escape(word))
        return "".join(html)


def table(rows: Sequence[tuple[str, ...]], head: Sequence[str] = ()) -> str:
    """Return an HTML table whose last column, the sizes, is aligned to the right."""
    titles = f"<thead>{_row(head, 'th')}</thead>" if head else ""
    body = "\n".join(_row(row, "td") for row in rows)
    return f"<table>{titles}<tbody>\n{body}\n</tbody></table>"


def link(project: Project, notebook: Path, shown: str = "") -> str:
    """Return an HTML link to a notebook of the project, relative to the running notebook."""
    # if the front end does not name the running notebook, assume that it is in `notebooks/`
    file = caller.notebook()
    here = file.parent if file and file.is_file() else project.notebooks
    shown = escape(shown or notebook.name)
    try:
        address = Path(os.path.relpath(notebook, here)).as_posix()
    except ValueError:  # on another drive
        return shown
    return f'<a href="{escape(quote(address))}">{shown}</a>'


def _line(html: str) -> str:
    return f"<div>{html}</div>"


def _row(cells: Sequence[str], tag: str) -> str:
    sides = [*[LEFT] * (len(cells) - 1), RIGHT]
    shown = (
        f'<{tag} style="{side}">{escape(cell)}</{tag}>'
        for cell, side in zip(cells, sides, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>"
