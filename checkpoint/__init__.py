"""Checkpoints between notebooks: `load` what the previous one saved, `save` for the next.

Importing this package imports the standard library alone; a format's library is imported when
the format is used.
"""

import sys

__version__ = "0.1.0"

if sys.version_info < (3, 11):  # noqa: UP036 - also where requires-python was not checked
    raise ImportError(
        f"{__name__} needs Python 3.11 or newer, but this is Python {sys.version.split()[0]} "
        f"({sys.executable}). Make an environment with a newer Python, for example "
        "`python3.13 -m venv .venv`, and install the project there: "
        "`pip install -c constraints.txt -e .`"
    )

TYPE_CHECKING = False  # type checkers take it for true; `typing` takes long to import
if TYPE_CHECKING:
    from .api import data_file, figures, load, parts, save
    from .errors import (
        ArchiveError,
        CheckpointDamagedError,
        CheckpointError,
        CheckpointFormatError,
        CheckpointKeyError,
        CheckpointNotFoundError,
        CheckpointValueError,
        MissingPackageError,
        ProjectError,
    )
    from .storage.checkpoint import Checkpoint

_HOME = {
    "Checkpoint": "storage.checkpoint",
    **dict.fromkeys(("data_file", "figures", "load", "parts", "save"), "api"),
}  # all others are in `errors`

__all__ = [
    "ArchiveError",
    "Checkpoint",
    "CheckpointDamagedError",
    "CheckpointError",
    "CheckpointFormatError",
    "CheckpointKeyError",
    "CheckpointNotFoundError",
    "CheckpointValueError",
    "MissingPackageError",
    "ProjectError",
    "data_file",
    "figures",
    "load",
    "parts",
    "save",
]


def __getattr__(name: str) -> object:
    # The post-gen hook and `checkpoint check` need the layout only, in a few milliseconds.
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOME.get(name, "errors")
    if home == "api":
        _check_packages()
        import_module(".watch", __name__).begin()
    try:
        return getattr(import_module(f".{home}", __name__), name)
    except ModuleNotFoundError as error:
        from .errors import missing_package

        missing = missing_package(error)
        if missing:
            raise missing from error
        raise


def _check_packages() -> None:
    """Raise where a package is missing that every load and save imports when it is called."""
    from importlib.util import find_spec

    from .errors import missing_package

    for package in ("blake3", "filelock", "msgspec", "packaging"):
        if not find_spec(package):
            raise missing_package(ModuleNotFoundError(name=package)) or ImportError(package)
