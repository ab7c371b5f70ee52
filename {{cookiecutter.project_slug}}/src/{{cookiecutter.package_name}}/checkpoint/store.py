"""A step's folder on disk, changed all at once or not at all.

A save is written into `.staging-…` inside the folder and flushed to disk. Renaming that folder to
`.commit` is the moment the save has happened. Its files then move over the old ones, `params.json`
last. Whoever meets `.commit` can finish the moves or read through it; whoever holds the lock and
meets a staging folder removes it. Only renames are used, so this holds on Windows and NFS too.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard

from .errors import CheckpointDamagedError

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
    with _lock(folder):
        _tidy(folder)
        staging = folder / f"{STAGING}{secrets.token_hex(4)}"
        staging.mkdir()
        try:
            yield staging
            _sync_all(staging)
            staging.rename(folder / COMMIT)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        _sync(folder)
        _finish(folder)


def recover(folder: Path) -> None:
    """Finish a save that was cut short after it had happened, where this process may write."""
    if not (folder / COMMIT).exists() or not os.access(folder, os.W_OK):
        return
    from filelock import Timeout

    try:
        with _lock(folder, timeout=0):
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
        with _lock(folder, timeout=0):
            return any(folder.glob(f"{STAGING}*"))
    except Timeout:
        return False  # it is going on right now
    except OSError:
        return True


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
            f"{path} is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from error
    except UnicodeDecodeError as error:
        raise CheckpointDamagedError(f"{path} is not valid JSON: it is not UTF-8 text.") from error
    if not isinstance(record, dict):
        raise CheckpointDamagedError(f"{path} holds a {type(record).__name__}, not an object.")
    return record


def is_recorded(record: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    """Tell whether a `params.json` was written by `save`."""
    return isinstance((record or {}).get("checkpoint"), dict)


def in_progress(folder: Path) -> bool:
    """Tell whether a save that has happened is still being moved into place."""
    return (folder / COMMIT).exists()


def recorded_files(record: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the files that `save` recorded, by name; none where it was not `save` that wrote."""
    return record["checkpoint"].get("files", {}) if is_recorded(record) else {}


@contextmanager
def _lock(folder: Path, timeout: float = -1) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if timeout == 0:
            raise
        print(f"Waiting: another process is saving to {folder.name} …", flush=True)
        lock.acquire(timeout=timeout)
    try:
        yield
    finally:
        lock.release()


def _tidy(folder: Path) -> None:
    """Finish or remove what an earlier save left behind; only for the holder of the lock."""
    _finish(folder)
    for staging in folder.glob(f"{STAGING}*"):
        shutil.rmtree(staging)


def _finish(folder: Path) -> None:
    """Move a committed save into place. It can be repeated from any point."""
    commit = folder / COMMIT
    if not commit.exists():
        return
    if (commit / RECORD).exists():
        old, new = _record_in(folder), _record_in(commit)
        for file in new:
            if (commit / file).exists():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                os.replace(commit / file, folder / file)
        for file in old.keys() - new.keys():
            if not Path(file).is_absolute() and ".." not in Path(file).parts:  # edited by hand
                (folder / file).unlink(missing_ok=True)
        _sync(folder)
        os.replace(commit / RECORD, folder / RECORD)
        _sync(folder)
    shutil.rmtree(commit)


def _record_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the files that the record in this very folder names, whatever is being finished."""
    try:
        return recorded_files(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        return {}  # none, or one written by hand: it names no files that are ours to remove


def _sync_all(folder: Path) -> None:
    """Flush every file and folder below `folder`, deepest first."""
    for parent, _, files in os.walk(folder, topdown=False):
        for file in files:
            _sync(Path(parent, file))
        _sync(Path(parent))


def _sync(path: Path) -> None:
    """Flush one file or folder to disk."""
    if os.name == "nt":
        if path.is_dir():
            return  # Windows cannot open a folder, and writes renames through by itself
        descriptor = os.open(path, os.O_RDWR)
    else:
        descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
