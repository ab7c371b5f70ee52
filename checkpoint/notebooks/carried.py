"""What the body of a loop carries from one part to the next, from its code.

A part that depends on those before it cannot be kept while they are made anew. Where that is not
certain, a name counts as carried.
"""

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from .calls import dotted
from .magics import magics, parse_cell

MUTATORS = frozenset(
    "append appendleft extend add update insert pop popitem popleft remove discard clear "
    "setdefault sort reverse write writelines __setitem__".split()
)


def loop_in(source: str, names: Mapping[str, str], step: str) -> ast.For | None:
    """Return the loop over `parts(step, …)` that a cell runs once; None if there is none.

    In a function or another loop, it may run again with other values of the same names.
    """
    tree = parse_cell(source)
    if tree is None or any(magics(source)):
        return None
    loops = [loop for loop in _run_once(tree.body) if _parts(loop.iter, names, step)]
    nodes = ast.walk(tree)
    calls = [node for node in nodes if isinstance(node, ast.Call) and _is_parts(node, names)]
    return loops[0] if len(loops) == len(calls) == 1 else None


def carried(loop: ast.For) -> list[str]:
    """Return the names by which a part may depend on those before it, sorted."""
    target = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    stored = {name for statement in loop.body for name in _stored(statement)} - target
    early = set(_early(loop.body, set(target))) & stored
    changed = {name for statement in loop.body for name in _changed(statement)} - target
    # what is made anew in each round may be changed in it
    fresh = stored - early
    scoped = {
        name
        for statement in loop.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }
    return sorted(early | (changed - fresh) | scoped)


def as_rounds(source: str, names: Mapping[str, str], step: str) -> str | None:
    """Return a cell whose loop over parts is a function that is called once; None without one.

    For a replay, in which the rounds of a loop would depend on what the rounds before left. What
    they leave for other cells is bound after the call.

    Parameters
    ----------
    source
        The code of the cell.
    names
        Names of our functions, from `imported`.
    step
        The step or sub-checkpoint that is saved.
    """
    whole = step.partition("/")[0]
    loop = loop_in(source, names, whole)
    tree = parse_cell(source)
    if loop is None or tree is None or carried(loop) or not isinstance(loop.target, ast.Name):
        return None
    places = [i for i, node in enumerate(tree.body) if ast.dump(node) == ast.dump(loop)]
    if len(places) != 1 or loop.orelse:
        return None
    left = sorted({name for node in loop.body for name in _stored(node)} | {loop.target.id})
    listed = "None"
    if step == whole and _has_list(loop.iter):
        listed = ast.unparse(loop.iter.args[1])
    save = next((name for name, function in names.items() if function == "save"), "save")
    rounds = _Saves(loop.target.id, save, step).visit(ast.Module(copy.deepcopy(loop.body), []))
    body = ast.unparse(ast.fix_missing_locations(rounds)).splitlines()
    lines = [
        f"def _round({loop.target.id}):",
        *(f"    {line}" for line in body),
        f"{save}({step!r}, ({listed}, _round(None)))",
        f"{' = '.join(left)} = _left()",
    ]
    before, after = tree.body[: places[0]], tree.body[places[0] + 1 :]
    parts = [ast.unparse(ast.Module(before, [])), *lines, ast.unparse(ast.Module(after, []))]
    return "\n".join(part for part in parts if part)


class _Saves(ast.NodeTransformer):
    """Turns `part.save(…)` into a call of `save`."""

    def __init__(self, part: str, save: str, step: str) -> None:
        self._part, self._save, self._step = part, save, step

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if dotted(node.func) == f"{self._part}.save":
            step = ast.Constant(self._step)
            return ast.Call(ast.Name(self._save, ast.Load()), [step, *node.args], node.keywords)
        return node


def _run_once(statements: Sequence[ast.stmt]) -> Iterator[ast.For]:
    """Yield the loops that are not in functions or other loops."""
    for statement in statements:
        if isinstance(statement, ast.For):
            yield statement
        elif isinstance(statement, ast.If | ast.With | ast.Try | ast.TryStar):
            for field in ("body", "orelse", "finalbody"):
                yield from _run_once(getattr(statement, field, []))


def _has_list(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and len(node.args) > 1


def _parts(node: ast.expr, names: Mapping[str, str], step: str) -> bool:
    if not isinstance(node, ast.Call) or not _is_parts(node, names) or not node.args:
        return False
    return isinstance(node.args[0], ast.Constant) and node.args[0].value == step


def _is_parts(node: ast.Call, names: Mapping[str, str]) -> bool:
    return names.get(dotted(node.func)) == "parts"


def _stored(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement binds, wherever in it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            yield inner.id
        elif isinstance(inner, ast.alias):
            yield (inner.asname or inner.name).partition(".")[0]
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield inner.name
        handled = inner.name if isinstance(inner, ast.ExceptHandler) else None
        yield from [handled] if handled else []


def _changed(node: ast.AST) -> Iterator[str]:
    """Yield the names of objects that a statement changes in place."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Subscript | ast.Attribute) and not isinstance(inner.ctx, ast.Load):
            yield from _root(inner)
        function = inner.func if isinstance(inner, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr in MUTATORS:
            yield from _root(function)


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _early(statements: Sequence[ast.stmt], known: set[str]) -> Iterator[str]:
    """Yield the names that are read before these statements are sure to have bound them.

    `known` has the names that are bound; it is extended.
    """
    for statement in statements:
        if isinstance(statement, ast.If):
            yield from _read(statement.test, known)
            branches = [set(known), set(known)]
            yield from _early(statement.body, branches[0])
            yield from _early(statement.orelse, branches[1])
            known |= branches[0] & branches[1]
        elif isinstance(statement, ast.For | ast.AsyncFor):
            yield from _read(statement.iter, known)
            inside = known | set(_stored(statement.target))
            yield from _early(statement.body, inside)
            yield from _early(statement.orelse, set(known))
        elif isinstance(statement, ast.While):
            yield from _read(statement.test, known)
            yield from _early([*statement.body, *statement.orelse], set(known))
        elif isinstance(statement, ast.With | ast.AsyncWith):
            for item in statement.items:
                yield from _read(item.context_expr, known)
                known |= set(_stored(item.optional_vars)) if item.optional_vars else set()
            yield from _early(statement.body, known)
        elif isinstance(statement, ast.Try | ast.TryStar):
            yield from _early([*statement.body, *statement.orelse], set(known))
            for handler in statement.handlers:
                yield from _early(handler.body, known | {handler.name or ""})
            yield from _early(statement.finalbody, known)
        else:
            yield from _read(statement, known)
            target = statement.target if isinstance(statement, ast.AugAssign) else None
            if isinstance(target, ast.Name) and target.id not in known:
                yield target.id
            if not isinstance(statement, ast.Match):
                known |= set(_stored(statement))


def _read(node: ast.AST, known: set[str]) -> Iterator[str]:
    """Yield the names that an expression or simple statement reads and that are not bound yet."""
    own = {
        name
        for inner in ast.walk(node)
        if isinstance(inner, ast.comprehension)
        for name in _stored(inner.target)
    }
    for inner in ast.walk(node):
        if isinstance(inner, ast.arg):
            own.add(inner.arg)
    for inner in ast.walk(node):
        loaded = inner.id if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) else ""
        if loaded and loaded not in known and loaded not in own:
            yield loaded
