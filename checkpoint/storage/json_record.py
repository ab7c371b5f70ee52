"""Convert records to and from the content of `params.json`; only this module does so.

Records are untrusted input: values of the wrong type, and names of files outside the step's folder
or the project, are errors.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import ValidationError, convert, to_builtins

from ..errors import CheckpointDamagedError, CheckpointError
from ..project.names import contained
from .params import param_hashes, user_params
from .schema import FORMAT_VERSION, RECORD, FileEntry, Record


def to_json(record: Record, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the content of `params.json` for a record.

    Parameters
    ----------
    record
        The record.
    before
        The content that it replaces: keys added by a newer version of this code are kept.
    """
    ours = {**(before or {}).get("checkpoint", {}), **to_builtins(record)}
    for key in ("timestamp", "user params", "data_shapes"):
        ours.pop(key, None)
    return {
        "timestamp": record.timestamp,
        **record.params,
        "data_shapes": record.data_shapes,
        "checkpoint": ours,
    }


def parse(raw: Mapping[str, Any]) -> Record | None:
    """Return the record in the content of a `params.json`.

    Parameters
    ----------
    raw
        The content of `params.json`.

    Returns
    -------
    Record or None
        None if `save` did not write it.

    Raises
    ------
    CheckpointDamagedError
        If a key is missing, a value has the wrong type, or a file name leads out of its folder.
    CheckpointError
        If a newer version of this code wrote it.
    """
    ours = raw.get("checkpoint")
    if not isinstance(ours, dict) or "format" not in ours or "files" not in ours:
        return None
    version = ours["format"]
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise CheckpointError(
            f"{RECORD} has format {version}; this project's code reads up to {FORMAT_VERSION}. "
            "Update the project's checkpoint/ folder.",
            file=RECORD,
            expected=FORMAT_VERSION,
            found=version,
        )
    user = {
        "timestamp": raw.get("timestamp", ""),
        "user params": user_params(raw),
        "data_shapes": raw.get("data_shapes", {}),
    }
    try:
        record = convert({**ours, **user}, Record)
    except ValidationError as error:
        what = str(error).replace("`$.", "`checkpoint.")
        raise CheckpointDamagedError(f"{RECORD}: {what}.", file=RECORD) from error
    for name in _names(record):
        if not contained(name):
            raise CheckpointDamagedError(
                f"{RECORD}: {name!r} leads out of the folder that it belongs to.",
                file=RECORD,
                found=name,
            )
    return record


def saved_at(raw: Mapping[str, Any]) -> str | None:
    """Return the timestamp in a `params.json`, whether or not `save` wrote it; None without one."""
    saved = raw.get("timestamp")
    return saved if isinstance(saved, str) else None


def by_hand(raw: Mapping[str, Any], step: str, files: Mapping[str, FileEntry], made: str) -> Record:
    """Return a record for a folder that was filled by hand.

    Parameters
    ----------
    raw
        The content of its `params.json`; empty if it does not exist.
    step
        The step.
    files
        Its files, by name.
    made
        When the newest file was modified; used if `params.json` has no timestamp.
    """
    params = user_params(raw)
    shapes = raw.get("data_shapes")
    return Record(
        timestamp=saved_at(raw) or made,
        params=params,
        data_shapes=shapes if isinstance(shapes, dict) else {},
        format=FORMAT_VERSION,
        step=step,
        files=dict(files),
        inputs={},
        param_hashes=param_hashes(params),
        modules={},
    )


def _names(record: Record) -> list[str]:
    """Return all file names in a record."""
    accepted = [
        name for entry in record.accepted for name in (*entry.fits.inputs, *entry.fits.modules)
    ]
    return [*record.files, *record.written, *record.inputs, *record.modules, *accepted]
