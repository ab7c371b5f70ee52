"""Find calls of this package in code: which steps a cell loads and saves, and where."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from ..project.chain import step_of
from .magics import lines_of, parse_cell

FUNCTIONS = ("load", "save", "data_file", "figures", "parts")
BINDERS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)
OWN_NAMES = {
    **{name: name for name in FUNCTIONS},
    **{f"checkpoint.{name}": name for name in FUNCTIONS},
}


class Call(NamedTuple):
    """A call of `load`, `save`, `data_file`, `figures` or `parts` in a piece of code."""

    function: str  # its original name, whatever it was imported as
    # the step or file that it names; None if this is not a literal, or if the function is passed
    # instead of called, as in `map(load, steps)`
    argument: str | None
    # the known beginning of a name that is not a literal, if it contains the step: `1_qc/` in
    # `f"1_qc/{sample}"`; else empty
    beginning: str
    span: tuple[int, int]  # the position of the argument in the code, in characters
    line: str  # the line in which the call begins

    @property
    def step(self) -> str | None:
        """The step that it names, without a sub-checkpoint; None if unknown."""
        return self.known and self.known.partition("/")[0]

    @property
    def known(self) -> str | None:
        """The step or sub-checkpoint, or its known beginning, which ends with `/`; else None."""
        return self.argument if self.argument is not None else self.beginning or None


class Text(NamedTuple):
    """A string literal that is not the argument of a `Call`, and the line in which it begins."""

    value: str
    line: str


def calls(source: str, names: Mapping[str, str]) -> list[Call] | None:
    """Return the calls of this package's functions in a code cell or module, in order.

    Returns None if it is not Python, even without its magics. `names` maps the names in the code to
    functions, from `imported`.
    """
    tree = parse_cell(source)
    if tree is None:
        return None
    nodes = list(ast.walk(tree))
    called = {node.func for node in nodes if isinstance(node, ast.Call)}
    calls_: list[Call] = []
    for node in nodes:
        if isinstance(node, ast.Call):
            function = names.get(dotted(node.func))
            text = _argument(node)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            function = names.get(dotted(node)) if node not in called else None
            text = None
        else:
            continue
        if function:
            value, beginning = literal(text), _beginning(text)
            if value and function == "load" and value.endswith(".ipynb"):
                value = step_of(value)
            named = text is not None and (value is not None or beginning)
            span = _span(source, text if text is not None and named else node)
            calls_.append(Call(function, value, beginning, span, _line(source, node)))
    return sorted(calls_, key=lambda call: call.span)


def texts(source: str, names: Mapping[str, str]) -> list[Text] | None:
    """Return the string literals that are not arguments of our calls; None like `calls`."""
    tree = parse_cell(source)
    if tree is None:
        return None
    arguments = {
        _argument(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func) in names
    }
    inside = {child for node in arguments if node for child in ast.walk(node)}
    return [
        Text(node.value, _line(source, node))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside
    ]


def imported(sources: Iterable[str]) -> dict[str, str]:
    """Return this package's functions by their names in some code: `{"ck.load": "load"}`.

    `sources` are the cells of a notebook in order, which share their names, or a single module. If
    they import none of the functions, `%run`, for example, may have done so: then the original
    names are used, except for names that the code binds to something else.
    """
    names: dict[str, str] = {}
    sources = list(sources)
    for source in sources:
        if "import" in source and (
            "checkpoint" in source or any(function in source for function in FUNCTIONS)
        ):
            tree = parse_cell(source)
            names = _imports(tree, names) if tree else names
    if not names:
        taken = {name for source in sources for name in bound(parse_cell(source))}
        names = {
            name: function
            for name, function in OWN_NAMES.items()
            if name.partition(".")[0] not in taken
        }
    return names | _of_parts(sources, names)


def imported_packages(tree: ast.AST, code: str) -> list[str]:
    """Return the packages from whose `checkpoint` some code imports our functions.

    A library may have a module `checkpoint`, too: one that is imported as a whole counts only if
    `code`, all the code that can use the import, calls our functions from it.
    """
    imports: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(alias.name, alias.asname or alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                name = alias.asname or alias.name
                if alias.name == "checkpoint":
                    imports.append((f"{node.module}.checkpoint", name))
                elif alias.name in ("*", *FUNCTIONS):
                    imports.append((node.module or "", ""))
    return [
        module.removesuffix(".checkpoint")
        for module, name in dict.fromkeys(imports)
        if re.fullmatch(r"\w+\.checkpoint", module)
        and (not name or any(f"{name}.{function}(" in code for function in FUNCTIONS))
    ]


def dotted(node: ast.expr) -> str:
    """Return a name such as `a.b.c` as a string; an empty string for other expressions."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def bound(tree: ast.AST | None) -> Iterator[str]:
    """Yield the names that some code binds, at any level."""
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, BINDERS) and node.name:
            yield node.name


def literal(node: ast.expr | None) -> str | None:
    """Return the value of a string literal; None for other expressions."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
        return "".join(map(str, parts)) if len(parts) == len(node.values) else None
    return None


def _imports(tree: ast.AST, before: Mapping[str, str]) -> dict[str, str]:
    """Return the names of our functions after the imports in some code."""
    names = dict(before)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            packages = [alias.asname or alias.name for alias in node.names if _is_ours(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            packages = [
                alias.asname or alias.name for alias in node.names if alias.name == "checkpoint"
            ]
            for alias in node.names:
                name = alias.asname or alias.name
                if not _is_ours(node.module or ""):
                    names.pop(name, None)  # `from joblib import load`
                elif alias.name in FUNCTIONS:
                    names[name] = alias.name
                elif alias.name == "*":
                    names.update({function: function for function in FUNCTIONS})
        else:
            continue
        names.update({f"{package}.{name}": name for package in packages for name in FUNCTIONS})
    return names


def _of_parts(sources: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """Return `part.load` and `part.data_file`, with the loop variables of loops over `parts`."""
    trees = [parse_cell(source) for source in sources if "parts" in source]
    return {
        f"{target.id}.{function}": function
        for tree in filter(None, trees)
        for loop in ast.walk(tree)
        if isinstance(loop, ast.For | ast.comprehension)
        and any(
            isinstance(node, ast.Call) and names.get(dotted(node.func)) == "parts"
            for node in ast.walk(loop.iter)
        )
        for target in ast.walk(loop.target)
        if isinstance(target, ast.Name)
        for function in ("load", "data_file")
    }


def _is_ours(module: str) -> bool:
    return module.rpartition(".")[2] == "checkpoint"


def _argument(node: ast.Call) -> ast.expr | None:
    """Return the first argument, given by position or as `step=` or `name=`."""
    named = (keyword.value for keyword in node.keywords if keyword.arg in ("step", "name"))
    return node.args[0] if node.args else next(named, None)


def _beginning(node: ast.expr | None) -> str:
    """Return the literal beginning of an f-string, or of a sum of strings, up to its last `/`."""
    first = node
    while isinstance(first, ast.BinOp) and isinstance(first.op, ast.Add):
        first = first.left
    if isinstance(first, ast.JoinedStr) and first.values:
        first = first.values[0]
    if first is node or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return ""
    return first.value[: first.value.rfind("/") + 1]


def _span(source: str, node: ast.expr) -> tuple[int, int]:
    """Return where a node begins and ends in the code, in characters."""
    starts = [0, *accumulate(map(len, lines_of(source)))]

    def offset(line: int, column: int) -> int:
        start = starts[line - 1]
        # ast counts columns in bytes
        before = source[start:].encode("utf-8", "surrogatepass")[:column]
        return start + len(before.decode("utf-8", "surrogatepass"))

    assert node.end_lineno and node.end_col_offset is not None
    return offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)


def _line(source: str, node: ast.expr) -> str:
    return lines_of(source)[node.lineno - 1].strip()
