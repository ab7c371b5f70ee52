"""Record the modules and scripts that this process ran, with their code at that time."""

import sys
from pathlib import Path

from . import files

imported: dict[str, bytes] = {}  # source by path
_known: set[str] = set()  # names of modules that were already examined


def note_new() -> None:
    """Record the source of each module and script imported or read since the last call."""
    while files.code:
        _note(files.code.pop())
    for name in list(sys.modules.keys() - _known):
        _known.add(name)
        if files.is_ours(name):
            continue  # its version is in the record
        file = _file_of(sys.modules.get(name))
        if isinstance(file, str) and file.endswith(".py") and not files.is_installed(file):
            _note(files.absolute(file))


def forget() -> None:
    """Forget all modules; those that are already imported no longer count."""
    imported.clear()
    _known.update(sys.modules)


def _file_of(module: object) -> object:
    """Return the path of a module; does not trigger the import of a lazy module."""
    try:
        return object.__getattribute__(module, "__dict__").get("__file__")
    except AttributeError:
        return None


def _note(path: str) -> None:
    if path in imported:
        return
    try:
        with files.unwatched():
            imported[path] = Path(path).read_bytes()
    except OSError:
        return  # removed, or inside an archive
