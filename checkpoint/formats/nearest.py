"""Convert values to the nearest form that a file can hold, for readers other than `load`.

Dates and mixed columns become text, tuples and sets become lists. The original values are kept in
the rest file.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from . import lazy
from .fidelity import is_text
from .kinds import is_a, type_name
from .names import names_in_file

SAFE = "biuf"  # NumPy dtype kinds that every file can hold


def frame(
    saved: Any,
    holds: Callable[[Any], bool],
    *,
    text_index: bool = False,
    paths: bool = False,
    folders: bool = False,
) -> Any:
    """Return the nearest table that a file can hold; an equal one if it can hold `saved`.

    Parameters
    ----------
    saved
        The table.
    holds
        Returns whether the file can hold a column.
    text_index
        Whether the file can only hold an index of text.
    paths
        Whether column names are paths in the file.
    folders
        Whether column names are folder names, as in zarr.
    """
    import pandas as pd

    near = pd.DataFrame(saved, copy=False) if type(saved) is not pd.DataFrame else saved
    near = near.copy(deep=False)
    for i in range(near.shape[1]):
        column = near.iloc[:, i]
        if not is_safe(column) and not holds(column):
            near.isetitem(i, _nearest_column(column))
    labels = names_in_file(near.columns, paths=paths, folders=folders)
    nameless = near.columns.name is None or isinstance(near.columns.name, str)
    if list(near.columns) != labels or near.columns.nlevels > 1 or not nameless:
        near.columns = pd.Index(labels)
    near.index = _index(near, holds, text_index, paths, folders)
    return near


def is_safe(column: Any) -> bool:
    """Return whether every file can hold a column: numbers, text, or categories of these."""
    dtype = column.dtype
    if str(dtype) == "category":
        categories = dtype.categories
        return is_safe(categories) or (not len(categories) and categories.dtype == object)
    if str(dtype) in ("object", "str"):
        return is_text(column) and bool(column.notna().any()) and is_writable(column)
    return is_numpy(dtype) and dtype.kind in SAFE and dtype.char not in "eg" and dtype.isnative


def is_kept(column: Any) -> bool:
    """Return whether every file preserves a column of an AnnData."""
    dtype = column.dtype
    if str(dtype) == "category":
        return dtype.categories.name is None and is_kept(dtype.categories)
    return is_plain_text(column) if str(dtype) in ("object", "str") else is_safe(column)


def has_plain_labels(frame: Any, *, folders: bool = False) -> bool:
    """Return whether every file preserves the labels, flags and attrs of a table."""
    import pandas as pd

    columns, index = frame.columns, frame.index
    plain = type(columns) is type(index) is pd.Index and not frame.attrs
    plain = plain and {str(columns.dtype), str(index.dtype)} <= {"object", "str"}
    unnamed = columns.name is None and index.name is None
    alike = plain and unnamed and frame.flags.allows_duplicate_labels
    names = names_in_file(columns, folders=folders) if alike else None
    return names == list(columns) and is_plain_text(index)


def is_plain_text(values: Any) -> bool:
    """Return whether all values are plain text that a file can hold."""
    # files have one kind of missing value, and no subclasses of str
    texts = values.to_numpy(dtype=object)
    return set(map(type, texts)) == {str} and _can_be_written(texts)


def is_numpy(dtype: Any) -> bool:
    """Return whether a dtype is NumPy's own."""
    return is_a(dtype, "numpy", "dtype")


def is_writable(values: Any) -> bool:
    """Return whether a file can hold all text in values: no null character, no lone surrogate."""
    return _can_be_written(values.to_numpy(dtype=object))


def _can_be_written(texts: Any) -> bool:
    """Return whether a file can hold all text in an array of objects."""
    # joined, since a loop over the texts takes longer than writing them
    try:
        joined = "".join(texts)
    except TypeError:  # some are missing
        joined = "".join(text for text in texts if isinstance(text, str))
    try:
        joined.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in joined


def _nearest_column(column: Any) -> Any:
    """Return a numeric column in a native NumPy dtype; any other column as text.

    Numbers of more than 64 bits are rounded.
    """
    from pandas.api.types import is_numeric_dtype

    dtype = column.dtype
    if is_numeric_dtype(dtype) and getattr(dtype, "kind", "O") in SAFE:
        if is_numpy(dtype):
            return column.astype(float if dtype.char in "eg" else dtype.newbyteorder("="))
        return column.astype(float if column.isna().any() else dtype.type)
    return text_column(column)


def text_column(column: Any) -> Any:
    """Return a column as text; missing values stay missing."""
    import pandas as pd

    values = column.astype(object)
    missing = [_is_missing(value) for value in values]
    texts = [None if isna else text(value) for value, isna in zip(values, missing, strict=True)]
    kind = float if all(missing) else object
    return pd.Series(texts, index=column.index, name=column.name, dtype=kind)


def with_missing_as_categories(table: Any) -> Any:
    """Convert text columns with missing values to categories, as HDF5 and zarr require."""
    for i, dtype in enumerate(table.dtypes):
        column = table.iloc[:, i]
        if str(dtype) in ("object", "str") and column.isna().any():
            table.isetitem(i, column.astype("category"))
    return table


def text(value: Any) -> str:
    """Return a value as text: dates in ISO 8601, lists and dicts as JSON."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    elif is_a(value, "pandas", "DataFrame") or is_a(value, "pandas", "Series"):
        return type_name(value)
    elif isinstance(value, Mapping | list | tuple | set | frozenset) or is_a(
        value, "numpy", "ndarray"
    ):
        with suppress(RecursionError):  # it contains itself; `str` can show that
            value = json.dumps(listed(value), ensure_ascii=False, default=text)
    elif lazy.handler_of(type(value)):
        value = type_name(value)
    elif hasattr(value, "isoformat") and not _is_missing(value):
        value = value.isoformat()
    said = str(value)
    # a memory address would differ in each run
    said = type_name(value) if " at 0x" in said else said
    return said.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")


def forms(value: Any) -> Iterator[Any]:
    """Yield a value, then the forms that may be written instead, nearest first."""
    import numpy as np

    if is_a(value, "scipy.sparse", "sparray") and value.ndim != 2:  # can be written but not read
        value = value.reshape((value.shape[0], -1))
    yield value
    if isinstance(value, tuple | list | set | frozenset):
        items = listed(value)
        if len({type(item) for item in items}) == 1:
            yield np.array(items) if isinstance(items[0], bool | int | float | str) else items
        yield np.array([text(item) for item in items], dtype=object)
    elif is_a(value, "pandas", "Series") or is_a(value, "pandas", "Index"):
        yield np.asarray(value)
        yield np.asarray(text_column(value.to_series()), dtype=object)
    elif hasattr(value, "tocsr"):
        yield value.tocsr()
    elif is_a(value, "numpy", "ndarray"):
        plain = np.asarray(value)
        yield plain
        yield np.array([text(item) for item in plain.flat], dtype=object).reshape(plain.shape)
    elif hasattr(value, "__array__"):
        yield np.asarray(value)
    yield text(value)


def listed(value: Any) -> Any:
    """Return tuples, sets and arrays as lists, also nested ones; sets in a fixed order."""
    if isinstance(value, Mapping):
        return {str(key): listed(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((listed(item) for item in value), key=repr)
    if is_a(value, "numpy", "ndarray"):
        value = value.tolist()
    return [listed(item) for item in value] if isinstance(value, tuple | list) else value


def _index(
    table: Any, holds: Callable[[Any], bool], text_index: bool, paths: bool, folders: bool
) -> Any:
    """Return an index that the file can hold, with names that no column has."""
    import pandas as pd

    index = table.index
    if paths and index.nlevels > 1:
        return pd.Index(["_".join(map(text, item)) for item in index], dtype=object)
    names = [
        None if name is None else names_in_file([name], paths=paths, folders=folders)[0]
        for name in index.names
    ]
    names = [None if name in table.columns else name for name in names]
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    held = [
        level if _holds_level(level, holds, text_index, paths) else _text_level(level)
        for level in levels
    ]
    if all(new is old for new, old in zip(held, levels, strict=True)):
        return index if list(index.names) == names else index.set_names(names)
    if len(held) == 1:
        return pd.Index(held[0], name=names[0])
    return pd.MultiIndex.from_arrays(held, names=names)


def _holds_level(level: Any, holds: Callable[[Any], bool], text_index: bool, paths: bool) -> bool:
    if paths and (str(level.dtype) == "string" or level.isna().any()):
        return False  # HDF5 and zarr hold an index of numbers or text without missing values
    if str(level.dtype) in ("object", "str", "string"):
        return (is_text(level) and is_writable(level)) or not len(level)
    return not text_index and (is_safe(level) or holds(level.to_series(name="level")))


def _text_level(level: Any) -> Any:
    import pandas as pd

    return pd.Index(["" if _is_missing(value) else text(value) for value in level], dtype=object)


def _is_missing(value: Any) -> bool:
    """Return whether a single value is None, nan, NaT or NA."""
    import pandas as pd

    return (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float) and value != value)
    )
