"""Store the large files of a save on another disk.

Files cannot be renamed from one disk to another, so each save gets its own folder there. A pointer,
the file `.checkpoint-away` in the step's folder, names it. The pointer is replaced with the save's
other files, before the record. Git ignores it, so that a clone never reads or removes the large
files of the original.
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

OWNER = ".checkpoint-of"  # file in that folder which contains the path of the step's folder
UNFINISHED = ".checkpoint-unfinished"  # the name of this file until the save is committed
SAVE = ".save-"


def begin(project: Project, step: str) -> Path | None:
    """Create the folder for the large files of one save; None if they stay in the project.

    Raises
    ------
    CheckpointError
        If it cannot be created; the message names the setting `results`.
    """
    place = large_files_of(project)
    if place is None:
        return None
    folder = place.joinpath(*step.split("/"), f"{SAVE}{os.urandom(4).hex()}")
    try:
        with explained():
            make_folder(folder)
        (folder / UNFINISHED).write_text(str(project.results_of(step)), encoding="utf-8")
        for parent in folder.parents:  # if a power cut loses a folder, the save is lost
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
    """Write the pointer of a save that is about to be committed, if it has files in `away`.

    The pointer also names the folders that it replaces, in case this process cannot remove them.
    """
    if any(path.name != UNFINISHED for path in away.iterdir()):
        replaced = [place for place in _named(folder) if is_owned(Path(place), folder, unseen=True)]
        text = "\n".join([str(away), *replaced])
        (staging / POINTER).write_text(text, encoding="utf-8", newline="\n")


def keep(away: Path) -> None:
    """Mark a folder as used, right before the save whose pointer names it is committed."""
    (away / UNFINISHED).replace(away / OWNER)
    sync(away)


def take(staging: Path, away: Path, file: str) -> None:
    """Move a file or folder from the staging folder to the folder on the other disk."""
    make_folder((away / file).parent)
    shutil.move(staging / file, away / file)


def folder_of(folder: Path) -> Path | None:
    """Return the folder that the pointer in a step's folder names; None if there is none.

    A pointer is followed only if the folder has a file that names its owner, as saves write it.
    """
    try:
        away = Path(named_by(folder))
        return away if away.is_absolute() and (away / OWNER).is_file() else None
    except OSError:  # only another user may read the folder
        return None


def named_by(folder: Path) -> str:
    """Return the path in a pointer, whether or not it exists; empty without a pointer."""
    return next(iter(_named(folder)), "")


def is_owned(away: Path, folder: Path, *, unseen: bool = False) -> bool:
    """Tell whether `away` belongs to a step's folder, not to one that the folder is a copy of.

    Parameters
    ----------
    away, folder
        The folder on the other disk, and the step's folder.
    unseen
        The result if this user may not read `away`.
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
    """Remove the large files of a save that was replaced, if they belong to the step's folder."""
    if away and is_owned(away, folder):
        with suppress(OSError):  # no checkpoint uses it any more; `clean` finds it
            remove(away)


def left_over(project: Project) -> list[Path]:
    """Return the folders on the other disk that killed saves left, or that were replaced.

    Replaced folders are left if their owner has to remove them. A folder of a finished save that no
    pointer names is not included: the project that it belongs to may have been moved.
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
    """Return the folder that a pointer names, and those that its save replaced."""
    try:
        return (folder / POINTER).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
