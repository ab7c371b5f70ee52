"""Any other object as `.pkl`.

A pickle that holds a set of text is not the same bytes from run to run, since Python orders
sets anew in every process.
"""

import pickle
from pathlib import Path
from typing import Any

PROTOCOL = 5  # every Python that the project runs on reads it


def refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.pkl`; whether it pickles is only known by trying."""
    return None


def write(obj: Any, path: Path, told: list[str]) -> None:
    """Pickle an object."""
    with path.open("wb") as file:
        pickle.dump(obj, file, protocol=PROTOCOL)


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Unpickle an object, which runs code: read pickles from people you trust."""
    with path.open("rb") as file:
        return pickle.load(file)
