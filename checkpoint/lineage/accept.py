"""Accept results as they are, where their owner knows that a change does not matter."""

import datetime
from typing import Any

from ..errors import CheckpointError
from ..notebooks import notebook
from ..project.chain import step_of
from ..project.project import Project
from ..storage import hashes, record, store
from ..storage.checkpoint import Checkpoint, missing
from .states import CURRENT, INTERRUPTED, MISSING, Lineage


def accept(project: Project, step: str, why: str) -> list[str]:
    """Mark a step as current without running it again.

    What it was accepted as fitting (its cells, inputs and modules as they are now) is kept in its
    `params.json` with the reason and the date; the next change makes it stale again. A folder
    that was filled by hand gets a record in the same way.

    Parameters
    ----------
    project
        The project.
    step
        The step, or a sub-checkpoint of it.
    why
        Why the change does not matter.

    Returns
    -------
    list of str
        What was accepted: the reasons for which the step was not current.

    Raises
    ------
    CheckpointError
        If there is nothing to accept, or a file is not what was saved, which no reason mends, or
        the notebook cannot be read, or the step was saved again meanwhile.
    """
    step = step_of(step)
    if not why.strip():
        raise CheckpointError("--why is empty. Say why the change does not matter.")
    folder = project.results_of(step)
    before = store.record_bytes(folder)
    lineage = Lineage(project)
    state = lineage.state(step)
    if state.state == MISSING:
        raise CheckpointError(missing(project, step))
    if state.state == CURRENT:
        raise CheckpointError(f"{step} is current; there is nothing to accept.")
    if state.state == INTERRUPTED:
        raise CheckpointError(f"{step}: a save was cut short. Save again, then accept.")
    for one in project.steps():
        if one.name == step.partition("/")[0]:
            notebook.read_whole(one.path)  # its cells are accepted, so they have to be readable
    checkpoint = Checkpoint(project, step)  # it says which file is missing or cut off
    _refuse_changed_files(project, checkpoint)
    made = checkpoint.params if checkpoint.recorded else _by_hand(project, checkpoint)
    entry = {
        "why": why.strip(),
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "reasons": state.reasons,
        "fits": lineage.present(step)._replace(params=record.group_hashes(made))._asdict(),
    }
    made["checkpoint"]["accepted"] = [*record.accepted(made), entry]
    store.put_record(folder, made, before)
    return state.reasons


def _refuse_changed_files(project: Project, checkpoint: Checkpoint) -> None:
    folder = project.results_of(checkpoint.step)
    for file, entry in checkpoint.files.items():
        if checkpoint.recorded and not hashes.is_still(store.locate(folder, file), entry):
            raise CheckpointError(
                f"results/{checkpoint.step}/{file} is not what was saved, which cannot be "
                "accepted. Run the notebook again."
            )


def _by_hand(project: Project, found: Checkpoint) -> dict[str, Any]:
    """Make a record for a folder that was filled by hand."""
    folder = project.results_of(found.step)
    if "checkpoint" in found.params:
        raise CheckpointError(
            f"results/{found.step}/params.json has a part 'checkpoint' that save did not write. "
            "Give it another name."
        )
    files = {
        file: {"key": entry["key"], **hashes.describe(folder / file)}
        for file, entry in found.files.items()
    }
    newest = max((entry["mtime_ns"] for entry in files.values()), default=0) / 1e9
    made = datetime.datetime.fromtimestamp(newest).astimezone().isoformat(timespec="seconds")
    return {
        "timestamp": found.params.get("timestamp", made),
        **record.groups_of(found.params),
        "data_shapes": found.params.get("data_shapes", {}),
        "checkpoint": {
            "format": record.FORMAT_VERSION,
            "step": found.step,
            "files": files,
            "inputs": {},
            "params": {},
            "modules": {},
        },
    }
