"""Paths in code of which it is not known whether they are read or written.

A function may be unknown, or take its path from a list, a mapping or a parameter.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from checkpoint.notebooks.calls import dotted

from .other_languages import PROGRAMS
from .places import HOLE, Place, has_file_suffix
from .resolve import SAME, SAME_METHODS, Names

# functions that show text, make folders, or tell Python where modules are
QUIET = frozenset(
    "print display info debug warning warn error exception critical makedirs mkdir Markdown HTML "
    "title suptitle set_title set_xlabel set_ylabel xlabel ylabel text annotate urlopen "
    "endswith startswith split strip __import__ import_module NameError ValueError OSError "
    "FileNotFoundError RuntimeError Exception ImportError KeyError TypeError".split()
)
JOINS = (
    frozenset("join joinpath format with_suffix with_name dirname".split()) | SAME | SAME_METHODS
)


def is_path(place: Place) -> bool:
    """Tell whether a text looks like the path of a file."""
    text = place.text
    if not text or len(text) > 300 or "\n" in text or "://" in text or text.endswith(PROGRAMS):
        return False
    if (
        ": " in text
        or set(text) & set("<>|\"'=(){}[],;")
        or len(text.split(" ")) > 4
        or text.startswith("www.")
    ):
        return False
    name = text.rpartition("/")[2]
    stem, _, suffix = name.rpartition(".")
    if not stem.replace(HOLE, "").strip("_-.* ") and not (HOLE in stem and "/" in text):
        return False
    if has_file_suffix(place):
        return True
    plain = re.fullmatch("[A-Za-z][A-Za-z0-9]{0,7}", suffix) and " " not in text
    return text.startswith((".", "/", "~", HOLE)) and "/" in text and bool(plain)


def parts_of(names: Names | None, node: ast.expr) -> set[int]:
    """Return the ids of the nodes of a path, and of what its names stand for."""
    parts: set[int] = set()
    waiting = [node]
    while waiting:
        for inner in ast.walk(waiting.pop()):
            if id(inner) not in parts:
                parts.add(id(inner))
                if isinstance(inner, ast.Name) and names is not None:
                    waiting += [value for value in names.values(inner.id) if id(value) not in parts]
    return parts


def named(
    trees: Sequence[ast.Module], names: Names, followed: Iterable[ast.expr], ours: Iterable[str]
) -> Iterator[tuple[int, ast.expr, list[Place]]]:
    """Yield the paths that code names, by cell, beside those that are known to be read or written.

    Parameters
    ----------
    trees, names
        The code of the cells, and what its names stand for.
    known
        The expressions of the paths that are known to be read or written.
    ours
        The functions by which the code calls `load` and `save`.
    """
    explained = {part for node in followed for part in parts_of(names, node)}
    quiet = QUIET.union(ours)
    used = set(names.used)
    mentions = [
        (cell, node, places)
        for cell, tree in enumerate(trees)
        for node in _expressions(tree, explained, quiet)
        if (places := [place for place in names.places(node) if is_path(place)])
    ]
    names.used = used  # a value that is only named is not a part of a path
    inner = [parts_of(names, node) - {id(node)} for _, node, _ in mentions]
    for number, (cell, node, places) in enumerate(mentions):
        if not any(id(node) in parts for other, parts in enumerate(inner) if other != number):
            yield cell, node, places


def are_settings(trees: Sequence[ast.Module], nodes: Iterable[ast.expr | None]) -> bool:
    """Tell whether a module only gives paths a name, which others may import."""
    values = [
        statement.value
        for tree in trees
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None
    ]
    for value in values:  # the list grows by the values inside
        if isinstance(value, ast.List | ast.Tuple):
            values += value.elts
        elif isinstance(value, ast.Dict):
            values += value.values
    named = {id(value) for value in values}
    return all(id(node) in named for node in nodes)


def _expressions(node: ast.AST, explained: set[int], quiet: frozenset[str]) -> Iterator[ast.expr]:
    """Yield the expressions that may be paths; of those that are in others, both."""
    if id(node) in explained:
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if name in quiet or name.rpartition(".")[2] in quiet or name.startswith("sys.path."):
            return
    if isinstance(node, ast.Compare) and any(isinstance(o, ast.Eq | ast.NotEq) for o in node.ops):
        return
    if isinstance(node, ast.expr) and _may_be(node):
        yield node
    if isinstance(node, ast.Assert):
        node = node.test  # and no message
    inner = node.values if isinstance(node, ast.Dict) else ast.iter_child_nodes(node)
    for child in inner:
        if not isinstance(node, ast.JoinedStr):
            yield from _expressions(child, explained, quiet)


def _may_be(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        text = node.value
        return isinstance(text, str) and ("/" in text or text[:1] not in ("_", "."))
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Div | ast.Mod) and _has_text(node)
    if isinstance(node, ast.Call):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
        return function in JOINS
    return False


def _has_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _has_text(node.left) or _has_text(node.right)
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
