"""What a notebook reads, and the `load` or `data_file` that replaces it."""

import ast
import keyword
import re
from collections.abc import Iterable, Mapping

from checkpoint.notebooks.calls import dotted
from checkpoint.project.names import number_of

from ..scan.functions import needs_text
from ..scan.places import HOLE, quoted
from ..scan.uses import Scanned, Use
from .holes import holes_fit
from .outputs import Stored
from .replaceable import reader_form
from .statements import Code, Edit

ASKS = ("exists", "isfile", "isdir", "is_file", "is_dir")


def why_not(code: Code, use: Use) -> str:
    """Say why the path of a read cannot be replaced; empty if it can."""
    if use.function.endswith("glob"):
        return "it reads a pattern of files"
    if use.is_guess:
        return f"it is unknown what `{use.function}` does with it"
    if len(use.places) > 1:
        return "its path depends on how the code runs"
    if use.call is not None and _may_be_missing(code, use.call):
        return "the notebook goes on without it"
    if not use.is_certain or use.call is None or use.path is None:
        return "its path is known only when the code runs"
    if HOLE in use.place.text and not holes_fit(code, use):
        return "what varies in its path is not the variable of its loop"
    try:
        use.place.code()
    except ValueError:
        return "what varies in its path is no plain name"
    return ""


def _may_be_missing(code: Code, call: ast.Call) -> bool:
    """Tell whether code reads a file only if it is there, where `load` would raise an error."""
    inner: ast.AST = call
    for outer in code.around(call):
        if isinstance(outer, ast.Try | ast.TryStar) and inner in outer.body:
            return True
        tests = [outer.test] if isinstance(outer, ast.If | ast.IfExp) else []
        asked = (node for test in tests for node in ast.walk(test) if isinstance(node, ast.Call))
        if any(
            dotted(inner_call.func).endswith(ASKS) or _method(inner_call) in ASKS
            for inner_call in asked
        ):
            return True
        inner = outer
    return False


def _method(call: ast.Call) -> str:
    return getattr(call.func, "attr", "")


class Loads:
    """The checkpoints that a notebook loads in its first cell, and the names that it gives them.

    Parameters
    ----------
    taken
        The names that its code uses.
    prefix
        What comes before `load`, if another function has that name: `checkpoint.`.
    """

    def __init__(self, taken: Iterable[str], prefix: str = "") -> None:
        self._taken = set(taken)
        self._prefix = prefix
        self._wanted: list[str] = []
        self.names: dict[str, str] = {}

    def choose(self, checkpoints: Iterable[str]) -> None:
        """Choose a name for each checkpoint; `previous` for a single one."""
        self._wanted = list(dict.fromkeys(checkpoints))
        for checkpoint in self._wanted:
            label = checkpoint.rpartition("/")[2]
            number = number_of(label)
            label = number.label if number and number.label else label
            name = "previous" if len(self._wanted) == 1 else re.sub(r"\W+", "_", label).strip("_")
            self.names[checkpoint] = self._free(name)

    def _free(self, name: str) -> str:
        if not name.isidentifier() or keyword.iskeyword(name):
            name = f"step_{name}" if f"step_{name}".isidentifier() else "loaded"
        number, free = 1, name
        while free in self._taken:
            free = f"{name}_results" if number == 1 else f"{name}_results_{number}"
            number += 1
        self._taken.add(free)
        return free

    def expression(self, stored: Stored, use: Use) -> str:
        """Return the code for a checkpoint: its name, or a call of `load` in a loop."""
        if HOLE not in stored.part:
            return self.names[stored.checkpoint]
        name = use.place.code(f"{stored.step}/{stored.part}".replace("{", "").replace("}", ""))
        return f"{self._prefix}load({name})"

    def lines(self) -> list[str]:
        """Return the lines of the load cell."""
        return [
            f"{name} = {self._prefix}load({quoted(checkpoint)})"
            for checkpoint, name in self.names.items()
        ]


def edits_of_reads(
    scanned: Scanned, codes: list[Code], stored: Mapping[int, Stored], loads: Loads
) -> list[Edit]:
    """Return the edits that make a notebook load what others saved.

    Parameters
    ----------
    scanned, codes
        The notebook and its cells.
    stored
        Where each file is that it reads, by the id of the call.
    loads
        Its load cell.
    """
    edits = []
    for use in scanned.reads:
        file = stored.get(id(use.call))
        if file is None or use.call is None or use.path is None:
            continue
        code = codes[use.cell]
        loaded = loads.expression(file, use)
        form = reader_form(code, use)
        if form and form.suffix == file.suffix:
            text = f"{loaded}[{quoted(file.name)}]"
            block = form.statement
            if isinstance(block, ast.With):
                inner = block.body[0]
                start, end = code.span(inner)
                first, last = code.span(form.node)
                text = code.source[start:first] + text + code.source[last:end]
                edits.append(Edit(use.cell, *code.span(block), text))
            else:
                edits.append(Edit(use.cell, *code.span(form.node), text))
        else:
            text = f"{loaded}.path({quoted(file.key)})"
            text = f"str({text})" if needs_text(use.call) else text
            edits.append(Edit(use.cell, *code.span(use.path), text))
    return edits
