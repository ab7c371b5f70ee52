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
    """Return what became of the cells of a notebook that was handed out.

    Comments and formatting do not count. Cells are matched by id, by content, or by position
    between matched cells: Colab and old versions of Jupyter keep no ids.

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
    by_kind: dict[str, list[str]] = {"answered": [], "open": [], "changed": [], "missing": []}
    for number, cell in enumerate(ours):
        student_cell = theirs[pairs[number]] if number in pairs else None
        source = notebook.source_of(cell)
        is_open = any(hint in source for hint in HINTS) or "..." in source.split()
        if not is_open and cell["cell_type"] != "code":
            continue
        same = student_cell is not None and _content(student_cell) == _content(cell)
        if is_open:
            kind = "open" if same or student_cell is None else "answered"
        else:
            same = same or (
                student_cell is not None and _content(student_cell) == graded.get(cell.get("id"))
            )
            kind = "" if same else "missing" if student_cell is None else "changed"
        if kind:
            by_kind[kind].append(_name(cell))
    handed_out_contents = {_content(cell) for cell in ours}
    added = [
        cell
        for number, cell in enumerate(theirs)
        if number not in pairs.values()
        and cell["cell_type"] == "code"
        and _content(cell) not in handed_out_contents
    ]
    return Cells(
        by_kind["answered"], by_kind["open"], by_kind["changed"], by_kind["missing"], len(added)
    )


def is_version(handed_out: dict, path: Path) -> bool:
    """Tell whether a notebook of any name has most cells of one that was handed out."""
    submitted = _read(path)
    if isinstance(submitted, str):
        return False
    ids = {cell.get("id") for cell in submitted["cells"]}
    contents = {_content(cell) for cell in submitted["cells"]}
    ours = [cell for cell in handed_out["cells"] if notebook.source_of(cell).strip()]
    shared = [cell for cell in ours if cell.get("id") in ids or _content(cell) in contents]
    return len(shared) > len(ours) / 2


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
    unmatched = [number for number in range(len(theirs)) if number not in pairs.values()]

    def take(number: int, candidates: list[int]) -> None:
        lines = {*notebook.source_of(ours[number]).splitlines()}
        shared = [
            len(lines & {*notebook.source_of(theirs[index]).splitlines()}) for index in candidates
        ]
        if candidates:
            pairs[number] = candidates[shared.index(max(shared))]
            unmatched.remove(pairs[number])

    for number, cell in enumerate(ours):
        if number not in pairs:
            same = [index for index in unmatched if _content(theirs[index]) == _content(cell)]
            take(number, same[:1])
    for number, cell in enumerate(ours):
        if number not in pairs:
            before = max((pairs[index] for index in range(number) if index in pairs), default=-1)
            later = (pairs[index] for index in range(number, len(ours)) if index in pairs)
            after = min(later, default=len(theirs))
            kind = cell["cell_type"]
            same_kind = [index for index in unmatched if theirs[index]["cell_type"] == kind]
            take(number, [index for index in same_kind if before < index < after])
    return pairs


def _content(cell: dict) -> str | None:
    source = notebook.source_of(cell)
    return code_hash(source) if cell["cell_type"] == "code" else source.strip()


def _name(cell: dict) -> str:
    """Return a cell's first line that is not a comment or an import, as its name."""
    lines = [line for line in notebook.source_of(cell).splitlines() if line.strip()]
    code_lines = [line for line in lines if not line.lstrip().startswith(("#", "import ", "from "))]
    return notebook.shortened(next(iter([*code_lines, *lines]), ""))
