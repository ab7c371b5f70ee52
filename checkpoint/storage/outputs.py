"""Make checkpoints of steps that do not call `save`: commands and non-Python notebooks."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import structs

from .. import __version__
from ..errors import CheckpointError, CheckpointValueError
from ..files import below, sync
from ..formats import format_of, suffix_of
from ..notebooks.recipe import Recipe
from ..project.chain import Step
from ..project.names import folded, unportable
from ..project.project import EXECUTED, FAILED, FAILED_LOG, Project
from ..project.settings import FILE, Entry
from ..text import json_text
from . import committed, hashes, input_hashes, other_disk, params, store
from .checkpoint import Checkpoint
from .json_record import to_json
from .params import param_hashes
from .schema import FORMAT_VERSION, RECORD, FileEntry, InputEntry, Record

LOG = "run.log"
OURS = (LOG, FAILED_LOG, FAILED, EXECUTED, RECORD)  # reserved names in a step's folder


@contextmanager
def captured(project: Project, step: Step, recipe: Recipe) -> Iterator[Path]:
    """Replace a step's checkpoint with the files written inside the `with` block.

    Yields
    ------
    Path
        An empty folder to write into. If the block raises, the previous checkpoint stays intact.

    Raises
    ------
    CheckpointNotFoundError
        If a step that it loads has saved nothing.
    CheckpointError
        If a file of its code does not exist, nothing was written, or a written file cannot be
        part of a checkpoint.
    """
    folder = project.results_of(step.name)
    inputs, code = inputs_of(project, recipe), code_of(project, recipe)
    for name in [name for name, digest in code.items() if digest is None]:
        if not (project.root / name).is_file():
            raise CheckpointError(
                f"{name}, which is code of {step.name}, does not exist. Correct {FILE}: "
                f"[tool.checkpoint.steps.{step.name}].",
                step=step.name,
                file=name,
            )
    place = other_disk.begin(project, step.name)
    with store.transaction(folder, place) as staging:
        yield staging
        _refuse_unfit(step, staging)
        written = _params(step, staging)
        files = _entries(staging)
        if place:
            files = moved_away(files, staging, place)
        if not files and not written:
            raise CheckpointError(
                f"{step.name} wrote nothing into the folder that CHECKPOINT_OUTPUT names.",
                step=step.name,
            )
        record = Record(
            timestamp=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            params=written,
            format=FORMAT_VERSION,
            tool=__version__,
            step=step.name,
            files=files,
            inputs=inputs,
            param_hashes=param_hashes(written),
            modules=code,
            output=_log(folder, staging),
        )
        text = json_text(to_json(_with_changes(project, recipe, record)))
        (staging / RECORD).write_text(text, encoding="utf-8", newline="\n")


def _with_changes(project: Project, recipe: Recipe, record: Record) -> Record:
    """Return the record, with inputs and code that changed during the run marked as outdated."""
    inputs, code, notes = record.inputs, record.modules, []
    now = inputs_of(project, recipe)
    for name in sorted(inputs.keys() | now.keys()):
        if not _is_same(inputs.get(name), now.get(name)):
            notes.append(f"{name} changed while {record.step} ran. Run it again.")
            inputs = {**inputs, name: InputEntry("")}
    if code_of(project, recipe) != code:
        notes.append(f"The code of {record.step} changed while it ran. Run it again.")
        code = dict.fromkeys(code, "")
    return structs.replace(record, inputs=inputs, modules=code, notes=notes)


def inputs_of(project: Project, recipe: Recipe) -> dict[str, InputEntry | None]:
    """Return the current inputs of a step that does not call `save`; None for missing files."""
    inputs: dict[str, InputEntry | None] = {}
    for name in recipe.loads:
        inputs[f"results/{name}"] = InputEntry(Checkpoint(project, name).content_hash())
    for name in recipe.reads:
        path = project.place(name)
        if path.is_dir():
            inputs[f"{name}/"] = InputEntry(hashes.listing_hash(path))
        for file in hashes.files_below(path) if path.is_dir() else [path]:
            there = file.is_file()
            inputs[project.show(file)] = input_hashes.entry_of(project, file) if there else None
    return inputs


def code_of(project: Project, recipe: Recipe) -> dict[str, str | None]:
    """Return the current hashes of such a step's code files, and of its settings."""
    codes = {name: hashes.module_hash(project.root / name) for name in recipe.code}
    return {**codes, FILE: entry_hash(recipe.entry)}


def entry_hash(entry: Entry) -> str:
    """Return a short hash of a step's settings in `[tool.checkpoint.steps]`."""
    return hashes.value_hash(list(entry))[: hashes.CELL_DIGITS]


def _is_same(before: InputEntry | None, after: InputEntry | None) -> bool:
    """Tell whether an input is unchanged, by its hash: just after a change, it has no time yet."""
    if before is None or after is None:
        return before is after
    return before.blake3 == after.blake3 != ""


def _params(step: Step, staging: Path) -> dict[str, object]:
    """Return the parameters in the `params.json` that the step wrote; empty if it wrote none."""
    path = staging / RECORD
    if not path.exists():
        return {}
    try:
        return params.checked(committed.read_json(path))
    except (CheckpointError, OSError) as error:
        raise CheckpointError(f"{step.name} wrote a {RECORD}: {error}", step=step.name) from error


def _refuse_unfit(step: Step, staging: Path) -> None:
    """Raise if the step wrote a file that cannot be committed, or not on every system."""
    seen: dict[str, str] = {}
    for path in below(staging):
        file = path.relative_to(staging).as_posix()
        first = seen.setdefault(folded(file), file)
        reason = unportable(path.name)
        if path.is_symlink():
            reason = "is a link"
        elif not path.is_file() and not path.is_dir():
            reason = "is neither a file nor a folder"
        elif folded(file) in OURS and file != RECORD:
            reason = "is the name of a file that `checkpoint run` writes"
        elif first != file:
            reason = f"is the same file as {first!r} on Windows and macOS"
        if reason:
            raise CheckpointValueError(
                f"{step.name} wrote {file!r}, which {reason}.", step=step.name, file=file
            )


def _entries(staging: Path) -> dict[str, FileEntry]:
    """Return the entries of the files and folders that the step wrote."""
    files: list[str] = []
    for path in below(staging):
        file = path.relative_to(staging).as_posix()
        if any(file.startswith(f"{whole}/") for whole in files):
            continue
        known = format_of(path.name)
        whole = path.is_dir() and known is not None and known.is_folder
        if (path.is_file() and file != RECORD) or whole:
            files.append(file)
    keys = [file.removesuffix(suffix_of(file)) for file in files]
    return {
        file: _entry(staging / file, key if keys.count(key) == 1 else file)
        for file, key in zip(files, keys, strict=True)
    }


def _entry(path: Path, key: str) -> FileEntry:
    known = format_of(path.name)
    readable = known is not None and known.is_folder == path.is_dir()
    return FileEntry(key, *hashes.content_of(path).recorded, is_path=not readable)


def moved_away(files: dict[str, FileEntry], staging: Path, place: Path) -> dict[str, FileEntry]:
    """Move large files to another disk, and return the updated entries."""
    moved = {}
    for file, entry in files.items():
        known = format_of(file)
        is_large = known is None or known.large
        if is_large:
            other_disk.take(staging, place, file)
        moved[file] = structs.replace(entry, away=is_large)
    return moved


def _log(folder: Path, staging: Path) -> FileEntry | None:
    """Move the command's log into its results, and return its entry; None if there is no log."""
    if not (folder / FAILED_LOG).exists():
        return None
    (folder / FAILED_LOG).replace(staging / LOG)
    sync(staging / LOG)
    return FileEntry(LOG, *hashes.content_of(staging / LOG).recorded)
