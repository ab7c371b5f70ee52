"""Text, numbers, lists and dicts as `.json`; `plain` also converts `params`."""

import datetime
import enum
import json
import math
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from ..text import json_text
from .kinds import a_type, is_a
from .nearest import listed, text
from .registry import Format

PLAIN = (str, int, float, bool)


def unfit(obj: Any) -> str | None:
    """Return why JSON cannot preserve an object, or None."""
    try:
        plain(obj, exact=True)
    except (TypeError, ValueError) as error:
        return f"holds what JSON cannot hold: {error}"
    except RecursionError:
        return "contains itself"
    return None


def nearest(obj: Any) -> Any:
    """Return a list, dict, tuple or set in JSON types; values that have none become text."""
    if not isinstance(obj, Mapping | list | tuple | set | frozenset):
        raise TypeError(f"{a_type(obj)} is not text, a number, a list or a dict")
    return json.loads(json.dumps(listed(obj), default=text, allow_nan=True), parse_constant=str)


def write(obj: Any, path: Path) -> None:
    """Write an object as indented JSON, which is readable for people and in `git diff`."""
    path.write_text(json_text(plain(obj, exact=True)), encoding="utf-8", newline="\n")


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read the text, numbers, lists and dicts of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def plain(value: Any, where: str = "", *, exact: bool = False) -> Any:
    """Return a value converted to JSON types.

    NumPy scalars become Python scalars. Unless `exact`, tuples and arrays become lists, and paths,
    dates and times become text.

    Parameters
    ----------
    value
        The value.
    where
        The value's name in messages: `params['matching_params']`.
    exact
        Whether to accept only values that JSON preserves.

    Raises
    ------
    TypeError, ValueError
        If JSON cannot hold it; the message names the place in `value`.
    """
    place = where or "it"
    if isinstance(value, enum.Enum):
        raise TypeError(f"{place} is {a_type(value)}; use its .value")
    if is_a(value, "numpy", "datetime64") and not exact:
        value = _date_text(value, place)
    elif is_a(value, "numpy", "generic") and value.dtype.kind not in "Mm":
        value = value.item()
    if exact and isinstance(value, str | int | float) and type(value) not in PLAIN:
        raise TypeError(f"{place} is {a_type(value)}")
    if isinstance(value, str):
        return _text(str(value), place)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise ValueError(f"{place} is {value}, which JSON cannot hold; use None instead")
    if isinstance(value, dict) and (type(value) is dict or not exact):
        return {
            _key(key, place, exact): plain(item, f"{where}[{key!r}]", exact=exact)
            for key, item in value.items()
        }
    if not exact:
        loose = _loosely(value, place)
        if isinstance(loose, str):
            return loose
        if loose is not value and is_a(loose, "numpy", "generic"):
            return plain(loose, where)
        value = loose
    if type(value) is list or (isinstance(value, list) and not exact):
        return [plain(item, f"{where}[{i}]", exact=exact) for i, item in enumerate(value)]
    raise TypeError(f"{place} is {a_type(value)}")


def _key(key: Any, place: str, exact: bool) -> str:
    if type(key) is str or (isinstance(key, str) and not exact):
        return _text(str(key), place)
    raise TypeError(f"{place} has the key {key!r}; keys in JSON must be str, such as {str(key)!r}")


def _text(text: str, place: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{place} has a character that UTF-8 cannot encode: {error}") from error
    return text


def _date_text(value: Any, place: str) -> str:
    """Return a `numpy.datetime64` as ISO 8601 text."""
    if str(value) == "NaT":
        raise ValueError(f"{place} is NaT, which JSON cannot hold; use None instead")
    return str(value)


def _loosely(value: Any, place: str) -> Any:
    """Convert paths, dates, arrays and tuples to their JSON form; return other values unchanged."""
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, datetime.date | datetime.time):
        if value == value:  # pandas' NaT is a datetime too
            return value.isoformat()
        raise ValueError(f"{place} is {value}, which JSON cannot hold; use None instead")
    if is_a(value, "numpy", "ndarray"):
        return list(value) if value.ndim else value[()]
    return list(value) if isinstance(value, tuple) else value


FORMATS = (
    Format(
        suffix=".json",
        holds="text, numbers, lists, dicts",
        comes_back="the same",
        writer=write,
        reader=read,
        unfit=unfit,
        nearest=nearest,
        by_suffix_only=True,
        large=False,
    ),
)
