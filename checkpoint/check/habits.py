"""Rules that matter once people have worked in a project: habits that break a chain of notebooks.

A cell is judged by its syntax tree, so what a comment or a docstring says does not count.
"""

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .. import text
from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.calls import dotted, imported
from ..notebooks.magics import magics, parse_cell
from ..project import git
from ..project.chain import Step
from ..project.project import Project
from . import raw_data
from .problem import Problem

LARGEST_TRACKED = 5_000_000  # bytes; as the large-file hook of the project's pre-commit
# folders that hold people's files; a key in an HDF5 file or the path of a web page looks alike
ROOTS = (
    "home Users users mnt media Volumes scratch tmp var opt srv root datasets storage "
    "gpfs lustre beegfs nfs net project projects proj share shared export group groups lab cluster"
).split()
ABSOLUTE = re.compile(
    rf"/(?:{'|'.join(ROOTS)})/.*|~[\w.-]*[/\\].*|[A-Za-z]:[\\/]\w{{2}}.*|\\\\\w+\\.+"
    r"|/(?!dev/|bin/|usr/|proc/|sys/)[\w.@+-]+/(?:[\w .@+-]+/)*[\w .@+-]+\.[A-Za-z]\w{1,6}"
)
ABSOLUTE_WORD = re.compile(rf"(?<![^\s'\"=])(?:/(?:{'|'.join(ROOTS)})/|~/)[^\s'\"]+")
NAMESPACES = ("dir", "locals", "globals", "vars")


class Cell(NamedTuple):
    """A code cell that is judged.

    Attributes
    ----------
    source, tree
        Its code, and that parsed.
    saves
        The calls in it that save something.
    ours
        Whether one of them is our `save`.
    paths
        How the paths begin that variables hold, from the cells before it.
    """

    source: str
    tree: ast.Module
    saves: list[ast.Call]
    ours: bool
    paths: raw_data.Names


Finding = tuple[str, str]


def problems(project: Project, ignored: list[str]) -> Iterator[Problem]:
    """Tell which habits a project has that break a chain of notebooks.

    Parameters
    ----------
    project
        The project.
    ignored
        Rules that are not asked for; a name that is no rule is a problem.
    """
    for rule in ignored:
        if rule not in RULES:
            what = f"[tool.checkpoint] ignore names {rule!r}, which is no rule"
            todo = f"Name some of {', '.join(RULES)}"
            yield Problem("settings", "pyproject.toml", None, what, todo)
    for step in project.steps():
        yield from _notebook(project, step)
    yield from _orphans(project)
    yield from _tracked(project)


def _notebook(project: Project, step: Step) -> Iterator[Problem]:
    try:
        content = notebook.read_whole(step.path)
    except ProjectError:
        return  # the layout's rules have said so
    names = imported(notebook.sources(content))
    paths: raw_data.Names = {}
    for source in notebook.sources(content):
        tree = parse_cell(source) or ast.Module([], [])
        made = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        ours = [node for node in made if names.get(dotted(node.func)) == "save"]
        saves = [node for node in made if raw_data.called(node) in raw_data.WRITES]
        cell = Cell(source, tree, [*ours, *saves], bool(ours), paths)
        for rule, judge in JUDGES.items():
            for what, todo in dict.fromkeys(judge(cell)):
                where, line = project.show(step.path), notebook.first_line(source)
                yield Problem(rule, where, line, what, todo)


def _absolute_paths(cell: Cell) -> Iterator[Finding]:
    parts = [part for node in ast.walk(cell.tree) for part in _no_paths(node)]
    texts = [
        node.value
        for node in ast.walk(cell.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts
    ]
    found = [text for text in texts if ABSOLUTE.fullmatch(text)]
    found += [path for line in magics(cell.source) for path in ABSOLUTE_WORD.findall(line)]
    for path in found:
        what = f"has the absolute path {path!r}, which is on this machine only"
        yield what, "Put the file into data/ and use data_file(…), or load(…) a result"


def _no_paths(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a node that go on from a text, or that are texts for people or keys."""
    if isinstance(node, ast.JoinedStr):
        return list(node.values[1:])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [node.right]
    if isinstance(node, ast.Subscript):
        return [node.slice]
    return [node.value] if isinstance(node, ast.Expr) else []


def _chdir(cell: Cell) -> Iterator[Finding]:
    todo = "Leave the folder as it is: load, save and data_file work from any"
    for node in ast.walk(cell.tree):
        # contextlib.chdir goes back by itself
        if isinstance(node, ast.Call) and dotted(node.func) in ("os.chdir", "chdir"):
            yield f"changes the working directory with `{ast.unparse(node)}`", todo
    for line in magics(cell.source):
        if re.match(r"\s*%?cd\b", line) and not cell.source.startswith("%%"):
            yield f"changes the working directory with `{line.strip()}`", todo


def _writes_data(cell: Cell) -> Iterator[Finding]:
    todo = "Raw data stay as they came; save(…) puts results into results/"
    for call in raw_data.writes(cell.tree, cell.paths):
        yield f"writes into data/ with `{notebook.shortened(ast.unparse(call))}`", todo
    lines = [line.strip() for line in magics(cell.source)]
    for line in ["\n".join(lines)] if cell.source.startswith("%%") else lines:
        if raw_data.shell_writes(line):
            yield f"writes into data/ with `{notebook.shortened(line)}`", todo


def _guards(cell: Cell) -> Iterator[Finding]:
    todo = "Save what the notebook always makes; a missing name is then an error"
    for node in ast.walk(cell.tree):
        guarded = any(inner in cell.saves for inner in ast.walk(node))
        for test in _tests(node):
            if _asks_for_a_name(test) and (guarded or cell.ours) and not _gives_it(node, test):
                what = f"saves only `if {ast.unparse(test)}`, so a result may be missing unsaid"
                yield what, todo
        if isinstance(node, ast.Try) and guarded and any(map(_catches_it, node.handlers)):
            yield (
                "saves only what does not raise NameError, so a result may be missing unsaid",
                todo,
            )


def _tests(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.IfExp):
        return [node.test]
    return node.ifs if isinstance(node, ast.comprehension) else []


def _asks_for_a_name(test: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops)
        and any(
            isinstance(one, ast.Call) and dotted(one.func) in NAMESPACES
            for comparator in node.comparators
            for one in ast.walk(comparator)
        )
        for node in ast.walk(test)
    )


def _gives_it(node: ast.AST, test: ast.expr) -> bool:
    """Tell whether a branch only gives a value to the name that its test asks for."""
    asked = {one.value for one in ast.walk(test) if isinstance(one, ast.Constant)}
    given = (one.id for one in ast.walk(node) if isinstance(one, ast.Name) and _is_set(one))
    return isinstance(node, ast.If) and bool(asked.intersection(given))


def _is_set(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _catches_it(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler is for names that are not there."""
    caught = ast.walk(handler.type) if handler.type else ()
    return any(isinstance(one, ast.Name) and one.id == "NameError" for one in caught)


def _orphans(project: Project) -> Iterator[Problem]:
    """Tell which results folders no notebook makes."""
    made = {path.stem for path in project.notebooks.glob("*.ipynb")}
    if not made:
        return
    for folder in sorted(project.results.glob("*/")):
        if folder.is_dir() and folder.name[0] != "." and folder.name not in made:
            yield Problem(
                "orphan-results",
                f"results/{folder.name}",
                None,
                "is made by no notebook",
                f"Remove it, or put back notebooks/{folder.name}.ipynb",
            )


def _tracked(project: Project) -> Iterator[Problem]:
    """Tell which results in git are bigger than git should hold."""
    for name in git.tracked(project.root, "results"):
        path = project.root / name
        size = path.stat().st_size if path.is_file() else 0
        if size > LARGEST_TRACKED:
            yield Problem(
                "large-tracked",
                name,
                None,
                f"is in git and has {text.size(size)}; {text.size(LARGEST_TRACKED)} is a lot",
                f'`git rm --cached "{name}"`, and list its kind in .gitignore',
            )


JUDGES: dict[str, Callable[[Cell], Iterator[Finding]]] = {
    "absolute-path": _absolute_paths,
    "chdir": _chdir,
    "writes-data": _writes_data,
    "guarded-save": _guards,
}
RULES = (
    *("tree", "gitignore", "number", "nbformat", "kernel"),
    *("load-cell", "save-cell", "load-later", "load-unknown", "save-step"),
    *(*JUDGES, "orphan-results", "large-tracked", "settings"),
)
