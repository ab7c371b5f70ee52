"""Run the steps that are not current, in order or in parallel, as `checkpoint run` does."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from rich.console import Console

from ..errors import CheckpointError, ProjectError
from ..notebooks import notebook
from ..notebooks.parameters import names_in
from ..notebooks.recipe import recipe_of
from ..project import servers
from ..project.chain import Step, step_of
from ..project.locks import alone, announced
from ..project.project import Project
from .command import output, run_command
from .kernels import Kernels, refuse_missing
from .left_out import Left, left, skipped
from .progress import RunProgress
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
) -> list[Left]:
    """Execute notebooks and write each that succeeds back with its outputs.

    Parameters
    ----------
    project
        The project.
    steps
        The steps to run, or their sub-checkpoints; all if empty. Each runs in the order of the
        chain, unless it is current when its turn comes.
    out
        Where progress is shown: a bar on a terminal, lines elsewhere.
    everything
        Whether to run steps that are current, too.
    beginning
        If given, run only this step and those after it, current or not.
    values
        Parameters to set, as Python code by name. Notebooks that have them run even if they are
        current.
    jobs
        How many notebooks may run at a time; a notebook waits for those that it loads.

    Returns
    -------
    list of Left
        The steps that are still not current, by reason.

    Raises
    ------
    ProjectError
        If a step has no notebook or its notebook cannot be run, or no notebook has a parameter.
    CheckpointError
        If a cell fails; the message shows the cell and its error. Notebooks that are running
        then finish, and no others start.
    KeyboardInterrupt
        On Ctrl-C, and on SIGTERM or SIGHUP, with the signal as argument; no kernel is left running.
    """
    steps = [step_of(step).partition("/")[0] for step in steps]  # a part is made by its notebook
    selected = _selected(project, steps, beginning)
    skips = skipped(project, project.steps())
    for step in selected:
        if step.name in skips and step.name in steps:
            raise ProjectError(f"{skips[step.name].reason}.", step=step.name)
    runnable = [step for step in selected if step.name not in skips]
    settings = _settings(runnable, values or {})
    forced = {step.name for step in runnable} if everything or beginning else set(settings)
    schedule = Schedule(project, runnable, forced, skips, named=set(steps))
    not_run = [skips[step.name] for step in selected if step.name in skips]
    unmade = [skip.step for skip in not_run if skip.has_results and schedule.is_due(skip.step.name)]
    for skip in not_run:
        if skip.step in unmade or not skip.has_results:
            out.print(f"Not run: {skip.reason}.")
    due = [step for step in runnable if step.name in forced or schedule.is_due(step.name)]
    refuse_missing(project, [step for step in due if not step.is_script])
    if due:
        _execute(schedule, settings, jobs, out)
    about = [step for step in selected if step in [*runnable, *unmade]]
    others = left(schedule, about, skips)
    if not due:
        current = _what_is_current(runnable if steps else [], others, bool(not_run))
        out.print(f"Nothing to run{current}.")
    return others


def _what_is_current(named: list[Step], others: list[Left], some_not_run: bool) -> str:
    """Return what to say of the current steps if a run ran nothing; `others` are not current."""
    apart = {name for each in others for name in each.steps}
    current = [step.name for step in named if step.name not in apart]
    if named and not current:
        return ""
    all_of_them = "everything else" if apart or some_not_run else "everything"
    what = ", ".join(current) or all_of_them
    return f": {what} {'are' if len(current) > 1 else 'is'} current"


def _selected(project: Project, steps: list[str], beginning: str | None) -> list[Step]:
    """Return the named steps, or all if none is named, from `beginning` on."""
    selected = project.select(steps)
    if beginning:
        (first,) = project.select([beginning])
        selected = [step for step in selected if step.place >= first.place]
        if not selected:
            raise ProjectError(
                f"None of {', '.join(steps)} is {first.name} or runs after it.", step=first.name
            )
    return selected


def _settings(steps: list[Step], values: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the parameters to set in each step whose notebook assigns any of them."""
    if not values:
        return {}
    notebooks = [step for step in steps if not step.is_script]
    assigned = {step.name: names_in(notebook.read_whole(step.path)) for step in notebooks}
    known = sorted({name for names in assigned.values() for name in names})
    for name in values:
        if name not in known:
            raise ProjectError(
                f"--set {name}=…: no cell tagged `parameters` assigns {name}; there are "
                f"{', '.join(known) or 'none'}.",
                key=name,
                expected=known,
                found=name,
            )
    settings = {
        step: {name: code for name, code in values.items() if name in names}
        for step, names in assigned.items()
    }
    return {step: codes for step, codes in settings.items() if codes}


def _execute(
    schedule: Schedule, settings: Mapping[str, Mapping[str, str]], jobs: int, out: Console
) -> None:
    # zmq needs a selector, which is not the default event loop on Windows
    with (
        announced(schedule.project),
        RunProgress(out) as progress,
        asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner,
    ):
        run = _Run(schedule, settings, progress)
        try:
            runner.run(run.all(jobs))
        except asyncio.CancelledError:
            raise KeyboardInterrupt(run.ended_by) from None
        finally:
            if steps := sorted(run.rewritten, key=lambda step: step.place):
                names = [step.path.name for step in steps]
                shown = ", ".join(run.project.show(step.path) for step in steps)
                out.print(f"Rewrote {shown}.")
                out.print(servers.advice(run.project, names, servers.RELOAD))


class _Run:
    def __init__(
        self,
        schedule: Schedule,
        settings: Mapping[str, Mapping[str, str]],
        progress: RunProgress,
    ) -> None:
        self.project, self.schedule = schedule.project, schedule
        self.settings, self.progress = settings, progress
        self.kernels = Kernels(self.project)
        self.rewritten: list[Step] = []
        self.ended_by = signal.SIGTERM

    async def all(self, jobs: int) -> None:
        """Run the steps as their turns come, at most `jobs` at a time, until one fails."""
        self._cancel_on_signals()
        running: dict[asyncio.Task[None], str] = {}
        failures: list[CheckpointError] = []
        try:
            while True:
                while not failures and len(running) < jobs:
                    step = self.schedule.next(running.values())
                    if step is None:
                        break
                    running[asyncio.create_task(self.one_step(step))] = step.name
                if not running:
                    break
                finished, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
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
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise CheckpointError("\n\n".join(map(str, failures)), found=failures)

    async def one_step(self, step: Step) -> None:
        """Run one step and show its progress and state."""
        start = time.monotonic()
        self.progress.begin(step.name)
        values = self.settings.get(step.name, {})
        try:
            with alone(self.project, step.name):
                await self.make(step, values)
        except (CheckpointError, OSError) as error:
            self.progress.failed(step.name)
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(
                f"{self.project.show(step.path)}: {error.strerror}: {error.filename}",
                step=step.name,
                file=self.project.show(step.path),
            ) from error
        if not step.is_script:
            self.rewritten.append(step)
        self.schedule.step_finished()
        state = self.schedule.state(step.name).state
        self.progress.done(step.name, time.monotonic() - start, state)
        if values:
            assignments = ", ".join(f"{name} = {code}" for name, code in values.items())
            self.progress.say(
                f"{step.name}: set {assignments} in a new cell below its `parameters` cell"
            )

    async def make(self, step: Step, values: Mapping[str, str]) -> None:
        """Run the command or notebook of a step, while a kernel for the next one starts."""
        recipe = recipe_of(self.project, step)
        if recipe and step.is_script:
            self.prepare_next()
            await run_command(self.project, step, recipe, self.progress.say)
        elif recipe:
            with output(self.project, step, recipe, self.progress.say) as folder:
                await self.execute(step, values, folder)
        else:
            await self.execute(step, values)

    async def execute(
        self, step: Step, values: Mapping[str, str], output: Path | None = None
    ) -> None:
        """Execute a notebook in a new kernel."""
        from .execute import execute

        kernel = await self.kernels.take(step, output)
        self.prepare_next()
        try:
            on_cell = partial(self.progress.cell, step.name)
            await execute(self.project, step, kernel, values, on_cell, saves=output is None)
        except (CheckpointError, OSError):
            self.kernels.give_back(kernel)
            raise
        ended = self.kernels.give_back(kernel)
        if output:  # R, for example, flushes its open files when it ends
            await asyncio.shield(ended)

    def prepare_next(self) -> None:
        """Start a kernel for the next step, if that is a notebook that calls `save`."""
        following = next(iter(self.schedule.waiting.values()), None)
        if following and recipe_of(self.project, following) is None:
            self.kernels.prepare(following)

    def _cancel_on_signals(self) -> None:
        """Treat SIGTERM (a scheduler ends the job) and SIGHUP (a terminal closes) like Ctrl-C."""
        task = asyncio.current_task()
        assert task

        def cancel(number: signal.Signals) -> None:
            self.ended_by = number
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGHUP) if os.name != "nt" else ():
            if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
                asyncio.get_running_loop().add_signal_handler(number, cancel, number)
