"""Notebooks as files: reading, writing, what nbformat 4.5 asks of them, what their cells call.

With the standard library alone, since the post-gen hook runs where nbformat may not be.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .errors import ProjectError

LOAD_TAG, SAVE_TAG = "checkpoint-load", "checkpoint-save"
CELL_TYPES = ("code", "markdown", "raw")
ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
FUNCTIONS = ("load", "save", "data_file", "figures")


class Call(NamedTuple):
    """A call of `load`, `save`, `data_file` or `figures` in a cell.

    Attributes
    ----------
    function
        Its name.
    argument
        The step or file it names; None where that is not plain text.
    """

    function: str
    argument: str | None


def read(path: Path) -> dict[str, Any]:
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


def write(path: Path, cells: list[dict[str, Any]]) -> None:
    """Write a notebook of these cells, indented and ended as Jupyter does it."""
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def code_cell(cell_id: str, source: str, *tags: str) -> dict[str, Any]:
    """Make a code cell that has not been run."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": {"tags": list(tags)} if tags else {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def markdown_cell(cell_id: str, source: str) -> dict[str, Any]:
    """Make a markdown cell."""
    return {
        "cell_type": "markdown",
        "id": cell_id,
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }


def source_of(cell: dict[str, Any]) -> str:
    """Return a cell's source as one text."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def first_line(cell: dict[str, Any]) -> str:
    """Return what people know a cell by: its first line that is not empty."""
    return next((line.strip() for line in source_of(cell).splitlines() if line.strip()), "")


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the code cells in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def tagged(notebook: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    """Return the code cells with a tag, in order."""
    return [
        cell for cell in code_cells(notebook) if tag in cell.get("metadata", {}).get("tags", [])
    ]


def calls(source: str) -> list[Call]:
    """Return the calls of this package's functions in a code cell, in order.

    A cell that is not Python, even without its magics, has none.
    """
    try:
        tree = ast.parse(_without_magics(source))
    except (SyntaxError, ValueError):
        return []
    return [
        Call(name, _text_argument(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (name := _function(node.func))
    ]


def invalid(notebook: dict[str, Any]) -> Iterator[str]:
    """Tell what nbformat 4.5 finds wrong with a notebook, in words that complete "it …"."""
    version = (notebook.get("nbformat"), notebook.get("nbformat_minor"))
    if version != (4, 5):
        yield f"is nbformat {version[0]}.{version[1]}, not 4.5"
    if not isinstance(notebook.get("metadata"), dict):
        yield "has no metadata"
    if not isinstance(notebook.get("cells"), list):
        yield "has no cells"
        return
    seen: set[str] = set()
    for number, cell in enumerate(notebook["cells"], start=1):
        for reason in _invalid_cell(cell):
            yield f"has a cell (number {number}) that {reason}"
        cell_id = cell.get("id") if isinstance(cell, dict) else None
        if isinstance(cell_id, str):
            if cell_id in seen:
                yield f"has two cells with the id {cell_id!r}"
            seen.add(cell_id)


def _invalid_cell(cell: Any) -> Iterator[str]:
    if not isinstance(cell, dict) or cell.get("cell_type") not in CELL_TYPES:
        yield "is not a code, markdown or raw cell"
        return
    cell_id = cell.get("id")
    if not isinstance(cell_id, str) or not 1 <= len(cell_id) <= 64 or set(cell_id) - ID_LETTERS:
        yield "has no id of 1 to 64 letters, digits, - and _"
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


def _without_magics(source: str) -> str:
    """Put `pass` where IPython's magics and shell lines stand."""
    lines = source.splitlines()
    if lines and lines[0].startswith("%%"):
        return ""
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + "pass" if line.lstrip()[:1] in ("%", "!") else line
        for line in lines
    )


def _function(node: ast.expr) -> str | None:
    """Return which of this package's functions an expression names: `load`, `checkpoint.load`."""
    if isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        name = node.attr if node.value.id == "checkpoint" else ""
    else:
        name = ""
    return name if name in FUNCTIONS else None


def _text_argument(node: ast.Call) -> str | None:
    """Return the first argument, by position or as `step=`/`name=`, if it is plain text."""
    named = (keyword.value for keyword in node.keywords if keyword.arg in ("step", "name"))
    value = node.args[0] if node.args else next(named, None)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    return None
