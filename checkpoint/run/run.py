"""Run the steps that are not current, in order or side by side, as `checkpoint run` does."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from functools import partial

from rich.console import Console

from ..errors import CheckpointError, ProjectError
from ..lineage.changes import CURRENT
from ..lineage.states import Lineage
from ..notebooks import notebook
from ..notebooks.graph import foreign
from ..notebooks.parameters import names_in
from ..project.chain import Step, step_of
from ..project.locks import alone, announced
from ..project.project import Project
from .kernels import Kernels
from .progress import Shown
from .schedule import Schedule


def run(
    project: Project,
    steps: list[str],
    *,
    out: Console,
    everything: bool = False,
    beginning: str | None = None,
    values: dict[str, str] | None = None,
    jobs: int = 1,
) -> None:
    """Execute notebooks; one that succeeds is written back with its outputs.

    Parameters
    ----------
    project
        The project.
    steps
        The steps to run, all if empty; in each case those that are not current when their turn
        comes, in the order of their numbers.
    out
        Where progress is shown: a bar on a terminal, lines elsewhere.
    everything
        Whether to run also what is current.
    beginning
        A step from which on to run everything, current or not.
    values
        Parameters to set, Python code by name. Notebooks that have them run also if they are
        current.
    jobs
        How many notebooks may run at a time; a notebook waits for those that it loads.

    Raises
    ------
    ProjectError
        If a step has no notebook, or no notebook has a parameter.
    CheckpointError
        If a cell fails; the message shows the cell and its error. What is running then is
        finished, and nothing else begun.
    KeyboardInterrupt
        On Ctrl-C, and with SIGTERM as its argument on that; no kernel is left running.
    """
    notebooks = project.select(steps)
    if beginning:
        (first,) = project.select([beginning])
        notebooks = [one for one in notebooks if one.number >= first.number]
        if not notebooks:
            raise ProjectError(f"None of {', '.join(steps)} is {first.name} or runs after it.")
    notebooks = _of_their_own(project, notebooks, steps, out)
    settings = _settings(notebooks, values or {})
    forced = set(settings)
    if everything or beginning:
        forced = {one.name for one in notebooks}
    lineage = Lineage(project)
    if not forced and all(lineage.state(one.name).state == CURRENT for one in notebooks):
        named = ", ".join(one.name for one in notebooks) if steps else "everything"
        out.print(f"Nothing to run: {named} {'are' if ', ' in named else 'is'} current.")
        return

    schedule = Schedule(project, notebooks, forced)
    # zmq needs a selector, which is not what Windows has by itself
    with (
        announced(project),
        Shown(out) as shown,
        asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner,
    ):
        try:
            runner.run(_Run(project, schedule, settings, shown).all(jobs))
        except asyncio.CancelledError:
            raise KeyboardInterrupt(signal.SIGTERM) from None


def _of_their_own(
    project: Project, notebooks: list[Step], steps: list[str], out: Console
) -> list[Step]:
    """Leave out, or refuse where they are named, notebooks that make no step of their own."""
    reasons = {one: reason for one in notebooks if (reason := foreign(project, one))}
    for one, reason in reasons.items():
        if one.name in map(step_of, steps):
            raise ProjectError(f"{reason}.")
        out.print(f"Not run: {reason}.")
    return [one for one in notebooks if one not in reasons]


def _settings(notebooks: list[Step], values: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return which parameters to set in which step."""
    if not values:
        return {}
    names = {one.name: names_in(notebook.read_whole(one.path)) for one in notebooks}
    known = sorted({name for found in names.values() for name in found})
    for name in values:
        if name not in known:
            raise ProjectError(
                f"--set {name}=…: no cell tagged `parameters` assigns {name}; there are "
                f"{', '.join(known) or 'none'}."
            )
    found = {
        step: {name: code for name, code in values.items() if name in assigned}
        for step, assigned in names.items()
    }
    return {step: settings for step, settings in found.items() if settings}


class _Run:
    def __init__(
        self,
        project: Project,
        schedule: Schedule,
        settings: dict[str, dict[str, str]],
        shown: Shown,
    ) -> None:
        self.project = project
        self.schedule = schedule
        self.settings = settings
        self.shown = shown
        self.kernels = Kernels(project)

    async def all(self, jobs: int) -> None:
        """Run the steps as their turns come, at most `jobs` at a time, until something fails."""
        _end_on_sigterm()
        running: dict[asyncio.Task[None], str] = {}
        failures: list[CheckpointError] = []
        try:
            while True:
                while not failures and len(running) < jobs:
                    step = self.schedule.next(running.values())
                    if step is None:
                        break
                    running[asyncio.create_task(self.one(step))] = step.name
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del running[task]
                    try:
                        task.result()
                    except CheckpointError as error:
                        failures.append(error)
        finally:
            await self.kernels.interrupt()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self.kernels.close()
        if failures:
            raise CheckpointError("\n\n".join(map(str, failures)))

    async def one(self, step: Step) -> None:
        """Run one step, while a kernel for the next one starts."""
        from .execute import execute

        start = time.monotonic()
        self.shown.begin(step.name)
        values = self.settings.get(step.name, {})
        kernel = await self.kernels.take()
        if self.schedule.waiting:
            self.kernels.prepare()
        try:
            with alone(self.project, step.name):
                await execute(
                    self.project, step, kernel, values, partial(self.shown.cell, step.name)
                )
        except (CheckpointError, OSError) as error:
            self.shown.failed(step.name)
            self.kernels.give_back(kernel)
            if isinstance(error, CheckpointError):
                raise
            where = self.project.show(step.path)
            raise CheckpointError(f"{where}: {error.strerror}: {error.filename}") from error
        self.kernels.give_back(kernel)
        state = Lineage(self.project).state(step.name)
        why = f"{state.state}: {state.reasons[0]}" if state.reasons else ""
        self.shown.done(step.name, time.monotonic() - start, why)
        if values:
            assignments = ", ".join(f"{name} = {code}" for name, code in values.items())
            self.shown.say(f"{step.name}: {assignments} stands in a cell below its parameters")


def _end_on_sigterm() -> None:
    """Take SIGTERM, by which a scheduler ends a job, as Ctrl-C is taken: the kernels end too."""
    task = asyncio.current_task()
    if os.name != "nt" and task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
