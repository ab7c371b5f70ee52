"""Remove checkpoints, and nothing else."""

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from ..errors import CheckpointDamagedError, CheckpointError, ProjectError
from ..project.chain import step_of
from ..project.project import EXECUTED, FAILED, Project
from . import store


class Checkpoints(NamedTuple):
    """What `save` and `run` made for a step.

    Attributes
    ----------
    step
        The step.
    folder
        Its results.
    files
        Its files, those of its sub-checkpoints too.
    bytes
        How large they are.
    newest
        When the last of them was written, in nanoseconds.
    others
        Files in its folder that somebody else put there, which stay.
    """

    step: str
    folder: Path
    files: list[Path]
    bytes: int
    newest: int
    others: list[Path]


def find(project: Project, steps: list[str]) -> list[Checkpoints]:
    """Find the checkpoints of some steps, or of all.

    Raises
    ------
    ProjectError
        If a step has no results folder, or the folder leads into `data/`.
    """
    folders = [path for path in sorted(project.results.glob("*/")) if path.name[0] != "."]
    known = [path.name for path in folders]
    wanted = [step_of(step) for step in steps]
    for step in wanted:
        if step not in known:
            there = ", ".join(known) or "none"
            raise ProjectError(f"results/{step} is not there; there are {there}.")
    chosen = [path.name for path in folders if not wanted or path.name in wanted]
    return [one for one in (_of(project, step) for step in chosen) if one.files]


def others_in(project: Project, step: str) -> list[Path]:
    """Return the files in a step's results that neither `save` nor `run` made."""
    return _of(project, step).others if project.results_of(step).is_dir() else []


def clean(project: Project, checkpoints: list[Checkpoints]) -> None:
    """Remove what was found; the step's own folder stays, and folders that are then empty go.

    Raises
    ------
    CheckpointError
        If a step was saved since it was found, of which nothing is removed then.
    """
    for one in checkpoints:
        parts = {path.parent for path in one.files if path.name == store.RECORD}
        with ExitStack() as stack:
            for part in sorted({one.folder, *parts}):
                stack.enter_context(store.locked(part))
            now = _of(project, one.step)
            if (now.files, now.newest) != (one.files, one.newest):
                raise CheckpointError(
                    f"results/{one.step} was saved meanwhile, and is still there."
                )
            # the records last: until they go, what is half removed is known to be damaged
            for path in sorted(one.files, key=lambda path: path.name == store.RECORD):
                path.unlink(missing_ok=True)
            for folder in sorted({path.parent for path in one.files}, reverse=True):
                store.remove_empty(folder, one.folder)


def _of(project: Project, step: str) -> Checkpoints:
    folder = project.results_of(step)
    for place in (folder, project.results):
        if place.resolve().is_relative_to(project.data.resolve()):
            raise ProjectError(f"{project.show(place)} leads into data/, which is never cleaned.")
    ours: set[Path] = set()
    for part in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        ours |= _made_in(part)
    # a link is a file, whatever it leads to
    there = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()]
    # the step's own lock is being held
    files = [path for path in there if path in ours and path != folder / store.LOCK]
    others = [path for path in there if path not in ours and path.name[0] != "."]
    found = [path.lstat() for path in files]
    size = sum(one.st_size for one in found)
    newest = max((one.st_mtime_ns for one in found), default=0)
    return Checkpoints(step, folder, files, size, newest, others)


def _made_in(folder: Path) -> set[Path]:
    """Return the files that a save or a run made in a folder."""
    made = {folder / FAILED, folder / EXECUTED}
    for staged in [folder / store.COMMIT, *folder.glob(f"{store.STAGING}*")]:
        made |= {path for path in staged.rglob("*") if path.is_file()}
    try:
        record = store.read_record(folder)
    except CheckpointDamagedError:
        return made  # nobody knows what it named
    if store.is_recorded(record):
        made |= {folder / store.RECORD, folder / store.LOCK}
        made |= {folder / file for file in store.recorded_files(record)}
    return made
