"""Any other object as `.pkl`.

A pickle that holds a set of text does not have the same bytes in every run, since Python orders
sets anew in every process.
"""

import operator
import pickle
from pathlib import Path
from typing import Any

from ..errors import CheckpointFormatError
from .kinds import is_a, shown
from .registry import Format

PROTOCOL = 5  # every supported Python reads it


def unfit(obj: Any) -> str | None:
    """Say why an object is not for `.pkl`; whether it pickles is only known by trying."""
    artist = is_a(obj, "matplotlib.artist", "Artist")
    if artist and not is_a(obj, "matplotlib.figure", "Figure"):
        return "is a part of a figure; save its `.figure`"
    return None


def write(obj: Any, path: Path) -> None:
    """Pickle an object."""
    with path.open("wb") as file:
        _Pickler(file, protocol=PROTOCOL).dump(obj)


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Unpickle an object. This runs code: read pickles only from people you trust."""
    with path.open("rb") as file:
        return pickle.load(file)


class _Pickler(pickle.Pickler):
    """A pickler that refuses what no other notebook could read, and leaves out what views hide."""

    def reducer_override(self, obj: Any) -> Any:
        if getattr(obj, "__module__", None) == "__main__" and hasattr(obj, "__qualname__"):
            raise CheckpointFormatError(
                f"it needs {obj.__qualname__}, which is defined in the notebook and does not exist "
                "where another notebook loads it. Define it in the project's package, below src/"
            )
        plain = obj.copy() if is_a(obj, "anndata", "AnnData") and obj.is_view else shown(obj)
        if plain is not obj:
            return operator.getitem, ([plain], 0)  # unpickles as `plain` itself
        return NotImplemented


FORMATS = (
    Format(
        suffix=".pkl",
        holds="anything else that pickles",
        comes_back="the same",
        writer=write,
        reader=read,
        unfit=unfit,
        runs_code=True,
        only_trying_tells=True,
    ),
)
