"""Analyze loops over the parts of a step: which names they carry over, and the list of parts.

A part that depends on earlier parts cannot be kept when these are regenerated. In case of doubt, a
name counts as carried over from part to part.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from .calls import bound, dotted, imported
from .magics import magics, parse, parse_cell

MUTATORS = frozenset(
    "append appendleft extend add update insert pop popitem popleft remove discard clear "
    "setdefault sort reverse write writelines __setitem__".split()
)


def loop_in(source: str, names: Mapping[str, str], step: str) -> ast.For | None:
    """Return the loop over `parts(step, …)` that a cell runs once; None if there is none.

    A loop in a function or in another loop does not count: it may run again with other values.
    """
    tree = parse_cell(source)
    return _loop(tree, names, step) if tree and not any(magics(source)) else None


def _loop(tree: ast.Module, names: Mapping[str, str], step: str) -> ast.For | None:
    loops = [loop for loop in _run_once(tree.body) if _is_parts(loop.iter, names, step)]
    calls = [node for node in ast.walk(tree) if _is_parts(node, names)]
    return loops[0] if len(loops) == len(calls) == 1 else None


def carried(loop: ast.For) -> list[str]:
    """Return the names through which a part may depend on earlier parts, sorted."""
    target = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    stored = {name for statement in loop.body for name in bound(statement)} - target
    early = set(_early(loop.body, set(target))) & stored
    aliases = dict(pair for statement in loop.body for pair in _aliases(statement))
    changed = {name for statement in loop.body for name in _changed(statement)}
    changed = changed.union(*(_meant(name, aliases) for name in changed)) - target
    # objects that each round creates may be changed in that round
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
    """Return a cell with its loop over parts as a function that is called once; None if it cannot.

    This is for the replay, in which a round would otherwise depend on names from earlier rounds.
    The names that rounds leave for other cells are bound after the call. `names` is from
    `imported`, and `step` is the step or sub-checkpoint that is saved.
    """
    whole = step.partition("/")[0]
    tree = parse_cell(source)
    loop = _loop(tree, names, whole) if tree and not any(magics(source)) else None
    if tree is None or loop is None or loop not in tree.body or loop.orelse or carried(loop):
        return None
    if not isinstance(loop.target, ast.Name):
        return None
    part = loop.target.id
    left = sorted({name for node in loop.body for name in bound(node)} | {part})
    listed = "None"
    if step == whole and isinstance(loop.iter, ast.Call) and len(loop.iter.args) > 1:
        listed = ast.unparse(loop.iter.args[1])
    save = next((name for name, function in names.items() if function == "save"), "save")
    place = tree.body.index(loop)
    before, after = (ast.Module(body, []) for body in (tree.body[:place], tree.body[place + 1 :]))
    rounds = _Saves(part, save, step).visit(ast.Module(loop.body, []))
    lines = [
        ast.unparse(before),
        f"def _round({part}):",
        *(f"    {line}" for line in ast.unparse(ast.fix_missing_locations(rounds)).splitlines()),
        f"{save}({step!r}, ({listed}, _round(None)))",
        f"{' = '.join(left)} = _left()",
        ast.unparse(after),
    ]
    return "\n".join(filter(None, lines))


def without_list(sources: Sequence[str], step: str) -> list[str]:
    """Return the cells of a notebook without the list that is passed to `parts`.

    The list is not code of a single part, such as `1_qc/donor_3`. It is removed if it is a literal
    list in the call, or the value of a name that nothing else uses.
    """
    names = imported(sources)
    trees = [parse_cell(source) for source in sources]
    nodes = [(number, node) for number, tree in enumerate(trees) if tree for node in ast.walk(tree)]
    calls = [(number, node) for number, node in nodes if _is_parts(node, names)]
    result = list(sources)
    if len(calls) != 1 or not _is_parts(calls[0][1], names, step.partition("/")[0]):
        return result
    number, call = calls[0]
    listed = call.args[1] if len(call.args) > 1 else None
    if _is_plain(listed):
        call.args[1] = ast.List([], ast.Load())
        result[number] = _unparsed(trees[number], sources[number])
    whole = [tree for tree in trees if tree]
    if not isinstance(listed, ast.Name) or len(whole) < len(trees):
        return result
    uses = [
        (place, node)
        for place, node in nodes
        if isinstance(node, ast.Name) and node.id == listed.id and node is not listed
    ]
    if len(uses) != 1 or uses[0][0] > number:
        return result
    place, used = uses[0]
    for statement in whole[place].body:
        if (
            isinstance(statement, ast.Assign)
            and statement.targets == [used]
            and _is_plain(statement.value)
        ):
            whole[place].body.remove(statement)
            result[place] = _unparsed(whole[place], sources[place])
            break
    return result


class _Saves(ast.NodeTransformer):
    """Turn `part.save(…)` into a call of `save`."""

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


def _is_parts(
    node: ast.AST, names: Mapping[str, str], step: str | None = None
) -> TypeGuard[ast.Call]:
    """Tell whether a node is a call of `parts`; if `step` is given, for that step."""
    if not isinstance(node, ast.Call) or names.get(dotted(node.func)) != "parts":
        return False
    first = node.args[0] if node.args else None
    return step is None or (isinstance(first, ast.Constant) and first.value == step)


def _is_plain(node: ast.expr | None) -> bool:
    """Tell whether an expression is a list or tuple of string literals."""
    return isinstance(node, ast.List | ast.Tuple) and all(
        isinstance(element, ast.Constant) and isinstance(element.value, str)
        for element in node.elts
    )


def _unparsed(tree: ast.Module | None, source: str) -> str:
    """Return the code of a changed tree; for cells with magics, whose lines may move, `source`."""
    try:
        parse(source)
    except (SyntaxError, ValueError):
        return source
    return ast.unparse(tree) if tree else source


def _changed(node: ast.AST) -> Iterator[str]:
    """Yield the names of objects that a statement changes in place."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Subscript | ast.Attribute) and not isinstance(inner.ctx, ast.Load):
            yield from _root(inner)
        if not isinstance(inner, ast.Call):
            continue
        if isinstance(inner.func, ast.Attribute):
            is_inplace = any(ast.unparse(word) == "inplace=True" for word in inner.keywords)
            if is_inplace or inner.func.attr in MUTATORS:
                yield from _root(inner.func)
        elif dotted(inner.func) == "next" and inner.args:
            yield from _root(inner.args[0])


def _aliases(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield pairs of a name and the one of which it is another name, or an attribute.

    A slice is not an alias: that of an AnnData or a DataFrame may be changed without changing it.
    """
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Name | ast.Attribute):
            root = dotted(inner.value).partition(".")[0]
            for target in inner.targets:
                if root and isinstance(target, ast.Name):
                    yield target.id, root


def _meant(name: str, aliases: Mapping[str, str]) -> set[str]:
    """Return the names that a name may stand for."""
    meant: set[str] = set()
    while name in aliases and name not in meant:
        meant.add(name)
        name = aliases[name]
    return meant | {name}


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _early(statements: Sequence[ast.stmt], known: set[str]) -> Iterator[str]:
    """Yield the names that may be read before these statements bind them.

    `known` contains the names that are bound; it is extended in place.
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
            inside = known | set(bound(statement.target))
            yield from _early(statement.body, inside)
            yield from _early(statement.orelse, set(known))
        elif isinstance(statement, ast.While):
            yield from _read(statement.test, known)
            yield from _early([*statement.body, *statement.orelse], set(known))
        elif isinstance(statement, ast.With | ast.AsyncWith):
            for item in statement.items:
                yield from _read(item.context_expr, known)
                known |= set(bound(item.optional_vars)) if item.optional_vars else set()
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
                known |= set(bound(statement))


def _read(node: ast.AST, known: set[str]) -> Iterator[str]:
    """Yield the names that an expression or simple statement reads and that are not bound yet."""
    own: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.comprehension):
            own |= set(bound(inner.target))
        elif isinstance(inner, ast.arg):
            own.add(inner.arg)
    for inner in ast.walk(node):
        loaded = inner.id if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) else ""
        if loaded and loaded not in known and loaded not in own:
            yield loaded
