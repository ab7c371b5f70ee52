"""A step's folder on disk, changed all at once or not at all.

A save is written into `.staging-…` inside the folder and flushed to disk. Renaming that folder to
`.commit` is the moment the save has happened. Its files then move over the old ones, `params.json`
last. Whoever meets `.commit` can finish the moves or read through it; whoever holds the lock and
meets a staging folder removes it. Only renames are used, so this holds on Windows and NFS too.
"""

import json
import os
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeGuard

from ..errors import (
    CheckpointDamagedError,
    CheckpointError,
    CheckpointValueError,
    CheckpointWarning,
)
from ..files import remove, sync

RECORD = "params.json"
COMMIT = ".commit"
STAGING = ".staging-"
LOCK = ".lock"


@contextmanager
def transaction(folder: Path) -> Iterator[Path]:
    """Replace the checkpoint in a folder by what is written inside the `with` block.

    Parameters
    ----------
    folder
        The step's folder; made if it is not there.

    Yields
    ------
    Path
        An empty folder to write into; the record, `params.json`, must be among the files. If the
        block raises, whatever it raises, the checkpoint in `folder` stays as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        _tidy(folder)
        staging = folder / f"{STAGING}{os.urandom(4).hex()}"
        staging.mkdir()
        try:
            yield staging
            _check_places(staging, folder)
            _sync_all(staging)
            staging.rename(folder / COMMIT)
        except BaseException:
            with suppress(OSError):  # the next save removes it
                remove(staging)
            raise
        # from here on the save has happened, and can be read from where it is
        try:
            sync(folder)
            _finish(folder)
        except OSError as error:
            warnings.warn(
                f"Saved, but {error.filename} could not be replaced ({error.strerror}). Whoever "
                f"loads reads {COMMIT}/ until it can; close what holds the file.",
                CheckpointWarning,
                stacklevel=4,
            )


def recover(folder: Path) -> None:
    """Finish a save that was cut short after it had happened, where this process may write."""
    if not (folder / COMMIT).exists() or not os.access(folder, os.W_OK):
        return
    from filelock import Timeout

    try:
        with locked(folder, timeout=0):
            _finish(folder)
    except (Timeout, OSError):
        return  # another process is finishing it; `locate` reads through meanwhile


def is_interrupted(folder: Path) -> bool:
    """Tell whether a save was cut short before it had happened, or could not be finished."""
    if in_progress(folder):
        return True
    if not any(folder.glob(f"{STAGING}*")):
        return False
    from filelock import Timeout

    try:
        with locked(folder, timeout=0):
            return any(folder.glob(f"{STAGING}*"))
    except (Timeout, OSError):
        return False  # it is going on right now, or only who may write here can tell


def locate(folder: Path, file: str) -> Path:
    """Return where a committed file is, even while its save is being finished."""
    waiting = folder / COMMIT / file
    return waiting if (folder / COMMIT / RECORD).exists() and waiting.exists() else folder / file


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read a folder's `params.json`; None if there is none.

    Raises
    ------
    CheckpointDamagedError
        If it is not a JSON object; the message names line and column.
    """
    # in this order: a record that is no longer in the one has just been moved to the other
    for path in (folder / COMMIT / RECORD, folder / RECORD):
        try:
            return read_json(path)
        except FileNotFoundError:
            continue
    return None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises as `read_record` does, and `FileNotFoundError`."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise CheckpointDamagedError(
            f"{path.name} is not valid JSON: {error.msg}, line {error.lineno}, "
            f"column {error.colno}."
        ) from error
    except UnicodeDecodeError as error:
        raise CheckpointDamagedError(
            f"{path.name} is not valid JSON: it is no UTF-8 text."
        ) from error
    if not isinstance(record, dict):
        raise CheckpointDamagedError(f"{path.name} holds a {type(record).__name__}, not an object.")
    if is_recorded(record) and not all(map(_is_whole, record["checkpoint"]["files"].values())):
        raise CheckpointDamagedError(f"{path.name} lacks a part of its record of files.")
    return record


def is_recorded(record: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    """Tell whether a `params.json` was written by `save`."""
    ours = (record or {}).get("checkpoint")
    return isinstance(ours, dict) and "format" in ours and isinstance(ours.get("files"), dict)


@contextmanager
def locked(folder: Path, timeout: float = -1) -> Iterator[None]:
    """Hold the lock of a step's folder; raises `filelock.Timeout` after `timeout` seconds."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if timeout == 0:
            raise
        where = f"{folder.parent.name}/{folder.name}"
        print(
            f"Waiting: another process is saving to {where} ({LOCK} in it is taken) …", flush=True
        )
        lock.acquire(timeout=timeout)
    try:
        yield
    finally:
        lock.release()


def record_bytes(folder: Path) -> bytes | None:
    """Return a folder's `params.json` as it is on disk; None if there is none."""
    path = folder / RECORD
    return path.read_bytes() if path.exists() else None


def put_record(folder: Path, record: dict[str, Any], before: bytes | None) -> None:
    """Replace a folder's `params.json` alone; its files stay what they are.

    Raises
    ------
    CheckpointError
        If the record is no longer `before`, what `record_bytes` gave when the new one was begun.
    """
    from ..text import json_text

    with locked(folder):
        _tidy(folder)
        if record_bytes(folder) != before:
            where = f"{folder.parent.name}/{folder.name}"
            raise CheckpointError(f"{where} was saved again meanwhile. Look at it, and try again.")
        draft = folder / f".{RECORD}.part"
        draft.write_text(json_text(record), encoding="utf-8", newline="\n")
        sync(draft)
        os.replace(draft, folder / RECORD)
        sync(folder)


def in_progress(folder: Path) -> bool:
    """Tell whether a save that has happened is still being moved into place."""
    return (folder / COMMIT).exists()


def recorded_files(record: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the files that `save` recorded, by name; none where it was not `save` that wrote."""
    return record["checkpoint"].get("files", {}) if is_recorded(record) else {}


def remove_empty(inner: Path, folder: Path) -> None:
    """Remove a folder and those around it that are empty, up to the step's own."""
    for parent in [inner, *inner.parents]:
        if parent == folder or not parent.is_dir() or any(parent.iterdir()):
            return
        parent.rmdir()


def _tidy(folder: Path) -> None:
    """Finish or remove what an earlier save left behind; only for the holder of the lock."""
    try:
        _finish(folder)
    except OSError as error:
        raise CheckpointError(
            f"The save before this one could not be moved into place: {error.filename} could not "
            f"be replaced ({error.strerror}). Close what holds the file, then save again."
        ) from error
    for staging in folder.glob(f"{STAGING}*"):
        remove(staging)


def _finish(folder: Path) -> None:
    """Move a committed save into place. It can be repeated from any point."""
    commit = folder / COMMIT
    if not commit.exists():
        return
    if (commit / RECORD).exists():
        old, new = files_in(folder), files_in(commit)
        # first, since a new file may need the old one's name for a folder
        for file in old.keys() - new.keys():
            inside = not Path(file).is_absolute() and ".." not in Path(file).parts
            if inside and not _is_one_of(folder / file, [folder / name for name in new]):
                (folder / file).unlink(missing_ok=True)
                remove_empty((folder / file).parent, folder)
        for file in new:
            if (commit / file).exists():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                os.replace(commit / file, folder / file)
        for place in {folder, *((folder / file).parent for file in new)}:
            sync(place)
        os.replace(commit / RECORD, folder / RECORD)
        sync(folder)
    remove(commit)


def _is_one_of(path: Path, others: list[Path]) -> bool:
    """Tell whether a file is one of others by another name, as where case does not count."""
    if not path.exists():
        return False
    name = unicodedata.normalize("NFC", path.name).casefold()
    alike = (o for o in others if unicodedata.normalize("NFC", o.name).casefold() == name)
    return any(other.exists() and other.samefile(path) for other in alike)


def _check_places(staging: Path, folder: Path) -> None:
    """Refuse, before anything has happened, a file whose place in the folder is taken."""
    old, device = files_in(folder), folder.stat().st_dev
    for path in staging.rglob("*"):
        place = folder / path.relative_to(staging)
        if not place.exists() or place.relative_to(folder).as_posix() in old:
            continue
        if place.is_dir() and not path.is_dir() and _holds_only(place, folder, old):
            continue  # it goes when its files do
        if place.is_dir() != path.is_dir():
            kind = "folder" if place.is_dir() else "file"
            raise CheckpointValueError(f"{place} is a {kind} that save did not make. Move it.")
        if place.is_dir() and place.stat().st_dev != device:
            raise CheckpointValueError(
                f"{place} is on another disk, so nothing can be moved into it at once. Use "
                "figures(step) to write there, or make it a plain folder."
            )


def _holds_only(place: Path, folder: Path, old: dict[str, Any]) -> bool:
    """Tell whether a folder's files are all of the checkpoint that is being replaced."""
    found = [path for path in place.rglob("*") if path.is_file()]
    return bool(found) and all(path.relative_to(folder).as_posix() in old for path in found)


def files_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the files that the record in this very folder names, whatever is being finished."""
    try:
        return recorded_files(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        return {}  # none, or one written by hand: it names no files that are ours to remove


def _is_whole(entry: Any) -> bool:
    return isinstance(entry, dict) and {"key", "bytes", "blake3"} <= entry.keys()


def _sync_all(folder: Path) -> None:
    """Flush every file and folder below `folder`, deepest first."""
    for parent, _, files in os.walk(folder, topdown=False):
        for file in files:
            sync(Path(parent, file))
        sync(Path(parent))
