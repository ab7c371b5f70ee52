"""Whether results still fit their inputs and their notebook.

A step's record names its inputs by content and its cells and modules by the hash of their code.
Held against what is there now, they give a state and the reasons for it.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..errors import CheckpointDamagedError, CheckpointWarning, ProjectError
from ..notebooks import calls, notebook
from ..notebooks.graph import named_in
from ..notebooks.parameters import SET, assignments
from ..project.names import unportable
from ..project.project import Project
from ..storage import hashes, record, store
from ..storage.checkpoint import Checkpoint, results_in

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
    notes
        What else should be known of how they were made, in words.
    """

    step: str
    state: str
    reasons: list[str]
    clean: bool | None
    timestamp: str | None
    bytes: int
    notes: list[str]


class Lineage:
    """The states of a project's steps, each worked out once.

    Parameters
    ----------
    project
        The project.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._notebooks = {one.name: one.path for one in project.steps()}
        self._states: dict[str, State] = {}
        self._prints: dict[str, str] = {}
        self._contents: dict[str, str] = {}
        self._records: dict[str, dict[str, Any] | None] = {}
        self._broken: dict[str, str] = {}
        self._code: dict[str, list[str]] = {}
        self._unreadable: dict[str, str] = {}
        self._hashed: dict[str, list[tuple[str, str]]] = {}
        self._parts: list[str] | None = None

    def states(self) -> list[State]:
        """Return the state of every notebook's step, then of saved steps without a notebook."""
        folders = self.project.results.glob("*/" + store.RECORD)
        others = sorted({path.parent.name for path in folders} - self._notebooks.keys())
        steps = [*self._notebooks, *(name for name in others if not unportable(name))]
        return [self.state(step) for step in steps]

    def state(self, step: str) -> State:
        """Return the state of one step or sub-checkpoint."""
        self._inputs_first(step, self._states, self._work_out)
        return self._states[step]

    def present(self, step: str) -> record.Baseline:
        """Return what a step's results would be held against if they were made now.

        Its cells and parameters are those of the notebook; its inputs and modules those that it
        was made from, as they are now.
        """
        self._inputs_first(step, self._prints, self._fingerprint)
        return self._present(step)

    def _present(self, step: str) -> record.Baseline:
        made = self._record(step)
        known = record.baseline(made) if store.is_recorded(made) else self._named(step)
        there = [code for code, _ in self._cells(step)]
        return record.Baseline(
            there if known.cells is not None else None,
            {code: text for code, text in known.parameters.items() if code in there},
            {name: self._input_now(name, entry) for name, entry in known.inputs.items()},
            {module: hashes.module_hash(self.project.root / module) for module in known.modules},
            record.group_hashes(made or {}),
        )

    def _inputs_first(self, step: str, done: dict[str, Any], work: Callable[[str], Any]) -> None:
        """Do a work for a step after it was done for those that the step was made from.

        Without recursion: a chain may be longer than Python's stack.
        """
        pending, entered = [step], set()
        while pending:
            one = pending[-1]
            ahead = self._steps_loaded_by(one) if one not in entered else []
            entered.add(one)
            waiting = [other for other in ahead if other not in done.keys() | entered]
            pending += waiting
            if not waiting:
                pending.pop()
                if one not in done:
                    done[one] = work(one)

    def _steps_loaded_by(self, step: str) -> list[str]:
        made = self._record(step)
        inputs = record.baseline(made).inputs if store.is_recorded(made) else {}
        return [name for kind, _, name in map(_split, inputs) if kind == "results"]

    def _fingerprint(self, step: str) -> str:
        """Return what changes whenever a step, or one that it was made from, changes again.

        It is made of what is not as recorded, so that names of steps do not count: a step that is
        renamed is the same.
        """
        made, now = self._record(step), self._present(step)
        known = record.baseline(made) if store.is_recorded(made) else self._named(step)
        upstream, files = [], {}
        for name, entry in now.inputs.items():
            if name.startswith("results/"):
                upstream.append(entry)
            else:
                files[name] = entry and entry["blake3"]
        return hashes.value_hash(
            [
                None if self.state(step).state == MISSING else self._content(step),
                [code for code in now.cells or [] if code not in (known.cells or [])],
                now.parameters == known.parameters,
                {name: code for name, code in now.modules.items() if code != known.modules[name]},
                files,
                sorted(map(hashes.value_hash, upstream)),
            ]
        )

    def _named(self, step: str) -> record.Baseline:
        """Return what a step is made from by what its notebook names."""
        named = named_in(self._sources(step))
        inputs = [f"data/{file}" for file in named.files]
        inputs += [f"results/{loaded}" for loaded in named.steps if loaded != step]
        cells: list[str] | None = [] if step.partition("/")[0] in self._notebooks else None
        return record.Baseline(cells, {}, dict.fromkeys(inputs), {}, {})

    def _input_now(self, name: str, known: dict[str, Any] | None) -> dict[str, Any] | None:
        kind, _, rest = _split(name)
        if kind == "results":
            if self.state(rest).state == MISSING:
                return None
            return {"blake3": self._content(rest), "as_it_is": self._prints.get(rest)}
        path = self.project.root / name
        if name.endswith("/"):
            return {"blake3": hashes.listing_hash(path)} if path.is_dir() else None
        if not kind or not path.is_file():
            return None
        return known if known and hashes.is_still(path, known) else hashes.describe(path)

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
            return State(step, DAMAGED, [self._broken[step]], None, None, 0, [])
        if not store.is_recorded(made):
            # as `load` sees it: other files are nothing to go on with
            if made is not None or results_in(folder):
                return State(step, UNRECORDED, ["not made by save"], None, None, 0, [])
            return State(step, MISSING, [], None, None, 0, [])

        held_against = record.baseline(made)
        damage = list(self._damage(step, made, held_against))
        interruption = ["a save was cut short"] if store.is_interrupted(folder) else []
        edits = list(self._edits(step, held_against))
        changes = list(dict.fromkeys(self._changed_inputs(held_against)))
        found = ((DAMAGED, damage), (INTERRUPTED, interruption), (EDITED, edits), (STALE, changes))
        state = next((state for state, reasons in found if reasons), CURRENT)
        clean = self._is_clean(step, made)
        return State(
            step,
            state,
            [reason for _, reasons in found for reason in reasons],
            clean,
            made.get("timestamp"),
            sum(entry["bytes"] for entry in store.recorded_files(made).values()),
            list(self._notes(step, made, state, clean)),
        )

    def _damage(
        self, step: str, made: dict[str, Any], held_against: record.Baseline
    ) -> Iterator[str]:
        """Tell which files, or parameters, are not as they were saved."""
        folder = self.project.results_of(step)
        for file, entry in store.recorded_files(made).items():
            try:
                if not hashes.is_still(store.locate(folder, file), entry):
                    yield f"results/{step}/{file} is not what was saved"
            except FileNotFoundError:
                yield f"results/{step}/{file} is missing"
        yield from self._damaged_parts(step)
        saved = held_against.params
        found = record.group_hashes(made)
        for name in sorted(saved.keys() | found.keys()):
            if saved.get(name) != found.get(name):
                yield f"{name!r} in results/{step}/params.json was edited by hand"

    def _damaged_parts(self, step: str) -> Iterator[str]:
        """Tell which sub-checkpoints that other steps were made from are not as they were saved."""
        if self._parts is None:
            loaded = {name for other in self._notebooks for name in self._steps_loaded_by(other)}
            self._parts = sorted(name for name in loaded if "/" in name)
        for part in (part for part in self._parts if part.startswith(f"{step}/")):
            found = self.state(part)
            if found.state == DAMAGED:
                yield from found.reasons
            elif found.state == MISSING:
                yield f"results/{part} is missing"

    def _edits(self, step: str, held_against: record.Baseline) -> Iterator[str]:
        """Tell which cells and modules have another code than when the results were made."""
        name = step.partition("/")[0]
        where = f"notebooks/{name}.ipynb"
        self._sources(step)
        if name in self._unreadable:
            yield f"{where} cannot be read: {self._unreadable[name]}"
        elif held_against.cells is not None:
            for code, first_line in self._cells(step):
                if code not in held_against.cells:
                    yield f"cell `{first_line}` of {where} changed"
            ours = [text for text in held_against.parameters.values() if text.startswith(SET)]
            if ours and not any(source.startswith(SET) for source in self._sources(step)):
                lines = ", ".join(assignments(ours[-1]))
                yield f"the cell that set {lines} in {where} is gone"
        for module, known in held_against.modules.items():
            now = hashes.module_hash(self.project.root / module)
            if now != known:
                yield f"{module} changed" if now else f"{module} is gone"

    def _changed_inputs(self, held_against: record.Baseline) -> Iterator[str]:
        """Tell which inputs are others now, or would be if what made them ran again."""
        for name, entry in held_against.inputs.items():
            kind, _, rest = _split(name)
            if kind == "results":
                yield from self._changed_step(rest, entry)
            elif kind == "data" and name.endswith("/"):
                if self._input_now(name, entry) != entry:
                    yield f"{name} has other files"
            elif kind == "data":
                path = self.project.root / name
                if not path.is_file():
                    yield from [f"{name} is missing"] if entry else []
                elif not entry or not hashes.is_still(path, entry):
                    yield f"{name} changed"

    def _changed_step(self, step: str, entry: dict[str, Any] | None) -> Iterator[str]:
        upstream = self._states.get(step)
        if upstream is None:
            return  # it loads, however indirectly, the step that is being worked out
        if upstream.state == MISSING:
            yield from [f"results/{step} is missing"] if entry else []
        elif entry is None:
            yield f"results/{step} was made again"
        elif upstream.state != DAMAGED and "as_it_is" in entry and self._as_accepted(step, entry):
            return
        elif upstream.state in (STALE, EDITED, DAMAGED):
            yield from upstream.reasons
        elif self._content(step) != entry["blake3"]:
            yield f"results/{step} was made again, with another result"

    def _as_accepted(self, step: str, entry: dict[str, Any]) -> bool:
        self._inputs_first(step, self._prints, self._fingerprint)
        return self._input_now(f"results/{step}", entry) == entry

    def _content(self, step: str) -> str:
        if step not in self._contents:
            made = self._record(step)
            files = {file: entry["blake3"] for file, entry in store.recorded_files(made).items()}
            self._contents[step] = (
                record.content_hash(made, files)
                if store.is_recorded(made)
                else Checkpoint(self.project, step).content_hash()
            )
        return self._contents[step]

    def _is_clean(self, step: str, made: dict[str, Any]) -> bool | None:
        run = made["checkpoint"].get("run", {})
        cells = [code for code, _ in self._cells(step)]
        readable = step.partition("/")[0] in self._notebooks.keys() - self._unreadable.keys()
        if "cells" not in run or not readable:
            return None
        # papermill's cell that sets parameters is in its copy of the notebook only
        besides = run.get("parameters", {}).keys() - cells
        ran = [code for code in run["cells"] if code not in besides]
        # a cell that was accepted is not the one that ran
        return ran == cells or (None if record.accepted(made) else False)

    def _notes(
        self, step: str, made: dict[str, Any], state: str, clean: bool | None
    ) -> Iterator[str]:
        # a cell that was edited since is not one that ran besides
        if clean is False and state != EDITED:
            yield "not a clean run: other cells ran, or in another order"
        there = [code for code, _ in self._cells(step)]
        for code, text in made["checkpoint"].get("run", {}).get("parameters", {}).items():
            if code not in there and state != EDITED:
                lines = ", ".join(assignments(text))
                yield f"ran with parameters that the notebook does not have: {lines}"
        for one in record.accepted(made):
            yield f"accepted on {one['date'][:10]}: {one['why']} ({'; '.join(one['reasons'])})"

    def _cells(self, step: str) -> list[tuple[str, str]]:
        """Return the hash and the first line of each code cell up to the one that saves `step`."""
        if step not in self._hashed:
            self._hashed[step] = self._hash_cells(step)
        return self._hashed[step]

    def _hash_cells(self, step: str) -> list[tuple[str, str]]:
        sources = self._sources(step)
        names = calls.imported(sources)
        # a save whose step is known only when it runs counts where none names the step
        saving = [i for i, source in enumerate(sources) if _saves(source, step, names)] or [
            i for i, source in enumerate(sources) if _saves(source, None, names)
        ]
        sources = sources[: saving[-1] + 1] if saving else sources
        coded = ((hashes.code_hash(source), source) for source in sources)
        return [(code, notebook.first_line(source)) for code, source in coded if code]

    def _sources(self, step: str) -> list[str]:
        """Return the code cells of a step's notebook; none where it cannot be read."""
        name = step.partition("/")[0]
        if name not in self._code:
            try:
                content = notebook.read_whole(self._notebooks[name])
                self._code[name] = notebook.sources(content)
            except KeyError:
                self._code[name] = []
            except ProjectError as error:
                self._code[name] = []
                self._unreadable[name] = str(error).removeprefix(f"{self._notebooks[name]} ")
        return self._code[name]


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


def _saves(source: str, step: str | None, names: dict[str, str]) -> bool:
    found = calls.calls(source, names) or []
    return any(call.function == "save" and call.argument == step for call in found)
