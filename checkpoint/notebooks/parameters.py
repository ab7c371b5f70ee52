"""Set values for the names in a notebook's cell tagged `parameters`, like papermill.

The values are assigned in a new cell below that one, tagged `injected-parameters`, so that the
notebook shows the values it was run with.
"""

import ast
from collections.abc import Mapping
from typing import Any

from ..errors import ProjectError
from . import notebook
from .magics import parse_cell

TAG, INJECTED_TAG = "parameters", "injected-parameters"
SET = "# Parameters set by checkpoint run\n"  # the first line of our cell
# the first line of papermill's cell, which users also write themselves
INJECTED = ("# Parameters\n", SET)


def parse_settings(settings: list[str]) -> dict[str, str]:
    """Parse `name=value` settings into Python code by name; raises `ProjectError`.

    A value that is not a Python literal is a string: `SIZE=3`, `NAMES=["a", "b"]`, `LABEL=CD8 T`.
    """
    values = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ProjectError(
                f"--set: expected name=value, such as MIN_COUNTS=300, but got {setting!r}.",
                expected="name=value",
                found=setting,
            )
        values[name.strip()] = _as_code(text)
    return values


def names_in(content: dict[str, Any]) -> list[str]:
    """Return the names that a notebook's cell tagged `parameters` assigns."""
    names: list[str] = []
    for cell in notebook.tagged(content, TAG):
        for node in ast.walk(parse_cell(notebook.source_of(cell)) or ast.Module([], [])):
            targets = node.targets if isinstance(node, ast.Assign) else []
            targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names


def looks_injected(source: str) -> bool:
    """Tell whether a cell may have been inserted to set parameters."""
    return source.startswith(INJECTED)


def assignments(source: str) -> list[str]:
    """Return the assignments in a cell that sets parameters."""
    tree = parse_cell(source)
    return [ast.unparse(statement) for statement in tree.body] if tree else source.splitlines()


def inject(content: dict[str, Any], values: Mapping[str, str]) -> None:
    """Set values in a notebook, in place, and keep other values that were set before.

    `values` maps names to Python code, from `parse_settings`.
    """
    lines: list[str] = []
    for cell in notebook.tagged(content, INJECTED_TAG):
        lines += assignments(notebook.source_of(cell))
        content["cells"].remove(cell)
    kept = [line for line in lines if line.partition("=")[0].strip() not in values]
    lines = [*kept, *(f"{name} = {code}" for name, code in values.items())]
    cell = notebook.code_cell(INJECTED_TAG, SET + "\n".join(lines), INJECTED_TAG)
    if (content.get("nbformat"), content.get("nbformat_minor", 0)) < (4, 5):
        del cell["id"]
    place = content["cells"].index(notebook.tagged(content, TAG)[-1]) + 1
    content["cells"].insert(place, cell)


def _as_code(text: str) -> str:
    """Return the code of the Python literal in a text, or else of the text as a string."""
    try:
        code = repr(ast.literal_eval(text.strip()))
        ast.literal_eval(code)  # 1e999 is a literal, but its repr, inf, is not
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return repr(text)
    return code
