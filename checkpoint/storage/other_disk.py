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
UNFINISHED = ".checkpoint-unfinished"  # the name of that file until the save is committed
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
        (folder / UNFINISHED).write_text(str(project.results_of(step)), encoding="utf-8")
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


def finish(away: Path, staging: Path, folder: Path) -> None:
    """Let a save that is about to be committed name its folder, if it has files there.

    It also names those that it replaces, for the case that this process cannot remove them.
    """
    if any(path.name != UNFINISHED for path in away.iterdir()):
        replaced = [place for place in _named(folder) if is_owned(Path(place), folder, unseen=True)]
        text = "\n".join([str(away), *replaced])
        (staging / POINTER).write_text(text, encoding="utf-8", newline="\n")


def keep(away: Path) -> None:
    """Note, right before the save that names a folder is committed, that it is used."""
    (away / UNFINISHED).replace(away / OWNER)
    sync(away)


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
        away = Path(named_by(folder))
        return away if away.is_absolute() and (away / OWNER).is_file() else None
    except OSError:  # where another user alone may look
        return None


def named_by(folder: Path) -> str:
    """Return what the pointer in a folder says, whether or not it is there; empty without one."""
    return next(iter(_named(folder)), "")


def is_owned(away: Path, folder: Path, *, unseen: bool = False) -> bool:
    """Tell whether a place belongs to a step's folder, and not to that of which it is a copy.

    Parameters
    ----------
    away, folder
        The place, and the step's folder.
    unseen
        What is returned where this user may not look.
    """
    for name in (OWNER, UNFINISHED):
        try:
            owner = Path((away / name).read_text(encoding="utf-8"))
        except PermissionError:
            return unseen
        except (OSError, UnicodeDecodeError):
            continue
        return owner == folder or named_by(owner) != str(away)
    return False


def drop(away: Path | None, folder: Path) -> None:
    """Remove the place of a save that was replaced, if it was this folder's."""
    if away and is_owned(away, folder):
        with suppress(OSError):  # it holds nothing that anybody loads; `clean` finds it
            remove(away)


def left_over(project: Project) -> list[Path]:
    """Return the places of this project that killed saves left, or those whom they belong to.

    What no pointer names may be that of a project that was moved: it is not among them.
    """
    try:
        place = large_files_of(project)
    except CheckpointError:
        return []
    if place is None or not place.is_dir():
        return []
    folders = [path.parent for path in below(project.results) if path.name == POINTER]
    used = {named_by(folder) for folder in folders}
    replaced = {name for folder in folders for name in _named(folder)} - used
    saves = [path for path in below(place) if path.name.startswith(SAVE) and path.is_dir()]
    return [
        path
        for path in saves
        if ((path / UNFINISHED).is_file() and str(path) not in used)
        or ((path / OWNER).is_file() and str(path) in replaced)
    ]


def _named(folder: Path) -> list[str]:
    """Return the place that the pointer in a folder names, and those that it replaced."""
    try:
        return (folder / POINTER).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
