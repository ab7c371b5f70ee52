"""The parameters of a notebook: names that it sets once to a plain value."""

import ast
from collections.abc import Iterator, Sequence

from checkpoint.notebooks import notebook
from checkpoint.notebooks.parameters import TAG

from ..scan.uses import Scanned
from .statements import Code


def params_of(scanned: Scanned, codes: Sequence[Code]) -> str:
    """Return the code for `params` of `save`; empty if there are no parameters.

    These are the names of cells tagged `parameters`, and those in capitals, except for paths.
    """
    names = [
        name for name in dict.fromkeys(_assigned(scanned, codes)) if _is_one(scanned, codes, name)
    ]
    if not names:
        return ""
    return '{"parameters": {' + ", ".join(f'"{name}": {name}' for name in names) + "}}"


def _assigned(scanned: Scanned, codes: Sequence[Code]) -> Iterator[str]:
    cells = notebook.code_cells(scanned.unit.content or {"cells": []})
    for cell, code in zip(cells, codes, strict=True):
        tagged = TAG in notebook.tags_of(cell)
        for statement in code.tree.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            for target in targets:
                if isinstance(target, ast.Name) and (tagged or target.id.isupper()):
                    yield target.id


def _is_one(scanned: Scanned, codes: Sequence[Code], name: str) -> bool:
    """Tell whether a name stands for one plain value, and not for a path."""
    bound = [
        node
        for code in codes
        for node in ast.walk(code.tree)
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
    ]
    values = [
        statement.value
        for code in codes
        for statement in code.tree.body
        if isinstance(statement, ast.Assign)
        and [getattr(target, "id", "") for target in statement.targets] == [name]
    ]
    if len(bound) != 1 or len(values) != 1:
        return False
    if scanned.names and id(values[0]) in scanned.names.used:
        return False  # a part of a path
    try:
        value = ast.literal_eval(values[0])
    except (ValueError, TypeError, SyntaxError):
        return False
    is_path = isinstance(value, str) and ("/" in value or "\\" in value)
    return not is_path and _is_json(value)


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return (
        value is None
        or isinstance(value, bool | int | str)
        or (isinstance(value, float) and value == value and abs(value) != float("inf"))
    )
