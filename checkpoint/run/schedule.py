"""Which steps of a run are due, and in which order they run."""

from collections.abc import Collection

from ..errors import CheckpointValueError
from ..lineage.changes import (
    ABSENT,
    CURRENT,
    DAMAGED,
    EDITED,
    MISSING,
    STALE,
    UNCLEAN,
    UNVERIFIABLE,
)
from ..lineage.states import Lineage, State
from ..notebooks.graph import Graph, scripts_that_save
from ..project.chain import Step
from ..project.project import Project
from ..storage.parts import is_older, part_names

OUTDATED = (STALE, EDITED, DAMAGED, UNCLEAN)  # a step that loads one is made from wrong results


class Schedule:
    """The steps of a run that are waiting for their turn.

    States are cached until a step finishes; call `step_finished` after each step.

    Parameters
    ----------
    project, steps
        The project, and the steps to run, in running order.
    forced, skipped, named
        The names of the steps that run even if they are current, of those whose notebooks are not
        run, and of those that the user named.
    """

    def __init__(
        self,
        project: Project,
        steps: list[Step],
        forced: set[str],
        skipped: Collection[str] = (),
        named: Collection[str] = (),
    ) -> None:
        self.graph = Graph(project, lenient=True)
        self.waiting = {step.name: step for step in steps}
        self.blocked: dict[str, str] = {}  # steps not run, with the outdated one each loads
        self.project = project
        self._forced, self._skipped, self._named = forced, skipped, named
        self._lineage = Lineage(project)

    def step_finished(self) -> None:
        """Discard the cached states, since a step has finished."""
        self._lineage = Lineage(self.project)

    def state(self, name: str) -> State:
        """Return the state of a step or sub-checkpoint as it was when the last step finished."""
        return self._lineage.state(name)

    def next(self, running: Collection[str]) -> Step | None:
        """Remove and return the first step that can run while `running` run; None if none can.

        A step that is current when its turn comes is dropped. A step that would run on an outdated
        input which this run cannot renew is moved to `blocked`.
        """
        unfinished = {*running, *self.waiting}
        for name, step in list(self.waiting.items()):
            if unfinished.intersection(self.graph.loads[name]):
                continue
            if name not in self._forced and self.is_due(name) and (root := self.blocker(name)):
                if running:
                    continue  # a running step may lead to a new version of the outdated input
                self.blocked[name] = root
            del self.waiting[name]
            unfinished.discard(name)
            if name in self._forced or (name not in self.blocked and self.is_due(name)):
                return step
        return None

    def is_due(self, name: str) -> bool:
        """Tell whether a step has to run for its results to be current.

        This includes a current step if one of its sub-checkpoints that others load was saved later
        and is outdated: the last run ended between the two saves. A step whose files are absent
        has to run only if the user named it, or if a step that will run loads it.
        """
        whole = self.state(name)
        if whole.origin == "given" and name in self._named:
            return True
        if whole.state == ABSENT:
            return name in self._named or self._is_needed(name, set())
        return whole.state not in (CURRENT, UNVERIFIABLE) or any(
            self.state(part).state in OUTDATED and not self._is_older(part, name)
            for part in self._loaded_parts(name)
        )

    def _is_needed(self, name: str, seen: set[str]) -> bool:
        """Tell whether a step that will run loads this one, directly or through absent steps."""
        seen.add(name)
        for later in self.waiting.keys() - seen:
            if name in self.graph.loads[later] and (
                later in self._forced
                or (self._is_needed(later, seen) if self._is_absent(later) else self.is_due(later))
            ):
                return True
        return False

    def _is_absent(self, name: str) -> bool:
        return self.state(name).state == ABSENT and name not in self._named

    def blocker(self, name: str) -> str | None:
        """Return the first checkpoint that a step loads and that stays out of date in this run.

        This is a step without a notebook, for example one that a script saves; a step whose
        notebook is skipped or blocked; or a sub-checkpoint that its notebook no longer saves.
        """
        loaded = [*self._loaded(name), *self._loaded_again(name)]
        return next(filter(self._stays_outdated, loaded), None)

    def _stays_outdated(self, loaded: str) -> bool:
        whole = loaded.partition("/")[0]
        state = self.state(loaded).state
        has_notebook = whole in self.graph.loads
        if has_notebook and whole not in self._skipped and whole not in self.blocked:
            dropped = "/" in loaded and whole not in self.waiting and not self.is_due(whole)
            return dropped and state in OUTDATED
        if state == MISSING:  # the load may be optional, unless something is known to save it
            return has_notebook or bool(scripts_that_save(self.project, loaded))
        return state in (*OUTDATED, ABSENT)

    def _is_older(self, part: str, whole: str) -> bool:
        saved, saved_whole = self._lineage.record(part), self._lineage.record(whole)
        return not (saved and saved_whole) or is_older(saved, saved_whole)

    def _loaded(self, name: str) -> list[str]:
        """Return the other steps and sub-checkpoints that a step loads by name."""
        return [
            loaded
            for loaded in self.graph.named[name]
            if loaded.partition("/")[0] != name and self._is_name(loaded)
        ]

    def _loaded_again(self, name: str) -> list[str]:
        """Return the sub-checkpoints that fully explain why a step is stale, under any name."""
        changes = set(self._lineage.changes(name))
        return [
            loaded
            for loaded in self.state(name).loads
            if "/" in loaded and changes and changes <= set(self._lineage.changes(loaded))
        ]

    def _is_name(self, loaded: str) -> bool:
        try:
            self.project.results_of(loaded)
        except CheckpointValueError:
            return False  # `load` will say what is wrong with it
        return True

    def _loaded_parts(self, name: str) -> list[str]:
        """Return the saved sub-checkpoints of a step that other steps load, or may load."""
        parts = part_names(self.project, name)
        if self.graph.computed - {name}:
            return parts
        named = {
            loaded for other, names in self.graph.named.items() if other != name for loaded in names
        }
        every = tuple(loaded for loaded in named if loaded.endswith("/"))
        return [part for part in parts if part in named or part.startswith(every)]
