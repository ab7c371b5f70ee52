"""Track the inputs of this kernel's results: loaded checkpoints, and files that it read."""

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from msgspec import structs

from ..errors import CheckpointError
from ..files import LEFTOVERS
from ..notebooks.calls import texts
from ..notebooks.magics import magics
from ..project.caller import working_directory
from ..project.project import Project
from ..project.settings import FILE, LOCAL
from ..watch import cells, files, modules
from . import committed, hashes, input_hashes, store
from .input_hashes import Hashing
from .parts import listing
from .schema import POINTER, RECORD, InputEntry, Run, Verdict

# `checkpoint` itself opens these
NOT_INPUTS = (*LEFTOVERS, FILE, LOCAL, store.LOCK, POINTER)
NOT_LISTED = ("notebooks", "src")  # tools add files there

# (top of the project, name of the input) -> its content; None for a missing file
_loaded: dict[tuple[Path, str], InputEntry | Hashing | None] = {}
_saved: set[tuple[Path, str]] = set()  # steps that this kernel saved, once or several times
skipped: set[tuple[Path, str]] = set()  # steps with parts that this kernel kept from earlier runs
owners: dict[tuple[Path, str], set[str]] = {}  # by input, the parts that declared it as theirs


def remember(project: Project, name: str, content: InputEntry | Hashing | None) -> None:
    """Record that this kernel asked for an input: `data/…` or `results/<step>`.

    If an earlier cell read different content, the replay of the session finds out which results
    were made from which content. If the same cell did, or outside a notebook, the hash is empty and
    matches no content.
    """
    key, place = (project.root, name), str(project.place(name))
    (files.outside if files.scope is None else files.scope).add(place)
    before = _loaded.get(key, content)
    if content is None:
        files.asked.add(place)
    if before is not content:
        before, content = _known(before), _known(content)
    differs = _differ(before, content) and (before is not None or not files.is_new(place))
    if cells.recorder:
        unknown = isinstance(before, InputEntry) and not before.blake3
        renewed = differs and key not in _saved
        if renewed and (unknown or not cells.recorder.renew(name)):
            content = InputEntry("", bytes=getattr(content, "bytes", None))
        cells.recorder.read(name)
    if key in _loaded:
        for known_as in {place, os.path.realpath(place)}:
            files.reads.pop(known_as, None)  # later reads see the content asked for now
    _loaded[key] = content


def remember_saved(project: Project, step: str) -> None:
    """Record that this kernel saved a step or sub-checkpoint."""
    _saved.add((project.root, f"results/{step}"))


def without_skipped(project: Project, step: str, run: Run | None) -> Run | None:
    """Return a run, marked as unclean if a loop kept parts, so that its variables may differ.

    The parts themselves, and the step that they belong to, do not depend on these variables.
    """
    whole = step.partition("/")[0]
    if run is None or (project.root, whole) not in skipped or files.scope is not None:
        return run
    if step == whole:
        return run
    reason = (
        f"parts of {whole} were kept, so the loop left other values behind than in a run of all "
        f'parts; save {step} in the next notebook, from load("{whole}").parts'
    )
    notebook = run.verdict.notebook if run.verdict else None
    return structs.replace(run, log=None, verdict=Verdict("unclean", notebook, reason))


def _is_of(stamp: files.Stamp, entry: InputEntry) -> bool:
    """Tell whether a file was opened with the recorded content, as far as its stamp shows."""
    if entry.mtime_ns is None:
        return entry.bytes in (None, stamp.size)
    opened = stamp.inode & input_hashes.INODE, stamp.size, stamp.changed
    return opened == (entry.inode, entry.bytes, entry.mtime_ns)


def _known(content: InputEntry | Hashing | None) -> InputEntry | None:
    """Return the content of an input; wait if it is being hashed."""
    return content.result() if isinstance(content, Hashing) else content


def _differ(before: InputEntry | Hashing | None, now: InputEntry | Hashing | None) -> bool:
    """Tell whether two contents differ; a `Hashing` is compared only with itself."""
    return before is not now and getattr(before, "blake3", None) != getattr(now, "blake3", None)


def remember_raw(project: Project, path: Path) -> None:
    """Record that this kernel reads a raw file, or all files of a raw folder."""
    if path.is_dir():
        remember(project, f"{project.show(path)}/", listing(project, project.show(path)))
    for file in hashes.files_below(path) if path.is_dir() else [path]:
        remember(project, project.show(file), input_hashes.begin(project, file))


def forget() -> None:
    """Forget all inputs and modules, as a new kernel would."""
    _loaded.clear()
    _saved.clear()
    skipped.clear()
    owners.clear()
    _name_in.cache_clear()
    files.forget()
    modules.forget()


def inputs_of(
    project: Project, step: str, counts: Callable[[str], bool]
) -> dict[str, InputEntry | None]:
    """Return the inputs that this kernel read in this project, by name, without the step itself.

    A file that changed since it was read has an entry with an empty hash, which matches no file.

    Parameters
    ----------
    project, step
        The project and the step.
    counts
        Takes a name; tells whether it is an input of this save.
    """
    own = f"results/{step}"
    files.settle()
    mine = {name: content for (root, name), content in _loaded.items() if root == project.root}
    inputs = {name: _known(content) for name, content in mine.items() if counts(name)}
    for path, stamp in list(files.reads.items()):  # a copy, since threads may open more
        name = name_of(project, path)
        if (known := inputs.get(name)) and stamp and not _is_of(stamp, known):
            opened = _entry(project, path, stamp)  # it may only have been touched
            if not opened or opened.blake3 != known.blake3:
                inputs[name] = InputEntry("", bytes=known.bytes)
        if not name or name in inputs or name.endswith(files.CODE) or name.startswith(f"{own}/"):
            continue
        if not counts(name):
            continue
        if name.startswith("results/"):
            inputs = {**_loaded_by_path(project, path, stamp), **inputs}
        elif stamp is not None or path not in files.writes:
            inputs[name] = _entry(project, path, stamp)
    for path in _named_in_code(project):
        name, stamp = name_of(project, path), files.stamp(path)
        if name.startswith("results/"):
            inputs = {**_loaded_by_path(project, path, stamp), **inputs}
        else:
            inputs[name] = _entry(project, path, stamp)
    for name, entry in _listings(project):
        if not name.startswith(f"{own}/"):
            inputs.setdefault(name, entry)
    return {name: inputs[name] for name in sorted(inputs) if name != own and counts(name)}


def changed_since_read(
    project: Project, inputs: dict[str, InputEntry | None]
) -> Iterator[tuple[str, str]]:
    """Yield the files that changed since this kernel read them, each with a message."""
    for name, entry in inputs.items():
        path = project.place(name)
        if entry is None and path.is_file():
            what = f"{name} was not there when this notebook asked for it."
            yield name, f"{what} Restart the kernel and run all."
            continue
        if not entry or (entry.blake3 and entry.bytes is None):
            continue  # a checkpoint, or the list of a folder's files
        if entry.blake3 and path.is_file() and input_hashes.is_same(project, path, entry):
            continue
        what = f"{name} changed after this notebook read it."
        if name.startswith("data/"):
            what += " Raw files are never written: restore it, then"
            yield name, f"{what} restart the kernel and run all."
        else:
            yield name, f"{what} Restart the kernel and run all."


def name_of(project: Project, path: str) -> str:
    """Return a file's path relative to the project, with `/`; empty if it cannot be an input.

    Files outside the project, of environments or tools, and in hidden folders are not inputs.
    """
    return "" if files.is_installed(path) else _name_in(str(project.root), str(project.data), path)


@lru_cache(maxsize=100_000)  # called for all files in each part of a loop; str hashes faster
def _name_in(top: str, large: str, path: str) -> str:
    place, root = Path(path), Path(top)
    parts: tuple[str, ...] = ()
    if place.is_relative_to(root):
        parts = place.relative_to(root).parts
    else:
        raw, root = Path(large).resolve(), root.resolve()  # `data/` often links to a larger disk
        place = place.resolve()
        if place.is_relative_to(root):
            parts = place.relative_to(root).parts
        elif place.is_relative_to(raw):
            parts = ("data", *place.relative_to(raw).parts)
    hidden = any(part[0] == "." or part == "__pycache__" for part in parts[:-1])
    name = "/".join(parts)
    if hidden or not parts or parts[-1] in NOT_INPUTS:
        return ""
    prefix = Path(sys.prefix)  # a project may contain the environment
    if prefix.is_relative_to(root) and place.is_relative_to(prefix):
        return ""
    return name


def _entry(project: Project, path: str, stamp: files.Stamp | None) -> InputEntry | None:
    """Return the content of a file as it was read; None if it did not exist."""
    if stamp is None:
        return None
    if stamp != files.stamp(path) or path in files.writes:
        return InputEntry("", bytes=stamp.size)
    return input_hashes.entry_of(project, Path(path))


def _listings(project: Project) -> Iterator[tuple[str, InputEntry]]:
    """Yield the folders whose files were listed; the hash is empty if they changed since."""
    listed = list(files.listed.items())
    # creating a Path for each is slow if a loop wrote thousands of files
    written = {os.path.dirname(path) for path in list(files.writes) if listed}  # noqa: PTH120
    for path, stamp in listed:
        name = name_of(project, path)
        top = name.partition("/")[0]
        hidden = not top or top[0] == "." or top in NOT_LISTED
        if hidden or name == "results" or not Path(path).is_dir() or _is_saved(project, path):
            continue
        same = path in written or stamp == files.stamp(path)
        yield f"{name}/", listing(project, name) if same else InputEntry("")


def _is_saved(project: Project, path: str) -> bool:
    """Tell whether a folder is, or is inside, a saved object such as a `.zarr`."""
    place = Path(path)
    if not place.is_relative_to(project.results):
        return False
    for folder in place.parents:
        if folder == project.results:
            break
        if (folder / RECORD).is_file():
            with suppress(CheckpointError):  # `status` reports what is wrong with it
                record = committed.read_record(folder)
                inside = f"{place.relative_to(folder).as_posix()}/"
                return (
                    any(inside.startswith(f"{file}/") for file in record.files) if record else False
                )
    return False


def _loaded_by_path(
    project: Project, path: str, stamp: files.Stamp | None
) -> dict[str, InputEntry | None]:
    """Return the checkpoint that a file in `results/` belongs to, or else the file itself.

    This is for files that were read without `load`.
    """
    if path in files.writes:
        return {}
    # an autograder has a separate results folder, and falls back to that of the project
    bases = (project.results, project.root / "results")
    base = next((base for base in bases if Path(path).is_relative_to(base)), None)
    for folder in Path(path).parents if base else ():
        if folder == base:
            break
        if committed.locate(folder, RECORD).is_file():
            try:
                record = committed.read_record(folder)
            except CheckpointError:
                return {}  # `status` reports what is wrong with it
            content = record.content_hash if record and stamp == files.stamp(path) else ""
            name = f"results/{folder.relative_to(base).as_posix()}"  # type: ignore[arg-type]
            return {name: InputEntry(content)} if record else {}
    whole = _filled_by_hand(project, Path(path).parent, stamp == files.stamp(path))
    if whole or stamp is None:
        return whole
    # a file outside any checkpoint, written by a notebook without `save`; `./` is not a step name
    return {f"./{name_of(project, path)}": _entry(project, path, stamp)}


def _filled_by_hand(project: Project, folder: Path, same: bool) -> dict[str, InputEntry | None]:
    """Return a folder that was filled by hand as an input, if it can be loaded."""
    from .checkpoint import Checkpoint

    try:
        step = folder.relative_to(project.results).as_posix()
        content = Checkpoint(project, step).content_hash() if same else ""
    except (CheckpointError, ValueError):
        return {}
    return {f"results/{step}": InputEntry(content)}


def _named_in_code(project: Project) -> Iterator[str]:
    """Yield files whose paths are in the executed code but that were not seen being opened.

    They may have been read before recording began, or by a library that opens files without Python.
    Files that changed since the process began are skipped: they are its results.
    """
    began = files.began() * 1e9
    seen: set[str] = set()
    named = [_spelled_out(execution.source) for execution in cells.executions() or ()]
    for text in dict.fromkeys(itertools.chain(*named)):
        for folder in filter(None, (working_directory(), project.root)):
            path = files.absolute(folder / text)
            if path in seen or path in files.reads or path in files.writes:
                continue
            seen.add(path)
            try:
                stamp = files.stamp(path)
            except ValueError:
                continue  # a text with a NUL or a lone surrogate is not a path
            name = name_of(project, path) if stamp and Path(path).is_file() else ""
            if not name or name.endswith(files.CODE):
                continue
            if stamp and stamp.changed < began and (project.root, name) not in _loaded:
                yield path


def _spelled_out(source: str) -> Iterator[str]:
    """Yield possible paths in a cell: string literals, quoted names in SQL, words of commands."""
    for text in texts(source, {}) or ():
        yield text.value
        yield from files.QUOTED.findall(text.value)
    for line in magics(source) if cells.SHELL.search(source) else ():
        yield from files.words_of(line.lstrip("!%"))
