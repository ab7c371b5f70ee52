"""Where a notebook changes its working directory."""

import ast
from collections.abc import Iterator

from checkpoint.notebooks.calls import dotted
from checkpoint.notebooks.magics import magics

from .resolve import Names
from .units import Unit


def moves_of(unit: Unit, names: Names) -> Iterator[tuple[int, int, str]]:
    """Yield where a notebook changes its working directory, and to what."""
    for number, tree in enumerate(unit.trees):
        for call in plain_moves(tree, names):
            target = names.folder(call.args[0])
            if target is not None:
                yield number, call.lineno, target
        for line in magics(unit.cells[number]):
            words = line.strip().lstrip("%").split()
            if words[:1] == ["cd"] and len(words) == 2:
                yield number, 0, words[1].strip("\"'")


def plain_moves(tree: ast.Module, names: Names) -> list[ast.Call]:
    """Return the calls of `os.chdir` that surely run, to a folder that is known."""
    moves = []
    for statement in _surely_run(tree.body, names):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and dotted(call.func) == "os.chdir" and call.args:
            moves += [call] if names.folder(call.args[0]) is not None else []
    return moves


def skipped_moves(tree: ast.Module, names: Names) -> list[ast.AST]:
    """Return the nodes of `if Path.cwd().name == …` that surely do not run."""
    conditionals = [statement for statement in tree.body if isinstance(statement, ast.If)]
    return [
        node
        for conditional in conditionals
        if (holds := names.is_where(conditional.test)) is not None
        for statement in (conditional.orelse if holds else conditional.body)
        for node in ast.walk(statement)
    ]


def _surely_run(body: list[ast.stmt], names: Names) -> Iterator[ast.stmt]:
    for statement in body:
        holds = names.is_where(statement.test) if isinstance(statement, ast.If) else None
        if isinstance(statement, ast.If) and holds is not None:
            yield from statement.body if holds else statement.orelse
        else:
            yield statement
