"""What a file cannot hold of an object: kept beside it in `<name>.rest.pkl`, put back by `load`.

A place in an object is a tuple of steps: the name of an attribute (`obs`), a key of a mapping, or
the position of a column.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .kinds import is_a

SUFFIX = ".rest.pkl"
VALUES, NAMES = "values", "names"

Place = tuple[Any, ...]


class Difference(NamedTuple):
    """A part of an object that its file does not give back as it was.

    Attributes
    ----------
    slot
        The part, as messages name it: `uns['region']`.
    what
        What it is and what the file has, in words that follow the slot.
    place
        Where it is; None if nothing is kept of it.
    value
        What to keep: the part as it was.
    is_name
        Whether it is a key of the mapping at `place[:-1]`, which has another name in the file.
    """

    slot: str
    what: str
    place: Place | None = None
    value: Any = None
    is_name: bool = False


def rest_of(differences: Iterable[Difference]) -> dict[str, list]:
    """Return what is kept beside a file; empty if the file holds it all."""
    rest: dict[str, list] = {}
    for difference in differences:
        if difference.place is not None:
            kept = rest.setdefault(NAMES if difference.is_name else VALUES, [])
            kept.append((difference.place, difference.value))
    return rest


def joined(obj: Any, rest: Mapping[str, list]) -> Any:
    """Return an object that was read, with what was kept beside its file put back."""
    for place, value in rest.get(VALUES, ()):
        obj = _put(obj, place, value)
    # the innermost first, since places are those in the file
    for place, key in sorted(rest.get(NAMES, ()), key=lambda item: -len(item[0])):
        mapping = at(obj, place[:-1])
        # in the order that it has in the file
        for name in list(mapping):
            mapping[key if name == place[-1] else name] = mapping.pop(name)
    return obj


def at(obj: Any, place: Place) -> Any:
    """Return what is in a place of an object."""
    for step in place:
        if is_a(obj, "pandas", "DataFrame") and isinstance(step, int):
            obj = obj.iloc[:, step]
        else:
            obj = obj[step] if isinstance(obj, Mapping) else getattr(obj, step)
    return obj


def _put(obj: Any, place: Place, value: Any) -> Any:
    """Put a value in its place; return the object, or the value if the place is the whole."""
    if not place:
        return value
    around, step = at(obj, place[:-1]), place[-1]
    if is_a(around, "pandas", "DataFrame") and isinstance(step, int):
        import pandas as pd

        # aligned and typed, so that pandas takes it as it is
        column = pd.Series(value.array, index=around.index, dtype=value.dtype)
        around.isetitem(step, column)
    elif isinstance(around, Mapping):
        around[step] = value  # type: ignore[index]
    elif step == "__class__" and hasattr(around, "tocsr"):
        return _put(obj, place[:-1], value(around))
    elif step == "__class__" and is_a(around, "dask.array", "Array"):
        pass  # opened lazily, in blocks of sparse matrices
    elif step == "__dict__":
        vars(around).update(value)
    else:
        setattr(around, step, value)
    return obj
