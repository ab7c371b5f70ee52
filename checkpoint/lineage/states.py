"""The state of each step: whether its results still match its inputs and notebook."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from ..notebooks.parameters import assignments
from ..project.project import Project
from ..storage import store, writers
from ..storage.environment import other_versions
from ..storage.opened import is_absent
from ..storage.parts import left_behind
from ..storage.schema import Baseline, InputEntry, Record
from ..watch.files import unwatched
from .changes import (
    ABSENT,
    CURRENT,
    DAMAGED,
    EDITED,
    INTERRUPTED,
    MAKES_STALE,
    MISSING,
    STALE,
    UNCLEAN,
    UNRECORDED,
    UNVERIFIABLE,
    Change,
    How,
    Kind,
    Now,
    Upstream,
    edits,
    fingerprint,
    input_changes,
    is_raw,
    param_changes,
    session_changes,
)
from .reasons import reason
from .snapshot import Snapshot, is_step

MANY = 5  # maximum number of parts that a note names


class State(NamedTuple):
    """The state of a step's results."""

    step: str
    # the first that applies: `damaged`, `interrupted`, `missing`, `unrecorded`, `absent`, `edited`,
    # `unclean`, `stale`, `unverifiable` or `current`; docs/guarantees.md says what each means
    state: str
    reasons: list[str]  # what changed, each naming the root: the notebook, raw file, cell or module
    clean: bool | None  # whether the session matches the notebook; None if unknown
    timestamp: str | None  # when it was saved
    bytes: int  # the size of its files, with those of its sub-checkpoints
    notes: list[str]  # further remarks on how they were made
    loads: list[str]  # the steps and sub-checkpoints that it is made from
    origin: str = ""  # `given` if the results were made elsewhere, or `accepted`


class Lineage:
    """The states of a project's steps at one moment, each determined once."""

    def __init__(self, project: Project) -> None:
        self._snapshot = Snapshot(project)
        self._examined: dict[str, _Examined] = {}

    def states(self) -> list[State]:
        """Return the state of every notebook's step, then of saved steps without a notebook."""
        return [self.state(step) for step in self._snapshot.steps()]

    def state(self, step: str) -> State:
        """Return the state of one step or sub-checkpoint."""
        return self._examine(step).state

    def changes(self, step: str) -> list[Change]:
        """Return the typed root changes that explain a step's state."""
        return self._examine(step).changes

    def record(self, step: str) -> Record | None:
        """Return the record of a step or sub-checkpoint; None if there is no readable one."""
        return self._snapshot.saved(step).record

    def is_run_alone(self, step: str) -> bool:
        """Return whether only `checkpoint run` makes a step: a command, or another language."""
        return self._snapshot.recipe(step) is not None

    def is_empty(self, step: str) -> bool:
        """Return whether a step has no results, and its notebook no code that could make any."""
        here = self._snapshot
        missing = self.state(step).state == MISSING and step in here.notebooks
        return missing and not here.unreadable(step) and not any(here.sources(step))

    def to_run(self, step: str) -> list[str]:
        """Return the steps to run, in this order, to make a step current."""
        self._examine(step)
        whole = step.partition("/")[0]
        due = {
            name.partition("/")[0]
            for name, examined in self._examined.items()
            if examined.state.state in (*MAKES_STALE, MISSING)
        }
        notebooks = [step.name for step in self._snapshot.project.steps()]
        return [name for name in notebooks if name == whole or name in due]

    def present(self, step: str) -> Baseline:
        """Return the baseline that a step's results would have if they were made now.

        It contains the cells of the notebook, and the current content of the inputs and modules
        that the step was made from.
        """
        examined = self._examine(step)
        return examined.now.as_baseline(examined.recorded)

    def _examine(self, step: str) -> "_Examined":
        with unwatched():
            for upstream in self._upstream_first(step):
                self._examined[upstream] = _Examined(self._snapshot, upstream, self._examined)
        return self._examined[step]

    def _upstream_first(self, step: str) -> Iterator[str]:
        """Yield the steps that have not been examined, each after its dependencies.

        This avoids recursion, since a chain may be longer than Python's stack; steps that load
        each other in a cycle are yielded once each.
        """
        pending, entered = [step], set[str]()
        while pending:
            name = pending[-1]
            if name not in entered:
                entered.add(name)
                needed = [*self._snapshot.inputs(name), *self._snapshot.parts(name)]
                waiting = [s for s in needed if s not in self._examined and s not in entered]
                if waiting:
                    pending += waiting
                    continue
            pending.pop()
            if name not in self._examined:
                yield name


class _Examined:
    """A step whose record was compared with the current state."""

    def __init__(self, snapshot: Snapshot, step: str, others: dict[str, "_Examined"]) -> None:
        self._snapshot = snapshot
        self._others = others
        self.step = step
        self.recorded = snapshot.baseline(step)
        self.changes: list[Change] = []
        self.outdating: list[Change] = []  # those that make downstream steps stale
        self.state = self._state()

    @cached_property
    def now(self) -> Now:
        """What the step would be made from if it were run now."""
        snapshot, record = self._snapshot, self._snapshot.saved(self.step).record
        return Now(
            snapshot.cells(self.step),
            snapshot.unreadable(self.step),
            snapshot.has_set_cell(self.step),
            snapshot.verdict(self.step, record) if record and not record.given else None,
            {name: self._input_now(name, entry) for name, entry in self.recorded.inputs.items()},
            {module: snapshot.module_now(self.step, module) for module in self.recorded.modules},
            snapshot.saved(self.step).params,
        )

    @cached_property
    def entry(self) -> InputEntry | None:
        """The step as an input of others; None if it has nothing that could be loaded."""
        saved = self._snapshot.saved(self.step)
        content = self._snapshot.content(self.step) if saved.record or saved.by_hand else None
        as_it_is = fingerprint(self.recorded, self.now, content)
        return InputEntry(content, as_it_is=as_it_is) if content else None

    def _input_now(self, name: str, recorded: InputEntry | None) -> InputEntry | Upstream | None:
        if not is_step(name):
            record = self._snapshot.saved(self.step).record
            return self._snapshot.input_now(name, recorded, record.timestamp if record else "")
        upstream = self._others.get(name.removeprefix("results/"))
        if upstream is None:
            return recorded  # a cycle: it loads, perhaps indirectly, the step being examined
        return Upstream(upstream.state.state, upstream.outdating, upstream.entry)

    def _state(self) -> State:
        saved = self._snapshot.saved(self.step)
        if saved.broken:
            self.outdating = [Change(Kind.RECORD, How.CHANGED, saved.broken, self.step)]
            return self._without_record(DAMAGED, *self.outdating)
        if saved.by_hand:
            return self._without_record(UNRECORDED, Change(Kind.ORIGIN, How.CHANGED, "", self.step))
        if saved.record is None:
            if why := self._snapshot.unreadable(self.step):
                change = Change(Kind.NOTEBOOK, How.CHANGED, why, self.step)
                return self._without_record(MISSING, change)
            if self._snapshot.is_foreign(self.step):
                change = Change(Kind.FOREIGN, How.MISSING, "", self.step)
                return self._without_record(MISSING, change)
            return self._without_record(MISSING)

        damage = list(self._damage(saved.record))
        absence = self._absence(saved.record, damage)
        cut_short = store.is_interrupted(self._snapshot.folder(self.step))
        of_parts = list(self._changes_of_parts())
        inputs = dict.fromkeys([*input_changes(self.step, self.recorded, self.now), *of_parts])
        gone = [change for change in inputs if is_raw(change) and change.how is How.MISSING]
        groups = {
            DAMAGED: [] if absence else damage,
            INTERRUPTED: [Change(Kind.SAVE, How.CHANGED, "", self.step)] if cut_short else [],
            ABSENT: absence,
            EDITED: list(edits(self.step, self.recorded, saved.record, self.now)),
            UNCLEAN: list(session_changes(self.step, saved.record, self.now)),
            STALE: [change for change in inputs if change not in gone],
            UNVERIFIABLE: gone,
        }
        state = next((state for state, changes in groups.items() if changes), CURRENT)
        every = (change for changes in groups.values() for change in changes)
        self.changes = list(dict.fromkeys(every))
        self.outdating = [change for state in MAKES_STALE for change in groups[state]]
        return State(
            self.step,
            state,
            list(dict.fromkeys(reason(c, self._snapshot.shown) for c in self.changes)),
            self._clean(saved.record),
            saved.record.timestamp or None,
            self._bytes(saved.record),
            list(self._notes(saved.record, state)),
            self._snapshot.inputs(self.step),
            "given" if saved.record.given else "accepted" if saved.record.accepted else "",
        )

    def _bytes(self, record: Record) -> int:
        names = self._snapshot.inside(self.step)
        parts = [self._snapshot.saved(name).record for name in names]
        every = (entry for saved in (record, *parts) if saved for entry in saved.files.values())
        return sum(entry.bytes for entry in every)

    def _without_record(self, state: str, *changes: Change) -> State:
        self.changes = list(changes)
        reasons = [reason(change, self._snapshot.shown) for change in self.changes]
        loads = self._snapshot.inputs(self.step)
        notes = [*self._begun(), *self._left_running()] if state == MISSING else []
        return State(self.step, state, reasons, None, None, 0, notes, loads)

    def _begun(self) -> Iterator[str]:
        """Yield a note on the parts that an unfinished loop saved."""
        inside = self._snapshot.inside(self.step) if "/" not in self.step else []
        records = {part: self._snapshot.saved(part).record for part in inside}
        parts = [
            part.partition("/")[2] for part, record in records.items() if record and record.looped
        ]
        if parts:
            verb = "part of it is" if len(parts) == 1 else "parts of it are"
            yield f"{len(parts)} {verb} saved, {_named(parts)}; its loop did not end"

    def _left_running(self) -> Iterator[str]:
        """Yield notes on the processes left by a killed run; Python kernels end by themselves."""
        folder = self._snapshot.folder(self.step)
        if self._snapshot.recipe(self.step) and folder.is_dir() and store.is_interrupted(folder):
            for process in writers.left_running(folder):
                name = writers.described(process)
                yield f"{name} of a run that was killed still runs; `checkpoint run` ends it"

    def _damage(self, record: Record) -> Iterator[Change]:
        yield from self._snapshot.damage(self.step, record)
        listed = self._snapshot.listed(self.step)
        for part in self._snapshot.parts(self.step):
            examined = self._others.get(part)
            if examined and examined.state.state == DAMAGED:
                yield from examined.changes
            elif listed and part not in listed:
                continue  # no longer in the loop, which matters only to steps that loaded it
            elif examined and examined.state.state == MISSING:
                yield Change(Kind.PART, How.MISSING, part, self.step)
        yield from param_changes(self.step, self.recorded, self.now)

    def _changes_of_parts(self) -> Iterator[Change]:
        """Yield why parts that a loop made changed since the step was saved, or are not current."""
        for part, content in self._snapshot.listed(self.step).items():
            examined = self._others.get(part)
            if examined is None or examined.state.state == MISSING:
                continue  # counts as damage
            if examined.state.state in (EDITED, UNCLEAN, STALE, UNVERIFIABLE, UNRECORDED):
                yield from examined.changes
            elif examined.entry is None or examined.entry.blake3 != content:
                yield Change(Kind.PART, How.CHANGED, part, self.step)

    def _absence(self, record: Record, damage: list[Change]) -> list[Change]:
        """Return one change if only files that git ignores are missing, of it or of its parts."""
        if not damage:
            names = [*self._snapshot.listed(self.step)] or self._snapshot.parts(self.step)
            parts = [self._others[name] for name in names if name in self._others]
            absent = [part for part in parts if part.state.state == ABSENT]
            changes = [change for part in absent for change in part.changes]
            return [change for change in changes if change.kind is Kind.LARGE][:1]
        gone = all(change.how is How.MISSING for change in damage)
        if not gone or not is_absent(self._snapshot.folder(self.step), record):
            return []
        return [Change(Kind.LARGE, How.MISSING, damage[0].name, self.step)]

    def _clean(self, record: Record) -> bool | None:
        verdict = self.now.verdict
        if verdict is None or self.now.unreadable:
            return None
        return verdict.state == "clean" or (None if record.accepted else False)

    def _notes(self, record: Record, state: str) -> Iterator[str]:
        if given := record.given:
            yield f"given by {given.by} on {given.date[:10]} ({given.source})"
        codes = [cell.code for cell in self.now.cells]
        for code, source in (record.run.parameters if record.run else {}).items():
            if code not in codes and state != EDITED and not record.given:
                lines = ", ".join(assignments(source))
                yield f"ran with parameters that the notebook does not have: {lines}"
        if state == INTERRUPTED:
            yield from self._left_running()
        listed = self._snapshot.listed(self.step)
        examined = [part for part in listed if part in self._others]
        others = [part for part in examined if self._others[part].state.state != CURRENT]
        if others:
            names = _named([part.partition("/")[2] for part in others])
            current = len(listed) - len(others)
            yield f"{current} of {len(listed)} parts are current, not {names}"
        if "/" not in self.step and (parts := self._snapshot.inside(self.step)):
            for part in left_behind(self._snapshot.project, self.step, parts):
                yield f"results/{part} is from an earlier run; the last one did not save it"
        for entry in record.accepted:
            yield f"accepted on {entry.date[:10]}: {entry.why} ({'; '.join(entry.reasons)})"
        others_here = other_versions(record.environment) if record.environment else []
        if others_here and not self._snapshot.has_own_kernel(self.step):
            yield from others_here


def _named(parts: list[str]) -> str:
    """Return the names of parts, or the first few if there are many."""
    more = f" and {len(parts) - MANY} more" if len(parts) > MANY else ""
    return f"{', '.join(parts[:MANY])}{more}"
