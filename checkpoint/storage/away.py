"""The large files of a save on another disk.

No rename leads from one disk to another, so each save has a folder of its own there. The file
`.checkpoint-away` in the step's folder names it and is replaced with the save's other files, before
the record. Git ignores it: a clone has none, and never reads or removes the files of another.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from ..errors import CheckpointError
from ..files import below, remove, sync
from ..project.group import explained, make_folder
from ..project.places import large_files_of
from ..project.project import Project
from .schema import POINTER

OWNER = ".checkpoint-of"  # in that place: the step's folder
SAVE = ".save-"


def begin(project: Project, step: str) -> Path | None:
    """Create the folder for the large files of one save; None if they stay in the project.

    Raises
    ------
    CheckpointError
        If it cannot be created; it names the setting `results`.
    """
    place = large_files_of(project)
    if place is None:
        return None
    folder = place.joinpath(*step.split("/"), f"{SAVE}{os.urandom(4).hex()}")
    try:
        with explained():
            make_folder(folder)
        (folder / OWNER).write_text(str(project.results_of(step)), encoding="utf-8")
        for parent in folder.parents:  # a folder that is lost in a power cut loses the save
            sync(parent)
            if parent == place.parent:
                break
    except (OSError, CheckpointError) as error:
        reason = str(error)
        if isinstance(error, OSError):
            reason = f"{error.filename} could not be created ({error.strerror})."
        raise CheckpointError(
            f"[tool.checkpoint] results: {reason} The previous checkpoint stays.",
            step=step,
            key="results",
            file=str(folder),
        ) from error
    return folder


def finish(away: Path, staging: Path) -> None:
    """Let a save that is about to be committed name its folder, if it has files there."""
    if all(path.name == OWNER for path in away.iterdir()):
        return
    (staging / POINTER).write_text(str(away), encoding="utf-8")


def take(staging: Path, away: Path, file: str) -> None:
    """Move a file or folder that was written into the staging folder there."""
    make_folder((away / file).parent)
    shutil.move(staging / file, away / file)


def folder_of(folder: Path) -> Path | None:
    """Return the place that the pointer in a folder names; None if there is none.

    A pointer that did not come from a save here leads to no folder that names its owner, and is not
    followed.
    """
    try:
        away = Path((folder / POINTER).read_text(encoding="utf-8"))
        return away if (away / OWNER).is_file() else None
    except (OSError, UnicodeDecodeError):  # also where another user alone may look
        return None


def named_by(folder: Path) -> str:
    """Return what the pointer in a folder says, whether or not it is there; empty without one."""
    try:
        return (folder / POINTER).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def is_owned(away: Path, folder: Path) -> bool:
    """Tell whether a place belongs to a step's folder, and not to that of which it is a copy."""
    try:
        owner = Path((away / OWNER).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False
    return owner == folder or named_by(owner) != str(away)


def drop(away: Path | None, folder: Path) -> None:
    """Remove the place of a save that was replaced, if it was this folder's."""
    if away and is_owned(away, folder):
        with suppress(OSError):  # it holds nothing that anybody loads; `clean` finds it
            remove(away)


def left_over(project: Project) -> list[Path]:
    """Return the places of this project that no step's folder names, as after a kill."""
    try:
        place = large_files_of(project)
    except CheckpointError:
        return []
    if place is None or not place.is_dir():
        return []
    named = {named_by(path.parent) for path in below(project.results) if path.name == POINTER}
    found = [path for path in below(place) if path.name.startswith(SAVE) and path.is_dir()]
    return [path for path in found if str(path) not in named and (path / OWNER).is_file()]
