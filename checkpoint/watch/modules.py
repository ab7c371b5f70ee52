"""The modules that this process imported, with the code that they had then."""

import sys
from pathlib import Path

from . import files

imported: dict[str, bytes] = {}  # the source by the path of the module
_known: set[str] = set()  # names of modules that were looked at


def note_new() -> None:
    """Note the source of each module that was imported since the last call."""
    for name in list(sys.modules.keys() - _known):
        _known.add(name)
        file = getattr(sys.modules.get(name), "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and not files.is_installed(file):
            _note(files.absolute(file))


def forget() -> None:
    """Forget all modules, as if they were imported from now on."""
    imported.clear()
    _known.clear()


def _note(path: str) -> None:
    try:
        imported[path] = Path(path).read_bytes()
    except OSError:
        return  # gone, or inside an archive
