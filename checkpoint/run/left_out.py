"""Which notebooks a run skips, which steps it leaves not current, why, and what to do."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..errors import ProjectError
from ..lineage.changes import ABSENT, MISSING, STALE, UNVERIFIABLE
from ..lineage.states import State
from ..notebooks import notebook
from ..notebooks.graph import is_foreign, saved_in, saving_cell, scripts_that_save
from ..notebooks.recipe import makes_nothing
from ..project.chain import Step
from ..project.project import Project
from .schedule import Schedule


class Skipped(NamedTuple):
    """A notebook that is not run."""

    step: Step
    reason: str  # why, and what to do, as a sentence without its full stop
    # whether it is a step, whose results are then not renewed; False for, e.g., a copy that saves
    # as another step or notes without code
    has_results: bool


def skipped(project: Project, steps: Iterable[Step]) -> dict[str, Skipped]:
    """Return those of the steps whose notebooks are not run, by name."""
    skips = {step.name: _skipped(project, step) for step in steps}
    return {name: skip for name, skip in skips.items() if skip}


class Left(NamedTuple):
    """Steps that a run left not current for the same reason; `why` also says what to do."""

    steps: list[str]
    why: str

    def __str__(self) -> str:
        verb = "is" if len(self.steps) == 1 else "are"
        return f"{', '.join(self.steps)} {verb} not current: {self.why}"


def left(schedule: Schedule, steps: list[Step], skips: Mapping[str, Skipped]) -> list[Left]:
    """Return the steps that are not current after a run, grouped by the reason.

    `steps` are the steps that were to run, including the skipped ones, which are in `skips`.
    """
    reasons: dict[str, str] = {}
    for step in steps:
        if schedule.state(step.name).state in (ABSENT, UNVERIFIABLE) or schedule.is_due(step.name):
            reasons[step.name] = _reason(schedule, step.name, skips, reasons)
    steps_of: dict[str, list[str]] = {}
    for name, why in reasons.items():
        steps_of.setdefault(why, []).append(name)
    return [Left(names, why) for why, names in steps_of.items()]


def unrunnable(project: Project, skips: Mapping[str, Skipped]) -> list[Left]:
    """Return the steps that a run would leave not current; an empty list if it would run any."""
    runnable = [step for step in project.steps() if step.name not in skips]
    schedule = Schedule(project, runnable, set(), skips)
    return [] if schedule.next(()) else left(schedule, runnable, skips)


def _skipped(project: Project, step: Step) -> Skipped | None:
    if step.is_script:
        return None
    where = project.show(step.path)
    try:
        content = notebook.read_whole(step.path)
    except ProjectError as error:
        return Skipped(step, f"{where} {str(error).removeprefix(f'{step.path} ')}", True)
    sources = [source for source in notebook.sources(content) if source]
    if not sources:
        return Skipped(step, f"{where} has no code, so it makes no results", False)
    if notebook.language(content) != "python":
        if not makes_nothing(project, step, sources):
            return None  # `run` saves what it writes
        asked = notebook.kernel(content) or notebook.language(content)
        reason = (
            f"{where}, which asks for the kernel {asked!r}, is not adopted: it neither loads "
            "checkpoints nor writes into the folder that CHECKPOINT_OUTPUT names"
        )
        return Skipped(step, reason, False)
    saved = saved_in(sources)
    if not saved and not scripts_that_save(project):  # a helper function may save
        if is_foreign(sources):
            reason = f"{where} is not adopted: it neither loads nor saves checkpoints"
            return Skipped(step, reason, False)
        reason = f'{where} never calls save; let its last cell call save("{step.name}", …)'
        return Skipped(step, reason, True)
    names = [name for name in saved if name]
    if None in saved or not names or step.name in (name.partition("/")[0] for name in names):
        return None
    other = names[0].partition("/")[0]
    if project.is_of_a_notebook(other) and not project.notebook(other).is_file():
        reason = (
            f"{where} saves as {names[0]!r}, and notebooks/{other}.ipynb does not exist; if you "
            f"renamed it, run `checkpoint rename {other} {step.name}`"
        )
        return Skipped(step, reason, True)
    reason = (
        f"{where} saves as {names[0]!r}, which would overwrite that step's results; let it save "
        f"as {step.name!r}"
    )
    return Skipped(step, reason, False)


def _reason(
    schedule: Schedule, name: str, skips: Mapping[str, Skipped], reasons: Mapping[str, str]
) -> str:
    """Return why a step is not current; `reasons` are those of the steps before it."""
    if name in skips:
        return f"{skips[name].reason}."
    root = schedule.blocked.get(name) or schedule.blocker(name)
    if root:
        return _reason_of_blocker(schedule, root, skips, reasons)
    state = schedule.state(name)
    if state.state in (ABSENT, UNVERIFIABLE):
        return f"{_described(state)}."
    loads = [before for before in schedule.graph.loads[name] if before not in skips]
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
    schedule: Schedule, root: str, skips: Mapping[str, Skipped], reasons: Mapping[str, str]
) -> str:
    """Return why a checkpoint that other steps load stays out of date."""
    whole, state = root.partition("/")[0], schedule.state(root)
    described = f"{root} is {_described(state)}"
    if whole in skips:
        return f"{skips[whole].reason}."
    if whole in reasons:
        return reasons[whole]
    if whole not in schedule.graph.loads:
        return f"{described}, and no notebook makes it. {_remedy(schedule.project, state)}"
    instead = f"load another, remove results/{root}/, or accept it with `checkpoint accept {root}"
    if _is_saved(schedule.project, root):
        return (
            f"{described}, but {whole} is {schedule.state(whole).state}. Run it again with "
            f"`checkpoint run --all {whole}`; if that does not save {root}, {instead} --why …`."
        )
    return f"{described}, and its notebook does not save it: {instead} --why …`."


def _is_saved(project: Project, part: str) -> bool:
    """Tell whether the code of its notebook or of a module is known to save a sub-checkpoint."""
    sources = notebook.sources(notebook.read_whole(project.notebook(part.partition("/")[0])))
    return saving_cell(sources, part) is not None or bool(scripts_that_save(project, part))


def _described(state: State) -> str:
    reason = f" ({state.reasons[0]})" if state.reasons else ""
    return f"{state.state}{reason}"


def _remedy(project: Project, state: State) -> str:
    """Return how to remake a step that has no notebook."""
    scripts = scripts_that_save(project, state.step)
    if scripts:
        names = " or ".join(project.show(path) for path in scripts)
        return f"Run {names}, which saves it, then `checkpoint run`."
    what = "Save it" if state.state == MISSING else "Save it again, or accept it"
    return f"{what}, then `checkpoint run`; nothing in scripts/ or src/ saves it by this name."
