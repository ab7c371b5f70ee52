"""Files that notebooks adopted earlier have saved, and that later notebooks can load."""

import ast

from checkpoint.notebooks.calls import dotted, imported

from ..scan.places import HOLE
from ..scan.uses import Scanned, Use
from .keys import key_of
from .outputs import Stored
from .replaceable import writer_form
from .statements import Code

KEPT = "# adopt: kept, "  # the comment above a writer that stayed for others


def stored_by(scanned: Scanned) -> dict[str, Stored]:
    """Return where an adopted notebook has saved the files that it still writes for others.

    A file counts if `adopt` put its comment above the writer, and a `save` takes it.
    """
    if not scanned.is_adopted or scanned.names is None:
        return {}
    functions = imported(scanned.unit.cells)
    codes = [
        Code(source, tree)
        for source, tree in zip(scanned.unit.cells, scanned.unit.trees, strict=True)
    ]
    saves = [
        (code, node)
        for code in codes
        for node in ast.walk(code.tree)
        if isinstance(node, ast.Call) and functions.get(dotted(node.func)) == "save"
    ]
    files = {}
    for use in scanned.writes:
        code = codes[use.cell]
        statement = code.statement(use.call) if use.call else None
        if statement is None or not _is_kept(code, statement) or len(use.places) > 1:
            continue
        for save_code, save in saves:
            if stored := _taken(scanned, code, use, save_code, save):
                files[use.place.text] = stored
    return files


def _is_kept(code: Code, statement: ast.stmt) -> bool:
    above = code.lines[: statement.lineno - 1][-1:]
    return bool(above) and above[0].strip().startswith(KEPT)


def _taken(
    scanned: Scanned, code: Code, use: Use, save_code: Code, save: ast.Call
) -> Stored | None:
    """Return where a call of `save` puts what a statement writes; None if it does not."""
    objects = save.args[1] if len(save.args) > 1 else None
    if not save.args or not isinstance(objects, ast.Dict) or scanned.names is None:
        return None
    steps = scanned.names.places(save.args[0])
    form = writer_form(code, use)
    key = key_of(use.place, form)
    for name, value in zip(objects.keys, objects.values, strict=True):
        if not isinstance(name, ast.Constant) or name.value != key or len(steps) != 1:
            continue
        step, _, part = steps[0].text.partition("/")
        if step != scanned.unit.name or part.count(HOLE) != use.place.text.count(HOLE):
            continue
        if form and save_code.text(value) == form.template.format(code.text(form.node)):
            return Stored(step, part, key, key, form.suffix)
        if form is None and any(
            place.below(scanned.base).text == use.place.text
            for place in scanned.names.places(value)
        ):
            return Stored(step, part, key, key, "")
    return None
