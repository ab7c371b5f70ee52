"""Where a notebook changes its working directory."""

import ast
from collections.abc import Iterator

from checkpoint.notebooks.calls import dotted
from checkpoint.notebooks.magics import magics

from .units import Unit


def moves_of(unit: Unit) -> Iterator[tuple[int, int, str]]:
    """Yield where a notebook changes its working directory, and to what."""
    for number, tree in enumerate(unit.trees):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and dotted(node.func) == "os.chdir" and node.args:
                target = node.args[0]
                if isinstance(target, ast.Constant) and isinstance(target.value, str):
                    yield number, node.lineno, target.value
        for line in magics(unit.cells[number]):
            words = line.strip().lstrip("%").split()
            if words[:1] == ["cd"] and len(words) == 2:
                yield number, 0, words[1].strip("\"'")
