"""Parts of an object that its file cannot hold: kept in `<name>.rest.pkl`, restored by `load`.

A place in an object is a tuple of steps: an attribute name (`obs`), a mapping key, or the position
of a column.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .kinds import is_a

SUFFIX = ".rest.pkl"
VALUES, NAMES = "values", "names"

Place = tuple[Any, ...]


class Difference(NamedTuple):
    """A part of an object that its file does not preserve.

    Attributes
    ----------
    slot
        The part, as messages name it: `uns['region']`.
    what
        How the part differs in the file, in words that follow the slot.
    place
        The part's place in the object; None if nothing is kept of it.
    value
        The original part, which is kept.
    is_name
        Whether `value` is the original key of an entry that the file stores under another name,
        `place[-1]`.
    """

    slot: str
    what: str
    place: Place | None = None
    value: Any = None
    is_name: bool = False


def rest_of(differences: Iterable[Difference]) -> dict[str, list]:
    """Return the content of the rest file; empty if the file preserves everything."""
    rest: dict[str, list] = {}
    for difference in differences:
        if difference.place is not None:
            kept = rest.setdefault(NAMES if difference.is_name else VALUES, [])
            kept.append((difference.place, difference.value))
    return rest


def joined(obj: Any, rest: Mapping[str, list]) -> Any:
    """Return an object that was read, with the content of its rest file restored."""
    for place, value in rest.get(VALUES, ()):
        obj = _put(obj, place, value)
    # innermost first, since places use the names in the file
    for place, key in sorted(rest.get(NAMES, ()), key=lambda item: -len(item[0])):
        mapping = at(obj, place[:-1])
        # keep the order of the file
        for name in list(mapping):
            mapping[key if name == place[-1] else name] = mapping.pop(name)
    return obj


def at(obj: Any, place: Place) -> Any:
    """Return the value at a place in an object."""
    for step in place:
        if is_a(obj, "pandas", "DataFrame") and isinstance(step, int):
            obj = obj.iloc[:, step]
        else:
            obj = obj[step] if isinstance(obj, Mapping) else getattr(obj, step)
    return obj


def _put(obj: Any, place: Place, value: Any) -> Any:
    """Set the value at a place; return the object, or the value if it replaces the whole object."""
    if not place:
        return value
    around, step = at(obj, place[:-1]), place[-1]
    if is_a(around, "pandas", "DataFrame") and isinstance(step, int):
        import pandas as pd

        # aligned and typed, so that pandas does not convert it
        column = pd.Series(value.array, index=around.index, dtype=value.dtype)
        around.isetitem(step, column)
    elif isinstance(around, Mapping):
        around[step] = value  # type: ignore[index]
    elif step == "__class__" and hasattr(around, "tocsr"):
        return _put(obj, place[:-1], value(around))
    elif step == "__class__" and is_a(around, "dask.array", "Array"):
        pass  # opened lazily; its blocks are sparse matrices
    elif step == "__dict__":
        vars(around).update(value)
    else:
        setattr(around, step, value)
    return obj
