"""The class `Format`, which describes a file format.

Each module of this package declares its formats next to the code that writes and reads them:
`FORMATS = (Format(".npy", …),)`. A library is imported only when its format is used.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CheckpointError, CheckpointFormatError, is_the_machines
from .kinds import a, is_a, shown
from .rest import Difference

Details = dict[str, Any]

ANY = (("builtins", "object"),)  # for formats whose `unfit` decides which objects fit


def reason(error: Exception) -> str:
    """Return an exception's message on one line, or its type if it has none."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


class Format(NamedTuple):
    """A file format for saved objects.

    Attributes
    ----------
    suffix
        The end of the file's name, in lower case and with the dot.
    holds
        What the format holds, for messages and tables: `NumPy array`.
    comes_back
        What `load` returns, for tables: `the same array`.
    writer
        Takes an object and a path, and writes the file. Returns the details that the reader needs
        in addition to the file, as a JSON-compatible dict, or None.
    reader
        Takes the path and the writer's details (None for a file that `save` did not write).
        Returns the object.
    types
        The types that the format holds, each as module and name, so that checking an object
        imports nothing. Empty for a format that is chosen only by its suffix.
    unfit
        Takes an object of these types. Returns why the format cannot hold it, in words that
        complete "it …", or None.
    nearest
        Takes an object of these types that is unfit. Returns the nearest object that fits; the
        original is kept in the rest file. Used if the key names the suffix.
    comparer
        Takes the object, the path and the writer's details. Yields a `Difference` for each part
        that the file does not preserve; raises an error if too much would change. Not needed for
        a format that preserves everything.
    explain
        Takes an object that could not be written and the error. Returns which part caused it.
    shape
        Takes an object of these types. Returns its entry in `data_shapes`.
    size
        Takes an object of these types. Returns the minimum size of its file in bytes, or 0 if
        that is unknown before writing.
    lazily
        Takes the path and the writer's details. Returns the object with its matrices as dask
        arrays.
    parts
        Takes the path, the names of parts and the content of the rest file. Returns the parts.
    runs_code
        Whether reading a file may run code that is in it. Such a file is verified before it is
        read, not while it is read.
    by_suffix_only
        Whether the format is only used if a key names its suffix; otherwise also by type.
    default_for
        The types among `types` that use the format if the key names no suffix; all if empty.
    extra
        The extra in the project's `pyproject.toml` that installs the format's library.
    is_folder
        Whether the format writes a folder.
    large
        Whether the template's `.gitignore` ignores the files.
    """

    suffix: str
    holds: str
    comes_back: str
    writer: Callable[[Any, Path], Details | None]
    reader: Callable[[Path, Details | None], Any]
    types: tuple[tuple[str, str], ...] = ()
    unfit: Callable[[Any], str | None] | None = None
    nearest: Callable[[Any], Any] | None = None
    comparer: Callable[[Any, Path, Details | None], Iterable[Difference]] | None = None
    explain: Callable[[Any, Exception], str] | None = None
    shape: Callable[[Any], dict[str, Any]] | None = None
    size: Callable[[Any], int] | None = None
    lazily: Callable[[Path, Details | None], Any] | None = None
    parts: Callable[[Path, tuple[str, ...], Mapping[str, list]], list[Any]] | None = None
    runs_code: bool = False
    by_suffix_only: bool = False
    default_for: tuple[tuple[str, str], ...] = ()
    extra: str | None = None
    is_folder: bool = False
    large: bool = True

    def is_default(self, obj: Any) -> bool:
        """Return whether the format is a choice for an object whose key names no suffix."""
        types = () if self.by_suffix_only else self.default_for or self.types
        return any(is_a(obj, module, name) for module, name in types)

    def is_for(self, obj: Any) -> bool:
        """Return whether an object is of one of the format's `types`."""
        return any(is_a(obj, module, name) for module, name in self.types)

    def refusal(self, obj: Any, *, near: bool = False) -> str | None:
        """Return why the format cannot hold an object, in words that complete "it …", or None.

        Parameters
        ----------
        obj
            The object.
        near
            Whether it is enough that the format can hold the nearest form of the object.
        """
        obj = shown(obj)
        if self.types and not self.is_for(obj):
            return f"is not {a(self.holds)}"
        why = self.unfit(obj) if self.unfit else None
        if why and near and self.nearest:
            try:
                self.nearest(obj)
            except Exception as error:  # Arrow raises errors of its own types
                if is_the_machines(error):
                    raise
                return why
            return None
        return why

    def write(self, obj: Any, path: Path) -> Details | None:
        """Write an object; return the details that `read` needs in addition to the file, or None.

        Raises
        ------
        CheckpointFormatError
            If the format cannot hold the object. Disk and memory errors are raised unchanged.
        """
        obj = shown(obj)
        with _format_errors(lambda error: self._explained(obj, error)), _quiet():
            return self.writer(self._near(obj), path)

    def changes(self, obj: Any, path: Path, details: Details | None) -> list[Difference]:
        """Return the parts of an object that the file does not preserve.

        Raises
        ------
        CheckpointFormatError
            If too much of it would change, or the file cannot be read.
        """
        obj = shown(obj)
        if self.nearest and self.unfit and (why := self.unfit(obj)):
            return [Difference("it", f"{why}; the file has the nearest", (), obj)]
        if self.comparer is None:
            return []
        unreadable = "it was written but cannot be read: {}"
        with _format_errors(lambda error: unreadable.format(reason(error))), _quiet():
            return list(self.comparer(obj, path, details))

    def read(self, path: Path, details: Details | None) -> Any:
        """Read an object, given the details from `write` (None for a file that it did not write).

        Raises
        ------
        CheckpointFormatError
            If the file cannot be read. Disk and memory errors are raised unchanged.
        """
        with _format_errors(reason):
            return self.reader(path, details)

    def size_of(self, obj: Any) -> int:
        """Return the minimum size of an object's file in bytes; 0 if unknown before writing."""
        return self.size(shown(obj)) if self.size else 0

    def _near(self, obj: Any) -> Any:
        unfit = self.nearest and self.unfit and self.unfit(obj)
        return self.nearest(obj) if unfit and self.nearest else obj

    def _explained(self, obj: Any, error: Exception) -> str:
        return self.explain(obj, error) if self.explain else reason(error)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress library warnings: they concern how a file is written, or repeat the differences."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _format_errors(explain: Callable[[Exception], str]) -> Iterator[None]:
    """Raise errors as CheckpointFormatError, except those of checkpoints, disk and memory."""
    try:
        yield
    except CheckpointError:  # also of a lazy object whose file is not what was opened
        raise
    except Exception as error:
        if is_the_machines(error):
            raise
        raise CheckpointFormatError(explain(error)) from error
