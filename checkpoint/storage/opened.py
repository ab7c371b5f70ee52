"""Open a step's checkpoint: read the record, and compare the files' sizes with it."""

import time
from pathlib import Path
from typing import Any, NamedTuple

from .. import text
from ..errors import (
    CheckpointDamagedError,
    CheckpointError,
    CheckpointNotFoundError,
    ProjectError,
)
from ..formats import beside, format_of, stems, suffix_of
from ..notebooks.recipe import recipe_of
from ..project.project import Project
from ..project.settings import read_sources
from . import committed, hashes, other_disk, store
from .json_record import parse
from .schema import RECORD, SESSION, FileEntry, Record

# Number of attempts, and seconds between them, while another process replaces a checkpoint.
PATIENCE, PAUSE = 40, 0.05


class Opened(NamedTuple):
    """A checkpoint's files, parameters and record.

    Attributes
    ----------
    files
        The entry of each file, by its path in the step's folder.
    params
        The user's parameters; in a folder that was filled by hand, the whole `params.json`.
    raw
        The content of `params.json`; empty if it does not exist.
    record
        The record; None for a folder that was filled by hand.
    """

    files: dict[str, FileEntry]
    params: dict[str, Any]
    raw: dict[str, Any]
    record: Record | None


def open_step(project: Project, step: str) -> Opened:
    """Read a step's record and compare the files' sizes with it.

    Raises
    ------
    CheckpointNotFoundError
        If the step has saved nothing.
    CheckpointDamagedError
        If a file is missing or does not have the recorded size.
    CheckpointError
        If the checkpoint was saved by a newer version of this code.
    """
    folder = project.results_of(step)
    store.recover(folder)
    problem: CheckpointDamagedError | None = None
    before: dict[str, Any] | None = None
    for _ in range(PATIENCE):
        raw, record = _read(project, step)
        if record is None:
            return _open_by_hand(project, step, raw)
        problem = next(
            filter(None, (misfit(project, step, folder, *file) for file in record.files.items())),
            None,
        )
        if problem is None:
            return Opened(record.files, record.params, raw or {}, record)
        if not committed.in_progress(folder) and is_absent(folder, record):
            raise _absent(project, step, record)
        if raw == before and not committed.in_progress(folder):
            break
        before = raw
        time.sleep(PAUSE)
    assert problem
    raise problem


def misfit(
    project: Project, step: str, folder: Path, file: str, entry: FileEntry
) -> CheckpointDamagedError | None:
    """Return the error for a file that is missing or does not have its recorded size."""
    if hashes.has_stamp(folder / file, entry):
        return None  # the usual case
    place = f"results/{step}/{file}"
    try:
        size, _ = hashes.stamp_of(committed.locate(folder, file))
    except FileNotFoundError:
        return CheckpointDamagedError(
            f"{place} is missing. {remedy(project, step)}", step=step, file=place, key=entry.key
        )
    if size == entry.bytes:
        return None
    sizes = f"{text.exact_size(size)}; expected {text.exact_size(entry.bytes)}"
    return CheckpointDamagedError(
        f"{place} is {sizes}. {remedy(project, step)}",
        step=step,
        file=place,
        key=entry.key,
        expected=entry.bytes,
        found=size,
    )


def is_absent(folder: Path, record: Record) -> bool:
    """Tell whether all large files, but no small ones, are missing, as in a new clone."""
    missing = {file for file in record.files if not committed.locate(folder, file).exists()}
    formats = {file: format_of(file) for file in record.files}
    large = {file for file, entry in formats.items() if entry and entry.large}
    kept = {file for file, entry in formats.items() if entry and not entry.large}
    return bool(missing) and large <= missing and missing.isdisjoint(kept)


def _absent(project: Project, step: str, record: Record) -> CheckpointNotFoundError:
    whole = step.partition("/")[0]
    if named := other_disk.named_by(project.results_of(step)):
        return CheckpointNotFoundError(
            f"results/{step} was saved on {record.timestamp[:10]} with its large files in {named}, "
            f"which {_not_there(Path(named))}, or run {maker_of(project, step)} again.",
            step=step,
            file=named,
        )
    todo = f"copy results/{whole}/ from where it was made."
    return CheckpointNotFoundError(
        f"results/{step} was saved on {record.timestamp[:10]}, but its files are not here, as in a "
        f"new clone. Run {maker_of(project, step)}, or {offer(project, step) or todo}",
        step=step,
    )


def _not_there(place: Path) -> str:
    try:
        place.stat()
    except PermissionError:
        return "you may not read. Ask whoever saved it"
    except FileNotFoundError:
        return "is not there. Mount that disk"
    except OSError as error:
        return f"cannot be read ({error.strerror}). Mount that disk"
    return "is not a save of this step. Mount its disk"


def results_in(folder: Path) -> list[Path]:
    """Return the files and folders directly in a folder that have the suffix of a format."""
    return [
        path
        for path in folder.glob("*")
        if path.name not in (RECORD, SESSION)
        and (entry := format_of(path.name))
        and (path.is_dir() if entry.is_folder else path.is_file())
    ]


def missing(project: Project, step: str) -> CheckpointNotFoundError:
    """Return the error for a step that has saved nothing; it names the notebook to run.

    A new project's results folders contain only `.gitkeep`, which counts as nothing.
    """
    where = project.address(project.results_of(step))
    message = f"Results directory '{where}' not found."
    steps = [notebook.name for notebook in project.steps()]
    if steps and step.partition("/")[0] not in steps:
        message += f" No notebook makes it; the steps are {', '.join(steps)}."
    else:
        message += f" Run {maker_of(project, step)} first."
    if offered := offer(project, step):
        if " Run " in message:
            message = f"{message[:-1]}, or {offered}"
        else:
            message = f"Results directory '{where}' not found. {offered[0].upper()}{offered[1:]}"
    return CheckpointNotFoundError(message, step=step)


def offer(project: Project, step: str) -> str:
    """Return how to fetch a step's prepared results, as a clause; empty if there are none."""
    name = step.partition("/")[0]
    source = read_sources(project).get(name)
    if source is None:
        return ""
    size = f" ({text.size(source.bytes)})" if source.bytes else ""
    return (
        f"fetch the prepared results{size}: `checkpoint unpack {name}`, or "
        f'`load("{step}", fetch=True)` in the notebook.'
    )


def remedy(project: Project, step: str) -> str:
    """Return a sentence on how to regenerate a step's results."""
    return f"Run {maker_of(project, step)} again."


def maker_of(project: Project, step: str) -> str:
    """Return the notebook or the command that makes a step or sub-checkpoint."""
    name = step.partition("/")[0]
    known = next((known for known in project.steps() if known.name == name), None)
    try:
        recipe = recipe_of(project, known) if known else None  # None for Python notebooks
    except ProjectError:
        recipe = None  # the notebook cannot be read
    return f"`checkpoint run {name}`" if recipe else f"{name}.ipynb"


def _read(project: Project, step: str) -> tuple[dict[str, Any] | None, Record | None]:
    """Read `params.json`; errors name the step and say what to do."""
    try:
        raw = committed.read_raw(project.results_of(step))
        return raw, None if raw is None else parse(raw)
    except CheckpointDamagedError as error:
        raise CheckpointDamagedError(
            f"results/{step}/{error} {remedy(project, step)}",
            step=step,
            file=f"results/{step}/{error.file}",
            key=error.key,
            expected=error.expected,
            found=error.found,
        ) from error
    except CheckpointError as error:
        raise CheckpointError(
            f"results/{step}/{error}", step=step, expected=error.expected, found=error.found
        ) from error


def _open_by_hand(project: Project, step: str, raw: dict[str, Any] | None) -> Opened:
    """Open a folder that was filled by hand; its files are recognized by their suffixes."""
    folder = project.results_of(step)
    paths = sorted([*results_in(folder), *results_in(folder / "figures")])
    if raw is None:
        named = [path for path in paths if path.name.endswith(f"_{RECORD}")]
        if named:
            try:
                raw = committed.read_json(named[0])
            except CheckpointDamagedError as error:
                raise CheckpointDamagedError(f"results/{step}/{error}", step=step) from error
            paths.remove(named[0])
    # a folder with only figures has no results to load
    if raw is None and not any(path.parent == folder for path in paths):
        raise missing(project, step)
    files = [path.relative_to(folder).as_posix() for path in paths]
    keys = [file.removesuffix(suffix_of(file)) for file in files]
    rests = {file: _owner(file, files) for file in files if file.endswith(beside.SUFFIX)}
    entries = {
        file: FileEntry(
            key if keys.count(key) == 1 else file,
            hashes.stamp_of(folder / file)[0],
            blake3="",
            beside=rests.get(file),
        )
        for file, key in zip(files, keys, strict=True)
    }
    return Opened(entries, raw or {}, raw or {}, None)


def _owner(rest: str, files: list[str]) -> str | None:
    """Return the file that a `.rest.pkl` file belongs to; None if no single file matches."""
    stem = rest.removesuffix(beside.SUFFIX)
    owners = [file for file in files if file != rest and stem in (file, *stems(file))]
    return owners[0] if len(owners) == 1 else None
