"""The errors of this package, each with the step, file or key concerned and what to do."""

import copy
import sys
from types import TracebackType
from typing import Any

LONGEST_CALL = 7  # lines of the failed call; a longer one is shortened


class CheckpointError(Exception):
    """Base of every error that `checkpoint` raises on purpose.

    Parameters
    ----------
    message
        What is wrong, where, and what to do.
    step, file, key
        What the error is about, if known: the name of a step, the path of a file (relative to the
        project, with `/`), the name of an object or parameter.
    expected, found
        The expected and the actual value, if they can be compared.
    """

    def __init__(
        self,
        message: str = "",
        *,
        step: str | None = None,
        file: str | None = None,
        key: str | None = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        super().__init__(message)
        self.step, self.file, self.key = step, file, key
        self.expected, self.found = expected, found

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback: the user's own lines and the message.

        After `%xmode Verbose`, this is IPython's full traceback.
        """
        from IPython import get_ipython

        shown: Any = get_ipython().InteractiveTB
        if shown.mode == "Verbose":
            return list(shown.structured_traceback(type(self), self, self.__traceback__))
        alone = copy.copy(self)  # without its cause, whose traceback would be shown too
        trace = _before_us(self.__traceback__)
        if trace is None:
            return list(shown.get_exception_only(type(self), alone))
        parts = shown.structured_traceback(type(self), alone, trace, tb_offset=0, context=3)
        return [*map(_shortened, parts[:-1]), parts[-1]]


class ProjectError(CheckpointError):
    """There is no project, or its files, steps or settings do not permit what was asked."""


class CheckpointNotFoundError(CheckpointError, FileNotFoundError):
    """A checkpoint or raw file that was asked for does not exist."""


class CheckpointDamagedError(CheckpointError):
    """A checkpoint exists, but its files are not as `save` wrote them."""


class ArchiveError(CheckpointError):
    """An archive of results cannot be fetched or read, or may not be unpacked."""


class CheckpointKeyError(CheckpointError, KeyError):
    """The checkpoint contains no object of this name."""

    # KeyError shows the repr of its argument, which would put the message in quotes.
    __str__ = Exception.__str__


class CheckpointValueError(CheckpointError, ValueError):
    """A step, key, parameter or other argument is invalid."""


class CheckpointFormatError(CheckpointError, TypeError):
    """An object cannot be stored in the chosen format."""


class MissingPackageError(CheckpointError, ImportError):
    """A package that the project needs is not installed in this environment."""


def _before_us(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback that ends where this package was called, without IPython's frames."""
    frames = []
    while trace and _package_of(trace) != __package__:
        if _package_of(trace) != "IPython":
            frames.append(trace)
        trace = trace.tb_next
    before = None
    for frame in reversed(frames):
        before = TracebackType(before, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return before


def _shortened(part: str) -> str:
    """Shorten a part of a traceback, such as a save cell of 30 lines, around the arrow."""
    place, *lines = part.rstrip("\n").split("\n")
    if len(lines) <= LONGEST_CALL:
        return part
    arrow = next((number for number, line in enumerate(lines) if "--> " in line), 0)
    return "\n".join([place, *lines[max(0, arrow - 2) : arrow + 3], "      …"])


def _package_of(trace: TracebackType) -> str:
    name = str(trace.tb_frame.f_globals.get("__name__"))
    ours = f"{name}.".startswith(f"{__package__}.")
    return __package__ if ours else name.partition(".")[0]


def is_the_machines(error: Exception) -> bool:
    """Tell whether an error is due to the disk or memory and not to the object to save."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and bool(error.errno))


def missing_package(
    error: BaseException | None, extra: str | None = None
) -> MissingPackageError | None:
    """Return an error to raise instead if `error` is due to a missing package, otherwise None.

    `extra` is the project's extra, as in `pip install .[extra]`, that installs the package.
    """
    while error and not isinstance(error, ModuleNotFoundError):
        # pandas raises an ImportError `from None` instead
        error = error.__context__ if isinstance(error, ImportError) else error.__cause__
    # a dotted name means that the package is installed, but in another version
    name = getattr(error, "name", None)
    if not name or "." in name:
        return None
    package = f'".[{extra}]"' if extra else "."
    install = f"pip install -c constraints.txt -e {package}"
    return MissingPackageError(
        f"The package {name!r} is not installed in this environment ({sys.prefix}). "
        f"Install what the project needs, in its folder: `{install}` "
        f"If its pyproject.toml does not list {name!r}, add it there first.",
        found=name,
    )
