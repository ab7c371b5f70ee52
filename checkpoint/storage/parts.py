"""The sub-checkpoints of a step, such as one per sample."""

from ..errors import CheckpointError
from ..project.names import unportable
from ..project.project import Project
from . import store
from .schema import RECORD, Record


def parts_of(project: Project, step: str) -> dict[str, Record]:
    """Return the records of a step's sub-checkpoints by name, without those that are damaged."""
    found: dict[str, Record] = {}
    whole = project.results_of(step)
    for path in sorted(whole.glob(f"*/**/{RECORD}")):
        folder = path.parent.relative_to(whole)
        if any(map(unportable, folder.parts)):
            continue
        try:
            record = store.read_record(path.parent)
        except CheckpointError:
            continue  # whoever loads it is told
        if record:
            found[f"{step}/{folder.as_posix()}"] = record
    return found


def left_behind(project: Project, step: str) -> list[str]:
    """Return the sub-checkpoints that the last run of a step did not save, as after one is dropped.

    Nothing is known of those that scripts saved.
    """
    records = parts_of(project, step)
    whole = store.read_record(project.results_of(step))
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
