"""Record what the kernel ran before a save, and compare it with a clean run of the notebook."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import ValidationError, convert, structs, to_builtins

from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.calls import imported
from ..notebooks.graph import saving_cell
from ..notebooks.loops import as_rounds, without_list
from ..notebooks.notebook import first_line
from ..notebooks.parameters import looks_injected
from ..project.project import Project
from ..replay import RAISES, SKIPPED, Cell, Execution, judge
from ..watch import cells
from . import committed, hashes
from .schema import SESSION, FileEntry, Run, Verdict


def run_of(project: Project, step: str, folder: Path) -> Run | None:
    """Describe what this kernel has run so far, and write the full log into a folder.

    Returns
    -------
    Run or None
        None outside IPython.
    """
    executions = cells.executions()
    if executions is None:
        return None
    hashed = [(execution, hashes.code_hash(execution.source)) for execution in executions]
    ids = [execution.cell for execution, code in hashed if code]
    return Run(
        [code for _, code in hashed if code],
        {code: e.source for e, code in hashed if code and looks_injected(e.source)},
        ids if any(ids) else [],
        _kernel(),
        _write_log(executions, folder),
        _verdict(executions, _cells_on_disk(project, step), step),
    )


def unreadable(project: Project, step: str, run: Run | None) -> str | None:
    """Return why the notebook of a step cannot be read, such as after a `git merge`, or None."""
    if run and run.verdict and run.verdict.on_disk:
        return None  # the file was read for the comparison
    name = step.partition("/")[0]
    path = next((known.path for known in project.steps() if known.name == name), None)
    if path is None or path.suffix != ".ipynb":
        return None
    try:
        notebook.read_whole(path)
    except FileNotFoundError:
        return None
    except ProjectError as error:
        return str(error).replace(str(path), project.show(path), 1)
    return None


def executions_of(folder: Path, run: Run) -> list[Execution] | None:
    """Return the executions that made a step; None if their log is missing or was changed."""
    try:
        path = committed.locate(folder, SESSION)
        if run.log is None or not hashes.is_unchanged(path, run.log):
            return None
        log = json.loads(path.read_text(encoding="utf-8"))
        return [
            convert({**entry, "source": log["sources"][entry["source"]]}, Execution)
            for entry in log["executions"]
        ]
    except (OSError, ValueError, KeyError, IndexError, TypeError, ValidationError):
        return None


def cells_of(content: dict[str, Any]) -> list[Cell]:
    """Return the code cells of a notebook."""
    return [
        Cell(notebook.source_of(cell), cell.get("id"), frozenset(map(str, notebook.tags_of(cell))))
        for cell in notebook.code_cells(content)
    ]


def compare(executions: Sequence[Execution], cells: Sequence[Cell], step: str) -> Verdict:
    """Tell whether executions had the same results as a clean run of the notebook."""
    notebook = signature(cells, step)
    if _ran_in_order(executions, cells, step):
        return Verdict("clean", notebook)  # the usual case, which needs no replay
    rounds = _rounds(executions, cells, step)
    verdict = judge(
        [
            replace(e, source=rounds[e.source], line=0) if e.source in rounds else e
            for e in executions
        ],
        [replace(cell, source=rounds.get(cell.source, cell.source)) for cell in cells],
        step,
    )
    reason = verdict.reason
    for source, as_round in rounds.items():
        reason = reason.replace(first_line(as_round), first_line(source))
    return Verdict(verdict.state, notebook, reason)


def _rounds(executions: Sequence[Execution], cells: Sequence[Cell], step: str) -> dict[str, str]:
    """Return the cells that loop over the step's parts, each with its loop as a function."""
    sources = dict.fromkeys(item.source for items in (cells, executions) for item in items)
    names = imported(sources)
    if "parts" not in names.values():
        return {}
    rounds = {source: as_rounds(source, names, step) for source in sources if "parts" in source}
    return {source: code for source, code in rounds.items() if code}


def _ran_in_order(executions: Sequence[Execution], cells: Sequence[Cell], step: str) -> bool:
    """Tell whether a new kernel ran the cells once each, in order, up to the one that saves."""
    # IPython drops trailing blank lines of cells that ran before the recording began
    ran = [cell.source.rstrip("\n") for cell in cells if SKIPPED not in cell.tags]
    last, count = saving_cell(ran, step), len(executions)
    return (
        (last is None or last < count)  # None if a module's function saves
        and not any(execution.error or execution.renewed for execution in executions)
        and [execution.source.rstrip("\n") for execution in executions] == ran[:count]
    )


def signature(cells: Sequence[Cell], step: str) -> list[str]:
    """Return the hashes of the cells that a clean run executes, up to the one that saves.

    For a part of a loop, the list of parts is ignored.
    """
    ran = [cell for cell in cells if SKIPPED not in cell.tags]
    last = saving_cell([cell.source for cell in ran], step)
    if "/" in step:
        sources = without_list([cell.source for cell in ran], step)
        ran = [replace(cell, source=s) for cell, s in zip(ran, sources, strict=True)]
    hashed = [
        (cell, hashes.code_hash(cell.source)) for cell in ran[: None if last is None else last + 1]
    ]
    return [code + ("!" if RAISES in cell.tags else "") for cell, code in hashed if code]


def in_session(project: Project, step: str) -> tuple[list[str], dict[str, str]] | None:
    """Return the signature of the notebook in this kernel, and its cells that set parameters.

    Returns None outside IPython.
    """
    executions = cells.executions()
    if executions is None:
        return None
    shown = _in_front_end(executions, _cells_on_disk(project, step) or [])
    hashed = [(hashes.code_hash(e.source), e.source) for e in executions]
    set_ = {code: source for code, source in hashed if code and looks_injected(source)}
    return signature(shown, step), set_


def _verdict(executions: Sequence[Execution], on_disk: Sequence[Cell] | None, step: str) -> Verdict:
    """Compare with the notebook on disk, or else with its unsaved state in the front end.

    Front ends do not save the notebook before they run a cell, and not all name the notebook.
    """
    if on_disk is not None:
        verdict = compare(executions, on_disk, step)
        if verdict.state == "clean" or not any(execution.cell for execution in executions):
            return verdict
    verdict = compare(executions, _in_front_end(executions, on_disk or []), step)
    return structs.replace(verdict, on_disk=False)


def _cells_on_disk(project: Project, step: str) -> list[Cell] | None:
    name = step.partition("/")[0]
    for known in project.steps():
        if known.name == name:
            try:
                return cells_of(notebook.read_whole(known.path))
            except ProjectError:
                return None  # `status` reports what is wrong with it
    return None


def _in_front_end(executions: Sequence[Execution], on_disk: Sequence[Cell]) -> list[Cell]:
    """Return the notebook's cells as in the front end, inferred from the executions.

    A cell that is not on disk is placed after the cell that ran just before its first run.
    """
    last = {e.cell or e.source: e.source for e in executions if e.ran}
    sends_ids = any(execution.cell for execution in executions)
    cells = [Cell(last.get(cell.id or "", cell.source), cell.id, cell.tags) for cell in on_disk]
    keys = [(cell.id if sends_ids else None) or cell.source for cell in cells]
    before = ""
    for execution in executions:
        key = execution.cell or execution.source
        if not execution.ran or (sends_ids and not execution.cell):
            continue  # not Python, or from a console on the same kernel
        if key not in keys:
            place = keys.index(before) + 1 if before in keys else len(keys)
            keys.insert(place, key)
            cells.insert(place, Cell(last[key], execution.cell))
        before = key
    return cells


def _write_log(executions: Sequence[Execution], folder: Path) -> FileEntry:
    sources = list(dict.fromkeys(execution.source for execution in executions))
    entries = [
        {**_as_json(execution), "source": sources.index(execution.source)}
        for execution in executions
    ]
    path = folder / SESSION
    text = json.dumps({"format": 1, "sources": sources, "executions": entries}, ensure_ascii=True)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    content = hashes.content_of(path)
    return FileEntry(SESSION, content.bytes, content.blake3, content.mtime_ns)


def _as_json(execution: Execution) -> dict[str, Any]:
    """Return the fields of an execution that differ from their defaults."""
    usual = to_builtins(Execution(""))
    written = to_builtins(execution)
    return {key: value for key, value in written.items() if value != usual[key]}


@cache
def _kernel() -> str:
    """Return a random identifier of this kernel."""
    return os.urandom(6).hex()
