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

    Comments and formatting do not count. Cells are known by their ids, by their content, or by
    their place between others: Colab and old versions of Jupyter keep no ids.

    Parameters
    ----------
    handed_out
        The notebook that was handed out.
    path
        The submitted one.
    teachers
        The one with solutions and hidden tests, which nbgrader puts back to grade.
    """
    submitted = _read(path)
    if isinstance(submitted, str):
        return Cells([], [], [], [], 0, submitted)
    ours, theirs = handed_out["cells"], submitted["cells"]
    pairs = _pairs(ours, theirs)
    graded = {cell.get("id"): _content(cell) for cell in (teachers or {"cells": []})["cells"]}
    found: dict[str, list[str]] = {"answered": [], "open": [], "changed": [], "missing": []}
    for number, cell in enumerate(ours):
        other = theirs[pairs[number]] if number in pairs else None
        source = notebook.source_of(cell)
        is_open = any(hint in source for hint in HINTS) or "..." in source.split()
        if not is_open and cell["cell_type"] != "code":
            continue
        same = other is not None and _content(other) == _content(cell)
        if is_open:
            kind = "open" if same or other is None else "answered"
        else:
            same = same or (other is not None and _content(other) == graded.get(cell.get("id")))
            kind = "" if same else "missing" if other is None else "changed"
        if kind:
            found[kind].append(_name(cell))
    before = {_content(cell) for cell in ours}
    added = [
        cell
        for number, cell in enumerate(theirs)
        if number not in pairs.values()
        and cell["cell_type"] == "code"
        and _content(cell) not in before
    ]
    return Cells(found["answered"], found["open"], found["changed"], found["missing"], len(added))


def is_version(handed_out: dict, path: Path) -> bool:
    """Tell whether a notebook of any name has most cells of one that was handed out."""
    submitted = _read(path)
    if isinstance(submitted, str):
        return False
    ids = {cell.get("id") for cell in submitted["cells"]}
    contents = {_content(cell) for cell in submitted["cells"]}
    own = [cell for cell in handed_out["cells"] if notebook.source_of(cell).strip()]
    found = [cell for cell in own if cell.get("id") in ids or _content(cell) in contents]
    return len(found) > len(own) / 2


def _read(path: Path) -> dict | str:
    """Return a notebook, or why it cannot be read."""
    try:
        if (size := path.stat().st_size) > LARGEST:
            return f"has {size:,} bytes, too many to be read"
        return notebook.read_whole(path)
    except (ProjectError, OSError, RecursionError) as error:
        return str(error).removeprefix(f"{path} ")


def _pairs(ours: list[dict], theirs: list[dict]) -> dict[int, int]:
    """Return which submitted cell each cell became."""
    ids = {cell.get("id"): number for number, cell in enumerate(theirs) if cell.get("id")}
    pairs = {n: ids[cell["id"]] for n, cell in enumerate(ours) if cell.get("id") in ids}
    left = [number for number in range(len(theirs)) if number not in pairs.values()]

    def take(number: int, found: list[int]) -> None:
        lines = {*notebook.source_of(ours[number]).splitlines()}
        alike = [len(lines & {*notebook.source_of(theirs[one]).splitlines()}) for one in found]
        if found:
            pairs[number] = found[alike.index(max(alike))]
            left.remove(pairs[number])

    for number, cell in enumerate(ours):
        if number not in pairs:
            take(number, [one for one in left if _content(theirs[one]) == _content(cell)][:1])
    for number, cell in enumerate(ours):
        if number not in pairs:
            before = max((pairs[one] for one in range(number) if one in pairs), default=-1)
            later = (pairs[one] for one in range(number, len(ours)) if one in pairs)
            after = min(later, default=len(theirs))
            kinds = [one for one in left if theirs[one]["cell_type"] == cell["cell_type"]]
            take(number, [one for one in kinds if before < one < after])
    return pairs


def _content(cell: dict) -> str | None:
    source = notebook.source_of(cell)
    return code_hash(source) if cell["cell_type"] == "code" else source.strip()


def _name(cell: dict) -> str:
    """Return the first line of code that is not a comment or an import, to call a cell by."""
    lines = [line for line in notebook.source_of(cell).splitlines() if line.strip()]
    own = [line for line in lines if not line.lstrip().startswith(("#", "import ", "from "))]
    return notebook.shortened(next(iter([*own, *lines]), ""))
