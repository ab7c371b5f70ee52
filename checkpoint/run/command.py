"""Steps that do not call `save`: run a command, such as an R script, and save what it writes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CheckpointError
from ..notebooks.recipe import OUTPUT, Recipe
from ..project.chain import Step
from ..project.group import explained, make_folder
from ..project.project import FAILED_LOG, Project
from ..project.settings import FILE
from ..storage import writers
from ..storage.outputs import captured
from ..storage.schema import RECORD

PATIENCE = 2  # seconds for the workers of a command to notice that it has ended
LINES = 15  # lines of its log in the message about a failed command


async def run_command(
    project: Project, step: Step, recipe: Recipe, say: Callable[[str], None]
) -> None:
    """Run the command of a step at the top of the project, and save what it wrote.

    `CHECKPOINT_OUTPUT` tells it where to write, and the project's Python is first on its `PATH`.
    `say` shows a line to the user.

    Raises
    ------
    CheckpointError
        If the command does not exist, fails or writes nothing; what it printed is in `failed.log`
        in the step's results.
    """
    words = recipe.entry.run
    folder = project.results_of(step.name)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    # the path of a script is relative to the project, where the command runs
    program = shutil.which(words[0], path=path) or shutil.which(str(project.root / words[0]))
    if program is None:
        there = (project.root / words[0]).is_file()
        what = "cannot be executed" if there else "is not installed here"
        todo = "Begin `run` with the program that runs it" if there else "Install it"
        raise CheckpointError(
            f"{step.name}: the command {words[0]!r} {what}. {todo}, or correct "
            f"`run` in pyproject.toml: [tool.checkpoint.steps.{step.name}].",
            step=step.name,
            found=words[0],
        )
    with explained():
        make_folder(folder)
    log = folder / FAILED_LOG
    with output(project, step, recipe, say) as staging:
        environment = {**os.environ, "PATH": path, OUTPUT: str(staging.absolute())}
        log.unlink(missing_ok=True)  # a command on another machine may still print into it
        with log.open("wb") as printed:
            process = subprocess.Popen(
                [program, *words[1:]],
                cwd=project.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=os.name != "nt",
            )
            try:
                # the event loop of a run cannot watch processes on Windows
                status = await asyncio.to_thread(process.wait)
            finally:
                _end(process)
        if status:
            raise CheckpointError(_failure(project, step, words, status, log), step=step.name)


@contextmanager
def output(
    project: Project, step: Step, recipe: Recipe, say: Callable[[str], None]
) -> Iterator[Path]:
    """Replace a step's checkpoint as `captured` does, and end other processes that write into it.

    Those are processes that a killed run left behind, and processes that the step started without
    waiting for them: they could change the files while these are hashed, and later. The caller
    must have locked the step (`alone`); `say` shows a line to the user.
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


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a command that is still running, except on Windows with all processes of its group."""
    if process.poll() is None:
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failure(project: Project, step: Step, words: list[str], status: int, log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    plain = "".join(c if c.isprintable() or c in "\t\n" else "\ufffd" for c in text)
    shown = "".join(f"\n  {line}" for line in plain.rstrip().split("\n")[-LINES:])
    how = f"failed with exit status {status}"
    if status < 0:
        how = f"was ended by {signal.Signals(-status).name}"
        how += ", perhaps because memory ran out" if status == -signal.SIGKILL else ""
    return f"{step.name}: `{' '.join(words)}` {how}; what it printed: {project.show(log)}{shown}"


def _refuse_later(project: Project, step: Step, recipe: Recipe) -> None:
    """Raise `CheckpointError` if a step loads one that runs later and was never made."""
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
