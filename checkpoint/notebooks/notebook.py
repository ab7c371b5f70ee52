"""Notebooks as files: reading, writing, their cells, what nbformat 4.5 asks of them.

With the standard library alone, since the post-gen hook runs where nbformat may not be.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError

LOAD_TAG, SAVE_TAG = "checkpoint-load", "checkpoint-save"
CELL_TYPES = ("code", "markdown", "raw")
TOP_KEYS = frozenset(("cells", "metadata", "nbformat", "nbformat_minor"))
CELL_KEYS = frozenset(("cell_type", "id", "metadata", "source"))
KEYS_OF = {
    "code": {"execution_count", "outputs"},
    "markdown": {"attachments"},
    "raw": {"attachments"},
}
ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def read(path: Path) -> dict:
    """Read a notebook's JSON.

    Raises
    ------
    ProjectError
        If it is not JSON; the message names line and column.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ProjectError(
            f"{path} is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}"
        ) from error
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path} is not valid JSON: it is not UTF-8 text") from error
    if not isinstance(notebook, dict):
        raise ProjectError(f"{path} is not a notebook: it holds a {type(notebook).__name__}")
    return notebook


def read_whole(path: Path) -> dict:
    """Read a notebook of whatever version whose cells can be relied upon; raises as `read`."""
    notebook = read(path)
    if reason := next(broken(notebook), None):
        raise ProjectError(f"{path} is not a notebook: it {reason}")
    return notebook


def dumps(notebook: dict) -> str:
    """Return a notebook's JSON, indented and ended as Jupyter does it."""
    return printable(json.dumps(notebook, indent=1, ensure_ascii=False)) + "\n"


def printable(text: str) -> str:
    """Return JSON in which halves of characters, as cut-off emoji leave them, are escaped."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def code_cell(cell_id: str, source: str, *tags: str) -> dict:
    """Make a code cell that has not been run."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": {"tags": list(tags)} if tags else {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def source_of(cell: dict) -> str:
    """Return a cell's source as one text."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def first_line(source: str) -> str:
    """Return what people know a cell by: its first line that is not empty, shortened."""
    lines = (line.partition("  #")[0].strip() for line in source.splitlines())
    return shortened(next(filter(None, lines), ""))


def shortened(text: str, longest: int = 60) -> str:
    """Return the first line of a text, cut off where it is too long."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= longest else line[: longest - 1] + "…"


def code_cells(notebook: dict) -> list[dict]:
    """Return the code cells in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def sources(notebook: dict) -> list[str]:
    """Return the sources of the code cells in order."""
    return [source_of(cell) for cell in code_cells(notebook)]


def tagged(notebook: dict, tag: str) -> list[dict]:
    """Return the code cells with a tag, in order."""
    return [cell for cell in code_cells(notebook) if tag in _tags(cell)]


def _tags(cell: dict) -> list:
    tags = cell.get("metadata", {}).get("tags")
    return tags if isinstance(tags, list) else []


def invalid(notebook: dict) -> Iterator[str]:
    """Tell what nbformat 4.5 finds wrong with a notebook, in words that complete "it …"."""
    if reason := other_version(notebook):
        yield reason
    lacks = list(broken(notebook))
    yield from lacks
    if lacks:
        return
    if foreign := sorted(notebook.keys() - TOP_KEYS):
        yield f"has a part {foreign[0]!r} that no notebook has"
    kernelspec = notebook["metadata"].get("kernelspec")
    if isinstance(kernelspec, dict) and "display_name" not in kernelspec:
        yield "has no display name of its kernel"
    seen: set[str] = set()
    for number, cell in enumerate(notebook["cells"], start=1):
        yield from (f"has a cell (number {number}) {reason}" for reason in _invalid_cell(cell))
        cell_id = cell.get("id")
        if "id" not in cell and notebook.get("nbformat_minor") != 5:
            continue  # older ones have none
        if not isinstance(cell_id, str) or not 1 <= len(cell_id) <= 64 or set(cell_id) - ID_LETTERS:
            yield f"has a cell (number {number}) that has no id of 1 to 64 letters, digits, - and _"
        elif cell_id in seen:
            yield f"has two cells with the id {cell_id!r}"
        else:
            seen.add(cell_id)


def other_version(notebook: dict) -> str | None:
    """Tell which version of nbformat a notebook has if it is not 4.5, as `invalid` does."""
    version = (notebook.get("nbformat"), notebook.get("nbformat_minor"))
    return f"is nbformat {version[0]}.{version[1]}, not 4.5" if version != (4, 5) else None


def _invalid_cell(cell: dict) -> Iterator[str]:
    if foreign := sorted(cell.keys() - CELL_KEYS - KEYS_OF[cell["cell_type"]]):
        yield f"with a part {foreign[0]!r}, which a {cell['cell_type']} cell does not have"
    tags = cell["metadata"].get("tags", [])
    if not isinstance(tags, list) or len(tags) != len(set(map(str, tags))):
        yield "whose tags are not a list in which each stands once"


def broken(notebook: dict) -> Iterator[str]:
    """Tell what no notebook may lack, whatever its version."""
    if not isinstance(notebook.get("metadata"), dict):
        yield "has no metadata"
    if not isinstance(notebook.get("cells"), list):
        yield "has no cells"
        return
    for number, cell in enumerate(notebook["cells"], start=1):
        for reason in _broken_cell(cell):
            yield f"has a cell (number {number}) that {reason}"


def _broken_cell(cell: object) -> Iterator[str]:
    if not isinstance(cell, dict) or cell.get("cell_type") not in CELL_TYPES:
        yield "is not a code, markdown or raw cell"
        return
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        yield "has no source"
    if not isinstance(cell.get("metadata"), dict):
        yield "has no metadata"
    if cell["cell_type"] == "code":
        if not isinstance(cell.get("outputs"), list):
            yield "has no outputs"
        count = cell.get("execution_count", "missing")
        if count is not None and not isinstance(count, int):
            yield "has no execution_count"
