"""Detect changes of a notebook's variables that the rounds of a loop over parts have in common."""

import sys
from collections import deque
from collections.abc import Iterable, Mapping
from functools import cached_property
from io import IOBase
from types import FunctionType
from typing import Any

from ..formats import PROJECT

ATOMS = frozenset({bool, bytes, complex, float, int, str, type(None)})
HIDDEN = ("In", "Out")  # IPython's own
MOST = 1 << 14  # objects of a variable that are compared
OURS = __name__.removesuffix("loop.outside")  # also the objects that `load` returns
SMALL = 1 << 16  # bytes of an array that are compared


class Outside:
    """The variables as they are now, to compare them later.

    Parameters
    ----------
    names
        The variables of the notebook.
    own
        The names that the loop itself binds, which are not compared.
    """

    def __init__(self, names: Mapping[str, Any], own: Iterable[str]) -> None:
        self._names = names
        self._own = {*own, *HIDDEN}
        self._before = self._objects()

    def changed(self) -> list[str]:
        """Return the names of the variables that were bound again, or changed in place."""
        now = self._objects()
        names = self._before.keys() | now.keys()
        return sorted(n for n in names if not _are_same(self._before.get(n), now.get(n)))

    def objects(self) -> list[Any]:
        """Return the objects in all variables, as they were."""
        return [each for objects in self._before.values() for each in objects]

    def _objects(self) -> dict[str, list[Any]]:
        variables = list(self._names.items())
        return {
            name: _objects_in(value)
            for name, value in variables
            if not name.startswith("_") and name not in self._own
        }


def _objects_in(value: Any) -> list[Any]:
    """Return a value, and the objects that show whether its content changes."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting = [value]
    while waiting and len(found) < MOST:
        each = waiting.pop()
        found.append(each)
        if id(each) not in seen:
            seen.add(id(each))
            waiting += _content(each)
    return found


def _content(value: Any) -> list[Any]:
    """Return what shows a change of a container, of code or an object of the notebook, or a file.

    Other objects are compared only by identity, as are large arrays.
    """
    kind = type(value)  # `isinstance` would ask an object that loads itself lazily
    if kind in ATOMS:
        return []
    if issubclass(kind, dict):
        return [len(value), *dict.keys(value), *dict.values(value)]
    if issubclass(kind, list | tuple | set | frozenset | deque):
        return [len(value), *value]
    if kind is bytearray:
        return [bytes(value)]
    numpy = sys.modules.get("numpy")
    if numpy and kind is numpy.ndarray:
        return [value.tobytes()] if value.nbytes <= SMALL and not value.dtype.hasobject else []
    if numpy and kind is numpy.random.Generator:  # its state is set anew for each round
        return [getattr(value.bit_generator.seed_seq, "n_children_spawned", 0)]
    if kind is FunctionType and value.__module__ == "__main__":
        cells = [cell for cell in value.__closure__ or () if not _is_empty(cell)]
        closed = [cell.cell_contents for cell in cells]
        return [value.__defaults__, value.__kwdefaults__, value.__dict__, *closed]
    if issubclass(kind, type) and value.__module__ == "__main__":
        return [each for name, each in vars(value).items() if not name.startswith("__")]
    if issubclass(kind, IOBase):
        return [_position(value)]
    return _attributes(value) if _is_of_project(kind) else []


def _is_of_project(kind: type) -> bool:
    """Tell whether a class is from the notebook or from a module of the project."""
    module = str(kind.__module__)
    return module == "__main__" or (
        module.partition(".")[0] == PROJECT and not module.startswith(OURS)
    )


def _attributes(value: Any) -> list[Any]:
    """Return the attributes of an object, except those that are computed when first used."""
    classes = [vars(kind) for kind in type(value).__mro__]
    lazy = {n for names in classes for n, held in names.items() if type(held) is cached_property}
    slots = {slot for names in classes for slot in _listed(names.get("__slots__", ()))}
    held = {slot: getattr(value, slot, None) for slot in sorted(slots - {"__dict__"})}
    held |= getattr(value, "__dict__", {})
    return [each for name, each in held.items() if name not in lazy]


def _listed(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _position(file: Any) -> int:
    """Return the position in an open file; -1 if it has none."""
    try:
        return int(file.tell())
    except (OSError, ValueError):
        return -1


def _is_empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is None
    except ValueError:  # its variable has no value yet
        return True


def _are_same(before: list[Any] | None, now: list[Any] | None) -> bool:
    if before is None or now is None or len(before) != len(now):
        return False
    return all(
        one is other or (type(one) is type(other) and type(one) in (int, bytes) and one == other)
        for one, other in zip(before, now, strict=True)
    )
