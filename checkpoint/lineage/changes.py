"""Compare what a step recorded with the current state, and yield typed changes.

Both are passed as data; nothing here reads a file.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from ..notebooks.parameters import SET
from ..storage.hashes import value_hash
from ..storage.schema import Baseline, InputEntry, Record, Run, Verdict

# docs/guarantees.md says what `run` does in each state, and how it affects downstream steps
DAMAGED, INTERRUPTED, MISSING, ABSENT = "damaged", "interrupted", "missing", "absent"
UNRECORDED, EDITED, UNCLEAN, STALE = "unrecorded", "edited", "unclean", "stale"
UNVERIFIABLE, CURRENT = "unverifiable", "current"
MAKES_STALE = (DAMAGED, EDITED, STALE)  # these also make downstream steps stale


class Kind(StrEnum):
    """What a change is about."""

    FILE = "file"  # a saved file
    LARGE = "large"  # all files that git ignores
    PARAMS = "params"  # a group of the user's parameters
    PART = "part"  # a sub-checkpoint that another step loaded
    RECORD = "record"  # params.json cannot be read
    SAVE = "save"  # a save was interrupted
    ORIGIN = "origin"  # `save` did not write the folder
    NOTEBOOK = "notebook"  # the notebook cannot be read
    FOREIGN = "foreign"  # the notebook neither loads nor saves
    CELL = "cell"
    CELLS = "cells"  # removed, or in another order
    SESSION = "session"  # the kernel ran more than the notebook's cells
    ELSEWHERE = "elsewhere"  # the session used modules from another copy of the project
    SET_CELL = "set-cell"  # the cell that `run --set` added
    MODULE = "module"
    DATA = "data"  # a raw file
    FOLDER = "folder"  # the list of a raw folder's files
    STEP = "step"  # a checkpoint that was loaded


class How(StrEnum):
    """How it changed."""

    CHANGED = "changed"
    MISSING = "missing"
    NEW = "new"


class Change(NamedTuple):
    """A difference from what was recorded."""

    kind: Kind  # what it is about
    how: How  # how it changed
    name: str  # which file, cell (its first line), module or step; why something cannot be read
    step: str  # the step whose notebook, folder or record it is in


class Cell(NamedTuple):
    """A code cell: the hash of its code, and its first line."""

    code: str
    first_line: str


class Upstream(NamedTuple):
    """The current state of a step that another one was made from."""

    state: str
    changes: list[Change]  # those that make downstream steps stale
    entry: InputEntry | None  # its content; None if it has none, or its record cannot be read


class Now(NamedTuple):
    """What a step would be made from if it were run now."""

    cells: list[Cell]  # the code cells of its notebook, up to the one that saves it
    unreadable: str  # why the notebook cannot be read; empty if it can
    has_set_cell: bool  # whether it has a cell that `run --set` added
    verdict: Verdict | None  # on the recorded session and the notebook; None if unknown
    inputs: dict[str, InputEntry | Upstream | None]  # the recorded ones: raw files and steps
    modules: dict[str, str | None]  # the current hash of each recorded module
    params: dict[str, str]  # the hash of each group of the user's parameters in `params.json`

    def as_baseline(self, recorded: Baseline) -> Baseline:
        """Return the baseline to record for results that are accepted as matching all of this."""
        codes = [cell.code for cell in self.cells]
        return Baseline(
            codes if recorded.cells is not None else None,
            {code: source for code, source in recorded.parameters.items() if code in codes},
            {name: _entry(present) for name, present in self.inputs.items()},
            self.modules,
            self.params,
        )


def is_raw(change: Change) -> bool:
    """Return whether a change is about a file that no step makes, or a folder of them."""
    return change.kind in (Kind.DATA, Kind.FOLDER)


def edits(step: str, recorded: Baseline, record: Record, now: Now) -> Iterator[Change]:
    """Yield the cells and modules whose code changed since the results were made."""
    if record.given:
        return
    notebook = step.partition("/")[0]
    if now.unreadable:
        yield Change(Kind.NOTEBOOK, How.CHANGED, now.unreadable, notebook)
    elif recorded.cells is not None:
        yield from _cell_edits(notebook, recorded, record, now)
        ours = [source for source in recorded.parameters.values() if source.startswith(SET)]
        if ours and not now.has_set_cell:
            yield Change(Kind.SET_CELL, How.MISSING, ours[-1], notebook)
    for module, code in recorded.modules.items():
        if now.modules[module] != code and not record.elsewhere:
            how = How.CHANGED if now.modules[module] else How.MISSING
            yield Change(Kind.MODULE, how, module, notebook)


def session_changes(step: str, record: Record, now: Now) -> Iterator[Change]:
    """Yield what the session did besides running the notebook's cells from top to bottom."""
    if record.accepted or record.given:
        return
    notebook = step.partition("/")[0]
    if now.verdict and now.verdict.state == "unclean" and not _was_clean(record):
        yield Change(Kind.SESSION, How.CHANGED, now.verdict.reason, notebook)
    if record.elsewhere:
        yield Change(Kind.ELSEWHERE, How.CHANGED, record.elsewhere, notebook)


def input_changes(step: str, recorded: Baseline, now: Now) -> Iterator[Change]:
    """Yield the inputs whose content changed since the results were made.

    For a checkpoint that is not current itself, these are the root changes that made it so.
    """
    for name, entry in recorded.inputs.items():
        present = now.inputs[name]
        if isinstance(present, Upstream):
            yield from _step_changes(name.removeprefix("results/"), entry, present)
        elif not _same(entry, present):
            kind = Kind.FOLDER if name.endswith("/") else Kind.DATA
            how = How.CHANGED if entry and present else How.MISSING if entry else How.NEW
            yield Change(kind, how, name, step)


def param_changes(step: str, recorded: Baseline, now: Now) -> Iterator[Change]:
    """Yield the groups of parameters that were edited in `params.json`."""
    for group in sorted(recorded.params.keys() | now.params.keys()):
        if recorded.params.get(group) != now.params.get(group):
            yield Change(Kind.PARAMS, How.CHANGED, group, step)


def ran_in_order(run: Run, cells: Sequence[Cell]) -> bool:
    """Return whether the kernel ran the cells once each, in order, and no others.

    For records of older versions, this is all that can be determined about a session.
    """
    codes = [cell.code for cell in cells]
    # the cell in which papermill sets parameters exists only in its copy of the notebook
    injected = run.parameters.keys() - codes
    return [code for code in run.cells if code not in injected] == codes


def fingerprint(recorded: Baseline, now: Now, content: str | None) -> str:
    """Return a hash that changes whenever a step, or one that it was made from, changes again.

    It covers what differs from the record, but no step names, so renaming a step has no effect.
    `content` is the hash of what the step has saved; None if it has saved nothing.
    """
    as_it_is = now.as_baseline(recorded)
    steps = [as_it_is.inputs[name] for name in now.inputs if name.startswith("results/")]
    files = {
        name: entry and entry.blake3
        for name, entry in as_it_is.inputs.items()
        if not name.startswith("results/")
    }
    return value_hash(
        [
            content,
            [code for code in as_it_is.cells or [] if code not in (recorded.cells or [])],
            as_it_is.parameters == recorded.parameters,
            {name: code for name, code in now.modules.items() if code != recorded.modules[name]},
            files,
            sorted(
                value_hash(entry and {"blake3": entry.blake3, "as_it_is": entry.as_it_is})
                for entry in steps
            ),
        ]
    )


def _cell_edits(notebook: str, recorded: Baseline, record: Record, now: Now) -> Iterator[Change]:
    codes = [cell.code for cell in now.cells]
    if record.accepted:
        fits = codes == recorded.cells
        reason = "cells were removed or moved"
    elif now.verdict is None:
        return
    else:
        fits = now.verdict.state == "clean"
        # if the session was clean when it was saved, it is unclean because the notebook changed
        fits |= now.verdict.state == "unclean" and not _was_clean(record)
        reason = now.verdict.reason
    if fits:
        return
    new = [cell for cell in now.cells if cell.code not in (recorded.cells or [])]
    for cell in new:
        yield Change(Kind.CELL, How.CHANGED, cell.first_line, notebook)
    if not new:
        yield Change(Kind.CELLS, How.CHANGED, reason, notebook)


def _was_clean(record: Record) -> bool:
    verdict = record.run.verdict if record.run else None
    return verdict is not None and verdict.state == "clean" and verdict.on_disk


def _step_changes(step: str, entry: InputEntry | None, present: Upstream) -> Iterator[Change]:
    if present.state == MISSING:
        yield from [Change(Kind.STEP, How.MISSING, step, step)] if entry else []
    elif entry is None:
        yield Change(Kind.STEP, How.NEW, step, step)
    elif present.state != DAMAGED and entry.as_it_is and entry == present.entry:
        return  # accepted as it is, whatever changed upstream of it
    elif present.changes:
        yield from present.changes
    elif present.entry and entry.blake3 != present.entry.blake3:
        yield Change(Kind.STEP, How.CHANGED, step, step)


def _entry(present: InputEntry | Upstream | None) -> InputEntry | None:
    return present.entry if isinstance(present, Upstream) else present


def _same(recorded: InputEntry | None, present: InputEntry | None) -> bool:
    """Return whether a raw file has the recorded content, whatever its modification time."""
    if recorded is None or present is None:
        return recorded is present
    return (recorded.bytes, recorded.blake3) == (present.bytes, present.blake3)
