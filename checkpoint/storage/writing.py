"""Write the objects of a save to files, and return their entries for the record."""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import structs

from ..errors import CheckpointError, CheckpointFormatError, CheckpointValueError, missing_package
from ..files import sync
from ..formats import PATH, Format, beside, choose, format_of, refused
from ..formats.kinds import a_type
from ..progress import PAUSE, Progress, writing
from ..project.group import make_folder
from ..project.names import folded, unportable
from ..text import size
from ..watch.files import unwatched
from . import committed, hashes
from .environment import FREEZE
from .schema import RECORD, FileEntry

LARGE = 1 << 18  # files of at least this many bytes are hashed in another thread


class Item(NamedTuple):
    """An object to save.

    Attributes
    ----------
    key
        The name given to `save`.
    file
        Its file, relative to the step's folder.
    format
        The format of that file.
    obj
        The object.
    rest
        The file for what the format cannot preserve of it.
    """

    key: str
    file: str
    format: Format
    obj: Any
    rest: str = ""

    @property
    def is_large(self) -> bool:
        """Whether its file may be large, so that git ignores it."""
        known = format_of(self.file) if self.format is PATH else self.format
        return known is None or known.large


def plan(objects: Mapping[str, Any]) -> list[Item]:
    """Choose a file for every object, before anything is written.

    Raises
    ------
    CheckpointFormatError
        If a format cannot hold its object.
    CheckpointValueError
        If a name is not a valid file name, or two objects would have the same file.
    """
    if not isinstance(objects, Mapping):
        raise CheckpointValueError(
            f"save takes a dict of names and objects, got {a_type(objects)}: "
            'save("1_preprocessing", {"rna_adata": rna})',
            expected=dict,
            found=type(objects),
        )
    items: dict[str, Item] = {}
    for key, obj in objects.items():
        _check_key(key)
        key = str.__str__(key)  # loops over samples may pass a NumPy or enum str
        file, file_format = choose(key, obj)
        place = folded(file)
        if place.rpartition("/")[2] == RECORD:
            raise CheckpointValueError(
                f"{key!r}: save writes params.json itself; use params=…", key=key
            )
        if place == FREEZE:
            raise CheckpointValueError(f"{key!r}: save writes {FREEZE} itself", key=key)
        if other := items.get(place):
            raise CheckpointValueError(
                f"{key!r} and {other.key!r} would both be saved as {file}", key=key, file=file
            )
        items[place] = Item(key, file, file_format, obj)
    _refuse_files_as_folders(items)
    stems = Counter(map(_stem, items.values()))
    return [item._replace(rest=_rest_name(item, items, stems)) for item in items.values()]


def refuse_taken(step: str, items: list[Item], folder: Path, results: Path) -> None:
    """Raise if a name is inside a sub-checkpoint, or a sub-checkpoint is where a file was saved.

    Raises
    ------
    CheckpointValueError
        If so; the message names both.
    """
    for item in items:
        for parent in Path(item.file).parents[:-1] if "/" in item.file else ():
            if (folder / parent / RECORD).exists():
                raise CheckpointValueError(
                    f"{item.key!r} lies in the sub-checkpoint {parent.as_posix()!r}. Choose "
                    "another name, or save it there.",
                    step=step,
                    key=item.key,
                )
    for parent in folder.parents:
        if parent == results:
            return
        place = folder.relative_to(parent).as_posix()
        for file in committed.files_in(parent):
            if f"{file}/".startswith(f"{place}/"):
                around = parent.relative_to(results).as_posix()
                raise CheckpointValueError(
                    f"step {step!r}: {around!r} has saved {file!r} there. Choose another name.",
                    step=step,
                    file=file,
                )


def refuse_full(items: list[Item], folder: Path, large: Path) -> None:
    """Raise if a disk has too little free space for the objects whose size is known.

    Parameters
    ----------
    items
        The objects.
    folder, large
        The step's folder, and the folder for large files.

    Raises
    ------
    CheckpointError
        If so; `expected` is the number of bytes needed, and `found` the number of free bytes.
    """
    for place in {folder, large}:
        here = [item for item in items if place == (large if item.is_large else folder)]
        needed = sum(item.format.size_of(item.obj) for item in here)
        disk = next(parent for parent in (place, *place.parents) if parent.exists())
        free = shutil.disk_usage(disk).free
        if needed <= free:
            continue
        raise CheckpointError(
            f"Not enough room on the disk of {disk}: this save needs at least {size(needed)}, and "
            f"{size(free)} are free. The previous checkpoint is kept until the new one is whole. "
            "Free some space, or save less.",
            file=str(disk),
            expected=needed,
            found=free,
        )


class Pending(NamedTuple):
    """A written file that another thread is hashing."""

    entry: FileEntry
    content: Future[hashes.Content]
    progress: Progress
    flushed: Future[None] | None


class Writer:
    """Write objects into the staging folder; flush and hash large files in other threads.

    Parameters
    ----------
    staging
        The folder.
    away
        The folder for large files; None if they go into `staging`.
    check
        Called between chunks; an exception that it raises, such as KeyboardInterrupt, ends the
        save.

    Attributes
    ----------
    notes
        A sentence for each part of an object that its file does not preserve.
    """

    def __init__(self, staging: Path, away: Path | None, check: Callable[[], None]) -> None:
        self._staging, self._away, self._check = staging, away, check
        self._pool = ThreadPoolExecutor(4)  # one waits for the disk while another hashes
        self._files: dict[str, FileEntry | Pending] = {}
        self.notes: list[str] = []

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for file in self._files.values():
            if isinstance(file, Pending):
                file.progress.stopped = kind is not None
        # wait for the threads: Windows cannot remove open files
        self._pool.shutdown(cancel_futures=kind is not None)

    def write(self, item: Item) -> None:
        """Write one object.

        Raises
        ------
        CheckpointFormatError
            If the format cannot hold the object after all.
        """
        is_away = self._away is not None and item.is_large
        folder = (self._away if is_away else None) or self._staging
        path = folder / item.file
        if "/" in item.file:
            make_folder(path.parent)
        try:
            with writing(item.file, item.format.size_of(item.obj), self._check):
                details = item.format.write(item.obj, path)
            is_path = item.format is PATH
            entry = FileEntry(item.key, 0, "", details=details, is_path=is_path, away=is_away)
            self._begin(path, item.file, entry)
            differences = item.format.changes(item.obj, path, details)
            rest = folder / item.rest
            if beside.write_rest(differences, rest):
                entry = FileEntry(item.key, 0, "", beside=item.file, away=is_away)
                self._begin(rest, item.rest, entry)
        except CheckpointFormatError as error:
            if missing := missing_package(error, item.format.extra):
                raise missing from error
            raise refused(item.key, item.obj, str(error), item.format) from error
        except Exception as error:
            where = f" in {folder}" if is_away else ""
            error.add_note(
                f"while saving {item.key!r}{where}; the previous checkpoint stays intact"
            )
            raise
        self.notes += [f"{item.key}: {beside.note(each, item.rest)}" for each in differences]

    def entries(self) -> dict[str, FileEntry]:
        """Wait until large files are hashed and flushed, and return the entries of all files."""
        return {
            file: self._finished(file, entry) if isinstance(entry, Pending) else entry
            for file, entry in self._files.items()
        }

    def _begin(self, path: Path, file: str, entry: FileEntry) -> None:
        """Hash a small file; start to flush and hash a large one in other threads."""
        size, _ = hashes.stamp_of(path)
        if size < LARGE:  # flushed with all other files at the end
            with unwatched():
                self._files[file] = _with_content(entry, hashes.content_of(path))
            return
        progress = Progress("Hashing", file, size)
        flushed = self._pool.submit(sync, path) if path.is_file() else None
        content = self._pool.submit(hashes.content_of, path, progress.count)
        self._files[file] = Pending(entry, content, progress, flushed)

    def _finished(self, file: str, pending: Pending) -> FileEntry:
        waited_for: list[Future] = [pending.content]
        if pending.flushed:
            waited_for.append(pending.flushed)
        with Progress("Hashing", file, pending.progress.total) as shown:
            while wait(waited_for, PAUSE / 10).not_done:
                self._check()
                shown.reach(pending.progress.done)
            shown.done = shown.total
        if pending.flushed:
            pending.flushed.result()
        return _with_content(pending.entry, pending.content.result())


def _with_content(entry: FileEntry, content: hashes.Content) -> FileEntry:
    size, digest, mtime_ns = content.recorded
    return structs.replace(entry, bytes=size, blake3=digest, mtime_ns=mtime_ns)


def _rest_name(item: Item, items: Mapping[str, Item], stems: Mapping[str, int]) -> str:
    """Return `rna_adata.rest.pkl`, or `rna_adata.h5ad.rest.pkl` if the short name is taken."""
    short = f"{_stem(item)}{beside.SUFFIX}"
    free = stems[_stem(item)] == 1 and folded(short) not in items
    return short if free else f"{item.file}{beside.SUFFIX}"


def _stem(item: Item) -> str:
    return item.file.removesuffix(item.format.suffix)


def _check_key(key: str) -> None:
    if not isinstance(key, str):
        raise CheckpointValueError(
            f"the name of an object must be a str, got {key!r}", expected=str, found=key
        )
    for part in key.split("/"):
        if reason := unportable(part):
            raise CheckpointValueError(f"{key!r}: as a file name, {part!r} {reason}", key=key)


def _refuse_files_as_folders(items: dict[str, Item]) -> None:
    for place, item in items.items():
        folders = [place[:i] for i, char in enumerate(place) if char == "/"]
        if other := next((items[folder] for folder in folders if folder in items), None):
            raise CheckpointValueError(
                f"{item.key!r} and {other.key!r}: {other.file} cannot be a file and a folder",
                key=item.key,
                file=other.file,
            )
