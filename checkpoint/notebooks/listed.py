"""The list of a loop's parts in the code of a notebook, which is no code of the single part."""

import ast
from collections.abc import Sequence

from .calls import dotted, imported
from .magics import parse, parse_cell


def without_list(sources: Sequence[str], step: str) -> list[str]:
    """Return the cells of a notebook without the list that `parts` is given.

    It is left out if it is a literal list in the call, or the value of a name that nothing else
    uses.

    Parameters
    ----------
    sources
        The code of the cells.
    step
        A sub-checkpoint, such as `1_qc/donor_3`.
    """
    names = imported(sources)
    trees = [parse_cell(source) for source in sources]
    calls = [
        (number, node)
        for number, tree in enumerate(trees)
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.Call) and names.get(dotted(node.func)) == "parts"
    ]
    result = list(sources)
    if len(calls) != 1:
        return result
    number, call = calls[0]
    first = call.args[0] if call.args else None
    if not isinstance(first, ast.Constant) or first.value != step.partition("/")[0]:
        return result
    listed = call.args[1] if len(call.args) > 1 else None
    if _is_plain(listed):
        return _replaced(result, number, call)
    uses = [
        (place, node)
        for place, tree in enumerate(trees)
        for node in (ast.walk(tree) if tree else ())
        if isinstance(listed, ast.Name) and isinstance(node, ast.Name) and node.id == listed.id
    ]
    if len(uses) != 2 or any(tree is None for tree in trees):
        return result
    place = next(place for place, node in uses if node is not listed)
    statements = [
        statement
        for statement in (trees[place].body if trees[place] else [])  # type: ignore[union-attr]
        if isinstance(statement, ast.Assign)
        and isinstance(listed, ast.Name)
        and [getattr(target, "id", None) for target in statement.targets] == [listed.id]
        and _is_plain(statement.value)
    ]
    if len(statements) == 1 and place <= number:
        result[place] = _without(result[place], statements[0])
    return result


def _is_plain(node: ast.expr | None) -> bool:
    """Tell whether an expression is a list of texts."""
    return isinstance(node, ast.List | ast.Tuple) and all(
        isinstance(element, ast.Constant) and isinstance(element.value, str)
        for element in node.elts
    )


def _without(source: str, statement: ast.stmt) -> str:
    """Return a cell without a statement; unchanged if it has magics, whose lines may move."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return source
    tree.body = [other for other in tree.body if ast.dump(other) != ast.dump(statement)]
    return ast.unparse(tree)


def _replaced(sources: list[str], number: int, call: ast.Call) -> list[str]:
    """Return the cells with an empty list in a call of `parts`."""
    try:
        tree = parse(sources[number])
    except (SyntaxError, ValueError):
        return sources
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.dump(node) == ast.dump(call):
            node.args[1] = ast.List([], ast.Load())
    sources[number] = ast.unparse(tree)
    return sources
