"""The rule that a notebook asks a loaded step only for keys that the step saves."""

import ast
from collections.abc import Iterator, Mapping

from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.calls import bound, dotted, imported, literal
from ..notebooks.magics import parse_cell
from .rules import Finding, rule
from .subjects import Cell, Notebook


@rule(
    "load-key",
    Notebook,
    finds="a key that the notebook of the loaded step does not save",
    why="the notebook would stop at that line",
)
def _load_key(subject: Notebook) -> Iterator[Finding]:
    loaded = _loaded(subject)
    saved: dict[str, list[str] | None] = {}
    for cell in subject.cells if loaded else ():
        for step, key in _asked(cell, loaded):
            if step not in saved:
                saved[step] = _saved_keys(subject, step)
            keys = saved[step]
            if keys is not None and not any(_may_be(key, other) for other in keys):
                todo = f"{step} saves {', '.join(keys) or 'no objects'}"
                yield Finding(f"asks {step} for {key!r}", todo, cell=cell.line)


def _loaded(subject: Notebook) -> dict[str, str]:
    """Return the steps by the code that refers to them: `load("1_a")`, or a name assigned to it.

    A name that is bound to anything else, anywhere in the notebook, is left out.
    """
    steps: dict[str, str] = {}
    names = [name for cell in subject.cells for name in bound(cell.tree)]
    for node in (node for cell in subject.cells for node in cell.nodes):
        if isinstance(node, ast.arg):
            names.append(node.arg)
        elif isinstance(node, ast.Call) and subject.names.get(dotted(node.func)) == "load":
            step = literal(node.args[0]) if len(node.args) == 1 and not node.keywords else None
            steps |= {ast.unparse(node): step} if step else {}
    for node in (node for cell in subject.cells for node in cell.nodes):
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in steps:
            for target in node.targets:
                if isinstance(target, ast.Name) and names.count(target.id) == 1:
                    steps[target.id] = steps[ast.unparse(node.value)]
    return steps


def _asked(cell: Cell, loaded: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the steps and keys that a cell asks for, except inside a `try`."""
    tried = [inner for node in cell.nodes if isinstance(node, ast.Try) for inner in ast.walk(node)]
    for node in cell.nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            key, step = literal(node.slice), loaded.get(ast.unparse(node.value))
            if key is not None and step and node not in tried:
                yield step, key


def _saved_keys(subject: Notebook, step: str) -> list[str] | None:
    """Return the literal keys that a step's notebook saves; None if it may save others."""
    paths = [other.path for other in subject.steps if other.name == step.partition("/")[0]]
    try:
        sources = notebook.sources(notebook.read_whole(paths[0])) if paths else []
    except ProjectError:
        return None  # another rule says what is wrong with it
    names, saves = imported(sources), [source for source in sources if "save" in source]
    keys: list[str] = []
    for tree in map(parse_cell, saves):
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Call) and names.get(dotted(node.func)) == "save":
                named = literal(node.args[0]) if node.args else None
                if named is None or len(node.args) < 2 or not isinstance(node.args[1], ast.Dict):
                    return None
                here = [literal(key) for key in node.args[1].keys]
                if named == step and None in here:
                    return None
                keys += [key for key in here if key is not None and named == step]
    return keys or None


def _may_be(key: str, saved: str) -> bool:
    """Tell whether a key may match a saved one; its suffix may depend on the object."""
    from ..formats import stems

    return key == saved or key in stems(saved) or saved in stems(key)
