"""What the kernel ran until a save: its record, and whether it made what the notebook makes."""

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
    """Describe what this kernel ran until now, and write it in full into a folder.

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
    """Return what is wrong with the file of a notebook that saves, as after a `git merge`."""
    if run and run.verdict and run.verdict.on_disk:
        return None  # it was compared
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
    """Return the executions that made a step; None if their file is gone or was changed."""
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
    """Tell whether executions made what a notebook makes."""
    notebook = signature(cells, step)
    if _ran_in_order(executions, cells, step):
        return Verdict("clean", notebook)  # as it mostly is, without the work of replaying it
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
    """Return the cells with a loop over the parts of the step, each with the loop as a function."""
    sources = dict.fromkeys(item.source for items in (cells, executions) for item in items)
    names = imported(sources)
    if "parts" not in names.values():
        return {}
    rounds = {source: as_rounds(source, names, step) for source in sources if "parts" in source}
    return {source: code for source, code in rounds.items() if code}


def _ran_in_order(executions: Sequence[Execution], cells: Sequence[Cell], step: str) -> bool:
    """Tell whether a new kernel ran the cells once each, in order, up to the one that saves."""
    # IPython keeps no blank lines at the end of what ran before the recording began
    ran = [cell.source.rstrip("\n") for cell in cells if SKIPPED not in cell.tags]
    last, count = saving_cell(ran, step), len(executions)
    return (
        (last is None or last < count)  # None if a function of a module saves
        and not any(execution.error or execution.renewed for execution in executions)
        and [execution.source.rstrip("\n") for execution in executions] == ran[:count]
    )


def signature(cells: Sequence[Cell], step: str) -> list[str]:
    """Return the hashes of the cells that a run of a notebook runs, up to the one that saves.

    For a part of a loop, the list of parts does not count.
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
    """Return the signature of the notebook that this kernel runs, and the parameters set in it.

    None outside IPython.
    """
    executions = cells.executions()
    if executions is None:
        return None
    shown = _in_front_end(executions, _cells_on_disk(project, step) or [])
    hashed = [(hashes.code_hash(e.source), e.source) for e in executions]
    set_ = {code: source for code, source in hashed if code and looks_injected(source)}
    return signature(shown, step), set_


def _verdict(executions: Sequence[Execution], on_disk: Sequence[Cell] | None, step: str) -> Verdict:
    """Compare with the notebook on disk, or with what it will be when it is saved.

    Front ends do not save a notebook before they run a cell, and not all say which notebook it is.
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
                return None  # `status` says what is wrong with it
    return None


def _in_front_end(executions: Sequence[Execution], on_disk: Sequence[Cell]) -> list[Cell]:
    """Return the notebook as the front end has it, as far as executions tell.

    A cell that is not on disk stands after the one that ran before it for the first time.
    """
    last = {e.cell or e.source: e.source for e in executions if e.ran}
    sends_ids = any(execution.cell for execution in executions)
    cells = [Cell(last.get(cell.id or "", cell.source), cell.id, cell.tags) for cell in on_disk]
    keys = [(cell.id if sends_ids else None) or cell.source for cell in cells]
    before = ""
    for execution in executions:
        key = execution.cell or execution.source
        if not execution.ran or (sends_ids and not execution.cell):
            continue  # a console on the same kernel
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
    """Return what differs from an execution that ended well."""
    usual = to_builtins(Execution(""))
    written = to_builtins(execution)
    return {key: value for key, value in written.items() if value != usual[key]}


@cache
def _kernel() -> str:
    """Return what tells this kernel from others."""
    return os.urandom(6).hex()
