"""Copying and removing folders, replacing files; importing `shutil` would take longer than this."""

import os
from pathlib import Path


def copy(source: Path, target: Path) -> None:
    """Copy what is in a folder into another, over what has the same name; bytecode stays behind."""
    for parent, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name != "__pycache__"]
        place = os.path.join(target, os.path.relpath(parent, source))
        os.makedirs(place, exist_ok=True)
        for name in files:
            with open(os.path.join(parent, name), "rb") as original:
                content = original.read()
            with open(os.path.join(place, name), "wb") as copied:
                copied.write(content)


def remove(folder: Path) -> None:
    """Remove a folder and all that is in it; of a link, the link alone.

    Raises
    ------
    OSError
        If a part of it cannot be removed; `filename` says which.
    """
    for parent, folders, files in os.walk(folder, topdown=False):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in [*files, *links]:
            os.remove(os.path.join(parent, name))
        if os.path.islink(parent):
            os.remove(parent)
        else:
            os.rmdir(parent)


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or, on a full disk, not at all.

    It keeps its permissions; where it is a link, what it leads to is written.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    try:
        draft.write_bytes(content)
        if path.exists():
            draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """Return where a file is written before it takes its place; a kill may leave it there."""
    path = path.resolve()
    return path.with_name(f".{path.name}.part")
