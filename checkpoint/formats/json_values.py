"""Text, numbers, lists and dicts as `.json`; also the rules for `params`."""

import datetime
import enum
import json
import math
from pathlib import Path, PurePath
from typing import Any

from .kinds import a_type, is_a


def refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.json`: what JSON would change on the way."""
    try:
        plain(obj, exact=True)
    except (TypeError, ValueError) as error:
        return f"holds what JSON does not: {error}"
    except RecursionError:
        return "holds itself"
    return None


def write(obj: Any, path: Path) -> None:
    """Write an object, indented, so that people and `git diff` can read it."""
    path.write_text(dumps(plain(obj, exact=True)), encoding="utf-8", newline="\n")


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read what JSON holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def dumps(value: Any) -> str:
    """Write JSON as all files of a checkpoint have it: indented, newline at the end."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any, where: str = "", *, exact: bool = False) -> Any:
    """Return a value in JSON's own types.

    NumPy scalars become Python's. Unless `exact`, tuples and arrays become lists, and paths,
    dates and times become text.

    Parameters
    ----------
    value
        The value.
    where
        What messages call it: `params['matching_params']`.
    exact
        Whether only what reading gives back the same will do.

    Raises
    ------
    TypeError, ValueError
        If JSON cannot hold it; the message says where in `value`.
    """
    place = where or "it"
    if isinstance(value, enum.Enum):
        raise TypeError(f"{place} is {a_type(value)}; its .value may do")
    if is_a(value, "numpy", "datetime64") and not exact:
        value = _date_text(value, place)
    elif is_a(value, "numpy", "generic") and value.dtype.kind not in "Mm":
        value = value.item()
    if isinstance(value, str):
        return _text(str(value), place)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise ValueError(f"{place} is {value}, which JSON cannot hold; None can stand for it")
    if isinstance(value, dict) and (type(value) is dict or not exact):
        return {
            _key(key, place): plain(item, f"{where}[{key!r}]", exact=exact)
            for key, item in value.items()
        }
    if not exact:
        loose = _loosely(value, place)
        if isinstance(loose, str):
            return loose
        if loose is not value and is_a(loose, "numpy", "generic"):
            return plain(loose, where)
        value = loose
    if isinstance(value, list):
        return [plain(item, f"{where}[{i}]", exact=exact) for i, item in enumerate(value)]
    raise TypeError(f"{place} is {a_type(value)}")


def _key(key: Any, place: str) -> str:
    if isinstance(key, str):
        return _text(str(key), place)
    raise TypeError(f"{place} has the key {key!r}; the keys of JSON are text, as in {str(key)!r}")


def _text(text: str, place: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{place} has a character that UTF-8 cannot write: {error}") from error
    return text


def _date_text(value: Any, place: str) -> str:
    """Return NumPy's date as ISO 8601."""
    if str(value) == "NaT":
        raise ValueError(f"{place} is NaT, which JSON cannot hold; None can stand for it")
    return str(value)


def _loosely(value: Any, place: str) -> Any:
    """Write what is not JSON's own, but has one obvious form in it."""
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, datetime.date | datetime.time):
        if value == value:  # pandas' NaT is a datetime too
            return value.isoformat()
        raise ValueError(f"{place} is {value}, which JSON cannot hold; None can stand for it")
    if is_a(value, "numpy", "ndarray"):
        return list(value) if value.ndim else value[()]
    return list(value) if isinstance(value, tuple) else value
