"""Notebooks as files: reading, writing, what nbformat 4.5 asks of them, what their cells call.

With the standard library alone, since the post-gen hook runs where nbformat may not be.
"""

import ast
import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .errors import ProjectError

LOAD_TAG, SAVE_TAG = "checkpoint-load", "checkpoint-save"
CELL_TYPES = ("code", "markdown", "raw")
ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
FUNCTIONS = ("load", "save", "data_file", "figures")
OWN_NAMES = {
    **{name: name for name in FUNCTIONS},
    **{f"checkpoint.{name}": name for name in FUNCTIONS},
}
PYTHON_MAGICS = ("capture", "prun", "time", "timeit")  # cell magics whose cell is Python


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
    """Return what people know a cell by: its first line that is not empty, shortened."""
    lines = (line.partition("  #")[0].strip() for line in source_of(cell).splitlines())
    line = next(filter(None, lines), "")
    return line if len(line) <= 60 else line[:59] + "…"


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the code cells in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def tagged(notebook: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    """Return the code cells with a tag, in order."""
    return [
        cell for cell in code_cells(notebook) if tag in (cell.get("metadata", {}).get("tags") or ())
    ]


def parse(source: str) -> ast.Module:
    """Parse a cell's or module's code, without a word on what Python merely warns of.

    Raises
    ------
    SyntaxError, ValueError
        If it is not Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def calls(source: str, names: Mapping[str, str] | None = None) -> list[Call] | None:
    """Return the calls of this package's functions in a code cell.

    Parameters
    ----------
    source
        The cell's source; magics and shell lines may be among it.
    names
        What the functions are called there, from `imported`; their own names if None.

    Returns
    -------
    list of Call or None
        None if the cell is not Python, even without its magics.
    """
    names = dict(OWN_NAMES) if names is None else dict(names)
    try:
        tree = parse(_without_magics(source))
    except (SyntaxError, ValueError):
        return None
    names.update(_imports(tree))
    return [
        Call(names[called], _text_argument(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in names
    ]


def imported(notebook: dict[str, Any]) -> dict[str, str]:
    """Return what a notebook's imports call this package's functions: `{"ck.load": "load"}`."""
    names = dict(OWN_NAMES)
    for source in map(source_of, code_cells(notebook)):
        if "checkpoint" not in source:
            continue  # most cells, and parsing takes time
        try:
            names.update(_imports(parse(_without_magics(source))))
        except (SyntaxError, ValueError):
            continue
    return names


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
    """Put `pass` where IPython's magics, shell lines and questions stand."""
    lines = source.splitlines()
    if lines and lines[0].startswith("%%"):
        magic = lines[0][2:].split()[0] if lines[0][2:].split() else ""
        if magic not in PYTHON_MAGICS:
            return ""
        lines[0] = ""
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + "pass" if _is_magic(line.strip()) else line
        for line in lines
    )


def _is_magic(line: str) -> bool:
    name, equals, value = line.partition("=")
    assigned = equals and name.strip().isidentifier() and value.lstrip()[:1] in ("%", "!")
    return line[:1] in ("%", "!", "?") or line[-1:] == "?" or bool(assigned)


def _imports(tree: ast.AST) -> dict[str, str]:
    """Return what the imports in some code call this package's functions."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            packages = [one.asname or one.name for one in node.names if _is_ours(one.name)]
        elif isinstance(node, ast.ImportFrom):
            packages = [one.asname or one.name for one in node.names if one.name == "checkpoint"]
            if _is_ours(node.module or ""):
                found = (one for one in node.names if one.name in FUNCTIONS)
                names.update({one.asname or one.name: one.name for one in found})
        else:
            continue
        names.update({f"{package}.{name}": name for package in packages for name in FUNCTIONS})
    return names


def _is_ours(module: str) -> bool:
    return module.rpartition(".")[2] == "checkpoint"


def _text_argument(node: ast.Call) -> str | None:
    """Return the first argument, by position or as `step=`/`name=`, if it is plain text."""
    named = (keyword.value for keyword in node.keywords if keyword.arg in ("step", "name"))
    value = node.args[0] if node.args else next(named, None)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    return None
