"""What a run leaves that is not current: why, and what to do about it."""

from collections.abc import Mapping
from typing import NamedTuple

from ..lineage.changes import ABSENT, MISSING, STALE, UNVERIFIABLE
from ..lineage.states import State
from ..notebooks.graph import scripts_that_save
from ..project.chain import Step
from ..project.project import Project
from .schedule import Schedule
from .selection import Skipped


class Left(NamedTuple):
    """Steps that a run left not current, all for the same reason; `why` also says what to do."""

    steps: list[str]
    why: str

    def __str__(self) -> str:
        verb = "is" if len(self.steps) == 1 else "are"
        return f"{', '.join(self.steps)} {verb} not current: {self.why}"


def left(
    project: Project, schedule: Schedule, steps: list[Step], skipped: Mapping[str, Skipped]
) -> list[Left]:
    """Return what a run, which has ended, leaves not current, by the reason for it.

    `steps` are those that the run was about, with those of them that were `skipped`.
    """
    reasons: dict[str, str] = {}
    for step in steps:
        if schedule.state(step.name).state in (ABSENT, UNVERIFIABLE) or schedule.is_due(step.name):
            reasons[step.name] = _reason(project, schedule, step.name, skipped, reasons)
    steps_of: dict[str, list[str]] = {}
    for name, why in reasons.items():
        steps_of.setdefault(why, []).append(name)
    return [Left(names, why) for why, names in steps_of.items()]


def _reason(
    project: Project,
    schedule: Schedule,
    name: str,
    skipped: Mapping[str, Skipped],
    reasons: Mapping[str, str],
) -> str:
    """Return why a step is not current; `reasons` has those of the steps before it."""
    if name in skipped:
        return f"{skipped[name].reason}."
    root = schedule.blocked.get(name) or schedule.blocker(name)
    if root:
        return _reason_of_blocker(project, schedule, root, skipped, reasons)
    state = schedule.state(name)
    if state.state in (ABSENT, UNVERIFIABLE):
        return f"{_described(state)}."
    loads = [before for before in schedule.graph.loads[name] if before not in skipped]
    for before in loads if state.state == STALE else []:
        if before in reasons:
            return reasons[before]
    if any(schedule.is_due(before) for before in loads):
        return f"{_described(state)}. `checkpoint run` also runs the steps that it is made from."
    return (
        f"{_described(state)}. Run it again; if that does not help, its notebook changes what it "
        "is made from."
    )


def _reason_of_blocker(
    project: Project,
    schedule: Schedule,
    root: str,
    skipped: Mapping[str, Skipped],
    reasons: Mapping[str, str],
) -> str:
    """Return why a checkpoint that other steps load stays out of date."""
    whole, state = root.partition("/")[0], schedule.state(root)
    described = f"{root} is {_described(state)}"
    if whole in skipped:
        return f"{skipped[whole].reason}."
    if whole in reasons:
        return reasons[whole]
    if whole not in schedule.graph.loads:
        return f"{described}, and no notebook makes it. {_remedy(project, state)}"
    return (
        f"{described}, and its notebook ran without saving it. Load another, remove "
        f"results/{root}/, or accept it with `checkpoint accept {root} --why …`."
    )


def _described(state: State) -> str:
    reason = f" ({state.reasons[0]})" if state.reasons else ""
    return f"{state.state}{reason}"


def _remedy(project: Project, state: State) -> str:
    """Return how a step without a notebook is made again."""
    scripts = scripts_that_save(project, state.step)
    if scripts:
        names = " or ".join(project.show(path) for path in scripts)
        return f"Run {names}, which saves it, then `checkpoint run`."
    what = "Save it" if state.state == MISSING else "Save it again, or accept it"
    return f"{what}, then `checkpoint run`; nothing in scripts/ or src/ saves it by this name."
