"""Statements of a notebook: where they are in the code, and what is around them."""

import ast
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from checkpoint.notebooks.calls import dotted
from checkpoint.notebooks.magics import lines_of

HARMLESS = frozenset("print len str round repr int float format sorted list type".split())
NAMESPACES = frozenset(("dir", "globals", "locals", "vars"))


class Edit(NamedTuple):
    """A part of a cell's code that is replaced, in characters."""

    cell: int
    start: int
    end: int
    text: str


class Code:
    """The code of one cell, and its syntax tree.

    Parameters
    ----------
    source
        The code.
    tree
        Its tree, in which positions are those of the code.
    """

    def __init__(self, source: str, tree: ast.Module) -> None:
        self.source = source
        self.tree = tree
        self.lines = lines_of(source)
        self._starts = [0, *accumulate(map(len, self.lines))]
        self._parents = {
            id(child): parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)
        }

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node begins and ends, in characters."""
        assert node.end_lineno and node.end_col_offset is not None
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno, node.end_col_offset),
        )

    def text(self, node: ast.expr | ast.stmt) -> str:
        """Return the code of a node."""
        start, end = self.span(node)
        return self.source[start:end]

    def whole_lines(self, node: ast.stmt) -> tuple[int, int] | None:
        """Return the span of a statement's lines; None if others are on them."""
        start, end = self.span(node)
        assert node.end_lineno
        first, last = self._starts[node.lineno - 1], self._starts[node.end_lineno]
        rest = self.source[end:last].strip()
        if self.source[first:start].strip() or (rest and not rest.startswith("#")):
            return None
        return first, last

    def indent(self, node: ast.stmt) -> str:
        """Return the white space before the line in which a statement begins."""
        line = self.lines[node.lineno - 1]
        return line[: len(line) - len(line.lstrip())]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around another."""
        return self._parents.get(id(node))

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what is around a node, from the inside."""
        inner = self.parent(node)
        while inner is not None:
            yield inner
            inner = self.parent(inner)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """Return the innermost statement that a node is in."""
        outwards = (node, *self.around(node))
        return next((outer for outer in outwards if isinstance(outer, ast.stmt)), None)

    def _offset(self, line: int, column: int) -> int:
        start = self._starts[line - 1]
        before = self.source[start:].encode("utf-8", "surrogatepass")[:column]  # ast counts bytes
        return start + len(before.decode("utf-8", "surrogatepass"))


def codes_of(cells: Sequence[str], trees: Sequence[ast.Module]) -> list[Code]:
    """Return the code of all cells."""
    return [Code(source, tree) for source, tree in zip(cells, trees, strict=True)]


def is_neutral(statement: ast.stmt) -> bool:
    """Tell whether a statement changes no object: an import, a folder, a message, a constant."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True
    if not isinstance(statement, ast.Expr):
        return False
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return all(dotted(call.func) in HARMLESS for call in calls) or makes_folder(statement)


def makes_folder(statement: ast.stmt) -> bool:
    """Tell whether a statement makes a folder and does nothing else."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    method = getattr(call.func, "attr", "")
    return dotted(call.func) in ("os.makedirs", "os.mkdir", "makedirs") or method == "mkdir"


def guarded_names(statement: ast.stmt) -> list[str] | None:
    """Return the names that `if "x" in dir():` asks for; None if it is another statement."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return None
    test = statement.test
    tests = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    names = [_asked(part) for part in tests]
    return None if None in names else [name for name in names if name]


def _asked(test: ast.expr) -> str | None:
    if (
        isinstance(test, ast.Compare)
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.In)
        and isinstance(test.left, ast.Constant)
        and isinstance(test.left.value, str)
        and isinstance(test.comparators[0], ast.Call)
        and dotted(test.comparators[0].func) in NAMESPACES
    ):
        return test.left.value
    return None


def bound_names(trees: list[ast.Module]) -> set[str]:
    """Return all names that some code binds, wherever."""
    names: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                names.add(node.id)
            elif isinstance(node, ast.alias):
                names.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.arg):
                names.add(node.arg)
    return names


def surely_assigned(trees: list[ast.Module], name: str, cell: int) -> bool:
    """Tell whether a cell before another one assigns a name, whatever happens."""
    deleted = any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Del)
        for tree in trees
        for node in ast.walk(tree)
    )
    return not deleted and any(
        isinstance(statement, ast.Assign | ast.AnnAssign)
        and any(
            isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
            for node in ast.walk(statement)
        )
        for tree in trees[:cell]
        for statement in tree.body
    )
