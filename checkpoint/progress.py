"""Progress bars for slow operations; each leaves one line when it ends.

In a terminal, rich draws the bar. In a notebook, the bar is one output of the cell, which IPython
replaces in place: rich itself and tqdm would show a widget there, which saved notebooks, diffs and
nbclient keep. A log gets only lines.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from . import text

PATIENCE = 2.0  # seconds after which a bar appears
PAUSE = 0.25  # seconds between two updates of a bar
DONE = {"Downloading": "Downloaded", "Hashing": "Hashed", "Reading": "Read", "Writing": "Wrote"}


_writing: "list[Progress]" = []  # the innermost last
_checks: list[Callable[[], None]] = []


@contextmanager
def writing(name: str, total: int, check: Callable[[], None]) -> Iterator[None]:
    """Show the progress of writing a file within the `with` block, which calls `advance`.

    `total` is the expected size in bytes, 0 if unknown. `advance` calls `check`; an exception that
    it raises ends the writing.
    """
    with Progress("Writing", name, total) as progress:
        progress.check = check
        _writing.append(progress)
        try:
            yield
        finally:
            _writing.remove(progress)


def advance(amount: int) -> None:
    """Count `amount` more bytes of the file being written; raises what its `check` raises."""
    if _writing:
        _writing[-1].advance(amount)


@contextmanager
def checking(check: Callable[[], None]) -> Iterator[None]:
    """Let `heed` call a function within the `with` block; it may raise to end an operation."""
    _checks.append(check)
    try:
        yield
    finally:
        _checks.remove(check)


def heed() -> None:
    """Raise what the innermost check raises; called between two blocks that are read."""
    if _checks:
        _checks[-1]()


class Progress:
    """Show the progress of an operation on a file; used as a context manager.

    `doing` is a key of `DONE`, and `total` the number of bytes, 0 if unknown.

    Attributes
    ----------
    check
        Called by `advance`; an exception that it raises ends the operation.
    stopped
        Set this to end an operation in another thread: there, `advance` and `count` raise.
    """

    def __init__(self, doing: str, name: str, total: int) -> None:
        self.doing, self.name, self.total = doing, name, total
        self.done, self.stopped = 0, False
        self.check: Callable[[], None] | None = None
        self._began = self._looked = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        took = time.monotonic() - self._began
        if took < PATIENCE:
            return
        size = f": {text.size(self.done)}" if self.done else ""  # not counted for figures
        line = f"{DONE[self.doing]} {self.name}{size} in {took:.0f} s"
        if kind:
            of = f" of {text.size(self.total)}" if self.total else ""
            line = f"{self.doing} {self.name} ended at {text.size(self.done)}{of}"
        _leave(self._bar, line)

    def advance(self, amount: int) -> None:
        """Count `amount` more bytes and update the bar; raises what `check` raises.

        Raises `InterruptedError` if another thread has set `stopped`.
        """
        self.reach(self.done + amount)

    def count(self, amount: int) -> None:
        """Count `amount` more bytes only; raises `InterruptedError` as `advance` does."""
        self.done += amount
        self._heed()

    def reach(self, done: int) -> None:
        """Set the number of bytes done and update the bar; raises as `advance`."""
        self.done = done
        self._heed()
        if self.check:
            self.check()
        now = time.monotonic()
        if now - self._looked < PAUSE or now - self._began < PATIENCE:
            return
        self._looked = now
        self._bar = self._bar or _bar_for(f"{self.doing} {self.name}", self.total)
        if self._bar:
            self._bar.show(self.done)

    def _heed(self) -> None:
        if self.stopped:
            raise InterruptedError(f"{self.doing} {self.name} was stopped")


class Rounds:
    """Show the progress of a loop: in a notebook a bar that leaves one line, else lines."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total = name, total
        self._bar = _bar_for(name, total, are_bytes=False) if _is_notebook() else None

    def begin(self, number: int, name: str) -> None:
        """Show that a round begins; `number` counts from 1."""
        if self._bar:
            self._bar.show(number - 1, f"{self._name}: {name}")
        else:
            print(f"{self._name}: {number} of {self._total}, {name}", flush=True)

    def end(self, line: str) -> None:
        """Show a final line, in place of the bar if there is one."""
        _leave(self._bar, line)


def _leave(bar: Any, line: str) -> None:
    if bar:
        bar.end(line)
    else:
        print(line, flush=True)


def _is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _bar_for(description: str, total: int, *, are_bytes: bool = True) -> Any:
    """Return a bar for the notebook or terminal that shows the output; None for a log."""
    if _is_notebook():
        return _InNotebook(description, total, are_bytes)
    draws = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    return _InTerminal(description, total, are_bytes) if draws else None


def _rich(description: str, total: int, are_bytes: bool, **options: Any) -> tuple[Any, Any]:
    from rich import progress

    count = progress.DownloadColumn() if are_bytes else progress.MofNCompleteColumn()
    left = (progress.TimeRemainingColumn(), progress.TextColumn("left"))
    columns = ("{task.description}", progress.BarColumn(30), count, *left)
    bar = progress.Progress(*columns, transient=True, **options)
    # rich measures the time from when a task is added
    return bar, bar.add_task(_plain(description), total=total or None)


def _plain(description: str) -> str:
    return description.replace("[", r"\[")


class _InTerminal:
    def __init__(self, description: str, total: int, are_bytes: bool) -> None:
        from rich.console import Console

        self._bar, self._task = _rich(description, total, are_bytes, console=Console(stderr=True))
        self._bar.start()

    def show(self, done: int) -> None:
        self._bar.update(self._task, completed=done)

    def end(self, line: str) -> None:
        self._bar.stop()
        print(line, flush=True)


class _InNotebook:
    def __init__(self, description: str, total: int, are_bytes: bool) -> None:
        import io

        from IPython.display import display
        from rich.console import Console

        self._console = Console(file=io.StringIO(), width=100, force_jupyter=False)
        self._bar, self._task = _rich(description, total, are_bytes, console=self._console)
        self._handle = display(  # type: ignore[no-untyped-call]
            {"text/plain": ""}, raw=True, display_id=True
        )

    def show(self, done: int, description: str | None = None) -> None:
        named = {"description": _plain(description)} if description else {}
        self._bar.update(self._task, completed=done, **named)
        with self._console.capture() as captured:
            self._console.print(self._bar)
        self._replace(captured.get().strip())

    def end(self, line: str) -> None:
        self._replace(line)

    def _replace(self, line: str) -> None:
        self._handle.update({"text/plain": line}, raw=True)
