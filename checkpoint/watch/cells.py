"""The pieces of code that this kernel runs, in order, and how each ended.

IPython calls back before and after each. Executions with `silent=True` fire no event and are not
seen.
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

    source: str  # as the cell had it: it is replayed against the notebook as it stands later
    cell: str | None = None  # its id: JupyterLab and VS Code send it, nbclient and papermill do not
    error: bool = False  # whether it ended in one; a save inside it may have been completed before
    line: int = 0  # of the cell, at which the error came up; 0 if unknown
    missing: str = ""  # the name that an error of the cell's own code, not of a function, was about
    interrupted: bool = False  # whether it was stopped from outside
    ran: bool = True  # False for what is not Python, and so never ran
    # which random states it moved: `numpy`, `python`, `torch`; None if unknown, so that
    # unknown calls are assumed to draw
    draws: list[str] | None = None
    # of the values that its names had afterwards, by name; the fewer are known, the more is assumed
    # to change
    kinds: dict[str, str] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)  # that it read
    renewed: list[str] = field(default_factory=list)  # that had other content when read before


class Recorder:
    """Records the executions of one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.finished = [Execution(source, error=failed) for source, failed in _before(shell)]
        self._running: Execution | None = None
        self._info: Any = None  # by which IPython tells the running cell from one inside it
        self._count = 0
        self._began_inside = bool(self.finished)
        self._random: dict[str, object] | None = None
        self._read: set[str] = set()  # inputs of the running cell
        for ran in self.finished:
            files.code += _scripts(ran.source)

    def before(self, info: Any) -> None:
        """Note that a cell starts, unless the running one starts it, as `%%capture` does."""
        count = self.shell.execution_count
        if self._running and self._count == count:
            return
        if self._running:  # nobody said how it ended
            self._running.error = self._running.interrupted = True
            self.finished.append(self._running)
        self._running = Execution(info.raw_cell, getattr(info, "cell_id", None))
        self._info, self._count = info, count
        self._read = set()
        self._random = randomness.states()
        if SHELL.search(info.raw_cell):  # of most commands nothing else tells when they start
            whole = info.raw_cell.startswith("%%")
            for line in info.raw_cell.split("\n"):
                if whole or SHELL.search(line):
                    files.tell(line.lstrip(" !%"))

    def after(self, result: Any) -> None:
        """Note how a cell ended; there is no result of one that was stopped while it waited."""
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
            return  # a cell inside it, whose error it may have hidden
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
        """Note that the running cell read an input whose content an earlier cell had not.

        False if the running cell itself had read it, or is not known.
        """
        ran = self._running
        if ran is None or name in self._read:
            return False
        ran.renewed.append(name)
        return True

    def read(self, name: str) -> None:
        """Note that the running cell read an input."""
        self._read.add(name)

    def executions(self) -> list[Execution]:
        """Return what ran until now; the last is the cell that is running, as if it ended here."""
        return [*self.finished, *([self._seen(self._running)] if self._running else [])]

    def _seen(self, ran: Execution) -> Execution:
        """Add what the code's names are bound to now, and which random numbers it drew."""
        names = self.shell.user_ns
        words = {word for word in WORD.findall(ran.source) if word in names}
        known = {word: kinds.kind_of(names[word]) for word in sorted(words)}
        ran.kinds = {word: kind for word, kind in known.items() if kind}
        ran.draws = randomness.moved(self._random) if self._random is not None else None
        ran.inputs = sorted(self._read)
        return ran


recorder: Recorder | None = None


def begin() -> None:
    """Record the cells of this kernel from now on; nothing outside IPython."""
    global recorder
    shell = running_shell()
    if shell is not None and (recorder is None or recorder.shell is not shell):
        recorder = Recorder(shell)
        shell.events.register("pre_run_cell", recorder.before)
        shell.events.register("post_run_cell", recorder.after)


def executions() -> list[Execution] | None:
    """Return what this kernel ran; None outside IPython."""
    return recorder.executions() if recorder else None


def running_shell() -> Any:
    """Return the running IPython, or None; it is not imported for this."""
    ipython: ModuleType | None = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _before(shell: Any) -> list[tuple[str, bool]]:
    """Return the sources that ran before the recording began, and whether each may have failed.

    The last is the cell that is running. Whether one of the others failed is known if none did:
    Python keeps the last error that was shown.
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
        return []  # the working directory is gone


def _place(failure: BaseException, names: dict[str, Any]) -> tuple[int, str]:
    """Return the line of the cell in which an error came up, and the name that was missing.

    The name is empty if the error came up in a function that the cell called.
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
