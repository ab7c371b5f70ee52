"""The folder into which a command or another language writes, without what others write there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CheckpointError
from ..notebooks.recipe import Recipe
from ..project.chain import Step
from ..project.project import Project
from ..project.settings import FILE
from ..storage import writers
from ..storage.outputs import captured
from ..storage.schema import RECORD

PATIENCE = 2  # seconds that workers of a command have to notice that it has ended


@contextmanager
def output(
    project: Project, step: Step, recipe: Recipe, say: Callable[[str], None]
) -> Iterator[Path]:
    """Replace a step's checkpoint as `captured` does, and end what else writes into its folder.

    That is what an earlier run left running when it was killed, and what the step has started and
    not waited for: its files would change while they are hashed, and afterwards.

    Parameters
    ----------
    project, step, recipe
        The step, which this process runs alone, and what it is made with.
    say
        Shows a line to the user.
    """
    folder = project.results_of(step.name)
    _refuse_later(project, step, recipe)
    for name in writers.end(writers.left_running(folder)):
        say(f"{step.name}: ended {name}, which an earlier run left when it was killed")
    with captured(project, step, recipe) as staging:
        try:
            yield staging
        except BaseException:
            writers.end(writers.writing_into([staging]))
            raise
        for name in writers.end(writers.writing_into([staging]), PATIENCE):
            say(f"{step.name}: ended {name}, which it had started and not waited for")


def _refuse_later(project: Project, step: Step, recipe: Recipe) -> None:
    """Raise where a step that runs later is loaded and was never made: it cannot come first."""
    places = {known.name: known.place for known in project.steps()}
    for loaded in recipe.loads:
        whole = loaded.partition("/")[0]
        is_later = places.get(whole, 0) > step.place
        if is_later and not (project.results_of(whole) / RECORD).exists():
            raise CheckpointError(
                f"{step.name} loads {loaded}, which runs after it. Correct `loads` of "
                f"[tool.checkpoint.steps.{step.name}] in {FILE}, or the order of the two.",
                step=step.name,
                found=loaded,
            )
