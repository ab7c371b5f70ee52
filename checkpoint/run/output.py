"""The folder into which a command or another language writes, without what others write there."""

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CheckpointError, CheckpointValueError
from ..files import below
from ..notebooks.recipe import Recipe
from ..project.chain import Step
from ..project.project import EXECUTED, FAILED, FAILED_LOG, Project
from ..project.settings import FILE
from ..storage import writers
from ..storage.outputs import LOG, captured
from ..storage.schema import RECORD

OURS = (LOG, FAILED_LOG, FAILED, EXECUTED, RECORD)  # in the folder of a step
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
        _refuse_unfit(step, staging)


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


def _refuse_unfit(step: Step, staging: Path) -> None:
    """Raise where something was written that cannot be committed, or not on every system.

    Raises
    ------
    CheckpointValueError
        Naming it. The previous checkpoint stays.
    """
    seen: dict[str, str] = {}
    for path in below(staging):
        file = path.relative_to(staging).as_posix()
        folded = unicodedata.normalize("NFC", file).casefold()
        first = seen.setdefault(folded, file)
        if path.is_symlink():
            reason = "is a link"
        elif not path.is_file() and not path.is_dir():
            reason = "is neither a file nor a folder"
        elif folded in OURS and file != RECORD:
            reason = "is the name of a file that `checkpoint run` writes"
        elif first != file:
            reason = f"is the same file as {first!r} on Windows and macOS"
        else:
            continue
        raise CheckpointValueError(
            f"{step.name} wrote {file!r}, which {reason}.", step=step.name, file=file
        )
