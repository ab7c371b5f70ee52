"""Rules that matter once people have worked in a project: habits that break a chain of notebooks.

A cell is judged by its syntax tree, so what a comment or a docstring says does not count.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from . import git, notebook, wording
from .calls import dotted, imported, magics, parse_cell
from .check import Problem
from .errors import ProjectError
from .project import Notebook, Project

LARGEST_TRACKED = 5_000_000  # bytes; as the large-file hook of the project's pre-commit
ABSOLUTE = re.compile(r"(/[\w.@+-]+/[\w .@+/-]*|~[\w.-]*[/\\].*|[A-Za-z]:[\\/].*|\\\\\w.*)")
# paths inside an HDF5 file or a web address look alike
SLOTS = ("obs", "var", "uns", "obsm", "varm", "obsp", "varp", "layers", "raw", "X", "mod", "api")
COPIES = ("copy", "copy2", "copyfile", "copytree", "symlink", "link", "urlretrieve")
MOVES = ("move", "rename", "unlink", "remove", "rmtree", "rmdir", "truncate")
WRITES = (
    *("to_csv", "to_parquet", "to_pickle", "to_excel", "to_feather", "to_json", "to_hdf"),
    *("write", "write_h5ad", "write_h5mu", "write_zarr", "write_loom", "write_csvs", "to_zarr"),
    *("write_text", "write_bytes", "touch", "mkdir", "makedirs", "tofile", "to_file"),
    *("save", "savez", "savez_compressed", "save_npz", "savetxt", "savefig", "dump", "mmwrite"),
    *("imsave", "imwrite", "extractall", "unpack_archive"),
)
PATH_MAKERS = ("Path", "PurePath", "join", "joinpath", "str", "resolve", "abspath", "with_name")
NAMESPACES = ("dir", "locals", "globals", "vars")
SHELL_WRITES = re.compile(
    r">\s*['\"]?[\w./]*\bdata/|\b(?:cp|mv|rsync|ln)\b.*\s['\"]?(?:\.\./|\./)?data(?:/\S*)?$"
    r"|\b(?:rm|wget|curl|gunzip|tee|touch)\b.*\bdata(?:/|\s|$)|%%writefile\s+['\"]?[\w./]*\bdata/"
)


class Cell(NamedTuple):
    """A code cell that is judged."""

    source: str
    tree: ast.Module
    saves: bool
    in_data: frozenset[str]


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


def _notebook(project: Project, step: Notebook) -> Iterator[Problem]:
    try:
        content = notebook.read_whole(step.path)
    except ProjectError:
        return  # the layout's rules have said so
    names = imported(notebook.sources(content))
    in_data: frozenset[str] = frozenset()
    for cell in notebook.code_cells(content):
        source = notebook.source_of(cell)
        tree = parse_cell(source) or ast.Module([], [])
        in_data = in_data | _names_in_data(tree, in_data)
        ours = (dotted(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))
        saves = any(names.get(name) == "save" for name in ours)
        judged = Cell(source, tree, saves, in_data)
        for rule, judge in JUDGES.items():
            for what, todo in dict.fromkeys(judge(judged)):
                where, line = project.show(step.path), notebook.first_line(source)
                yield Problem(rule, where, line, what, todo)


def _absolute_paths(cell: Cell) -> Iterator[Finding]:
    inner = {
        part
        for node in ast.walk(cell.tree)
        for part in _not_the_beginning(node)
        if isinstance(part, ast.Constant)
    }
    for node in ast.walk(cell.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or node in inner:
            continue
        first = node.value.strip("/").partition("/")[0]
        if ABSOLUTE.fullmatch(node.value) and first not in SLOTS:
            what = f"has the absolute path {node.value!r}, which is on this machine only"
            yield what, "Put the file into data/ and use data_file(…), or load(…) a result"


def _not_the_beginning(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a node that continue a text, or that are only a text for people."""
    if isinstance(node, ast.JoinedStr):
        return list(node.values[1:])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [node.right]
    return [node.value] if isinstance(node, ast.Expr) else []


def _chdir(cell: Cell) -> Iterator[Finding]:
    todo = "Leave the folder as it is: load, save and data_file work from any"
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "chdir":
            yield f"changes the working directory with `{ast.unparse(node)}`", todo
    for line in magics(cell.source):
        if re.match(r"\s*%cd\b", line):
            yield f"changes the working directory with `{line.strip()}`", todo


def _writes_data(cell: Cell) -> Iterator[Finding]:
    todo = "Raw data stay as they came; save(…) puts results into results/"
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.Call) and any(_is_in_data(p, cell.in_data) for p in _written(node)):
            yield f"writes into data/ with `{notebook.shortened(ast.unparse(node))}`", todo
    for line in magics(cell.source):
        if SHELL_WRITES.search(line.strip()):
            yield f"writes into data/ with `{line.strip()}`", todo


def _written(call: ast.Call) -> list[ast.expr]:
    """Return the expressions that may name a file that a call writes, moves or removes."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func)
    receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if function in COPIES:
        return given[1:2]
    if function in WRITES or function in MOVES:
        return receiver + given
    if function in ("open", "ZipFile", "File"):
        # the mode is the second argument, or for Path.open the first
        modes = (one.value for one in given if isinstance(one, ast.Constant))
        mode = any(
            isinstance(m, str) and re.fullmatch(r"[rwax+bt]{1,4}", m) and set(m) & set("wax+")
            for m in modes
        )
        return receiver + given if mode else []
    return []


def _names_in_data(tree: ast.AST, known: frozenset[str]) -> frozenset[str]:
    """Return the variables that some code makes paths in `data/`."""
    found = set(known)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _is_in_data(node.value, frozenset(found)):
            found.update(one.id for one in node.targets if isinstance(one, ast.Name))
    return frozenset(found)


def _is_in_data(node: ast.expr, names: frozenset[str]) -> bool:
    """Tell whether an expression is a path in the project's `data/`."""
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and _names_data(node.value)
    if isinstance(node, ast.JoinedStr):
        return bool(node.values) and _is_in_data(node.values[0], names)
    if isinstance(node, ast.FormattedValue):
        return _is_in_data(node.value, names)
    if isinstance(node, ast.BinOp):
        both = (node.left, node.right)
        return any(_is_in_data(one, names) for one in both)
    if isinstance(node, ast.Attribute):
        return node.attr == "parent" and _is_in_data(node.value, names)
    if isinstance(node, ast.Call):
        function = dotted(node.func).rpartition(".")[2]
        receiver = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        made_of = any(_is_in_data(one, names) for one in [*receiver, *node.args])
        return function == "data_file" or (function in PATH_MAKERS and made_of)
    return False


def _names_data(text: str) -> bool:
    parts = [
        part for part in PurePosixPath(text.replace("\\", "/")).parts if part not in ("..", ".")
    ]
    return parts[:1] == ["data"] and ("/" in text or "\\" in text or text == "data")


def _guards(cell: Cell) -> Iterator[Finding]:
    for node in ast.walk(cell.tree):
        if not isinstance(node, ast.If | ast.IfExp) or not _asks_for_a_name(node.test):
            continue
        writes = (
            isinstance(inner, ast.Call)
            and (inner.func.attr if isinstance(inner.func, ast.Attribute) else dotted(inner.func))
            in WRITES
            for inner in ast.walk(node)
        )
        if cell.saves or any(writes):
            what = f"saves only `if {ast.unparse(node.test)}`, so a result may be missing unsaid"
            yield what, "Save what the notebook always makes; a missing name is then an error"


def _asks_for_a_name(test: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops)
        and any(
            isinstance(one, ast.Call) and dotted(one.func) in NAMESPACES for one in node.comparators
        )
        for node in ast.walk(test)
    )


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
                f"is in git and has {wording.size(size)}; {wording.size(LARGEST_TRACKED)} is a lot",
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
