"""Take over existing results: copy them into checkpoints, hash them and accept them."""

import datetime
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from checkpoint.errors import CheckpointError
from checkpoint.files import below
from checkpoint.lineage.states import Lineage
from checkpoint.notebooks.notebook import code_cells
from checkpoint.notebooks.recipe import recipe_of
from checkpoint.project.names import unportable
from checkpoint.project.project import Project
from checkpoint.project.settings import FILE
from checkpoint.storage import committed, hashes, store
from checkpoint.storage.schema import (
    FORMAT_VERSION,
    RECORD,
    Acceptance,
    FileEntry,
    Record,
    Run,
)
from checkpoint.storage.session import NOT_LISTED

from .rewrite.outputs import Stored
from .rewrite.plans import Rewritten
from .rewrite.scripts import Script
from .scan.functions import is_figure
from .scan.places import HOLE, Place

WHY = "taken over by adopt: made by the code as it was before"
REASON = "not written by save"


class Taken(NamedTuple):
    """What became of the results of a step.

    Attributes
    ----------
    step
        The step.
    n_files
        The number of its files.
    copied
        Those among them that were copied and are no longer written, from the top of the project.
    missing
        Why nothing was taken over, such as a missing file; empty if all files are there.
    """

    step: str
    n_files: int
    copied: list[str]
    missing: str = ""


class _File(NamedTuple):
    source: Path
    stored: Stored
    part: str  # the sub-checkpoint of this file


def take_over(root: Path, steps: list[Rewritten | Script]) -> list[Taken]:
    """Copy the results of steps into their checkpoints, and accept the chain in order.

    Parameters
    ----------
    root
        The project, rewritten.
    steps
        The steps that were rewritten, in running order.
    """
    project = Project(root)
    taken = []
    for step in steps:
        files, missing = _files(root, step)
        missing = missing or _occupied(project, step, files)
        if missing:
            taken.append(Taken(step.step, 0, [], missing))
            continue
        try:
            _put(project, step, files)
        except (OSError, CheckpointError) as error:
            reason = str(error)
            if isinstance(error, OSError):
                reason = f"{error.filename or 'a file'}: {error.strerror}"
            taken.append(Taken(step.step, 0, [], reason.rstrip(".")))
            continue
        gone = [file for file in files if not file.stored.stays]  # nothing writes or needs them
        copied = [file for file in gone if not file.source.samefile(_target(project, step, file))]
        names = [file.source.relative_to(root).as_posix() for file in copied]
        taken.append(Taken(step.step, len(files), names))
    return taken


def _files(root: Path, step: Rewritten | Script) -> tuple[list[_File], str]:
    """Return the existing files of a step, and which file is missing; empty if none is."""
    collected: list[_File] = []
    places = {use.place.text: use.place for use in step.scanned.writes}
    for text, stored in step.stored.items():
        files = [
            (path, values)
            for path, values in _matching(root, places[text])
            if HOLE not in text or path.relative_to(root).as_posix() not in step.stored
        ]
        if not files:
            return [], f"{places[text].shown} is not here"
        for path, values in files:
            part = _filled(stored.part, values)
            if any(map(unportable, part.split("/"))) and part:
                return [], f"{path.relative_to(root).as_posix()} has no name for a checkpoint"
            collected.append(_File(path, stored, part))
    if not step.stored and isinstance(step, Rewritten):
        return [], _why_not_run(root, step)
    return collected, ""


def _why_not_run(root: Path, step: Rewritten) -> str:
    """Say why a notebook that saves nothing may not have run; empty if it has run."""
    for written in step.scanned.writes:
        if not is_figure(written.function, written.place.name):
            return f"what it writes, {written.place.shown}, does not go into its checkpoint"
    for named in step.scanned.named:
        if not any(True for place in named.places for _ in _matching(root, place)):
            return f"it is unknown whether it writes {named.place.shown}, which is not here"
    cells = code_cells(step.scanned.unit.content or {})
    outputs = [output for cell in cells for output in cell["outputs"]]
    if not outputs:
        return "it writes no results and has no outputs, so it is unknown whether it ran"
    if any(output.get("output_type") == "error" for output in outputs):
        return "it writes no results, and its outputs have an error"
    project = Project(root)
    for use in step.inputs:
        if isinstance(use, Stored):
            names = [name.removeprefix("results/") for name in _checkpoints(project, use)]
            if not any(committed.record_bytes(project.results_of(name)) for name in names):
                return f"it is made from results/{use.checkpoint}, which is not here"
        elif not any(True for place in use.places for _ in _matching(root, place)):
            return f"it reads {use.place.shown}, which is not here"
    return ""


def _matching(root: Path, place: Place) -> Iterator[tuple[Path, list[str]]]:
    """Yield the files and folders that a path can be, with what is in its holes."""
    if HOLE not in place.text:
        path = root / place.text
        yield from [(path, [])] if path.exists() else []
        return
    if not place.is_inside:
        return
    pattern = re.compile("".join("([^/]+?)" if c == HOLE else re.escape(c) for c in place.text))
    for path in sorted(root.glob(place.glob)):
        match = pattern.fullmatch(path.relative_to(root).as_posix())
        values = list(match.groups()) if match else []
        pairs = zip(values, place.values, strict=False)
        if values and all(possible is None or value in possible for value, possible in pairs):
            yield path, values


def _filled(part: str, values: list[str]) -> str:
    for value in values if HOLE in part else []:
        part = part.replace(HOLE, value, 1)
    return part


def _target(project: Project, step: Rewritten | Script, file: _File) -> Path:
    """Return where a file is copied to."""
    name = f"{step.step}/{file.part}" if file.part else step.step
    return project.results_of(name) / file.stored.key


def _occupied(project: Project, step: Rewritten | Script, files: list[_File]) -> str:
    """Say which other file is already in a checkpoint's folder; empty if there is none."""
    for file in files:
        target = _target(project, step, file)
        for path in (target, target.parent / RECORD, project.results_of(step.step) / RECORD):
            if path.exists() and not path.samefile(file.source):
                return f"{project.address(path)} is there already"
    return ""


def _put(project: Project, step: Rewritten | Script, files: list[_File]) -> None:
    """Copy files into the checkpoints of a step and accept them, or undo it if it fails."""
    folder = project.results_of(step.step)
    before = {folder, *folder.rglob("*")} if folder.exists() else set()
    try:
        for file in files:
            target = _target(project, step, file)
            if not target.exists():  # else it is the file itself
                target.parent.mkdir(parents=True, exist_ok=True)
                copy = shutil.copytree if file.source.is_dir() else shutil.copyfile
                copy(file.source, target)  # never a link
        _accept(project, step, files)
    except BaseException:
        for path in sorted({folder, *folder.rglob("*")} - before, reverse=True):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        raise


def _accept(project: Project, step: Rewritten | Script, files: list[_File]) -> None:
    """Record the checkpoints of a step, its parts first, as accepted."""
    by_part: dict[str, list[_File]] = {"": []}
    for file in files:
        by_part.setdefault(file.part, []).append(file)
    for part in sorted(by_part, key=lambda part: not part):
        name = f"{step.step}/{part}" if part else step.step
        folder = project.results_of(name)
        folder.mkdir(parents=True, exist_ok=True)
        entries = {file.stored.key: _entry(folder, file.stored) for file in by_part[part]}
        times = [file.source.stat().st_mtime for file in by_part[part] or files]
        record = Record(
            timestamp=_date(max(times, default=None)),
            format=FORMAT_VERSION,
            step=name,
            files=entries,
            inputs=dict.fromkeys(_inputs(project, step)),
            param_hashes={},
            modules=dict.fromkeys(_modules(project, step)),
            run=Run([]) if isinstance(step, Rewritten) else None,
        )
        store.put_record(folder, record, committed.record_bytes(folder))
        fits = Lineage(project).present(name)
        acceptance = Acceptance(WHY, _date(), [REASON], fits)
        record = structs.replace(record, run=None, inputs=fits.inputs, modules=fits.modules)
        store.put_record(folder, record.accept(acceptance), committed.record_bytes(folder))


def _entry(folder: Path, stored: Stored) -> FileEntry:
    content = hashes.content_of(folder / stored.key)
    return FileEntry(
        stored.key, content.bytes, content.blake3, content.mtime_ns, is_path=not stored.suffix
    )


def _inputs(project: Project, step: Rewritten | Script) -> Iterator[str]:
    """Yield the checkpoints and files that a step is made from, as a session would record them."""
    if isinstance(step, Script):
        project_step = next(
            candidate for candidate in project.steps() if candidate.name == step.step
        )
        recipe = recipe_of(project, project_step)
        yield from (f"results/{name}" for name in (recipe.loads if recipe else ()))
        yield from (recipe.reads if recipe else ())
        return
    for use in step.inputs:
        if isinstance(use, Stored):
            yield from _checkpoints(project, use)
            continue
        for place in use.places:
            if not place.is_inside or place.text[:1] == HOLE or place.text in step.stored:
                continue  # it reads what it wrote itself
            shown = [*_shown(project, place)]
            if not shown and use.is_one and HOLE not in place.text:
                shown = [_name(place.text)]  # when it appears, the step is stale
            yield from shown
            if use.function.endswith("glob"):
                yield from _listed(project, place)
    for use in step.scanned.named:  # it may read them
        for place in use.places:
            if place.is_inside and place.text[:1] != HOLE and place.text not in step.stored:
                yield from _shown(project, place)


def _shown(project: Project, place: Place) -> Iterator[str]:
    """Yield the files that a path can be, and those in folders; not those of checkpoints."""
    for path, _ in _matching(project.root, place):
        for file in [path] if path.is_file() else below(path):
            name = project.show(file)
            first = name.split("/")[1] if name.startswith("results/") else ""
            saved = bool(first) and (project.results / first / RECORD).exists()
            if file.is_file() and not saved:
                yield _name(name)


def _name(path: str) -> str:
    """Return the name of a file as an input; `results/…` would be a checkpoint."""
    return f"./{path}" if path.startswith("results/") else path


def _listed(project: Project, place: Place) -> Iterator[str]:
    """Yield the folder in which a pattern looks for files, since new ones change the result."""
    folder = place.text.partition(HOLE)[0].rpartition("/")[0]
    if folder and folder.partition("/")[0] not in NOT_LISTED and (project.root / folder).is_dir():
        yield f"{folder}/"


def _checkpoints(project: Project, stored: Stored) -> Iterator[str]:
    if HOLE not in stored.part:
        yield f"results/{stored.checkpoint}"
        return
    folder = project.results_of(stored.step)
    for path in sorted(folder.glob(Place(stored.part).glob)):
        if committed.record_bytes(path) is not None:
            yield f"results/{stored.step}/{path.relative_to(folder).as_posix()}"


def _modules(project: Project, step: Rewritten | Script) -> list[str]:
    if isinstance(step, Rewritten):
        return []
    project_step = next(candidate for candidate in project.steps() if candidate.name == step.step)
    recipe = recipe_of(project, project_step)
    return [*(recipe.code if recipe else ()), FILE]


def _date(seconds: float | None = None) -> str:
    now = datetime.datetime.now() if seconds is None else datetime.datetime.fromtimestamp(seconds)
    return now.astimezone().isoformat(timespec="seconds")
