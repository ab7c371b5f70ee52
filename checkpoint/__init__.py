"""Checkpoints between notebooks: `load` what the previous one saved, `save` for the next.

Importing this package imports the standard library alone; a format's library is imported when
the format is used.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers take it for true; `typing` takes long to import
if TYPE_CHECKING:
    from .api import data_file, figures, load, save
    from .errors import (
        CheckpointDamagedError,
        CheckpointError,
        CheckpointFormatError,
        CheckpointKeyError,
        CheckpointNotFoundError,
        CheckpointValueError,
        CheckpointWarning,
        ProjectError,
    )
    from .storage.checkpoint import Checkpoint

_HOME = {
    "data_file": "api",
    "figures": "api",
    "load": "api",
    "save": "api",
    "Checkpoint": "storage.checkpoint",
    "CheckpointDamagedError": "errors",
    "CheckpointError": "errors",
    "CheckpointFormatError": "errors",
    "CheckpointKeyError": "errors",
    "CheckpointNotFoundError": "errors",
    "CheckpointValueError": "errors",
    "CheckpointWarning": "errors",
    "ProjectError": "errors",
}

__all__ = [
    "Checkpoint",
    "CheckpointDamagedError",
    "CheckpointError",
    "CheckpointFormatError",
    "CheckpointKeyError",
    "CheckpointNotFoundError",
    "CheckpointValueError",
    "CheckpointWarning",
    "ProjectError",
    "data_file",
    "figures",
    "load",
    "save",
]


def __getattr__(name: str) -> object:
    # The post-gen hook and `checkpoint check` need the layout only, in a few milliseconds.
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
