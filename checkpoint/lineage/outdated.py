"""The note that `load` shows for a step that no longer matches its inputs or its cells."""

from pathlib import Path

from ..project.project import Project
from ..replay.verdict import REMEDY
from ..watch import cells
from .changes import EDITED, STALE, UNCLEAN
from .states import Lineage, State

# the step of a cell's first note on a cause, by project, execution count and cause
_told: dict[tuple[Path, int, str], str] = {}


def outdated(project: Project, step: str) -> tuple[str, str | None]:
    """Return the state of a step in words, and a note on what to do for the user who loads it.

    Returns
    -------
    str
        Its state and the reason: `stale (data/counts.csv changed)`.
    str or None
        A note; None if the step is not stale, edited or unclean. If a cell loads several steps
        with the same cause, only the first note explains it.
    """
    lineage = Lineage(project)
    state = lineage.state(step)
    reasons = [reason.removesuffix(f"; {REMEDY}") for reason in state.reasons]
    words = f"{state.state} ({'; '.join(reasons)})" if reasons else state.state
    if state.state not in (STALE, EDITED, UNCLEAN):
        return words, None
    shell = cells.running_shell()
    cause = project.root, shell.execution_count if shell else 0, reasons[0]
    first = _told.setdefault(cause, step)
    if first != step and len(reasons) == 1:
        return words, f"results/{step} is {state.state} for the same reason as results/{first}."
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    what = f"results/{step} is {state.state}: {reasons[0]}{more}."
    return words, f"{what} {_todo(project, lineage, state)}"


def _todo(project: Project, lineage: Lineage, state: State) -> str:
    steps = lineage.to_run(state.step)
    if not steps:
        return "No notebook makes it; `checkpoint status` shows more."
    if any(map(lineage.is_run_alone, steps)):
        return f"Run `checkpoint run {' '.join(steps)}`."
    names = [f"{name}.ipynb" for name in steps]
    if state.state == UNCLEAN:
        return f"Open {names[0]}, restart its kernel and run all cells."
    return f"Open and run {', then '.join(names)}."
