"""The sub-checkpoints of a step, such as one per sample."""

from collections.abc import Collection

from ..errors import CheckpointError
from ..files import below
from ..project.names import unportable
from ..project.project import Project
from . import store
from .schema import RECORD, Record


def parts_of(project: Project, step: str, without: Collection[str] = ()) -> dict[str, Record]:
    """Return the records of a step's sub-checkpoints by name, without those that are damaged."""
    found: dict[str, Record] = {}
    for part in part_names(project, step):
        if part in without:
            continue
        try:
            record = store.read_record(project.results_of(part))
        except CheckpointError:
            continue  # whoever loads it is told
        if record:
            found[part] = record
    return found


def part_names(project: Project, step: str) -> list[str]:
    """Return the names of the folders below a step's own that hold a record, damaged or not."""
    whole = project.results_of(step)
    folders = [path.parent.relative_to(whole) for path in below(whole) if path.name == RECORD]
    named = [
        folder for folder in folders if folder.parts and not any(map(unportable, folder.parts))
    ]
    return sorted(f"{step}/{folder.as_posix()}" for folder in named)


def left_behind(project: Project, step: str) -> list[str]:
    """Return the sub-checkpoints that the last run of a step did not save, as after one is dropped.

    Nothing is known of those that scripts saved.
    """
    whole = store.read_record(project.results_of(step))
    listed = {f"{step}/{name}" for name in whole.parts} if whole else set[str]()
    records = {
        part: record
        for part, record in parts_of(project, step, without=listed).items()
        if not record.looped
    }
    ran = [r for r in [whole, *records.values()] if r and r.run and r.run.kernel]
    if not ran:
        return []
    last = max(ran, key=lambda record: record.timestamp)
    return [
        part
        for part, record in records.items()
        if record.run
        and record.run.kernel not in (None, last.run and last.run.kernel)
        and record.timestamp < last.timestamp
    ]
