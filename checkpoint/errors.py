"""What can go wrong, each with the file or key it is about and what to do."""

import sys


class CheckpointError(Exception):
    """Base of every error that `checkpoint` raises on purpose.

    Parameters
    ----------
    message
        What is wrong, where, and what to do.
    step, file, key
        What the error is about, where it is about one: a step, a file of the project (relative to
        its top, with `/`), the name of an object or parameter.
    expected, found
        What was expected and what is there instead, where the two can be compared.
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
        self.step = step
        self.file = file
        self.key = key
        self.expected = expected
        self.found = found


class ProjectError(CheckpointError):
    """No project was found, or it lacks a part that every project has."""


class CheckpointNotFoundError(CheckpointError, FileNotFoundError):
    """A checkpoint, or a raw file, that a notebook asked for is not there."""


class CheckpointDamagedError(CheckpointError):
    """A checkpoint is there, but not as `save` left it."""


class CheckpointKeyError(CheckpointError, KeyError):
    """The checkpoint holds no object of this name."""

    # KeyError shows the repr of its argument, which would put the message in quotes.
    __str__ = Exception.__str__


class CheckpointValueError(CheckpointError, ValueError):
    """A step, a key or a parameter that cannot be saved under its name."""


class CheckpointFormatError(CheckpointError, TypeError):
    """An object that the chosen format cannot hold."""


class MissingPackageError(CheckpointError, ImportError):
    """A package that the project needs is not installed in this environment."""


def is_the_machines(error: Exception) -> bool:
    """Tell whether an error is of disk or memory, and not of the object that was to be saved."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and bool(error.errno))


def missing_package(
    error: BaseException | None, extra: str | None = None
) -> MissingPackageError | None:
    """Return the error to raise instead if a package that is not installed caused `error`.

    Parameters
    ----------
    error
        The error.
    extra
        The extra of the project that installs such a package.
    """
    while error and not isinstance(error, ModuleNotFoundError):
        # pandas raises an ImportError in its place, `from None`
        error = error.__context__ if isinstance(error, ImportError) else error.__cause__
    # a name with a dot: the package is installed, but another version of it
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
