"""Removing folders and replacing files; `shutil` would take longer to import than this takes."""

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


def replace(path: Path, text: str) -> None:
    """Write a file whole or, on a full disk, not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
