"""File formats: which file an object is saved in, and what `load` returns for it.

Each module declares its formats as `Format` (see `registry`); this module collects them.
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

# For a key without a suffix, the first format that can hold the object is used; .pkl is the last.
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
# the package that this code was copied into; it may define additional formats
PROJECT = (__package__ or "").removesuffix("checkpoint.formats").rstrip(".")


@cache
def known() -> tuple[Format, ...]:
    """Return the project's formats from `src/<package>/formats.py`, then the built-in ones."""
    name = f"{PROJECT}.formats"
    if not PROJECT or find_spec(name) is None:
        return FORMATS
    own: tuple[Format, ...] = tuple(import_module(name).FORMATS)
    suffixes = {entry.suffix for entry in own}
    return *own, *(entry for entry in FORMATS if entry.suffix not in suffixes)


def format_of(file: str) -> Format | None:
    """Return the format of a file's suffix, or None; `.csv.gz` counts as one suffix."""
    return _by_suffix().get(suffix_of(file).lower())


def suffix_of(file: str) -> str:
    """Return a file's suffix: the longest one that a format uses, else the last one."""
    if "." not in file:
        return ""
    suffixes = Path(file).suffixes
    endings = ("".join(suffixes[i:]) for i in range(len(suffixes)))
    return next((end for end in endings if end.lower() in _by_suffix()), Path(file).suffix)


def stems(file: str) -> list[str]:
    """Return a file name's possible stems: `x`, `x.ome` for `x.ome.tiff`; [] without a suffix."""
    suffixes = Path(file).suffixes
    whole = [file.removesuffix("".join(suffixes[i:])) for i in range(len(suffixes))]
    return [stem for stem in whole if stem]


def choose(key: str, obj: Any) -> tuple[str, Format]:
    """Choose the file name and the format for an object.

    Parameters
    ----------
    key
        The name given to `save`. Its suffix (`matching.csv`) determines the format; without one,
        or if the suffix is a number (`leiden_0.5`), the object's type does.
    obj
        The object.

    Returns
    -------
    file, format
        The file name in the step's folder, and the format.

    Raises
    ------
    CheckpointFormatError
        If no format has the suffix, or the format cannot hold the object. The message names the
        key, the object's type and the formats that can hold it.
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
    # the patterns in .gitignore are lower case
    return key.removesuffix(suffix) + named.suffix, named


def refused(key: str, obj: Any, why: str, by: Format | None = None) -> CheckpointFormatError:
    """Return the error that says why a format cannot hold an object, and which formats can.

    Parameters
    ----------
    key, obj
        The name given to `save`, and the object.
    why
        The reason, as a clause.
    by
        The format that cannot hold it; None if no format has the key's suffix.

    Returns
    -------
    CheckpointFormatError
        With `key`, the object's type as `found`, and the file names that it can be saved as in
        `expected`.
    """
    if by is PATH:
        text = f"{key!r}: cannot save this {type_name(obj)}: {why.rstrip('.')}."
        return CheckpointFormatError(text, key=key, found=str(obj))
    suffix = suffix_of(key)
    stem = key.removesuffix(suffix) if format_of(key) or by is None else key
    others = [entry for entry in known() if entry is not by and entry.refusal(obj) is None]
    if by is not None:  # not for an unknown suffix, since trying takes as long as saving
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
    """Return whether an object can be saved in a format, with its rest file, by trying it."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"trial{entry.suffix}")
        try:
            differences = entry.changes(obj, path, entry.write(obj, path))
            beside.write_rest(differences, Path(folder, f"trial{beside.SUFFIX}"))
        except Exception:
            return False
    return True


def shape_of(obj: Any) -> dict[str, Any] | None:
    """Return an object's entry in `data_shapes`, whatever its format; None if it has no shape."""
    obj = shown(obj)
    shapes = (entry.shape(obj) for entry in known() if entry.shape and entry.is_for(obj))
    return next(shapes, None) or None
