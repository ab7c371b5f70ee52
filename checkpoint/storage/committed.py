"""Read the committed record of a step's folder, and locate its files.

No lock is needed, even while a save is being moved into place.
"""

import json
from pathlib import Path
from typing import Any

from ..errors import CheckpointDamagedError, CheckpointError
from ..text import unfinished_merge
from ..watch.files import unwatched
from . import other_disk
from .json_record import parse
from .schema import RECORD, Record

COMMIT = ".commit"  # holds a committed save until `store` has moved it into place


def locate(folder: Path, file: str) -> Path:
    """Return the path of a committed file, even while its save is being moved into place."""
    places = [folder / COMMIT] if (folder / COMMIT / RECORD).exists() else []
    for place in [*places, folder]:
        if (place / file).exists():
            return place / file
        if (away := other_disk.folder_of(place)) and (away / file).exists():
            return away / file
    return folder / file


def read_raw(folder: Path) -> dict[str, Any] | None:
    """Read a folder's `params.json`, whether or not `save` wrote it; None if it does not exist.

    Raises
    ------
    CheckpointDamagedError
        If it is not a JSON object; for a syntax error, the message has the line and column.
    """
    # in this order: a record that has left the first folder was moved to the second
    committed = [folder / COMMIT] if (folder / COMMIT).exists() else []
    for place in [*committed, folder]:
        try:
            return read_json(place / RECORD)
        except FileNotFoundError:
            continue
    return None


def read_record(folder: Path) -> Record | None:
    """Read a folder's record; None if `save` wrote none. Raises like `read_raw` and `parse`."""
    raw = read_raw(folder)
    return None if raw is None else parse(raw)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises like `read_raw`, or `FileNotFoundError`."""
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


def record_bytes(folder: Path) -> bytes | None:
    """Return the bytes of a folder's `params.json`; None if it does not exist."""
    path = folder / RECORD
    return path.read_bytes() if path.exists() else None


def in_progress(folder: Path) -> bool:
    """Tell whether a committed save is still being moved into place."""
    return (folder / COMMIT).exists()


def files_in(folder: Path) -> list[str]:
    """Return the files named by the record in this folder, not by one in `.commit`."""
    try:
        record = parse(read_json(folder / RECORD))
    except (OSError, CheckpointError):
        return []  # without a readable record, no file is known to be written by `save`
    return record.written if record else []
