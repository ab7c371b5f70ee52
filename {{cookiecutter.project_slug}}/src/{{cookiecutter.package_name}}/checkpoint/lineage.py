"""Whether results still fit their inputs and their notebook.

A step's record names its inputs by content and its cells and modules by the hash of their code.
Held against what is there now, they give a state and the reasons for it.
"""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import calls, hashes, notebook, record, store
from .errors import CheckpointDamagedError, CheckpointWarning, ProjectError
from .names import unportable
from .project import Project
from .view import Checkpoint

CURRENT, STALE, EDITED, DAMAGED = "current", "stale", "edited", "damaged"
INTERRUPTED, MISSING, UNRECORDED = "interrupted", "missing", "unrecorded"


class State(NamedTuple):
    """What is known of a step's results.

    Attributes
    ----------
    step
        The step.
    state
        `current`, `stale` (an input changed), `edited` (code changed), `damaged`, `interrupted`,
        `missing`, or `unrecorded` for a folder that was filled by hand.
    reasons
        What changed, each naming the root: the notebook, raw file, cell or module.
    clean
        Whether the notebook's cells ran once each, in order, and no others; None if unknown.
    timestamp
        When it was saved.
    bytes
        The size of its files.
    """

    step: str
    state: str
    reasons: list[str]
    clean: bool | None
    timestamp: str | None
    bytes: int


class Lineage:
    """The states of a project's steps, each worked out once.

    Parameters
    ----------
    project
        The project.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._notebooks = {one.step: one.path for one in project.steps()}
        self._states: dict[str, State] = {}
        self._contents: dict[str, str] = {}
        self._records: dict[str, dict[str, Any] | None] = {}
        self._broken: dict[str, str] = {}

    def states(self) -> list[State]:
        """Return the state of every notebook's step, then of saved steps without a notebook."""
        folders = self.project.results.glob("*/" + store.RECORD)
        others = sorted({path.parent.name for path in folders} - self._notebooks.keys())
        return [self.state(step) for step in [*self._notebooks, *others]]

    def state(self, step: str) -> State:
        """Return the state of one step or sub-checkpoint."""
        # inputs first, without recursion: a chain may be longer than Python's stack
        pending, entered = [step], set()
        while pending:
            one = pending[-1]
            ahead = self._steps_loaded_by(one) if one not in entered else []
            entered.add(one)
            waiting = [other for other in ahead if other not in self._states.keys() | entered]
            pending += waiting
            if not waiting:
                pending.pop()
                self._states.setdefault(one, self._work_out(one))
        return self._states[step]

    def _steps_loaded_by(self, step: str) -> list[str]:
        made = self._record(step)
        inputs = made["checkpoint"].get("inputs", {}) if store.is_recorded(made) else {}
        return [name for kind, _, name in map(_split, inputs) if kind == "results"]

    def _record(self, step: str) -> dict[str, Any] | None:
        """Return a step's record, read once; a broken one as None, and why in `_broken`."""
        if step not in self._records:
            folder = self.project.results_of(step)
            store.recover(folder)
            try:
                self._records[step] = store.read_record(folder)
            except CheckpointDamagedError as error:
                self._records[step] = None
                self._broken[step] = f"results/{step}/{error}"
        return self._records[step]

    def _work_out(self, step: str) -> State:
        folder = self.project.results_of(step)
        made = self._record(step)
        if step in self._broken:
            return State(step, DAMAGED, [self._broken[step]], None, None, 0)
        if not store.is_recorded(made):
            by_hand = any(path.name[0] != "." for path in folder.glob("*") if path.is_file())
            if by_hand:
                return State(step, UNRECORDED, ["not made by save"], None, None, 0)
            return State(step, MISSING, [], None, None, 0)

        damage = list(self._damage(step, made))
        interruption = ["a save was cut short"] if store.is_interrupted(folder) else []
        edits = list(self._edits(step, made))
        changes = list(dict.fromkeys(self._changed_inputs(made["checkpoint"])))
        found = ((DAMAGED, damage), (INTERRUPTED, interruption), (EDITED, edits), (STALE, changes))
        return State(
            step,
            next((state for state, reasons in found if reasons), CURRENT),
            [reason for _, reasons in found for reason in reasons],
            self._is_clean(step, made["checkpoint"]),
            made.get("timestamp"),
            sum(entry["bytes"] for entry in store.recorded_files(made).values()),
        )

    def _damage(self, step: str, made: dict[str, Any]) -> Iterator[str]:
        """Tell which files, or parameters, are not as they were saved."""
        folder = self.project.results_of(step)
        for file, entry in store.recorded_files(made).items():
            try:
                if not hashes.is_still(store.locate(folder, file), entry):
                    yield f"results/{step}/{file} is not what was saved"
            except FileNotFoundError:
                yield f"results/{step}/{file} is missing"
        saved = made["checkpoint"].get("params", {})
        found = {name: hashes.value_hash(group) for name, group in record.groups_of(made).items()}
        for name in sorted(saved.keys() | found.keys()):
            if saved.get(name) != found.get(name):
                yield f"{name!r} in results/{step}/params.json was edited by hand"

    def _edits(self, step: str, made: dict[str, Any]) -> Iterator[str]:
        """Tell which cells and modules have another code than when the results were made."""
        ran = made["checkpoint"].get("run", {}).get("cells")
        if ran is not None:
            for code, first_line in self._cells(step):
                if code not in ran:
                    where = f"notebooks/{step.partition('/')[0]}.ipynb"
                    yield f"cell `{first_line}` of {where} changed"
        for module, code in made["checkpoint"].get("modules", {}).items():
            try:
                text = (self.project.root / module).read_text(encoding="utf-8")
            except FileNotFoundError:
                yield f"{module} is gone"
                continue
            if hashes.code_hash(text) != code:
                yield f"{module} changed"

    def _changed_inputs(self, ours: dict[str, Any]) -> Iterator[str]:
        """Tell which inputs are others now, or would be if what made them ran again."""
        for name, entry in ours.get("inputs", {}).items():
            kind, _, rest = _split(name)
            if kind == "results":
                yield from self._changed_step(rest, entry)
            elif kind == "data":
                try:
                    if not hashes.is_still(self.project.root / name, entry):
                        yield f"{name} changed"
                except FileNotFoundError:
                    yield f"{name} is missing"

    def _changed_step(self, step: str, entry: dict[str, Any]) -> Iterator[str]:
        upstream = self._states.get(step)
        if upstream is None:
            return  # it loads, however indirectly, the step that is being worked out
        if upstream.state == MISSING:
            yield f"results/{step} is missing"
        elif upstream.state in (STALE, EDITED, DAMAGED):
            yield from upstream.reasons
        elif self._content(step) != entry["blake3"]:
            yield f"results/{step} was made again, with another result"

    def _content(self, step: str) -> str:
        if step not in self._contents:
            self._contents[step] = Checkpoint(self.project, step).content_hash()
        return self._contents[step]

    def _is_clean(self, step: str, ours: dict[str, Any]) -> bool | None:
        ran = ours.get("run", {}).get("cells")
        cells = [code for code, _ in self._cells(step)]
        return None if ran is None or not cells else ran == cells

    def _cells(self, step: str) -> list[tuple[str, str]]:
        """Return the hash and the first line of each code cell up to the one that saves `step`."""
        path = self._notebooks.get(step.partition("/")[0])
        if path is None:
            return []
        try:
            content = notebook.read(path)
            cells = notebook.code_cells(content)
            names = calls.imported(notebook.sources(content))
        except (ProjectError, KeyError, TypeError):
            return []  # `check` says what is wrong with the notebook
        saving = [i for i, cell in enumerate(cells) if _saves(cell, step, names)]
        cells = cells[: saving[-1] + 1] if saving else cells
        coded = ((hashes.code_hash(notebook.source_of(cell)), cell) for cell in cells)
        return [(code, notebook.first_line(cell)) for code, cell in coded if code]


def warn_if_outdated(project: Project, step: str) -> None:
    """Warn in one line where results no longer fit their inputs or their notebook."""
    found = Lineage(project).state(step)
    if found.state in (STALE, EDITED):
        more = f" (and {len(found.reasons) - 1} more)" if len(found.reasons) > 1 else ""
        warnings.warn(
            f"results/{step} is {found.state}: {found.reasons[0]}{more}. "
            "`checkpoint status` shows what to run.",
            CheckpointWarning,
            stacklevel=3,
        )


def _split(name: str) -> tuple[str, str, str]:
    """Split the name of an input; one that was edited into no such name has no kind."""
    kind, slash, rest = name.partition("/")
    good = not any(map(unportable, rest.split("/"))) if kind == "results" else kind == "data"
    return (kind if good else "", slash, rest)


def _saves(cell: dict[str, Any], step: str, names: dict[str, str]) -> bool:
    found = calls.calls(notebook.source_of(cell), names) or []
    return any(call.function == "save" and call.argument == step for call in found)
