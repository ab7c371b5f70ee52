"""The cells of a submitted notebook, compared with those that were handed out."""

from pathlib import Path
from typing import NamedTuple

from checkpoint.errors import ProjectError
from checkpoint.notebooks import notebook
from checkpoint.storage.hashes import code_hash

from ..handout.markers import STUBS

HINTS = (*(stub.partition("\n")[0] for stub in STUBS.values()), "YOUR ANSWER HERE")
LARGEST = 100_000_000  # bytes of a notebook that are read


class Cells(NamedTuple):
    """What became of the cells of a notebook.

    Attributes
    ----------
    answered, open
        The cells with a stub, by their first lines, that were and were not changed.
    changed, missing
        The other cells that were changed, or are gone.
    added
        How many code cells are new.
    problem
        Why the notebook cannot be read; empty if it can.
    """

    answered: list[str]
    open: list[str]
    changed: list[str]
    missing: list[str]
    added: int
    problem: str = ""


def compared(handed_out: dict, path: Path, teachers: dict | None = None) -> Cells:
    """Compare a submitted notebook with the one that was handed out.

    Comments and formatting do not count. Cells are known by their ids, else by their code.

    Parameters
    ----------
    handed_out
        The notebook that was handed out.
    path
        The submitted one.
    teachers
        The one with solutions and hidden tests, which nbgrader puts back to grade.
    """
    try:
        if (size := path.stat().st_size) > LARGEST:
            return Cells([], [], [], [], 0, f"has {size:,} bytes, too many to be read")
        submitted = notebook.read_whole(path)
    except (ProjectError, OSError, RecursionError) as error:
        reason = str(error).removeprefix(f"{path} ")
        return Cells([], [], [], [], 0, reason)
    theirs = {cell.get("id"): cell for cell in submitted["cells"]}
    codes = {_content(cell) for cell in submitted["cells"]}
    graded = {cell.get("id"): _content(cell) for cell in (teachers or {"cells": []})["cells"]}
    found: dict[str, list[str]] = {"answered": [], "open": [], "changed": [], "missing": []}
    for cell in handed_out["cells"]:
        other = theirs.get(cell.get("id"))
        source = notebook.source_of(cell)
        is_open = any(hint in source for hint in HINTS) or "..." in source.split()
        if not is_open and cell["cell_type"] != "code":
            continue
        same = _content(cell) in codes if other is None else _content(other) == _content(cell)
        if is_open:
            kind = "open" if same or other is None else "answered"
        else:
            same = same or (other is not None and _content(other) == graded.get(cell.get("id")))
            kind = "" if same else "missing" if other is None else "changed"
        if kind:
            found[kind].append(_name(cell))
    known = {cell.get("id") for cell in handed_out["cells"]}
    before = {_content(cell) for cell in handed_out["cells"]}
    added = [
        cell
        for cell in notebook.code_cells(submitted)
        if cell.get("id") not in known and _content(cell) not in before
    ]
    return Cells(found["answered"], found["open"], found["changed"], found["missing"], len(added))


def _content(cell: dict) -> str | None:
    source = notebook.source_of(cell)
    return code_hash(source) if cell["cell_type"] == "code" else source.strip()


def _name(cell: dict) -> str:
    """Return the first line of code that is not a comment or an import, to call a cell by."""
    lines = [line for line in notebook.source_of(cell).splitlines() if line.strip()]
    own = [line for line in lines if not line.lstrip().startswith(("#", "import ", "from "))]
    return notebook.shortened(next(iter([*own, *lines]), ""))
