"""Constants that code imports from modules of the project: `from config import OUT_DIR`."""

import ast
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from checkpoint.notebooks.calls import dotted

from .places import HOLE
from .resolve import Module, Names


def modules_of(
    root: Path, folder: str, trees: list[ast.Module], configs: Mapping[str, Any]
) -> dict[str, Module]:
    """Return the modules of the project that the code of a folder imports, by their names.

    Modules are looked up beside the code and in the folders that it adds to `sys.path`; a module
    that is in more than one of them is skipped.
    """
    folders = list(dict.fromkeys([folder, *_added(folder, trees)]))
    modules = {}
    for name in {name for tree in trees for node in ast.walk(tree) for name in _imported(node)}:
        paths = [Path(root, inside, *name.split(".")).with_suffix(".py") for inside in folders]
        existing = [path for path in paths if path.is_file()]
        if len(existing) == 1 and (tree := _parsed(existing[0])) is not None:
            modules[name] = _module(tree, configs)
    return modules


def own_names(root: Path, folder: str, trees: list[ast.Module]) -> set[str]:
    """Return the names of the functions and modules of the project that code uses."""
    folders = [folder, "", "src", *_added(folder, trees)]

    def is_own(module: str) -> bool:
        places = [Path(root, inside, module.partition(".")[0]) for inside in folders]
        return any(p.with_suffix(".py").is_file() or (p / "__init__.py").is_file() for p in places)

    own: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own.add(node.name)
        elif isinstance(node, ast.ImportFrom) and (node.level or is_own(node.module or "")):
            own |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias for alias in node.names if is_own(alias.name)]
            own |= {(alias.asname or alias.name).partition(".")[0] for alias in names}
    return own


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)


def _added(folder: str, trees: list[ast.Module]) -> Iterator[str]:
    """Yield the folders of the project that code adds to `sys.path`."""
    for tree in trees:
        for node in ast.walk(tree):
            is_call = isinstance(node, ast.Call) and dotted(node.func).startswith("sys.path.")
            for text in ast.walk(node) if is_call else ():
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield posixpath.normpath(posixpath.join(folder, text.value))


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _module(tree: ast.Module, configs: Mapping[str, Any]) -> Module:
    names = Names([tree], configs)
    assigned = dict(_assigned(tree))
    bound = list(_bound(tree))
    values = {
        name: plain
        for name, value in assigned.items()
        if bound.count(name) == 1 and (plain := _plain(names, value)) is not None
    }
    stars = "*" in bound or "__all__" in bound
    public = frozenset(name for name in bound if not name.startswith("_"))
    return Module(values, None if stars else public)


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name):
            yield target.id, value


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield each name as often as the code of a module binds it anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _plain(names: Names, value: ast.expr) -> ast.expr | None:
    """Return a value as a constant, or as a list or mapping of constants; None if it is neither."""
    parts = [value]
    if isinstance(value, ast.List | ast.Tuple):
        parts = value.elts
    elif isinstance(value, ast.Dict):
        parts = [part for part in (*value.keys, *value.values) if part is not None]
    if all(isinstance(part, ast.Constant) for part in parts):
        return value
    places = names.places(value)
    if len(places) == 1 and HOLE not in places[0].text:
        return ast.Constant(places[0].text)
    return None
