"""The loop over the parts of a step, such as samples, which saves a checkpoint for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from ..errors import CheckpointError, CheckpointValueError
from ..lineage.changes import CURRENT
from ..lineage.states import Lineage
from ..notebooks.calls import bound, imported
from ..notebooks.loops import carried, loop_in
from ..project.names import folded, is_reserved, unportable
from ..project.project import Project
from ..storage import clean, committed, session, store
from ..storage.checkpoint import Checkpoint
from ..storage.interrupts import Interrupts
from ..storage.kernel_run import in_session
from ..storage.parts import parts_of
from ..storage.saving import save_objects
from ..watch import cells, files
from .generators import snapshot
from .outside import Outside
from .tally import Tally

if TYPE_CHECKING:
    from ..storage.schema import Record


class Part:
    """One round of a loop over `parts`.

    Attributes
    ----------
    name
        Its name, as in the list.
    step
        Its sub-checkpoint: `1_qc/donor_3`.
    is_saved, is_over
        Whether it was saved in this round, and whether the round is over.
    """

    def __init__(self, loop: Loop, name: str) -> None:
        self.name = name
        self.step = f"{loop.step}/{name}"
        self.is_saved = False
        self.is_over = False
        self._loop = loop

    def __str__(self) -> str:
        return self.name  # for `f"{part}.h5"`

    def __repr__(self) -> str:
        return f"Part({self.step!r})"

    def data_file(self, name: str) -> Path:
        """Return the path of a raw file, as `data_file` does; it is an input of this part only."""
        path = self._loop.data_file(name)
        self._loop.own(self.name, f"data/{name}")
        return path

    def load(self, step: str) -> Checkpoint:
        """Open a checkpoint, as `load` does; it is an input of this part only."""
        checkpoint = self._loop.load(step)
        self._loop.own(self.name, f"results/{step}")
        return checkpoint

    def save(
        self, objects: Mapping[str, Any] | None = None, *, params: Mapping[str, Any] | None = None
    ) -> None:
        """Save the results of this part, atomically; the parameters are those of `save`."""
        self._loop.save(self, {} if objects is None else objects, params)


class Loop:
    """Iterates over the parts of a step, without those that are current."""

    def __init__(
        self,
        project: Project,
        step: str,
        names: Iterable[str],
        load: Callable[[str], Checkpoint],
        data_file: Callable[[str], Path],
        say: Callable[[str], None],
    ) -> None:
        self.project, self.step = project, step
        self.load, self.data_file = load, data_file  # as notebooks call them
        self.names = _checked(step, names)
        if not self.names:
            self._refuse_to_drop_all()
        self._say = say  # shows a line to the user
        self._own: set[str] = set()  # the names that the loop binds
        self._carries = ""  # why a part may depend on those before it

    def __iter__(self) -> Iterator[Part]:
        with files.unwatched():
            self._look_at_code()
            shell = cells.running_shell()
            self._outside = Outside(shell.user_ns if shell else {}, self._own)
            restore = snapshot(self._outside.objects())
            kept = set[str]() if self._carries else self._kept()
            tally = Tally(self.step, len(self.names), len(kept))
        try:
            for number, name in enumerate(self.names, 1):
                if name in kept:
                    session.skipped.add((self.project.root, self.step))
                    continue
                with files.unwatched():
                    tally.begin(number, name)
                restore()
                part = Part(self, name)
                files.enter(set())
                try:
                    yield part
                finally:
                    part.is_over = True
                with files.unwatched():
                    self._end_round(part)
                tally.end(name, part.is_saved)
        finally:
            restore()  # so that it does not matter for later cells which parts were made
            files.enter(None)
            with files.unwatched():
                tally.close()
        with files.unwatched():
            saved = [name for name in self.names if name not in tally.unsaved]
            self._finish(saved, tally.unsaved)

    def own(self, part: str, name: str) -> None:
        """Record that an input belongs to a part."""
        session.owners.setdefault((self.project.root, name.strip("/")), set()).add(part)

    def save(
        self, part: Part, objects: Mapping[str, Any], params: Mapping[str, Any] | None
    ) -> None:
        """Save a part, and record the inputs that it may depend on."""
        if part.is_over:
            raise CheckpointError(
                f"{part.step}: part.save was called after its round of the loop. Call it in the "
                "loop, without list(parts(…)) around it.",
                step=part.step,
            )
        self._look_at_variables()
        reads = self._names(files.scope or set()) | self._names(files.outside)

        def counts(name: str) -> bool:
            return bool(self._carries) or name.strip("/") in reads or not self._is_owned(name)

        amend = partial(structs.replace, looped=not self._carries)
        with Interrupts() as interrupts:
            notes = save_objects(
                self.project, part.step, objects, params, interrupts, counts=counts, amend=amend
            )
        part.is_saved = True
        for note in notes:
            self._say(f"Note: {part.name}: {note}")
        if interrupts.came:
            raise KeyboardInterrupt("Interrupted after the part was saved.")

    def _refuse_to_drop_all(self) -> None:
        """Raise if parts were saved and none is listed now; a disk may not be mounted."""
        saved = [record for record in parts_of(self.project, self.step).values() if record.looped]
        if saved:
            raise CheckpointValueError(
                f"parts got an empty list, for which all {len(saved)} parts of {self.step} would "
                f"be removed. Correct the list, or run `checkpoint clean {self.step}` first.",
                step=self.step,
                expected="names of parts",
                found=[],
            )

    def _is_owned(self, name: str) -> bool:
        """Tell whether an input, or a folder that contains it, belongs to a part."""
        place = name.strip("/")
        while place and (self.project.root, place) not in session.owners:
            place = place.rpartition("/")[0]
        return bool(place)

    def _names(self, places: set[str]) -> set[str]:
        return {session.name_of(self.project, place).strip("/") for place in places}

    def _look_at_code(self) -> None:
        """Find out whether a part can depend on those before it."""
        ran = cells.executions()
        loop = None
        if ran:
            names = imported([execution.source for execution in ran])
            loop = loop_in(ran[-1].source, names, self.step)
        if loop is None:
            self._depend(f'the running cell has no plain `for part in parts("{self.step}", …)`')
            return
        self._own = {node for part in (loop.target, *loop.body) for node in bound(part)}
        if handed_on := carried(loop):
            verb = "is" if len(handed_on) == 1 else "are"
            self._depend(f"{', '.join(handed_on)} {verb} carried on by the loop")

    def _look_at_variables(self) -> None:
        """Find out whether the loop has changed what the next part may use."""
        if not self._carries and (changed := self._outside.changed()):
            self._depend(f"the loop changes {', '.join(changed)}")

    def _depend(self, why: str) -> None:
        """Note, and say, that a part may depend on those before it."""
        self._carries = f"{self.step}: {why}"
        self._say(
            f"{self._carries}, so a part may depend on those before it: all are regenerated "
            "each time, and each has all inputs of those before it."
        )

    def _end_round(self, part: Part) -> None:
        """Look for changes since the part was saved, which the next one may use."""
        if self._carries:
            return
        self._look_at_variables()
        if self._carries and part.is_saved:
            folder = self.project.results_of(part.step)
            before = committed.record_bytes(folder)
            record = Lineage(self.project).record(part.step)
            if record:
                store.put_record(folder, structs.replace(record, looped=False), before)

    def _kept(self) -> set[str]:
        """Return the parts whose saved results are what the running notebook would make."""
        lineage = Lineage(self.project)
        ours = {name: lineage.record(f"{self.step}/{name}") for name in self.names}
        if any(record and not record.looped for record in ours.values()):
            return set()  # in that run, a part could depend on those before it
        running = in_session(self.project, f"{self.step}/·")
        return {
            name
            for name, record in ours.items()
            if record
            and _is_of(record, running)
            and lineage.state(f"{self.step}/{name}").state == CURRENT
        }

    def _finish(self, names: list[str], unsaved: list[str]) -> None:
        """Write the record of the step, and remove the parts that are no longer listed."""
        records = parts_of(self.project, self.step)
        looped = [place for place, record in records.items() if record.looped]
        if looped and not names:
            raise CheckpointError(
                f"{self.step}: the loop saved none of its parts, for which all {len(looped)} that "
                "were saved before would be removed. Call part.save in the loop, or run "
                f"`checkpoint clean {self.step}` first.",
                step=self.step,
            )
        hashes = {name: records[f"{self.step}/{name}"].content_hash for name in names}
        for place, record in records.items():
            if record.looped and place.removeprefix(f"{self.step}/") not in hashes:
                clean.clean([clean.whole(self.project, place)])

        outside = self._names(files.outside)

        def counts(name: str) -> bool:
            if name.startswith(f"results/{self.step}/"):
                return False
            return name.strip("/") in outside or not self._is_owned(name)

        amend = partial(structs.replace, parts=hashes)
        with Interrupts() as interrupts:
            save_objects(self.project, self.step, {}, None, interrupts, counts=counts, amend=amend)
        self._say(f"Saved to {self.project.address(self.project.results_of(self.step))}/")
        if unsaved:
            self._say(f"Note: The loop did not save {', '.join(unsaved)}.")
        if interrupts.came:
            raise KeyboardInterrupt("Interrupted after the results were saved.")


def _checked(step: str, names: Iterable[str]) -> list[str]:
    if isinstance(names, str) or not isinstance(names, Iterable) or hasattr(names, "columns"):
        what = f"the text {names!r}" if isinstance(names, str) else f"a {type(names).__name__}"
        raise CheckpointValueError(f"parts takes a list of names, got {what}", step=step)
    listed = list(names)
    first: dict[str, int] = {}
    for place, name in enumerate(listed):
        if not isinstance(name, str):
            raise CheckpointValueError(
                f"the name of a part must be a str, got {name!r}; give [str(name) for name in …]",
                step=step,
                found=name,
            )
        if reason := unportable(name) or ("is reserved" if is_reserved(name) else None):
            raise CheckpointValueError(f"part {name!r} {reason}", step=step)
        other = first.setdefault(folded(name), place)
        if other != place:
            same = f", as {listed[other]!r} on Windows and macOS" * (listed[other] != name)
            message = f"part {name!r} is listed twice{same}"
            raise CheckpointValueError(message, step=step, found=name)
    if "/" in step:
        raise CheckpointValueError(
            f"parts takes a step, got the sub-checkpoint {step!r}", step=step
        )
    return listed


def _is_of(record: Record, running: tuple[list[str], dict[str, str]] | None) -> bool:
    """Tell whether a part was made by the code that is running, with the same parameters."""
    run = record.run
    if running is None or run is None or run.verdict is None or run.verdict.state != "clean":
        return False
    return (run.verdict.notebook, run.parameters) == running
