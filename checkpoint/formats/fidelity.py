"""Find the differences between a saved object and what its file restores.

Some changes in an AnnData are accepted without a message and listed in the docs instead: text
columns become categories, fixed-width text becomes text, keys change their order, NumPy scalars
become Python scalars, and record arrays become structured arrays.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .kinds import a_type, is_a
from .names import names_in_file
from .rest import Difference, Place

TEXT = ("object", "str", "category")  # dtypes between which text in an AnnData may change


def differences(
    saved: Any, again: Any, slot: str, place: Place = (), *, folders: bool = False
) -> Iterator[Difference]:
    """Yield how a value that was read differs from the one that was saved.

    Parameters
    ----------
    saved, again
        The value in memory, and the value that was read from the file.
    slot
        The field, as messages name it: `uns['region']`.
    place
        The field's place in the object.
    folders
        Whether the keys of dicts are folder names, as in zarr.

    Yields
    ------
    Difference
        One for each field that differs, with the value to keep.
    """
    if is_a(saved, "pandas", "DataFrame", exactly=True) and is_a(again, "pandas", "DataFrame"):
        yield from of_frames(saved, again, slot, place, loose=True)
    elif type(saved) is dict and isinstance(again, Mapping):
        yield from of_mappings(saved, again, slot, place, folders=folders)
    elif is_lazy(saved):
        yield computed(saved, again, slot)
    elif is_a(again, "scipy.sparse", "spmatrix") and is_array(saved) and not _change(saved, again):
        yield of_array(saved, slot, place)
    elif what := _change(saved, again):
        yield Difference(slot, what, place, saved)


def same(saved: Any, again: Any) -> bool:
    """Return whether two values are equal, including type, time zone and kind of missing value."""
    if type(saved) is not type(again):
        return False
    if isinstance(saved, str | bytes | int) or saved is None:
        return bool(saved == again)
    if isinstance(saved, list | tuple):
        return len(saved) == len(again) and all(map(same, saved, again))
    if isinstance(saved, dict):
        alike = len(saved) == len(again) and saved.keys() == again.keys()
        return alike and all(same(value, again[key]) for key, value in saved.items())
    if is_a(saved, "pandas", "DataFrame"):
        return saved.shape == again.shape and not any(of_frames(saved, again, "", ()))
    if is_a(saved, "pandas", "Series"):
        return same(saved.to_frame(), again.to_frame())
    if is_a(saved, "numpy", "ndarray") or _is_sparse(saved):
        return _change(saved, again) is None
    try:
        equal = bool(saved == again) or bool(saved != saved and again != again)
    except (TypeError, ValueError):  # NA, or an elementwise comparison
        return saved is again
    units = getattr(saved, "unit", None), getattr(again, "unit", None)
    return equal and repr(saved) == repr(again) and str(units[0]) == str(units[1])


def is_lazy(value: Any) -> bool:
    """Return whether an array in an AnnData is lazy: it refers to values outside memory."""
    kinds = (
        *(("dask.array", "Array"), ("zarr", "Array"), ("h5py", "Dataset"), ("numpy", "memmap")),
        *(("anndata.abc", "CSRDataset"), ("anndata.abc", "CSCDataset")),
    )
    return any(is_a(value, *kind) for kind in kinds)


def computed(saved: Any, again: Any, slot: str) -> Difference:
    """Return the difference for an array that was computed while it was saved."""
    return Difference(slot, f"is {a_type(saved)}, was computed, and comes back as {a_type(again)}")


def is_array(matrix: Any) -> bool:
    """Return whether a sparse matrix is a SciPy sparse array, whose `*` multiplies elements."""
    return is_a(matrix, "scipy.sparse", "sparray")


def of_array(matrix: Any, slot: str, place: Place) -> Difference:
    """Return the difference for a sparse array that is read back as a matrix."""
    what = f"is {a_type(matrix)}, stored as a matrix"
    return Difference(slot, what, (*place, "__class__"), type(matrix))


def mapped() -> Difference:
    """Return the difference for an array that is mapped from a file."""
    return Difference("it", "is mapped from a file and comes back in memory")


def is_text(values: Any) -> bool:
    """Return whether a column or index holds text, whatever its dtype."""
    from pandas.api.types import infer_dtype

    return infer_dtype(values, skipna=True) in ("string", "empty")


def loses_its_type(array: Any) -> bool:
    """Return whether a file would turn an array of this type into a plain array."""
    names = ("ndarray", "memmap", "recarray")
    known = any(is_a(array, "numpy", name, exactly=True) for name in names)
    return is_a(array, "numpy", "ndarray") and not known


def of_frames(
    saved: Any, again: Any, slot: str = "", place: Place = (), *, loose: bool = False
) -> Iterator[Difference]:
    """Yield the differences of a table, column by column; if `loose`, text may be categories."""
    if saved.shape != again.shape:
        yield Difference(slot or "it", f"is stored with the shape {again.shape}", place, saved)
        return
    yield from of_some_columns(range(saved.shape[1]), saved, again, slot, place, loose=loose)
    yield from of_index(saved, again, slot, place, loose=loose)
    yield from of_frame_labels(saved, again, slot, place, loose=loose)


def of_some_columns(
    positions: Iterable[int],
    saved: Any,
    again: Any,
    slot: str = "",
    place: Place = (),
    *,
    loose: bool = False,
) -> Iterator[Difference]:
    """Yield the differences of some columns of a table; `again` contains only these columns."""
    for i, j in enumerate(positions):
        column = saved.iloc[:, j]
        if what := _of_columns(column, again.iloc[:, i], loose):
            name = saved.columns[j]
            here = f"{slot}[{name!r}]" if slot else f"column {name!r}"
            # without the table's index, so that the column can be kept on its own
            yield Difference(here, what, (*place, j), column.reset_index(drop=True))


def of_index(
    saved: Any, again: Any, slot: str = "", place: Place = (), *, loose: bool = False
) -> Iterator[Difference]:
    """Yield how the index of a table differs."""
    if what := _of_index(saved.index, again.index, loose):
        here = f"the index of {slot}" if slot else "the index"
        yield Difference(here, what, (*place, "index"), saved.index)


def of_frame_labels(
    saved: Any, again: Any, slot: str = "", place: Place = (), *, loose: bool = False
) -> Iterator[Difference]:
    """Yield how the column names, attrs and flags of a table differ."""
    if what := _of_index(saved.columns, again.columns, loose):
        here = f"the column names of {slot}" if slot else "the column names"
        yield Difference(here, what, (*place, "columns"), saved.columns)
    if not same(saved.attrs, again.attrs):
        here = f"{slot}.attrs" if slot else "attrs"
        yield Difference(here, f"is {saved.attrs!r:.60}", (*place, "attrs"), saved.attrs)
    allowed = saved.flags.allows_duplicate_labels
    if allowed != again.flags.allows_duplicate_labels:
        flag = (*place, "flags", "allows_duplicate_labels")
        yield Difference(slot or "it", f"has allows_duplicate_labels={allowed}", flag, allowed)


def of_subclass(frame: Any) -> Difference | None:
    """Return the difference for a DataFrame subclass, which is kept whole; None for a DataFrame."""
    if is_a(frame, "pandas", "DataFrame", exactly=True):
        return None
    return Difference("it", f"is {a_type(frame)}, stored as a plain DataFrame", (), frame)


def of_mappings(
    saved: Mapping, again: Mapping, slot: str, place: Place, *, folders: bool = False
) -> Iterator[Difference]:
    """Yield the differences of a dict, key by key."""
    names = names_in_file(saved, folders=folders)
    for (key, value), name in zip(saved.items(), names, strict=True):
        here = f"{slot}[{key!r}]"
        if name not in again:
            yield Difference(here, "is not in the file", (*place, name), value)
            continue
        yield from differences(value, again[name], here, (*place, name), folders=folders)
        if type(key) is not str or name != key:
            yield renamed(here, key, (*place, name))


def renamed(slot: str, key: Any, place: Place) -> Difference:
    """Return the difference for a key that has another name in the file."""
    return Difference(slot, f"is named {place[-1]!r} in the file", place, key, is_name=True)


def _change(saved: Any, again: Any) -> str | None:
    """Return how a value that is not a container differs from the saved one, or None."""
    if _is_sparse(saved):
        was, now = _kind(saved), _kind(again)
        if was != now:
            return f"is {was}, stored as {now}"
        if saved.shape != again.shape:
            return f"has the shape {saved.shape}, stored as {again.shape}"
        return "is stored with other values" if (saved != type(saved)(again)).nnz else None
    if is_a(saved, "numpy", "ndarray") and is_a(again, "numpy", "ndarray"):
        return _of_arrays(saved, again)
    if is_a(saved, "numpy", "generic") or is_a(again, "numpy", "generic"):
        saved, again = _python(saved), _python(again)
    if is_a(saved, "awkward", "Array"):
        return None if _same_awkward(saved, again) else _changed(saved, again)
    if is_a(saved, "anndata", "AnnData") and is_a(again, "anndata", "AnnData"):
        return None if same(_parts(saved), _parts(again)) else "holds what the file cannot"
    return None if same(saved, again) else _changed(saved, again)


def _of_columns(saved: Any, again: Any, loose: bool) -> str | None:
    """Return how the values of a column or index differ, or None."""
    was, now = str(saved.dtype), str(again.dtype)
    text = loose and was in TEXT[:2] and now in TEXT and is_text(saved)
    if was != now and not text:
        return f"is {was}, stored as {now}"
    if was != "category" and saved.dtype != again.dtype and not text:
        return f"is {saved.dtype!r}, stored as {again.dtype!r}"
    if saved.dtype.kind != "O":
        alike = saved.reset_index(drop=True).equals(again.reset_index(drop=True))
        return None if alike else "is stored with other values"
    if was == now == "category":
        return _of_categories(saved, again, loose)
    before, after = saved.to_numpy(dtype=object), again.to_numpy(dtype=object)
    if is_text(saved) and not saved.isna().any() and _is_usual_text(before):
        return None if bool((before == after).all()) else "is stored with other values"
    for was, now in zip(before, after, strict=True):
        if not same(was, now):
            return f"holds {a_type(was)}, stored as {a_type(now)}"
    return None


def _is_usual_text(values: Any) -> bool:
    """Return whether all values are of Python's or NumPy's text types."""
    return all(kind is str or kind.__module__ == "numpy" for kind in set(map(type, values)))


def _of_categories(saved: Any, again: Any, loose: bool) -> str | None:
    was, now = saved.cat.categories, again.cat.categories
    if was.name != now.name:
        return f"has categories named {was.name!r}"
    if len(was) != len(now):
        return "is stored with other categories"
    if what := _of_columns(_series(was), _series(now), loose):
        return f"has categories of which the dtype {what}" if what.startswith("is ") else what
    if saved.cat.ordered != again.cat.ordered:
        return "is stored with another order of categories"
    codes_differ = (saved.cat.codes.to_numpy() != again.cat.codes.to_numpy()).any()
    return "is stored with other values" if codes_differ else None


def _series(index: Any) -> Any:
    """Return an index as a Series of its dtype; `to_series` would convert object text to `str`."""
    import pandas as pd

    return pd.Series(index.array, dtype=index.dtype)


def _of_index(saved: Any, again: Any, loose: bool) -> str | None:
    """Return how indexes or labels differ, or None."""
    if not same(list(saved.names), list(again.names)):
        return f"is named {_few(saved.names)}"
    levels = [hasattr(index, "levels") for index in (saved, again)]
    if saved.nlevels != again.nlevels or len(saved) != len(again) or len({*levels}) > 1:
        return f"has levels: {saved.nlevels}"
    if getattr(saved, "freq", None) != getattr(again, "freq", None):
        return f"has the frequency {saved.freqstr}"
    for i in range(saved.nlevels):
        was, now = saved.get_level_values(i), again.get_level_values(i)
        empty = loose and not len(was)
        if not empty and (what := _of_columns(_series(was), _series(now), loose)):
            return what
    return None


def _of_arrays(saved: Any, again: Any) -> str | None:
    import numpy as np

    text = _is_text_array(saved) and _is_text_array(again)
    records = _are_same_records(saved.dtype, again.dtype)
    same_dtype = saved.dtype == again.dtype or text or records
    if loses_its_type(saved) or not same_dtype:
        return f"is {_kind(saved)}, stored as {_kind(again)}"
    if saved.shape != again.shape:
        return f"has the shape {saved.shape}, stored as {again.shape}"
    if saved.dtype.kind in "biufc":
        alike = np.array_equal(saved, again, equal_nan=saved.dtype.kind in "fc")
    else:
        alike = same(saved.tolist(), again.tolist())
    return None if alike else "is stored with other values"


def _are_same_records(was: Any, now: Any) -> bool:
    """Return whether records have the same fields; fixed-width text may become text."""
    if not was.names or was.names != now.names or was.isalignedstruct:
        return False
    pairs = [(was[name], now[name]) for name in was.names]
    return all(
        a == b or (a.kind == "U" and b.kind == "O") or _are_same_records(a, b) for a, b in pairs
    )


def _same_awkward(saved: Any, again: Any) -> bool:
    import awkward as ak

    if type(saved) is not type(again) or saved.type != again.type or saved.attrs != again.attrs:
        return False
    return same(ak.to_list(saved), ak.to_list(again))


def _parts(adata: Any) -> dict[str, Any]:
    """Return the content of an AnnData within another object."""
    raw = adata.raw
    return {
        **{name: getattr(adata, name) for name in ("X", "obs", "var")},
        **{name: dict(getattr(adata, name)) for name in ("uns", "layers", "obsm", "varm", "obsp")},
        "raw": raw if raw is None else (raw.X, raw.var, dict(raw.varm)),
        "varp": dict(adata.varp),
        "type": type(adata),
    }


def _is_sparse(value: Any) -> bool:
    return is_a(value, "scipy.sparse", "spmatrix") or is_a(value, "scipy.sparse", "sparray")


def _is_text_array(array: Any) -> bool:
    if array.dtype.kind in "UT":
        return True
    return array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat)


def _python(value: Any) -> Any:
    return value.item() if is_a(value, "numpy", "generic") else value


def _kind(value: Any) -> str:
    """Return a description of a matrix or array: `csr float32`, `a numpy.ndarray of int64`."""
    if hasattr(value, "format") and hasattr(value, "dtype"):
        return f"{value.format} {value.dtype}"
    dtype = f" of {value.dtype}" if hasattr(value, "dtype") else ""
    return f"{a_type(value)}{dtype}"


def _changed(saved: Any, again: Any) -> str:
    if type(saved) is not type(again):
        return f"is {a_type(saved)}, stored as {_kind(again)}"
    return f"is {saved!r:.60}, stored as {again!r:.60}"


def _few(labels: Any) -> str:
    shown = [repr(label) for label in labels]
    return ", ".join(shown[:4]) + (", …" if len(shown) > 4 else "")
