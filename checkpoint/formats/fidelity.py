"""Differences between an object and what its file gives back.

Accepted without a message, and listed in the docs instead: text columns come back as categories,
fixed-width text as text, keys in another order, NumPy scalars as Python's, sparse arrays as sparse
matrices, record arrays as structured arrays.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .kinds import a_type, is_a


def differences(saved: Any, again: Any, slot: str) -> Iterator[str]:
    """Yield how a value that was read differs from the one that was saved.

    Parameters
    ----------
    saved, again
        The value in memory, and what the file gives back.
    slot
        The field, as messages name it: `uns['region']`.

    Yields
    ------
    str
        A sentence for each difference, beginning with the field.
    """
    if is_a(saved, "pandas", "DataFrame") and is_a(again, "pandas", "DataFrame"):
        yield from _of_frames(saved, again, slot)
    elif isinstance(saved, Mapping) and isinstance(again, Mapping):
        yield from _of_mappings(saved, again, slot)
    elif is_a(saved, "scipy.sparse", "spmatrix") or is_a(saved, "scipy.sparse", "sparray"):
        yield from _of_sparse(saved, again, slot)
    elif is_a(saved, "numpy", "ndarray") and is_a(again, "numpy", "ndarray"):
        yield from _of_arrays(saved, again, slot)
    elif is_a(saved, "numpy", "generic") or is_a(again, "numpy", "generic"):
        if not same(_python(saved), _python(again)):
            yield _changed(slot, saved, again)
    elif not same(saved, again):
        yield _changed(slot, saved, again)


def same(saved: Any, again: Any) -> bool:
    """Return whether two single values are the same, down to the kind of a missing value."""
    if type(saved) is not type(again):
        return False
    try:
        return bool(saved == again) or bool(saved != saved and again != again)
    except (TypeError, ValueError):  # NA, or a comparison by element
        return saved is again or repr(saved) == repr(again)


def loses_its_type(array: Any) -> bool:
    """Return whether a file would turn an array of this type into a plain array."""
    return is_a(array, "numpy.ma", "MaskedArray") or is_a(array, "numpy", "matrix")


def _of_frames(saved: Any, again: Any, slot: str) -> Iterator[str]:
    if list(saved.columns) != list(again.columns):
        yield f"{slot} has the columns {_few(saved.columns)} and comes back with " + _few(
            again.columns
        )
        return
    for part in ("index", "columns"):
        was, now = getattr(saved, part), getattr(again, part)
        if list(was.names) != list(now.names):
            yield f"the {part} of {slot} is named {_few(was.names)} and comes back as " + _few(
                now.names
            )
        if len(was) and str(was.dtype) != str(now.dtype) and not (_is_text(was) and _is_text(now)):
            yield f"the {part} of {slot} has the dtype {was.dtype} and comes back as {now.dtype}"
        elif not was.equals(now) and list(was) != list(now):
            yield f"the {part} of {slot} comes back with other labels"
    for i, name in enumerate(saved.columns):
        yield from _of_columns(saved.iloc[:, i], again.iloc[:, i], f"{slot}[{name!r}]")
    if saved.attrs != again.attrs:
        yield f"{slot}.attrs do not come back"


def _of_columns(saved: Any, again: Any, slot: str) -> Iterator[str]:
    if saved.dtype == again.dtype and saved.dtype.kind != "O":
        if not saved.reset_index(drop=True).equals(again.reset_index(drop=True)):
            yield f"{slot} comes back with other values"
        return
    if again.dtype == "category" and saved.dtype == "category":
        was, now = saved.cat.categories, again.cat.categories
        yield from _of_columns(was.to_series(), now.to_series(), f"the categories of {slot}")
        codes_differ = (saved.cat.codes.to_numpy() != again.cat.codes.to_numpy()).any()
        if saved.cat.ordered != again.cat.ordered or codes_differ:
            yield f"{slot} comes back in another order of categories"
        return
    if not _is_text(saved) and saved.dtype != again.dtype:
        yield f"{slot} has the dtype {saved.dtype} and comes back as {again.dtype}"
        return
    before, after = saved.to_numpy(dtype=object), again.to_numpy(dtype=object)
    if _is_text(saved) and not saved.isna().any() and (before == after).all():
        return
    for was, now in zip(before, after, strict=True):
        if not same(was, now) and list(differences(was, now, slot)):
            yield _changed(f"a value of {slot}", was, now)
            return


def _of_mappings(saved: Mapping, again: Mapping, slot: str) -> Iterator[str]:
    for key, value in saved.items():
        here = f"{slot}[{key!r}]"
        if key in again:
            yield from differences(value, again[key], here)
        elif str(key) in again:
            yield f"the key {key!r} of {slot} is {a_type(key)} and comes back as text"
            yield from differences(value, again[str(key)], here)
        else:
            yield f"{here} does not come back under this key"


def _of_sparse(saved: Any, again: Any, slot: str) -> Iterator[str]:
    was, now = _kind(saved), _kind(again)
    if was != now:
        yield f"{slot} is {was} and comes back as {now}"
    elif (saved != again).nnz:
        yield f"{slot} comes back with other values"


def _of_arrays(saved: Any, again: Any, slot: str) -> Iterator[str]:
    import numpy as np

    plain = not loses_its_type(saved)
    text = _is_text_array(saved) and _is_text_array(again)
    records = bool(saved.dtype.names) and saved.dtype.names == again.dtype.names
    if not plain or (saved.dtype != again.dtype and not text and not records):
        yield f"{slot} is {_kind(saved)} and comes back as {_kind(again)}"
    elif saved.shape != again.shape or saved.tolist() != again.tolist():
        both_numbers = saved.dtype.kind in "fc" and saved.shape == again.shape
        if not (both_numbers and np.array_equal(saved, again, equal_nan=True)):
            yield f"{slot} comes back with other values"


def _is_text(values: Any) -> bool:
    """Return whether a column or index holds text, whatever its dtype."""
    from pandas.api.types import infer_dtype

    return infer_dtype(values, skipna=True) in ("string", "empty")


def _is_text_array(array: Any) -> bool:
    if array.dtype.kind in "UT":
        return True
    return array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat)


def _python(value: Any) -> Any:
    return value.item() if is_a(value, "numpy", "generic") else value


def _kind(value: Any) -> str:
    """Return a matrix or array in words: `csr float32`, `a numpy.ndarray of int64`."""
    if hasattr(value, "format") and hasattr(value, "dtype"):
        return f"{value.format} {value.dtype}"
    dtype = f" of {value.dtype}" if hasattr(value, "dtype") else ""
    return f"{a_type(value)}{dtype}"


def _changed(slot: str, saved: Any, again: Any) -> str:
    if type(saved) is not type(again):
        return f"{slot} is {a_type(saved)} and comes back as {a_type(again)}"
    return f"{slot} is {saved!r:.60} and comes back as {again!r:.60}"


def _few(labels: Any) -> str:
    shown = [repr(label) for label in labels]
    return ", ".join(shown[:4]) + (", …" if len(shown) > 4 else "")
