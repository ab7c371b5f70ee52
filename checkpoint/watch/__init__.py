"""What this process does while it runs: the cells, the files that it opens, the modules.

Importing `load` or `save` starts it. Only the standard library is imported here; what was seen is
turned into a record when a notebook saves.
"""

from . import cells, files, readers


def begin() -> None:
    """Watch this process from now on; a second call changes nothing."""
    files.begin()
    readers.begin()
    cells.begin()
