"""A save: what is written, and the record of what made it."""

import datetime
from collections.abc import Mapping
from typing import Any

from msgspec import structs

from .. import __version__
from ..formats import shape_of
from ..project.project import Project
from ..text import json_text
from . import params as user
from . import session, store, writing
from .environment import installed_environment, write_freeze
from .schema import FORMAT_VERSION, RECORD, Record, param_hashes


def save_objects(
    project: Project, step: str, objects: Mapping[str, Any], params: Mapping[str, Any] | None
) -> list[str]:
    """Replace a step's checkpoint.

    Parameters
    ----------
    project
        The project.
    step, objects, params
        As given to `save`.

    Returns
    -------
    list of str
        What the user should know: what a format does not preserve, which raw files have changed.

    Raises
    ------
    CheckpointFormatError
        If a format cannot hold its object.
    CheckpointValueError
        If the step, a name or a parameter cannot be saved.
    """
    folder = project.results_of(step)
    items = writing.plan(objects)
    groups = user.checked(params)
    writing.refuse_taken(step, items, folder, project.results)
    environment = installed_environment(project)
    inputs = session.inputs_of(project, step)
    notes = list(session.changed_since_read(project, inputs))
    with store.transaction(folder) as staging:
        files = {}
        for item in items:
            files[item.file], changes = writing.write(item, staging)
            notes += changes
        record = Record(
            timestamp=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            params=groups,
            data_shapes={i.key: shape for i in items if (shape := shape_of(i.obj))},
            format=FORMAT_VERSION,
            tool=__version__,
            step=step,
            files=files,
            inputs=inputs,
            param_hashes=param_hashes(groups),
            modules=session.modules_of(project),
            environment=structs.replace(environment, freeze=write_freeze(project, staging)),
            run=session.run(),
        )
        text = json_text(record.to_json())
        (staging / RECORD).write_text(text, encoding="utf-8", newline="\n")
    return notes
