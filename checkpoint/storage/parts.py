"""List the sub-checkpoints of a step, such as one per sample."""

import os
from collections.abc import Iterable
from datetime import datetime

from ..errors import CheckpointError
from ..project.names import unportable
from ..project.project import Project
from . import committed, hashes
from .schema import RECORD, InputEntry, Record


def parts_of(project: Project, step: str) -> dict[str, Record]:
    """Return the records of a step's sub-checkpoints by name, without those that are damaged."""
    return _records(project, *part_names(project, step))


def part_names(project: Project, step: str) -> list[str]:
    """Return the names of the folders below a step's own that hold a record, damaged or not."""
    whole = str(project.results_of(step))
    names = []
    for parent, folders, files in os.walk(whole):
        folders[:] = [folder for folder in folders if not unportable(folder)]
        if RECORD in files and parent != whole:
            names.append(step + parent.removeprefix(whole).replace(os.sep, "/"))
    return sorted(names)


def listing(project: Project, folder: str) -> InputEntry:
    """Return the list of a folder's files as an input, regardless of their content.

    Parameters
    ----------
    folder
        The path relative to the project, with `/`. In `results/<step>`, only files named in records
        count: a clone has no large files, and a run leaves additional files.
    """
    top, _, place = folder.partition("/")
    step, below = place.partition("/")[0], f"{place}/"
    records: dict[str, Record] = {}
    if top == "results" and not unportable(step):
        records = _records(project, step, *part_names(project, step))
    if not records:
        return InputEntry(hashes.listing_hash(project.place(folder)))
    files = [f"{part}/{file}" for part, record in records.items() for file in record.files]
    inside = [file.removeprefix(below) for file in files if file.startswith(below)]
    return InputEntry(hashes.value_hash(sorted(inside)))


def left_behind(project: Project, step: str, parts: Iterable[str]) -> list[str]:
    """Return the sub-checkpoints that the last run of a step did not save, such as a dropped one.

    Sub-checkpoints that scripts saved are not included: their run is unknown.

    Parameters
    ----------
    project, step
        The project and the step.
    parts
        The step's sub-checkpoints, as `part_names` returns them.
    """
    whole = committed.read_record(project.results_of(step))
    listed = {f"{step}/{name}" for name in whole.parts} if whole else set[str]()
    others = _records(project, *(part for part in parts if part not in listed))
    records = {part: record for part, record in others.items() if not record.looped}
    ran = [r for r in [whole, *records.values()] if r and r.run and r.run.kernel]
    if not ran:
        return []
    last = ran[0]
    for record in ran[1:]:
        last = record if is_older(last, record) else last
    return [
        part
        for part, record in records.items()
        if record.run
        and record.run.kernel not in (None, last.run and last.run.kernel)
        and is_older(record, last)
    ]


def is_older(record: Record, other: Record) -> bool:
    """Tell whether a checkpoint was saved before another; False if that is not certain."""
    logs = [each.run and each.run.log for each in (record, other)]
    times = [log.mtime_ns for log in logs if log and log.mtime_ns is not None]
    if len(times) == 2:  # saves of one session may be in the same second
        return times[0] < times[1]
    try:
        first, second = map(datetime.fromisoformat, (record.timestamp, other.timestamp))
        return first < second
    except (ValueError, TypeError):
        return False  # edited by hand


def _records(project: Project, *names: str) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for name in names:
        try:
            record = committed.read_record(project.results_of(name))
        except CheckpointError:
            continue  # loading it reports what is wrong
        if record:
            records[name] = record
    return records
