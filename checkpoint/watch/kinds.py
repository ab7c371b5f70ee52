"""Classify values by what can change in them.

- `plain`: int, float, complex, str, bytes, bool, None, NumPy scalars; tuples and frozensets of
  them.
- `frame`: a pandas DataFrame (not a subclass) with at least one row, unique column names, and only
  `plain` values in columns of dtype object.
- `array`: any other DataFrame, Series, Index or ndarray without mutable objects.
- `anndata`: an AnnData (not a subclass) in memory.
- `list`, `set`, `dict`: exactly these types; `flat list`, `flat set`, `flat dict`: the same, with
  `plain` elements or values only.
- `iterator`: has `__next__`.

Other values have no kind. A wrong kind could cause a wrong answer, a missing one at most a warning;
so values that take long to inspect get no kind.
"""

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

MANY = 20_000  # maximum number of objects that are inspected one by one
SCALARS = (int, float, complex, str, bytes, bool, type(None))


def kind_of(value: Any) -> str:
    """Return the kind of a value; empty if it has none."""
    try:
        return _kind(value)
    except Exception:  # proxies and subclasses may raise any error when they are inspected
        return ""


def _kind(value: Any) -> str:
    if _plain(value):
        return "plain"
    if type(value) in (list, set, dict):
        return _container(value)
    pandas, numpy, anndata = map(sys.modules.get, ("pandas", "numpy", "anndata"))
    if pandas and isinstance(value, _class(pandas, "DataFrame")):
        return _frame(value, _class(pandas, "DataFrame"))
    columns = [_class(pandas, name) for name in ("Series", "Index")] if pandas else []
    if any(isinstance(value, column) for column in columns):
        return "array" if _holds_plain(value) else ""
    if numpy and type(value) is _class(numpy, "ndarray"):
        return "array" if _holds_plain(value) else ""
    if anndata and type(value) is _class(anndata, "AnnData"):
        return "" if value.isbacked else "anndata"
    return "iterator" if hasattr(type(value), "__next__") else ""


def _class(library: ModuleType, name: str) -> Any:
    return getattr(library, name, ())


def _plain(value: Any) -> bool:
    kind = type(value)
    if kind in SCALARS:
        return True
    if kind in (tuple, frozenset):
        parts: Any = value
        return len(parts) <= MANY and all(map(_plain, parts))
    numpy = sys.modules.get("numpy")
    generic, void = (_class(numpy, name) for name in ("generic", "void")) if numpy else ((), ())
    return isinstance(value, generic) and not isinstance(value, void)


def _container(value: Any) -> str:
    elements: Iterable[object] = value.values() if isinstance(value, dict) else value
    flat = len(value) <= MANY and all(map(_plain, elements))
    return f"{'flat ' if flat else ''}{type(value).__name__}"


def _frame(value: Any, frame: type) -> str:
    """Return `frame` for a plain DataFrame, `array` for others without mutable objects."""
    objects = [place for place, dtype in enumerate(value.dtypes) if dtype.kind == "O"]
    if not value.columns.is_unique or not all(
        _holds_plain(value.iloc[:, place]) for place in objects
    ):
        return ""
    return "frame" if len(value) > 0 and type(value) is frame else "array"


def _holds_plain(column: Any) -> bool:
    """Tell whether a column, index or array contains no mutable objects."""
    if getattr(column.dtype, "hasobject", None) is False or column.dtype != object:
        return not getattr(column.dtype, "hasobject", False)
    if column.size > MANY:  # listing the tuples of a MultiIndex takes seconds
        return False
    return all(map(_plain, sys.modules["numpy"].asarray(column).ravel().tolist()))
