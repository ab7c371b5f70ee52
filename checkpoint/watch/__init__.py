"""Record what this process does: the cells that run, the files that it opens, its modules.

Importing `load` or `save` starts the recording. Only the standard library is imported here;
`storage` turns the recorded events into a checkpoint's record when a notebook saves.
"""

from . import cells, files, readers


def begin() -> None:
    """Start to record this process; a second call changes nothing."""
    files.begin()
    readers.begin()
    cells.begin()
