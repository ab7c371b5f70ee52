"""The table of formats: which object goes into which file, and how it comes back.

A new format is one entry in the table and one module beside it. The modules import their
libraries when they write or read, so that importing `checkpoint` stays cheap.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from ..errors import CheckpointFormatError
from . import arrays, delimited, figures, h5ad, json_values, parquet, pickled
from .kinds import is_a, type_name


class Format(NamedTuple):
    """A file format that objects are saved in.

    Attributes
    ----------
    suffix
        Ends the file's name, with its dot.
    refusal
        Takes an object; tells why it cannot be held, in words that complete "it …", or None.
    write
        Writes an object to a path; returns what reading needs beyond the file, or None.
    changes
        Takes the object, the path and what `write` returned; tells what will come back otherwise,
        a sentence each, or raises if that is too much.
    read
        Reads a path, given what `write` returned (None for files that `save` did not write).
    """

    suffix: str
    refusal: Callable[[Any], str | None]
    write: Callable[[Any, Path], dict[str, Any] | None]
    changes: Callable[[Any, Path, dict[str, Any] | None], Iterable[str]]
    read: Callable[[Path, dict[str, Any] | None], Any]


def no_changes(obj: Any, path: Path, details: dict[str, Any] | None) -> tuple[str, ...]:
    """Tell nothing, where what is written comes back the same."""
    return ()


# A key without a suffix takes the first format that holds its object.
FORMATS = (
    Format(".h5ad", h5ad.refusal, h5ad.write, h5ad.changes, h5ad.read),
    Format(".npy", arrays.npy_refusal, arrays.write_npy, arrays.npy_changes, arrays.read_npy),
    Format(".npz", arrays.npz_refusal, arrays.write_npz, no_changes, arrays.read_npz),
    Format(".parquet", parquet.refusal, parquet.write, parquet.changes, parquet.read),
    Format(".png", figures.refusal, figures.write, no_changes, figures.read),
    Format(".pkl", pickled.refusal, pickled.write, no_changes, pickled.read),
    # these are chosen by their suffix only
    Format(".csv", delimited.refusal, delimited.write, delimited.changes, delimited.read),
    Format(".json", json_values.refusal, json_values.write, no_changes, json_values.read),
    Format(".pdf", figures.refusal, figures.write, no_changes, figures.read),
    Format(".svg", figures.refusal, figures.write, no_changes, figures.read),
)
# Reading these may run code that is in the file, so they are verified before and not meanwhile.
RUN_CODE = frozenset({".pkl", ".npy", ".npz"})
# What `data_shapes` says of an object, whatever it is saved as.
SHAPES = (
    ("anndata", "AnnData", h5ad.shape),
    ("numpy", "ndarray", arrays.npy_shape),
    ("scipy.sparse", "spmatrix", arrays.npz_shape),
    ("scipy.sparse", "sparray", arrays.npz_shape),
    ("pandas", "DataFrame", parquet.shape),
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
        entry = next((entry for entry in FORMATS if entry.refusal(obj) is None), None)
        if entry is None:
            raise refused(key, obj, f"it {pickled.refusal(obj)}", BY_SUFFIX[".pkl"])
        return f"{key}{entry.suffix}", entry
    named = format_of(key)
    if named is None:
        raise refused(key, obj, f"{suffix} is not a format")
    if reason := named.refusal(obj):
        raise refused(key, obj, f"it {reason}", named)
    # the rules of .gitignore are in lower case
    return key.removesuffix(suffix) + named.suffix, named


def refused(key: str, obj: Any, why: str, by: Format | None = None) -> CheckpointFormatError:
    """Return the error that says why a format cannot hold an object, and which formats can.

    Parameters
    ----------
    key, obj
        The object, and the name given to `save`.
    why
        The reason, as a clause.
    by
        The format that cannot hold it.
    """
    suffix = Path(key).suffix
    stem = key.removesuffix(suffix) if format_of(key) or by is None else key
    others = [entry for entry in FORMATS if entry is not by and entry.refusal(obj) is None]
    others = [entry for entry in others if by is None or _holds(entry, obj)]
    files = " or ".join(repr(stem + entry.suffix) for entry in others)
    return CheckpointFormatError(
        f"{key!r}: cannot save this {type_name(obj)} as {by.suffix if by else suffix}: "
        f"{why.rstrip('.')}." + (f" It can be saved as {files}." if files else "")
    )


def _holds(entry: Format, obj: Any) -> bool:
    """Tell whether a format holds an object by trying, where `refusal` cannot know."""
    if entry.suffix == ".pkl":
        return pickled.pickles(obj)
    if entry.suffix not in (".parquet", ".csv"):
        return True
    with TemporaryDirectory() as folder:
        path = Path(folder, f"tried{entry.suffix}")
        try:
            list(entry.changes(obj, path, entry.write(obj, path)))
        except Exception:
            return False
    return True


def shape_of(obj: Any) -> dict[str, Any] | None:
    """Return an object's entry in `data_shapes`; None for one without a shape."""
    return next((shape(obj) for *kind, shape in SHAPES if is_a(obj, *kind)), None)
