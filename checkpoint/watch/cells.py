"""Record the code that this kernel executes, in order, and how each execution ended.

IPython calls `Recorder` before and after each execution. Executions with `silent=True` fire no
event and are not recorded.
"""

import re
import sys
from dataclasses import dataclass, field
from types import ModuleType, TracebackType
from typing import Any

from . import files, kinds, modules, randomness

WORD = re.compile(r"[^\W\d]\w*")
SHELL = re.compile(r"^%%(?:!|bash|script|sh|sx|system)|^[^\n#]*!|%(?:sx|system)\b", re.MULTILINE)
SCRIPT = re.compile(r"""[^\s"'()]+\.(?:py|ipynb)\b|(?<=%run )\S+""")


@dataclass
class Execution:
    """A piece of code that the kernel ran."""

    source: str  # as it ran; the replay compares it with the notebook as it is later
    cell: str | None = None  # its id: JupyterLab and VS Code send it, nbclient and papermill do not
    error: bool = False  # whether it raised an error; a save in it may have completed before
    line: int = 0  # the line of the cell that raised the error; 0 if unknown
    missing: str = ""  # the missing name, if the cell's own code raised the error, not a function
    interrupted: bool = False  # whether it was stopped from outside
    ran: bool = True  # False for invalid Python, which did not run
    # the random states that it changed: `numpy`, `python`, `torch`; if None (unknown), unknown
    # calls are assumed to draw random numbers
    draws: list[str] | None = None
    # the kinds of its names' values after it ran, by name; values of unknown kind are assumed to
    # change
    kinds: dict[str, str] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)  # inputs that it read
    renewed: list[str] = field(default_factory=list)  # inputs with other content than read before


class Recorder:
    """Records the executions of one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.finished = [Execution(source, error=failed) for source, failed in _before(shell)]
        self._running: Execution | None = None
        self._info: Any = None  # IPython's object for the running cell, not for one inside it
        self._count = 0
        self._began_inside = bool(self.finished)
        self._random: dict[str, object] | None = None
        self._read: set[str] = set()  # inputs of the running cell
        for ran in self.finished:
            files.code += _scripts(ran.source)

    def before(self, info: Any) -> None:
        """Record the start of a cell, unless the running cell starts it, as `%%capture` does."""
        count = self.shell.execution_count
        if self._running and self._count == count:
            return
        if self._running:  # IPython did not report how it ended
            self._running.error = self._running.interrupted = True
            self.finished.append(self._running)
        self._running = Execution(info.raw_cell, getattr(info, "cell_id", None))
        self._info, self._count = info, count
        self._read = set()
        self._random = randomness.states()
        if SHELL.search(info.raw_cell):  # no audit event reports most commands
            whole = info.raw_cell.startswith("%%")
            for line in info.raw_cell.split("\n"):
                if whole or SHELL.search(line):
                    files.tell(line.lstrip(" !%"))

    def after(self, result: Any) -> None:
        """Record how a cell ended; `result` is None if it was stopped while it waited."""
        if self._running is None and self._began_inside:
            self._running, self._info = self.finished.pop(), getattr(result, "info", None)
        self._began_inside = False
        if self._running is None:
            return  # an empty cell
        ran, info = self._running, getattr(result, "info", self._info)
        failure = result.error_in_exec or result.error_before_exec if result else None
        ran.error |= result is None or failure is not None
        ran.interrupted |= result is None or isinstance(failure, KeyboardInterrupt)
        if info is not self._info:
            return  # a cell inside the running one, which may have hidden the error
        self._running = None
        ran.cell = getattr(info, "cell_id", None) or ran.cell
        ran.ran = not (result and isinstance(result.error_before_exec, SyntaxError))
        if failure is not None:
            ran.line, ran.missing = _place(failure, self.shell.user_ns)
        self.finished.append(self._seen(ran))
        self._random, self._read = None, set()
        files.cell_ended(failed=ran.error)
        modules.note_new()

    def renew(self, name: str) -> bool:
        """Record that the running cell read other content of an input than an earlier cell.

        Returns False if the running cell itself had already read it, or if no cell is running.
        """
        ran = self._running
        if ran is None or name in self._read:
            return False
        ran.renewed.append(name)
        return True

    def read(self, name: str) -> None:
        """Record that the running cell read an input."""
        self._read.add(name)

    def executions(self) -> list[Execution]:
        """Return all executions so far; the last is the running cell, as if it ended here."""
        return [*self.finished, *([self._seen(self._running)] if self._running else [])]

    def _seen(self, ran: Execution) -> Execution:
        """Add the kinds of the code's names, the random states that it changed, and its inputs."""
        names = self.shell.user_ns
        words = {word for word in WORD.findall(ran.source) if word in names}
        known = {word: kinds.kind_of(names[word]) for word in sorted(words)}
        ran.kinds = {word: kind for word, kind in known.items() if kind}
        ran.draws = randomness.moved(self._random) if self._random is not None else None
        ran.inputs = sorted(self._read)
        return ran


recorder: Recorder | None = None


def begin() -> None:
    """Start to record the cells of this kernel; do nothing outside IPython."""
    global recorder
    shell = running_shell()
    if shell is not None and (recorder is None or recorder.shell is not shell):
        recorder = Recorder(shell)
        shell.events.register("pre_run_cell", recorder.before)
        shell.events.register("post_run_cell", recorder.after)


def executions() -> list[Execution] | None:
    """Return the executions of this kernel; None outside IPython."""
    return recorder.executions() if recorder else None


def running_shell() -> Any:
    """Return the running IPython shell, or None; does not import IPython."""
    ipython: ModuleType | None = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _before(shell: Any) -> list[tuple[str, bool]]:
    """Return the sources that ran before the recording began, and whether each may have failed.

    The last is the running cell. If Python has no last error (`sys.last_exc`), none of the others
    failed; otherwise, each may have failed.
    """
    manager = getattr(shell, "history_manager", None)
    sources = list(manager.input_hist_raw)[1:] if manager else []
    failed = any(hasattr(sys, name) for name in ("last_exc", "last_value"))
    return [(source, failed and number < len(sources)) for number, source in enumerate(sources, 1)]


def _scripts(source: str) -> list[str]:
    """Return the scripts that a cell names, which it may have run before the recording began."""
    named = [name for word in SCRIPT.findall(source) for name in (word, f"{word}.py")]
    try:
        return [path for path in map(files.absolute, named) if path.endswith(files.CODE)]
    except FileNotFoundError:
        return []  # the working directory was removed


def _place(failure: BaseException, names: dict[str, Any]) -> tuple[int, str]:
    """Return the line of the cell that raised an error, and the name that was missing.

    The name is empty for other errors, and if a function that the cell called raised it.
    """
    frame: TracebackType | None = failure.__traceback__
    while frame and frame.tb_frame.f_globals is not names:
        frame = frame.tb_next
    if frame is None:
        return 0, ""
    line, inner = frame.tb_lineno, frame.tb_next
    while inner and inner.tb_frame.f_code.co_name in ("__getattr__", "__getattribute__"):
        inner = inner.tb_next
    if inner is None and isinstance(failure, NameError | AttributeError):
        return line, failure.name or ""
    return line, ""
