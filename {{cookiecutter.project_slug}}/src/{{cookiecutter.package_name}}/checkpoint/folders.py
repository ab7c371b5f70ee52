"""Removing folders; `shutil` would take longer to import than all of this takes."""

import os
from pathlib import Path


def remove(folder: Path) -> None:
    """Remove a folder and all that is in it.

    Raises
    ------
    OSError
        If a part of it cannot be removed; `filename` says which.
    """
    for parent, _, files in os.walk(folder, topdown=False):
        for file in files:
            os.remove(os.path.join(parent, file))
        os.rmdir(parent)
