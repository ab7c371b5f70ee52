"""Find what a file does not preserve of an AnnData, reading back only what is in doubt."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from . import nearest
from .elements import FRAMES, MATRICES, are_folders, in_file, is_stored, matrices_of, part_of
from .fidelity import (
    computed,
    differences,
    is_array,
    is_lazy,
    loses_its_type,
    of_array,
    of_frames,
    of_some_columns,
    renamed,
)
from .kinds import a_type, is_a
from .names import names_in_file
from .rest import Difference, Place


def of_anndata(adata: Any, stored: Any, slot: str = "", place: Place = ()) -> Iterator[Difference]:
    """Yield the parts of an AnnData that a file does not preserve.

    Parameters
    ----------
    adata
        The AnnData in memory.
    stored
        The group that it was written to, or an AnnData that was read.
    slot, place
        Its place in the saved object, in words (`mod['rna'].`) and as a tuple of steps.
    """
    if adata.X is not None:
        yield from of_matrix(adata.X, part_of(stored, "X"), f"{slot}X", (*place, "X"))
    for name in FRAMES:
        frame, again = getattr(adata, name), part_of(stored, name)
        yield from of_frame(frame, again, f"{slot}{name}", (*place, name))
    for name in MATRICES:
        if matrices := matrices_of(adata, name):
            here = part_of(stored, name)
            yield from of_matrices(matrices, here, f"{slot}{name}", (*place, name))
    if uns := dict(adata.uns):
        again, folders = in_file(part_of(stored, "uns")), are_folders(stored)
        yield from differences(uns, again, f"{slot}uns", (*place, "uns"), folders=folders)
    if adata.raw is not None:
        raw, here = part_of(stored, "raw"), (*place, "raw")
        yield from of_matrix(adata.raw.X, part_of(raw, "X"), f"{slot}raw.X", (*here, "_X"))
        var = part_of(raw, "var")
        yield from of_frame(adata.raw.var, var, f"{slot}raw.var", (*here, "var"))
        varm = part_of(raw, "varm")
        yield from of_matrices(dict(adata.raw.varm), varm, f"{slot}raw.varm", (*here, "varm"))
    yield from _of_type(adata, slot, place)


def of_frame(frame: Any, stored: Any, slot: str, place: Place) -> Iterator[Difference]:
    """Yield what a file does not preserve of obs or var; only doubtful columns are read back."""
    import pandas as pd

    plain = partial(nearest.has_plain_labels, folders=are_folders(stored))
    if not (is_stored(stored) and plain(frame)):
        yield from of_frames(frame, in_file(stored), slot, place, loose=True)
        return
    doubtful = [j for j in range(frame.shape[1]) if not nearest.is_kept(frame.iloc[:, j])]
    again = pd.DataFrame({j: in_file(stored[frame.columns[j]]) for j in doubtful})
    yield from of_some_columns(doubtful, frame, again, slot, place, loose=True)


def of_matrices(
    matrices: Mapping[Any, Any], stored: Any, slot: str, place: Place
) -> Iterator[Difference]:
    """Yield what a file does not preserve of layers, obsm, varm, obsp or varp."""
    names = names_in_file(matrices, folders=are_folders(stored))
    for key, name in zip(matrices, names, strict=True):
        here = f"{slot}[{key!r}]"
        if name not in stored:
            yield Difference(here, "is not in the file", (*place, name), matrices[key])
        else:
            yield from of_matrix(matrices[key], stored[name], here, (*place, name))
        if name != key:
            yield renamed(here, key, (*place, name))


def of_matrix(value: Any, element: Any, slot: str, place: Place) -> Iterator[Difference]:
    """Yield how a matrix differs; of numeric and lazy ones, only types and dtypes are compared."""
    plain = is_a(value, "numpy", "ndarray") and value.dtype.kind in "biufc"
    matrix = getattr(value, "format", None) in ("csr", "csc") and hasattr(value, "indptr")
    if not is_stored(element) or not (plain or matrix or is_lazy(value)):
        yield from differences(value, in_file(element), slot, place)
        return
    encoding = element.attrs.get("encoding-type", "")
    kind = encoding.removesuffix("_matrix")
    stored = element["data"].dtype if kind in ("csr", "csc") else getattr(element, "dtype", None)
    held = getattr(value, "format", "array"), value.dtype
    if is_lazy(value):
        yield computed(value, _empty(kind, stored), slot)
    elif loses_its_type(value) or held != (kind, stored):
        what = f"is {a_type(value)} of {value.dtype}, stored as {kind} of {stored}"
        yield Difference(slot, what, place, value)
    elif is_array(value):
        yield of_array(value, slot, place)


def _of_type(adata: Any, slot: str, place: Place) -> Iterator[Difference]:
    """Yield the type of an AnnData subclass, and attributes that a plain AnnData does not have."""
    import anndata

    plain = _plain_attributes()
    added = {name: value for name, value in vars(adata).items() if name not in plain}
    here = slot.rstrip(".") or "it"
    if type(adata) is not anndata.AnnData:
        yield Difference(here, f"is {a_type(adata)}", (*place, "__class__"), type(adata))
    if added:
        names = f"{slot}{', '.join(added)}"
        yield Difference(names, "is not in the file", (*place, "__dict__"), added)


@cache
def _plain_attributes() -> frozenset[str]:
    """Return the names of the attributes that every AnnData has."""
    import anndata

    return frozenset(vars(anndata.AnnData()))


def _empty(kind: str, dtype: Any) -> Any:
    """Return an empty array of the kind that an element of a file is read as."""
    import numpy as np
    import scipy.sparse

    makes: dict[str, Callable[..., Any]] = {
        "csr": scipy.sparse.csr_matrix,
        "csc": scipy.sparse.csc_matrix,
    }
    return makes.get(kind, np.empty)((0, 0), dtype=dtype)
