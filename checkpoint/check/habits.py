"""Rules about code that breaks a chain of notebooks.

Cells are judged by their syntax trees, so comments and docstrings do not count.
"""

import ast
import re
from collections.abc import Iterator

from ..notebooks.calls import Call, dotted
from ..notebooks.magics import has_cell_magic
from .raw_data import WRITERS, function_of
from .rules import Finding, rule
from .subjects import Cell

# top folders that contain people's files; HDF5 keys and paths of web pages look similar
ROOTS = "|".join(
    "home Users users mnt media Volumes scratch tmp var opt srv root datasets storage "
    "gpfs lustre beegfs nfs net project projects proj share shared export group groups lab "
    "cluster".split()
)
ABSOLUTE = re.compile(
    rf"/(?:{ROOTS})/.*|~[\w.-]*[/\\].*|[A-Za-z]:[\\/]\w{{2}}.*|\\\\\w+\\.+"
    r"|/(?!dev/|bin/|usr/|proc/|sys/)[\w.@+-]+/(?:[\w .@+-]+/)*[\w .@+-]+\.[A-Za-z]\w{1,6}"
)
ABSOLUTE_WORD = re.compile(rf"(?<![^\s'\"=])(?:/(?:{ROOTS})/|~/)[^\s'\"]+")
NAMESPACES = ("dir", "locals", "globals", "vars")


@rule("absolute-path", Cell, finds="an absolute path", why="it exists on one machine only")
def _absolute_path(cell: Cell) -> Iterator[Finding]:
    todo = "Put the file into data/ and read it with data_file(…), or load(…) a result"
    other_texts = [text for node in cell.nodes for text in _not_paths(node)]
    paths = [
        node.value
        for node in cell.nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and ABSOLUTE.fullmatch(node.value)
        and node not in other_texts
    ]
    paths += [path for line in cell.shell_lines for path in ABSOLUTE_WORD.findall(line)]
    for path in paths:
        yield Finding(f"has the absolute path {path!r}, which exists on one machine only", todo)


def _not_paths(node: ast.AST) -> list[ast.expr]:
    """Return the parts of a node that are not paths: continued text, keys, text for people."""
    if isinstance(node, ast.JoinedStr):
        return list(node.values[1:])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [node.right]
    if isinstance(node, ast.Subscript):
        return [node.slice]
    return [node.value] if isinstance(node, ast.Expr) else []


@rule(
    "chdir",
    Cell,
    finds="changing the working directory with `os.chdir` or `%cd`",
    why="relative paths then depend on which cells ran before",
)
def _chdir(cell: Cell) -> Iterator[Finding]:
    todo = "Remove this; load, save and data_file find their folders without it"
    changes = [
        ast.unparse(node)
        for node in cell.nodes
        # contextlib.chdir restores the previous folder
        if isinstance(node, ast.Call) and dotted(node.func) in ("os.chdir", "chdir")
    ]
    if not has_cell_magic(cell.source):  # runs in a separate shell
        changes += [line.strip() for line in cell.shell_lines if re.match(r"\s*%?cd\b", line)]
    for code in changes:
        yield Finding(f"changes the working directory: `{code}`", todo)


@rule(
    "second-loop",
    Cell,
    finds="a second loop over the parts of a step",
    why="it drops the parts that the first has made",
)
def _second_loop(cell: Cell) -> Iterator[Finding]:
    before = cell.notebook.cells[: cell.notebook.cells.index(cell)]
    looped = {call.step: other for other in before for call in _loops(other)}
    for call in _loops(cell):
        if call.step in looped:
            what = f"loops over the parts of {call.step}, and drops those of the loop before"
            yield Finding(what, f"List all parts in one loop, that of `{looped[call.step].line}`")


def _loops(cell: Cell) -> list[Call]:
    return [call for call in cell.own_calls if call.function == "parts" and call.step]


@rule(
    "guarded-save",
    Cell,
    finds='a save that depends on whether a name exists, as in `if "x" in dir()`',
    why="a result may be silently missing",
)
def _guarded_save(cell: Cell) -> Iterator[Finding]:
    todo = "Save what the notebook always makes; a missing name then raises NameError"
    own = any(call.function == "save" for call in cell.own_calls)
    for node in cell.nodes:
        conditions = [test for test in _conditions(node) if _asks_for_a_name(test)]
        handlers = node.handlers if isinstance(node, ast.Try) else []
        if not conditions and not any(map(_catches_name_error, handlers)):
            continue
        saves = _saves(node, cell)
        for test in conditions:
            if (saves or own) and not _assigns(node, test):
                what = f"saves only `if {ast.unparse(test)}`: a result may be silently missing"
                yield Finding(what, todo)
        if handlers and saves:
            what = "catches NameError around a save: a result may be silently missing"
            yield Finding(what, todo)


def _conditions(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.IfExp):
        return [node.test]
    return node.ifs if isinstance(node, ast.comprehension) else []


def _saves(node: ast.AST, cell: Cell) -> bool:
    """Return whether a node contains a call of `save`, or of another function that writes."""
    called = [inner for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    names = cell.notebook.names
    return any(
        names.get(dotted(call.func)) == "save" or function_of(call) in WRITERS for call in called
    )


def _asks_for_a_name(test: ast.expr) -> bool:
    """Return whether a condition contains a test such as `"x" in globals()`."""
    return any(
        isinstance(inner, ast.Call) and dotted(inner.func) in NAMESPACES
        for node in ast.walk(test)
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops)
        for container in node.comparators
        for inner in ast.walk(container)
    )


def _assigns(node: ast.AST, test: ast.expr) -> bool:
    """Return whether a branch assigns the name that its condition asks for, as a default."""
    asked = {inner.value for inner in ast.walk(test) if isinstance(inner, ast.Constant)}
    assigned = {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }
    return isinstance(node, ast.If) and not asked.isdisjoint(assigned)


def _catches_name_error(handler: ast.ExceptHandler) -> bool:
    caught = ast.walk(handler.type) if handler.type else ()
    return any(isinstance(inner, ast.Name) and inner.id == "NameError" for inner in caught)
