"""Any other object as `.pkl`.

A pickle that holds a set of text is not the same bytes from run to run, since Python orders
sets anew in every process.
"""

import pickle
from pathlib import Path
from typing import Any

from ..errors import CheckpointFormatError
from .kinds import is_a

PROTOCOL = 5  # every Python that the project runs on reads it


def refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.pkl`; whether it pickles is only known by trying."""
    artist = is_a(obj, "matplotlib.artist", "Artist")
    if artist and not is_a(obj, "matplotlib.figure", "Figure"):
        return "is a part of a figure; save its `.figure`"
    return None


def write(obj: Any, path: Path) -> None:
    """Pickle an object."""
    with path.open("wb") as file:
        _Pickler(file, protocol=PROTOCOL).dump(obj)


def pickles(obj: Any) -> bool:
    """Tell whether an object pickles, without keeping the pickle."""
    try:
        _Pickler(_Nowhere(), protocol=PROTOCOL).dump(obj)
    except Exception:
        return False
    return True


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Unpickle an object, which runs code: read pickles from people you trust."""
    with path.open("rb") as file:
        return pickle.load(file)


class _Pickler(pickle.Pickler):
    """A pickler that refuses what no other notebook could read."""

    def reducer_override(self, obj: Any) -> Any:
        if getattr(obj, "__module__", None) == "__main__" and hasattr(obj, "__qualname__"):
            raise CheckpointFormatError(
                f"it needs {obj.__qualname__}, which is defined in the notebook and is not there "
                "when another one loads it. Define it in the project's package, below src/"
            )
        return NotImplemented


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, content: Any) -> int:
        return len(content)
