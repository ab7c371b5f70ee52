"""The progress of a run: bars on a terminal, lines elsewhere."""

from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from ..lineage.changes import CURRENT
from ..notebooks.notebook import shortened


class RunProgress:
    """Show the progress of notebooks and their cells; `say` prints a line.

    If `out` is not a terminal, as in a log, each finished cell gets a line.
    """

    def __init__(self, out: Console) -> None:
        self.say: Callable[[str], None] = out.print
        self._out = out
        self._tasks: dict[str, TaskID] = {}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[line]}", style="dim"),
            console=out,
            disable=not out.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def begin(self, step: str) -> None:
        """Show that a notebook starts."""
        self._tasks[step] = self._bars.add_task(step, total=None, line="")

    def cell(self, step: str, number: int, count: int, line: str, seconds: float | None) -> None:
        """Show that a cell, `number` of `count`, starts or, with `seconds`, has finished."""
        done = number if seconds is not None else number - 1
        self._bars.update(self._tasks[step], completed=done, total=count, line=shortened(line, 24))
        if seconds is not None and not self._out.is_terminal:
            self._out.print(f"{step}: cell {number} of {count}, {seconds:.1f} s, `{line}`")

    def done(self, step: str, seconds: float, state: str) -> None:
        """Show that a notebook has finished, and its state unless that is current."""
        self._bars.update(self._tasks[step], line="")
        self._bars.stop_task(self._tasks[step])
        if state != CURRENT or not self._out.is_terminal:
            but = f", but {state}" if state != CURRENT else ""
            self._out.print(f"{step}: done in {seconds:.0f} s{but}")

    def failed(self, step: str) -> None:
        """Show that a notebook has failed."""
        self._bars.update(self._tasks[step], line="failed")
        self._bars.stop_task(self._tasks[step])
