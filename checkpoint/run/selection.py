"""Which notebooks `run` and workflow managers run, and why others are skipped."""

from collections.abc import Iterable
from typing import NamedTuple

from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.graph import is_foreign, saved_in, scripts_that_save
from ..notebooks.recipe import makes_nothing
from ..project.chain import Step
from ..project.names import number_of
from ..project.project import Project


class Skipped(NamedTuple):
    """A notebook that is not run."""

    step: Step
    reason: str  # and what to do, as a sentence without its full stop
    # whether it is a step of its own, with results that are then not renewed; a copy that saves as
    # another step, and notes without code, are none
    has_results: bool


def skipped(project: Project, steps: Iterable[Step]) -> dict[str, Skipped]:
    """Return, by name, the steps among these whose notebooks are not run."""
    skips = {step.name: _skipped(project, step) for step in steps}
    return {name: skip for name, skip in skips.items() if skip}


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
            return None  # what it writes is saved
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
    if number_of(other) and not project.notebook(other).is_file():
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
