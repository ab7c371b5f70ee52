"""Replace the checkpoint in a step's folder atomically.

A save is written into `.staging-…` inside the folder and flushed to disk. Renaming that to
`.commit` commits the save. Its files then replace the old ones, `params.json` last. Any process
that finds `.commit` can complete the moves or read the files in it; the holder of the lock removes
leftover staging folders. Only renames are used, so this works on Windows and NFS, too.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..errors import CheckpointError
from ..files import remove, replace, sync
from ..project import group
from ..project.group import check_writable, explained, make_folder, share
from ..project.names import folded
from ..text import json_text
from . import other_disk
from .committed import COMMIT, files_in, read_json, record_bytes
from .json_record import parse, to_json
from .places import check_places
from .schema import POINTER, RECORD, Record

STAGING = ".staging-"
LOCK = ".lock"
TRIES, PAUSE = 40, 0.05  # number of attempts, and seconds between them
FEW, THREADS = 8, 16  # up to FEW files are flushed as fast without threads


@contextmanager
def transaction(folder: Path, away: Path | None = None) -> Iterator[Path]:
    """Replace the checkpoint in a folder with what is written inside the `with` block.

    Parameters
    ----------
    folder
        The step's folder; created if it does not exist.
    away
        A folder on another disk for the large files, as `other_disk.begin` creates it.

    Yields
    ------
    Path
        An empty folder to write into; the record, `params.json`, must be among the files. If the
        block raises, the checkpoint in `folder` stays intact.
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
                other_disk.finish(away, staging, folder)
            check_places(staging, folder)
            for written in filter(None, (away, staging)):
                _sync_all(written)
            if away and (staging / POINTER).exists():
                other_disk.keep(away)
            staging.rename(folder / COMMIT)
        except BaseException:
            _drop(staging)
            raise
        # from here on, the save is committed and can be read from `.commit`
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
    """Complete a save that was stopped after the commit, if the folder is writable."""
    if not (folder / COMMIT).exists() or not os.access(folder, os.W_OK):
        return
    from filelock import Timeout

    try:
        with locked(folder, timeout=0):
            _finish(folder)
    except (Timeout, OSError, CheckpointError):
        return  # another process is completing it, or reading reports what is wrong


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
        return False  # a save is in progress, or the folder is not writable and cannot be locked


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


def put_record(folder: Path, record: Record, before: bytes | None) -> None:
    """Replace only a folder's `params.json`.

    Raises
    ------
    CheckpointError
        If the file is no longer `before`, as `record_bytes` returned it before the change.
    """
    with locked(folder):
        _tidy(folder)
        if record_bytes(folder) != before:
            where = f"{folder.parent.name}/{folder.name}"
            raise CheckpointError(
                f"{where} was saved again meanwhile. Look at it, and try again.",
                step=folder.name,
                file=str(folder / RECORD),
            )
        content = to_json(record, json.loads(before or b"{}"))
        replace(folder / RECORD, json_text(content).encode())


def remove_empty(inner: Path, folder: Path) -> None:
    """Remove a folder and its parents while they are empty, up to the step's folder."""
    for parent in [inner, *inner.parents]:
        if parent == folder or not parent.is_dir() or any(parent.iterdir()):
            return
        parent.rmdir()


def _drop(staging: Path) -> None:
    """Remove a staging folder; threads of a library may still write into it for a while."""
    for _ in range(TRIES):
        with suppress(OSError):  # otherwise, the next save removes it
            remove(staging)
        time.sleep(PAUSE)  # a thread may create the folder again
        if not staging.exists():
            return


def _tidy(folder: Path) -> None:
    """Complete or remove what an earlier save left; only for the holder of the lock."""
    try:
        _finish(folder)
    except OSError as error:
        raise CheckpointError(
            f"The previous save could not be moved into place: {error.filename} could not be "
            f"replaced ({error.strerror}). Close the program that has the file open, then save "
            "again.",
            step=folder.name,
            file=error.filename,
        ) from error
    for staging in folder.glob(f"{STAGING}*"):
        remove(staging)


def _finish(folder: Path) -> None:
    """Move a committed save into place; can be repeated after it stopped at any point."""
    commit = folder / COMMIT
    if not commit.exists():
        return
    if (commit / RECORD).exists():
        record = parse(read_json(commit / RECORD))
        new = record.written if record else []
        is_moved = POINTER in new and not (commit / POINTER).exists()
        former = None if is_moved else other_disk.folder_of(folder)
        # first, since a new file's folder may need the name of an old file
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
        other_disk.drop(former, folder)
    remove(commit)


def _move(commit: Path, folder: Path, file: str) -> None:
    """Move a saved file or folder into place, unless this was done before."""
    try:
        os.replace(f"{commit}/{file}", f"{folder}/{file}")  # str is faster for hundreds of files
    except FileNotFoundError:
        return
    except OSError:  # a folder cannot be replaced by a rename
        draft, place = commit / file, folder / file
        if not (place.is_dir() or draft.is_dir()):
            raise
        _remove_old(place, commit)
        os.replace(draft, place)


def _drop_unnamed(away: Path, folder: Path) -> None:
    """Remove the `away` folder of a save that was not committed, or has no large files."""
    if str(away) not in (other_disk.named_by(folder / COMMIT), other_disk.named_by(folder)):
        other_disk.drop(away, folder)


def _remove_old(path: Path, commit: Path) -> None:
    """Remove a file or folder of the previous save; the new save is complete in `.commit`."""
    if path.is_dir() and not path.is_symlink():
        # renamed first, so that readers see it vanish at once, not file by file
        path = path.rename(commit / f"{STAGING}{os.urandom(4).hex()}")
    if path.exists() or path.is_symlink():
        remove(path)


def _by_name(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Group paths by `folded` name: the same for names of one file on macOS or Windows."""
    named: dict[str, list[Path]] = {}
    for path in paths:
        named.setdefault(folded(path.name), []).append(path)
    return named


def _is_one_of(path: Path, others: dict[str, list[Path]]) -> bool:
    """Tell whether a path is the same file as one of `others`, as on case-insensitive disks."""
    (name,) = _by_name([path])
    there = (other for other in others.get(name, []) if path.exists() and other.exists())
    return any(other.samefile(path) for other in there)


def _sync_all(folder: Path) -> None:
    """Flush every file below `folder`, then every folder, deepest first; share the folders."""
    folders = [(Path(parent), files) for parent, _, files in os.walk(folder, topdown=False)]
    paths = [parent / file for parent, files in folders for file in files]
    if len(paths) > FEW:
        with ThreadPoolExecutor(THREADS) as pool:  # a disk flushes several files as fast as one
            list(pool.map(_sync_each, [paths[i::THREADS] for i in range(THREADS)]))
    else:
        _sync_each(paths)
    for parent, _ in reversed(folders):  # other group members may replace objects that are folders
        share(parent)
    for parent, _ in folders:
        sync(parent)


def _sync_each(paths: Iterable[Path]) -> None:
    for path in paths:
        sync(path)
