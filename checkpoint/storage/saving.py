"""Save objects as a step's checkpoint, with a record of what made them."""

import datetime
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import structs

from .. import __version__
from ..formats import options, shape_of
from ..project.places import large_files_of
from ..project.project import FAILED, Project
from ..project.settings import file_settings
from ..text import json_text
from ..watch.files import unwatched
from . import other_disk, session, store, writing
from . import params as user
from .environment import installed_environment, write_freeze
from .interrupts import Interrupts
from .json_record import to_json
from .kernel_run import run_of, unreadable
from .modules import Modules, changed_since_run, modules_of
from .schema import FORMAT_VERSION, RECORD, Environment, InputEntry, Record, Run


def save_objects(
    project: Project,
    step: str,
    objects: Mapping[str, Any],
    params: Mapping[str, Any] | None,
    interrupts: Interrupts,
    *,
    counts: Callable[[str], bool] = lambda name: True,
    amend: Callable[[Record], Record] = lambda record: record,
) -> list[str]:
    """Replace a step's checkpoint.

    Parameters
    ----------
    project
        The project.
    step, objects, params
        As given to `save`.
    interrupts
        Records Ctrl-C, which is checked after each file, and a last time before the commit.
    counts
        Takes the name of a file or step that this kernel read; tells whether it is an input.
    amend
        Takes the record; returns the record to write instead.

    Returns
    -------
    list of str
        Notes for the user, such as parts that a format does not preserve, or changed raw files.

    Raises
    ------
    CheckpointFormatError
        If a format cannot hold its object.
    CheckpointValueError
        If the step, a name or a parameter cannot be saved.
    KeyboardInterrupt
        On Ctrl-C before the commit.
    """
    with options.using(options.Options(*file_settings(project))):
        return _save(project, step, objects, params, interrupts, counts, amend)


def _save(
    project: Project,
    step: str,
    objects: Mapping[str, Any],
    params: Mapping[str, Any] | None,
    interrupts: Interrupts,
    counts: Callable[[str], bool],
    amend: Callable[[Record], Record],
) -> list[str]:
    folder = project.results_of(step)
    items = writing.plan(objects)
    groups = user.checked(params)
    writing.refuse_taken(step, items, folder, project.results)
    environment = installed_environment(project)
    disk = large_files_of(project) or folder
    writing.refuse_full(items, folder, disk)
    place = other_disk.begin(project, step)
    with store.transaction(folder, place) as staging:
        with writing.Writer(staging, place, interrupts.heed) as writer:
            for item in items:
                writer.write(item)
                interrupts.heed()
            record = Record(
                timestamp=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
                params=groups,
                data_shapes={i.key: shape for i in items if (shape := shape_of(i.obj))},
                format=FORMAT_VERSION,
                tool=__version__,
                step=step,
                files={},
                inputs={},
                param_hashes=user.param_hashes(groups),
                modules={},
                notes=writer.notes,
            )
            # meanwhile, other threads flush and hash the files
            record = _with_origin(project, record, environment, staging, counts)
            record = amend(structs.replace(record, files=writer.entries()))
        text = json_text(to_json(record))
        (staging / RECORD).write_text(text, encoding="utf-8", newline="\n")
        interrupts.hold()
    session.remember_saved(project, step)
    with suppress(OSError):  # committed, so nothing may raise; `run` also removes it
        (folder / FAILED).unlink(missing_ok=True)
    return record.notes


def _with_origin(
    project: Project,
    record: Record,
    environment: Environment,
    staging: Path,
    counts: Callable[[str], bool],
) -> Record:
    """Return the record with what made the results: inputs, modules, environment and cells."""
    step = record.step
    with unwatched():
        inputs = session.inputs_of(project, step, counts)
        modules = modules_of(project, step)
        run = session.without_skipped(project, step, run_of(project, step, staging))
        freeze = write_freeze(project, staging)
        wrong = unreadable(project, step, run)
    changed = dict(session.changed_since_read(project, inputs))
    with unwatched():
        notes = [*changed.values(), *_notes_on_code(project, modules, run)]
    if wrong:
        notes.append(f"{wrong}. The file is not what ran: results/{step} is edited until it is.")
    return structs.replace(
        record,
        inputs={n: _untimed(entry) if n in changed else entry for n, entry in inputs.items()},
        modules=modules.codes,
        elsewhere=modules.elsewhere,
        environment=structs.replace(environment, freeze=freeze),
        run=run,
        notes=[*record.notes, *notes],
    )


def _untimed(entry: InputEntry | None) -> InputEntry | None:
    """Return an input without its time, which belongs to other content, to compare by hash only."""
    return structs.replace(entry, mtime_ns=None) if entry else None


def _notes_on_code(project: Project, modules: Modules, run: Run | None) -> list[str]:
    """Return notes if the run differs from a clean run of the project's notebook and modules."""
    notes = []
    if modules.elsewhere:
        notes.append(
            f"The modules that ran were imported from {modules.elsewhere} and differ from src/ of "
            f"this project. In {project.root}, run `pip install -c constraints.txt -e .`, restart "
            "the kernel and run all."
        )
    else:
        notes += changed_since_run(project, modules.codes)
    if run and run.verdict and run.verdict.state != "clean":
        notes.append(f"Not a clean run: {run.verdict.reason}.")
    return notes
