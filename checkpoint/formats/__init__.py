"""File formats: which object goes into which file, and how it comes back.

Each module declares its formats (`Format` in `registry`); here they are only collected.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import CheckpointFormatError
from . import (
    arrays,
    beside,
    charts,
    delimited,
    excel,
    figures,
    h5ad,
    h5mu,
    json_values,
    options,
    parquet,
    pickled,
    zarr_folders,
)
from .kinds import is_a, shown, type_name
from .paths import PATH, file_name
from .registry import Format

__all__ = [
    "BY_SUFFIX",
    "FORMATS",
    "PATH",
    "Format",
    "beside",
    "choose",
    "format_of",
    "known",
    "options",
    "refused",
    "shape_of",
    "stems",
    "suffix_of",
]

# A key without a suffix takes the first format that holds its object; pickles hold any.
MODULES = (
    *(h5ad, h5mu, arrays, parquet, zarr_folders, charts, figures),
    *(delimited, excel, json_values, pickled),
)
FORMATS: tuple[Format, ...] = tuple(
    sorted(
        (entry for module in MODULES for entry in module.FORMATS),
        key=lambda entry: entry.by_suffix_only,
    )
)
BY_SUFFIX = {entry.suffix: entry for entry in FORMATS}
FALLBACK = BY_SUFFIX[".pkl"]
# the package that this code was copied into; it may have formats of its own
PROJECT = (__package__ or "").removesuffix("checkpoint.formats").rstrip(".")


@cache
def known() -> tuple[Format, ...]:
    """Return the formats of the project, from `src/<package>/formats.py`, and then ours."""
    name = f"{PROJECT}.formats"
    if not PROJECT or find_spec(name) is None:
        return FORMATS
    own: tuple[Format, ...] = tuple(import_module(name).FORMATS)
    suffixes = {entry.suffix for entry in own}
    return *own, *(entry for entry in FORMATS if entry.suffix not in suffixes)


def format_of(file: str) -> Format | None:
    """Return the format that a file's suffix names, or None; `.csv.gz` is one suffix."""
    return _by_suffix().get(suffix_of(file).lower())


def suffix_of(file: str) -> str:
    """Return the suffix of a file: the longest that is that of a format, else the last."""
    if "." not in file:
        return ""
    suffixes = Path(file).suffixes
    endings = ("".join(suffixes[i:]) for i in range(len(suffixes)))
    return next((end for end in endings if end.lower() in _by_suffix()), Path(file).suffix)


def stems(file: str) -> list[str]:
    """Return the name of a file without its suffix; without a part of one such as `.ome.tiff`."""
    suffixes = Path(file).suffixes
    whole = [file.removesuffix("".join(suffixes[i:])) for i in range(len(suffixes))]
    return [stem for stem in whole if stem]


def choose(key: str, obj: Any) -> tuple[str, Format]:
    """Choose the file and the format of an object.

    Parameters
    ----------
    key
        The name given to `save`. A suffix (`matching.csv`) chooses the format; without one, or
        if the suffix is a number (`leiden_0.5`), the object's type does.
    obj
        The object.

    Returns
    -------
    file, format
        The file's name in the step's folder, and its format.

    Raises
    ------
    CheckpointFormatError
        If the suffix is not that of a format, or that of one that cannot hold the object. The
        message names the key, the object's type and the formats that can hold it.
    """
    if PATH.is_for(obj):
        if why := PATH.unfit and PATH.unfit(obj):
            raise CheckpointFormatError(f"{key!r}: it {why}", key=key, found=str(obj))
        return file_name(key, obj), PATH
    suffix = suffix_of(key)
    if not suffix or suffix[1:].isdecimal():
        candidates = [entry for entry in known() if entry.is_default(obj)]
        if is_a(shown(obj), "anndata", "AnnData") and options.anndata_suffix() == ".zarr":
            candidates.insert(0, BY_SUFFIX[".zarr"])
        entry = next((entry for entry in candidates if entry.refusal(obj) is None), None)
        if entry is None:
            raise refused(key, obj, f"it {FALLBACK.refusal(obj)}", FALLBACK)
        return f"{key}{entry.suffix}", entry
    named = format_of(key)
    if named is None:
        raise refused(key, obj, f"{suffix} is not a format")
    if why := named.refusal(obj, near=True):
        raise refused(key, obj, f"it {why}", named)
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
        The format that cannot hold it; None if the key's suffix is not that of a format.

    Returns
    -------
    CheckpointFormatError
        With `key`, the object's type as `found`, and as `expected` the names of the files that
        it can be saved as.
    """
    if by is PATH:
        text = f"{key!r}: cannot save this {type_name(obj)}: {why.rstrip('.')}."
        return CheckpointFormatError(text, key=key, found=str(obj))
    suffix = suffix_of(key)
    stem = key.removesuffix(suffix) if format_of(key) or by is None else key
    others = [entry for entry in known() if entry is not by and entry.refusal(obj) is None]
    if by is not None:  # not for a mistyped suffix, since trying takes as long as saving
        others = [entry for entry in others if _can_hold(entry, obj)]
    files = [stem + entry.suffix for entry in others]
    advice = ""
    if files:
        advice = f" It can be saved as {' or '.join(map(repr, files))}."
    elif by is not FALLBACK and (hint := FALLBACK.refusal(obj)):
        advice = f" It {hint}."
    return CheckpointFormatError(
        f"{key!r}: cannot save this {type_name(obj)} as {by.suffix if by else suffix}: "
        f"{why.rstrip('.')}.{advice}",
        key=key,
        expected=files,
        found=type_name(obj),
    )


@cache
def _by_suffix() -> dict[str, Format]:
    return {entry.suffix: entry for entry in known()}


def _can_hold(entry: Format, obj: Any) -> bool:
    """Return whether a format holds an object, with what is kept beside the file, by trying."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"trial{entry.suffix}")
        try:
            differences = entry.changes(obj, path, entry.write(obj, path))
            beside.write_rest(differences, Path(folder, f"trial{beside.SUFFIX}"))
        except Exception:
            return False
    return True


def shape_of(obj: Any) -> dict[str, Any] | None:
    """Return an object's entry in `data_shapes`, whatever it is saved as; None without a shape."""
    obj = shown(obj)
    shapes = (entry.shape(obj) for entry in known() if entry.shape and entry.is_for(obj))
    return next(shapes, None) or None
