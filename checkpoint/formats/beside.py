"""The rest file `<name>.rest.pkl`: the parts of an object that its main file cannot hold."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import CheckpointFormatError
from . import pickled
from .kinds import type_name
from .rest import SUFFIX, Difference, joined, rest_of

__all__ = ["SUFFIX", "joined", "note", "read_rest", "write_rest"]

(PICKLE,) = pickled.FORMATS


def write_rest(differences: Iterable[Difference], path: Path) -> bool:
    """Write the rest file and read it back; return whether there was anything to write.

    Raises
    ------
    CheckpointFormatError
        If a part cannot be pickled; the message names it.
    """
    differences = list(differences)
    rest = rest_of(differences)
    if not rest:
        return False
    try:
        _write(rest, path)
    except CheckpointFormatError as error:
        for difference in differences:
            try:
                _write(rest_of([difference]), path)
            except CheckpointFormatError as why:
                raise CheckpointFormatError(
                    f"{difference.slot} ({type_name(difference.value)}) can neither be stored"
                    f" in the file nor pickled beside it: {why}"
                ) from error
        raise
    return True


def read_rest(path: Path) -> dict[str, list]:
    """Read a rest file, for `joined`."""
    rest: dict[str, list] = PICKLE.read(path, None)
    return rest


def note(difference: Difference, rest: str) -> str:
    """Return a message about a part that a file does not preserve."""
    if difference.place is None:
        return f"{difference.slot} {difference.what}"
    return f"{difference.slot} {difference.what}; load restores it from {rest}"


def _write(rest: Any, path: Path) -> None:
    PICKLE.changes(rest, path, PICKLE.write(rest, path))
