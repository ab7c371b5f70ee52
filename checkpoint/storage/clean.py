"""Find and remove checkpoints; files that `save` and `run` did not write are kept."""

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from ..errors import CheckpointError, ProjectError
from ..files import below, remove
from ..project.chain import step_of
from ..project.project import EXECUTED, FAILED, FAILED_LOG, Project
from . import committed, other_disk, store
from .parts import part_names
from .schema import RECORD


class Removable(NamedTuple):
    """The files that `save` and `run` wrote for a step.

    Attributes
    ----------
    step
        The step.
    folder
        Its results folder.
    files
        The files to remove, including those of its sub-checkpoints.
    bytes
        Their size, including large files on another disk.
    newest
        The modification time of the newest file, in nanoseconds; lock files do not count.
    others
        Files in its folder that `save` did not create; they are kept.
    away
        Folders on another disk that hold its large files.
    """

    step: str
    folder: Path
    files: list[Path]
    bytes: int
    newest: int
    others: list[Path]
    away: list[Path]


def find(project: Project, steps: list[str]) -> list[Removable]:
    """Find the checkpoints of some steps and sub-checkpoints, or of all steps if none is given.

    Raises
    ------
    ProjectError
        If a step has no results folder, or the folder is a link into `data/`.
    """
    folders = [path for path in sorted(project.results.glob("*/")) if path.name[0] != "."]
    known = [path.name for path in folders]
    wanted = [step_of(step) for step in steps]
    for step in wanted:
        whole = step.partition("/")[0]
        there = part_names(project, whole) if "/" in step and whole in known else known
        if step not in there:
            raise ProjectError(
                f"results/{step} does not exist; there are {', '.join(there) or 'none'}.",
                step=step,
                expected=there,
            )
    chosen = [name for name in known if not wanted or name in wanted]
    chosen += sorted({step for step in wanted if "/" in step and not _is_within(step, wanted)})
    return [removable for step in chosen if (removable := _find(project, step)).files]


def find_left_over(project: Project) -> list[Removable]:
    """Find the folders that killed saves left on another disk, if large files are kept there."""
    return [
        Removable(str(place), place.parent, [], _size_below(place), 0, [], [place])
        for place in other_disk.left_over(project)
    ]


def others_in(project: Project, step: str) -> list[Path]:
    """Return the files in a step's results that neither `save` nor `run` wrote."""
    return _find(project, step).others if project.results_of(step).is_dir() else []


def whole(project: Project, part: str) -> Removable:
    """Return all files that were saved for a sub-checkpoint."""
    return _find(project, part)


def clean(checkpoints: list[Removable]) -> None:
    """Remove what `find` returned, and folders that become empty, except the step's own.

    Raises
    ------
    CheckpointError
        If a step was saved since `find`; its files are kept.
    """
    for checkpoint in checkpoints:
        if not checkpoint.files:
            for place in checkpoint.away:
                remove(place)
            continue
        parts = {path.parent for path in checkpoint.files if path.name == RECORD}
        with ExitStack() as locks:
            for part in sorted({checkpoint.folder, *parts}):
                locks.enter_context(store.locked(part))
            now = _in_folder(checkpoint.step, checkpoint.folder)
            if (now.files, now.newest) != (checkpoint.files, checkpoint.newest):
                raise CheckpointError(
                    f"results/{checkpoint.step} was saved meanwhile and was not removed.",
                    step=checkpoint.step,
                )
            # records last: until then, a half-removed checkpoint is detected as damaged
            for path in sorted(checkpoint.files, key=lambda path: path.name == RECORD):
                path.unlink(missing_ok=True)
            for folder in sorted({path.parent for path in checkpoint.files}, reverse=True):
                store.remove_empty(folder, checkpoint.folder)
            for place in checkpoint.away:
                remove(place)


def _is_within(step: str, others: list[str]) -> bool:
    """Tell whether a sub-checkpoint is in the folder of one of `others`."""
    return any(step.startswith(f"{other}/") for other in others)


def _find(project: Project, step: str) -> Removable:
    folder = project.results_of(step)
    for place in (folder, project.results):
        if place.resolve().is_relative_to(project.data.resolve()):
            raise ProjectError(
                f"{project.show(place)} leads into data/, which is never cleaned.", step=step
            )
    return _in_folder(step, folder)


def _in_folder(step: str, folder: Path) -> Removable:
    ours: set[Path] = set()
    places: list[Path] = []
    for part in [folder, *(path for path in below(folder) if path.is_dir())]:
        ours |= _written_in(part)
        place = other_disk.folder_of(part)
        places += [place] if place and other_disk.is_owned(place, part) else []
    # a link counts as a file, whatever its target
    paths = [path for path in below(folder) if path.is_symlink() or path.is_file()]
    # `clean` holds the step's own lock
    files = [path for path in paths if path in ours and path != folder / store.LOCK]
    others = [path for path in paths if path not in ours and path.name[0] != "."]
    statuses = {path: path.lstat() for path in files}
    size = sum(status.st_size for status in statuses.values()) + sum(map(_size_below, places))
    # acquiring a lock may change the time of its file
    written = [status.st_mtime_ns for path, status in statuses.items() if path.name != store.LOCK]
    newest = max(written, default=0)
    return Removable(step, folder, files, size, newest, others, places)


def _size_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in below(folder) if path.is_file())


def _written_in(folder: Path) -> set[Path]:
    """Return the files that `save` or `run` wrote in a folder."""
    written = {folder / name for name in (FAILED, EXECUTED, FAILED_LOG)}
    for staged in [folder / committed.COMMIT, *folder.glob(f"{store.STAGING}*")]:
        written |= {path for path in below(staged) if path.is_file()}
    try:
        record = committed.read_record(folder)
    except CheckpointError:
        return written  # the record cannot be read, so its files are unknown
    if record:
        written |= {folder / RECORD, folder / store.LOCK}
        for file in record.written:
            # for an object that is a folder, also the files in it
            written |= {folder / file, *below(folder / file)}
    return written
