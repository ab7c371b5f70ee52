"""Accept results as current when the user knows that a change does not matter."""

import datetime

from msgspec import structs

from ..errors import CheckpointError
from ..notebooks import notebook
from ..project.chain import step_of
from ..project.project import Project
from ..storage import committed, hashes, store
from ..storage.checkpoint import Checkpoint
from ..storage.json_record import by_hand
from ..storage.opened import missing
from ..storage.params import param_hashes
from ..storage.schema import Acceptance, FileEntry, Record
from .changes import CURRENT, INTERRUPTED, MISSING
from .states import Lineage


def accept(project: Project, step: str, why: str) -> list[str]:
    """Mark a step as current without running it again.

    The current state of its cells, inputs and modules is kept in its `params.json`, with the reason
    and the date; the next change makes it stale again. A folder that was filled by hand gets a
    record in the same way.

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
        The accepted changes: the reasons why the step was not current.

    Raises
    ------
    CheckpointError
        If `why` is empty or there is nothing to accept; if a save was interrupted or a file is not
        what was saved, which cannot be accepted; if the notebook cannot be read; or if the step was
        saved again meanwhile.
    """
    step = step_of(step)
    if not why.strip():
        raise CheckpointError("--why is empty. Say why the change does not matter.", step=step)
    folder = project.results_of(step)
    before = committed.record_bytes(folder)
    lineage = Lineage(project)
    state = lineage.state(step)
    if state.state == MISSING:
        raise missing(project, step)
    if state.state == CURRENT:
        raise CheckpointError(f"{step} is current; there is nothing to accept.", step=step)
    if state.state == INTERRUPTED:
        raise CheckpointError(
            f"{step}: a save was interrupted. Save again, then accept.", step=step
        )
    for known in project.steps():
        if known.name == step.partition("/")[0] and not known.is_script:
            notebook.read_whole(known.path)  # its cells are accepted, so it must be readable
    checkpoint = Checkpoint(project, step)  # raises an error if a file is missing or truncated
    _refuse_changed_files(project, checkpoint)
    record = checkpoint.record or _by_hand(project, checkpoint)
    now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    fits = structs.replace(lineage.present(step), params=param_hashes(record.params))
    record = record.accept(Acceptance(why.strip(), now, state.reasons, fits))
    store.put_record(folder, record, before)
    return state.reasons


def _refuse_changed_files(project: Project, checkpoint: Checkpoint) -> None:
    folder = project.results_of(checkpoint.step)
    for file, entry in checkpoint.files.items():
        if checkpoint.record and not hashes.is_unchanged(committed.locate(folder, file), entry):
            place = f"results/{checkpoint.step}/{file}"
            raise CheckpointError(
                f"{place} is not what was saved, which cannot be accepted. Run the notebook again.",
                step=checkpoint.step,
                file=place,
            )


def _by_hand(project: Project, checkpoint: Checkpoint) -> Record:
    """Make a record for a folder that was filled by hand."""
    folder = project.results_of(checkpoint.step)
    if "checkpoint" in checkpoint.params:
        raise CheckpointError(
            f"results/{checkpoint.step}/params.json has a key 'checkpoint' that save did not "
            "write. Rename it.",
            step=checkpoint.step,
            key="checkpoint",
        )
    files = {}
    for file, entry in checkpoint.files.items():
        content = hashes.content_of(folder / file)
        files[file] = FileEntry(entry.key, content.bytes, content.blake3, content.mtime_ns)
    newest = max((entry.mtime_ns or 0 for entry in files.values()), default=0) / 1e9
    made = datetime.datetime.fromtimestamp(newest).astimezone().isoformat(timespec="seconds")
    return by_hand(checkpoint.params, checkpoint.step, files, made)
