"""The folder of a step on disk, replaced atomically.

A save is written into `.staging-…` inside the folder and flushed to disk. Renaming that to
`.commit` commits the save. Its files then replace the old ones, `params.json` last. Any process
that finds `.commit` can complete the moves or read the files in it; the holder of the lock removes
staging folders that were left behind. Only renames are used, so it works on Windows and NFS too.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import CheckpointDamagedError, CheckpointError, CheckpointValueError
from ..files import below, remove, replace, sync
from ..project import group
from ..project.group import check_writable, explained, make_folder, share
from ..project.names import folded
from ..text import json_text, unfinished_merge
from ..watch.files import unwatched
from . import away as elsewhere
from .schema import POINTER, RECORD, Record, parse

COMMIT = ".commit"
STAGING = ".staging-"
LOCK = ".lock"
TRIES, PAUSE = 40, 0.05  # seconds between them
FEW, THREADS = 8, 16  # so few files are flushed as fast without threads


@contextmanager
def transaction(folder: Path, away: Path | None = None) -> Iterator[Path]:
    """Replace the checkpoint in a folder with what is written inside the `with` block.

    Parameters
    ----------
    folder
        The step's folder; created if it does not exist.
    away
        A folder on another disk for the large files, as `away.begin` makes it.

    Yields
    ------
    Path
        An empty folder to write into; the record, `params.json`, must be among the files. If the
        block raises, the checkpoint in `folder` stays as it was.
    """
    with ExitStack() as stack:
        if away:
            stack.callback(_drop_unnamed, away, folder)
        with explained():
            make_folder(folder)
            check_writable(folder)
            stack.enter_context(locked(folder))
            _tidy(folder)
        staging = folder / f"{STAGING}{os.urandom(4).hex()}"
        make_folder(staging)
        try:
            yield staging
            if away:
                elsewhere.finish(away, staging, folder)
            _check_places(staging, folder)
            for written in filter(None, (away, staging)):
                _sync_all(written)
            if away and (staging / POINTER).exists():
                elsewhere.keep(away)
            staging.rename(folder / COMMIT)
        except BaseException:
            _drop(staging)
            raise
        # from here on the save is committed, and can be read from where it is
        try:
            sync(folder)
            _finish(folder)
        except OSError as error:
            print(
                f"Note: Saved, but {error.filename} could not be replaced ({error.strerror}). "
                f"Until it can be, loading reads from {COMMIT}/. Close the program that has the "
                "file open."
            )


def recover(folder: Path) -> None:
    """Complete a save that was stopped after the commit, if this process may write there."""
    if not (folder / COMMIT).exists() or not os.access(folder, os.W_OK):
        return
    from filelock import Timeout

    try:
        with locked(folder, timeout=0):
            _finish(folder)
    except (Timeout, OSError, CheckpointError):
        return  # another process is finishing it, or reading it will say what is wrong


def is_interrupted(folder: Path) -> bool:
    """Tell whether a save was stopped before the commit, or could not be completed."""
    names = os.listdir(folder)
    if COMMIT in names:
        return True
    if not any(name.startswith(STAGING) for name in names):
        return False
    from filelock import Timeout

    try:
        with locked(folder, timeout=0):
            return any(folder.glob(f"{STAGING}*"))
    except (Timeout, OSError):
        return False  # it is in progress, or this process may not write here and cannot know


def locate(folder: Path, file: str) -> Path:
    """Return where a committed file is, also while its save is being completed."""
    places = [folder / COMMIT] if (folder / COMMIT / RECORD).exists() else []
    for place in [*places, folder]:
        if (place / file).exists():
            return place / file
        if (away := elsewhere.folder_of(place)) and (away / file).exists():
            return away / file
    return folder / file


def read_raw(folder: Path) -> dict[str, Any] | None:
    """Read a folder's `params.json`, whoever wrote it; None if there is none.

    Raises
    ------
    CheckpointDamagedError
        If it is not a JSON object; the message names line and column.
    """
    # in this order: a record that is no longer in the first has just been moved to the second
    committed = [folder / COMMIT] if (folder / COMMIT).exists() else []
    for place in [*committed, folder]:
        try:
            return read_json(place / RECORD)
        except FileNotFoundError:
            continue
    return None


def read_record(folder: Path) -> Record | None:
    """Read a folder's record; None if `save` wrote none. Raises as `read_raw` and `parse`."""
    raw = read_raw(folder)
    return None if raw is None else parse(raw)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises as `read_raw`, and `FileNotFoundError`."""
    text = ""
    try:
        with unwatched():
            text = path.read_bytes().decode("utf-8")
        content = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        reason = unfinished_merge(text) or f"is not valid JSON: {error.msg}, {place}"
        raise CheckpointDamagedError(f"{path.name} {reason}.", file=path.name) from error
    except UnicodeDecodeError as error:
        raise CheckpointDamagedError(
            f"{path.name} is not valid JSON: it is not UTF-8 text.", file=path.name
        ) from error
    if not isinstance(content, dict):
        raise CheckpointDamagedError(
            f"{path.name} must hold a JSON object, got a {type(content).__name__}.",
            file=path.name,
            expected="object",
            found=type(content).__name__,
        )
    return content


@contextmanager
def locked(folder: Path, timeout: float = -1) -> Iterator[None]:
    """Hold the lock of a step's folder; raises `filelock.Timeout` after `timeout` seconds."""
    from filelock import Timeout

    with ExitStack() as stack:
        try:
            stack.enter_context(group.locked(folder / LOCK, timeout=0))
        except Timeout:
            if timeout == 0:
                raise
            where = f"{folder.parent.name}/{folder.name}"
            print(
                f"Waiting: another process is saving to {where} (it holds {LOCK} there) …",
                flush=True,
            )
            stack.enter_context(group.locked(folder / LOCK, timeout))
        yield


def record_bytes(folder: Path) -> bytes | None:
    """Return a folder's `params.json` as it is on disk; None if there is none."""
    path = folder / RECORD
    return path.read_bytes() if path.exists() else None


def put_record(folder: Path, record: Record, before: bytes | None) -> None:
    """Replace a folder's `params.json` and nothing else.

    Raises
    ------
    CheckpointError
        If the record is no longer `before`, what `record_bytes` gave when the new one was begun.
    """
    with locked(folder):
        _tidy(folder)
        if record_bytes(folder) != before:
            where = f"{folder.parent.name}/{folder.name}"
            raise CheckpointError(f"{where} was saved again meanwhile. Look at it, and try again.")
        content = record.to_json(json.loads(before or b"{}"))
        replace(folder / RECORD, json_text(content).encode())


def in_progress(folder: Path) -> bool:
    """Tell whether a committed save is still being moved into place."""
    return (folder / COMMIT).exists()


def remove_empty(inner: Path, folder: Path) -> None:
    """Remove a folder and those around it that are empty, up to the step's own."""
    for parent in [inner, *inner.parents]:
        if parent == folder or not parent.is_dir() or any(parent.iterdir()):
            return
        parent.rmdir()


def _drop(staging: Path) -> None:
    """Remove what is not committed; threads of a library may still write there for a while."""
    for _ in range(TRIES):
        with suppress(OSError):  # else the next save removes it
            remove(staging)
        time.sleep(PAUSE)  # a thread may make the folder anew
        if not staging.exists():
            return


def _tidy(folder: Path) -> None:
    """Complete or remove what an earlier save left behind; only for the holder of the lock."""
    try:
        _finish(folder)
    except OSError as error:
        raise CheckpointError(
            f"The previous save could not be moved into place: {error.filename} could not be "
            f"replaced ({error.strerror}). Close the program that has the file open, then save "
            "again."
        ) from error
    for staging in folder.glob(f"{STAGING}*"):
        remove(staging)


def _finish(folder: Path) -> None:
    """Move a committed save into place. It can be repeated from any point."""
    commit = folder / COMMIT
    if not commit.exists():
        return
    if (commit / RECORD).exists():
        record = parse(read_json(commit / RECORD))
        new = record.written if record else []
        is_moved = POINTER in new and not (commit / POINTER).exists()
        former = None if is_moved else elsewhere.folder_of(folder)
        # first, since a new file may need the old one's name for a folder
        if gone := set(files_in(folder)) - set(new):
            kept = _by_name(folder / file for file in new)
            for place in (folder / file for file in gone):
                if not _is_one_of(place, kept):
                    _remove_old(place, commit)
                    remove_empty(place.parent, folder)
        places = {folder / around for around in {file.rpartition("/")[0] for file in ("", *new)}}
        for place in places:
            make_folder(place)
        for file in new:
            _move(commit, folder, file)
        for place in places:
            sync(place)
        os.replace(commit / RECORD, folder / RECORD)
        sync(folder)
        elsewhere.drop(former, folder)
    remove(commit)


def _move(commit: Path, folder: Path, file: str) -> None:
    """Move a file or folder that was saved into its place, unless that was done before."""
    try:
        os.replace(f"{commit}/{file}", f"{folder}/{file}")  # no paths: there may be hundreds
    except FileNotFoundError:
        return
    except OSError:  # a folder cannot be replaced by a rename
        draft, place = commit / file, folder / file
        if not (place.is_dir() or draft.is_dir()):
            raise
        _remove_old(place, commit)
        os.replace(draft, place)


def _drop_unnamed(away: Path, folder: Path) -> None:
    """Remove the place of a save that was not committed, or has no large files."""
    if str(away) not in (elsewhere.named_by(folder / COMMIT), elsewhere.named_by(folder)):
        elsewhere.drop(away, folder)


def _remove_old(path: Path, commit: Path) -> None:
    """Remove what the previous save put there; the new one is complete in `.commit`."""
    if path.is_dir() and not path.is_symlink():
        # whoever reads from it sees it go at once, and not file by file
        path = path.rename(commit / f"{STAGING}{os.urandom(4).hex()}")
    if path.exists() or path.is_symlink():
        remove(path)


def _by_name(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return paths by what is the same for names that are one file on macOS or Windows."""
    named: dict[str, list[Path]] = {}
    for path in paths:
        named.setdefault(folded(path.name), []).append(path)
    return named


def _is_one_of(path: Path, others: dict[str, list[Path]]) -> bool:
    """Tell whether a file is one of others under another name, as on disks that ignore case."""
    (name,) = _by_name([path])
    there = (other for other in others.get(name, []) if path.exists() and other.exists())
    return any(other.samefile(path) for other in there)


def _check_places(staging: Path, folder: Path) -> None:
    """Refuse, before the commit, a file whose place in the folder is taken."""
    new, old = set(files_in(staging)), set(files_in(folder))
    for place in (folder / around for around in {file.rpartition("/")[0] for file in old}):
        if place.is_dir():
            check_writable(place)
    for parent, folders, files in os.walk(staging):
        around = Path(parent).relative_to(staging)
        names = {name: (around / name).as_posix() for name in sorted([*folders, *files])}
        folders[:] = [name for name in folders if names[name] not in new]  # else it is an object
        for name, file in names.items():
            if file not in old:
                _check_place(folder / file, folder, old, name in files, name in folders)


def _check_place(
    place: Path, folder: Path, old: set[str], for_file: bool, for_folder: bool
) -> None:
    """Refuse a place that is taken, for a file, a folder around files, or a folder as an object."""
    if not place.exists():
        return
    is_folder = place.is_dir()
    if is_folder and not for_folder and _holds_only(place, folder, old):
        return  # it goes when its files do
    if not (for_folder if is_folder else for_file):
        kind = "folder" if is_folder else "file"
        raise CheckpointValueError(f"{place} is a {kind} that save did not write. Move it.")
    if is_folder:
        check_writable(place)
    if is_folder and place.stat().st_dev != folder.stat().st_dev:
        raise CheckpointValueError(
            f"{place} is on another disk, so files cannot be moved into it atomically. Use "
            "figures(step) to write there, or replace the link with a folder."
        )


def _holds_only(place: Path, folder: Path, old: set[str]) -> bool:
    """Tell whether all files in a folder belong to the checkpoint that is being replaced."""
    files = [path for path in below(place) if path.is_file()]
    names = [f"{path.relative_to(folder).as_posix()}/" for path in files]
    return bool(files) and all(any(name.startswith(f"{file}/") for file in old) for name in names)


def files_in(folder: Path) -> list[str]:
    """Return the files named by the record in this folder, not by one in `.commit`."""
    try:
        record = parse(read_json(folder / RECORD))
    except (OSError, CheckpointError):
        return []  # a damaged record names no files that are ours to remove
    return record.written if record else []


def _sync_all(folder: Path) -> None:
    """Flush every file below `folder`, and then every folder, deepest first; share folders."""
    folders = [(Path(parent), files) for parent, _, files in os.walk(folder, topdown=False)]
    paths = [parent / file for parent, files in folders for file in files]
    if len(paths) > FEW:
        with ThreadPoolExecutor(THREADS) as pool:  # a disk flushes several for the price of one
            list(pool.map(_sync_each, [paths[i::THREADS] for i in range(THREADS)]))
    else:
        _sync_each(paths)
    for parent, _ in reversed(folders):  # an object that is a folder, for the next who replaces it
        share(parent)
    for parent, _ in folders:
        sync(parent)


def _sync_each(paths: Iterable[Path]) -> None:
    for path in paths:
        sync(path)
