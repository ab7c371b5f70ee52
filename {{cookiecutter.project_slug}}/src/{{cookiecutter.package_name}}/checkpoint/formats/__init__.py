"""The table of formats: which object goes into which file, and how it comes back.

A new format is one entry in the table and one module beside it. The modules import their
libraries when they write or read, so that importing `checkpoint` stays cheap.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CheckpointFormatError
from . import arrays, csv, figures, h5ad, json, parquet, pickle
from .kinds import type_name


class Format(NamedTuple):
    """A file format that objects are saved in.

    Attributes
    ----------
    suffix
        Ends the file's name, with its dot.
    refusal
        Takes an object; tells why it cannot be held, in words that complete "it …", or None.
    write
        Writes an object to a path, and adds to a list what will come back otherwise, a sentence
        each; returns what reading needs beyond the file, or None.
    read
        Reads a path, given what `write` returned (None for files that `save` did not write).
    shape
        Describes an object for `data_shapes`; None where there is nothing to say.
    """

    suffix: str
    refusal: Callable[[Any], str | None]
    write: Callable[[Any, Path, list[str]], dict[str, Any] | None]
    read: Callable[[Path, dict[str, Any] | None], Any]
    shape: Callable[[Any], dict[str, Any] | None]


def no_shape(obj: Any) -> None:
    """Describe an object that has no shape."""
    return None


# A key without a suffix takes the first format that holds its object.
FORMATS = (
    Format(".h5ad", h5ad.refusal, h5ad.write, h5ad.read, h5ad.shape),
    Format(".npy", arrays.npy_refusal, arrays.write_npy, arrays.read_npy, arrays.npy_shape),
    Format(".npz", arrays.npz_refusal, arrays.write_npz, arrays.read_npz, arrays.npz_shape),
    Format(".parquet", parquet.refusal, parquet.write, parquet.read, parquet.shape),
    Format(".png", figures.refusal, figures.write, figures.read, no_shape),
    Format(".pkl", pickle.refusal, pickle.write, pickle.read, no_shape),
    # these are chosen by their suffix only
    Format(".csv", csv.refusal, csv.write, csv.read, parquet.shape),
    Format(".json", json.refusal, json.write, json.read, no_shape),
    Format(".pdf", figures.refusal, figures.write, figures.read, no_shape),
    Format(".svg", figures.refusal, figures.write, figures.read, no_shape),
)
BY_SUFFIX = {entry.suffix: entry for entry in FORMATS}


def format_of(file: str) -> Format | None:
    """Return the format that a file's suffix names, or None."""
    return BY_SUFFIX.get(Path(file).suffix.lower())


def choose(key: str, obj: Any) -> tuple[str, Format]:
    """Choose the file and the format of an object.

    Parameters
    ----------
    key
        The name given to `save`. A suffix (`matching.csv`) chooses the format; without one, or
        where it is a number (`leiden_0.5`), the object's type does.
    obj
        The object.

    Returns
    -------
    file, format
        The file's name below the step's folder, and its format.

    Raises
    ------
    CheckpointFormatError
        If the suffix names no format, or one that cannot hold the object. The message names the
        key, the object's type and the formats that can.
    """
    suffix = Path(key).suffix
    if not suffix or suffix[1:].isdecimal():
        entry = next(entry for entry in FORMATS if entry.refusal(obj) is None)
        return f"{key}{entry.suffix}", entry
    named = format_of(key)
    reason = "is not a format" if named is None else named.refusal(obj)
    if named is not None and reason is None:
        return key, named
    why = f"{suffix} is not a format" if named is None else f"it {reason}"
    stem = key.removesuffix(suffix)
    files = [stem + entry.suffix for entry in FORMATS if entry.refusal(obj) is None]
    raise CheckpointFormatError(
        f"{key!r}: cannot save a {type_name(obj)} as {suffix}: {why}. "
        f"It can be saved as {' or '.join(map(repr, files))}."
    )
