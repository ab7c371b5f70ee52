"""Paths with parts that vary: whether loops and functions around them bind these parts."""

import ast

from ..scan.uses import Use
from .statements import Code


def holes_fit(code: Code, use: Use) -> bool:
    """Tell whether each part of a path that varies is the variable of a loop around it.

    It may also be a parameter of the function around it, and the path may be assigned to a name in
    the same iteration. Nothing else in the loop or function may bind the variable.
    """
    assert use.path is not None
    variables: set[str] = set()
    bound: set[str] = set()
    assigned: dict[str, ast.expr] = {}
    for outer in code.around(use.path):
        if isinstance(outer, ast.For | ast.AsyncFor):
            variables |= _names_in(outer.target)
            bound |= _bound_in(outer.body)
            assigned |= _assigned_in(outer.body, use)
        elif isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            variables |= {node.arg for node in ast.walk(outer.args) if isinstance(node, ast.arg)}
            bound |= _bound_in(outer.body)
            assigned |= _assigned_in(outer.body, use)
        elif isinstance(outer, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            variables |= {
                name for generator in outer.generators for name in _names_in(generator.target)
            }
    spelled = _names_in(use.path)
    for name in [*spelled]:
        spelled |= _names_in(assigned[name]) if name in assigned else set()
    holes = {hole.partition(":")[0] for hole in use.place.holes}
    return holes <= variables & spelled and holes.isdisjoint(bound)


def _names_in(node: ast.expr) -> set[str]:
    """Return the names in an expression, or in the target of a loop."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _assigned_in(body: list[ast.stmt], use: Use) -> dict[str, ast.expr]:
    """Return what the statements of a block assign before a path is used."""
    line = use.call.lineno if use.call else 0
    return {
        target.id: statement.value
        for statement in body
        if isinstance(statement, ast.Assign) and statement.lineno < line
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _bound_in(body: list[ast.stmt]) -> set[str]:
    """Return the names that a block binds."""
    return {
        node.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
