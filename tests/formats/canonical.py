"""Objects as nested tuples, to compare them without the code under test."""

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from made import Units


def dtypes(value):
    """Return the dtypes of a table, which distinguish kinds of text that `canon` does not."""
    if not isinstance(value, pd.DataFrame):
        return None
    levels = [value.index.get_level_values(i).dtype for i in range(value.index.nlevels)]
    return [str(dtype) for dtype in (*value.dtypes, *levels, value.columns.dtype)]


def canon(value):
    """Return a value as nested tuples, without differences that the docs do not count as such."""
    if isinstance(value, ad.AnnData):
        return canon_anndata(value)
    if isinstance(value, pd.DataFrame):
        columns = [(canon(name), canon(value.iloc[:, i])) for i, name in enumerate(value.columns)]
        labels = (canon(value.columns), canon(value.index), value.shape)
        flags = value.flags.allows_duplicate_labels
        return ("frame", labels, tuple(columns), canon(value.attrs), flags)
    if isinstance(value, pd.Series):
        return ("series", canon_values(value), canon(value.name))
    if isinstance(value, pd.MultiIndex):
        levels = [value.get_level_values(i) for i in range(value.nlevels)]
        return ("levels", tuple(canon(level) for level in levels))
    if isinstance(value, pd.Index):
        return ("index", canon_values(value), canon(value.name), getattr(value, "freqstr", None))
    if sp.issparse(value):
        dense = value.toarray()
        kind = "array" if isinstance(value, sp.sparray) else "matrix"
        return ("sparse", kind, value.format, str(dense.dtype), dense.shape, repr(dense.tolist()))
    if isinstance(value, np.ma.MaskedArray):
        return ("masked", repr(value.tolist()), str(value.dtype))
    if isinstance(value, Units):
        return ("units", repr(value.tolist()), value.unit)
    if isinstance(value, np.matrix):
        return ("matrix", repr(value.tolist()))
    if isinstance(value, np.ndarray):
        return canon_array(value)
    if isinstance(value, np.longdouble):
        return ("80 bits", repr(value))
    if isinstance(value, np.generic):
        return canon(value.item())
    if isinstance(value, dict):
        return ("dict", tuple(sorted(((canon(k), canon(v)) for k, v in value.items()), key=repr)))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(canon(item) for item in value))
    if isinstance(value, set):
        return ("set", tuple(sorted(map(repr, value))))
    return (type(value).__name__, repr(value))


def canon_anndata(adata):
    matrices = {}
    for slot in ("layers", "obsm", "varm", "obsp", "varp"):
        matrices[slot] = canon(dict(getattr(adata, slot)))
    raw = None if adata.raw is None else (canon(adata.raw.X), canon(adata.raw.var))
    return (
        *("anndata", canon(adata.X), canon(adata.obs), canon(adata.var)),
        *(canon(dict(adata.uns)), tuple(matrices.items()), raw),
        tuple(sorted(set(vars(adata)) - set(vars(ad.AnnData())))),
    )


def canon_values(values):
    """Return a column or index as tuples; plain text equals text in unordered categories."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        if pd.api.types.infer_dtype(values.dtype.categories) not in ("string", "empty"):
            categories = canon(values.dtype.categories)
            return ("category", categories, values.dtype.ordered, repr(list(values)))
        if values.dtype.ordered or values.dtype.categories.difference(values.dropna()).size:
            return ("category", canon(values.dtype.categories), repr(list(values)))
    kind = pd.api.types.infer_dtype(values.astype(object), skipna=True)
    items = tuple(canon(item) for item in values)
    plain = values.dtype.kind == "O" and str(values.dtype) in ("object", "category", "str")
    return ("text" if kind in ("string", "empty") and plain else str(values.dtype), items)


def canon_array(array):
    if array.dtype.names:
        metadata = [str(array.dtype[name].metadata) for name in array.dtype.names]
        return ("records", array.dtype.names, metadata, repr(array.tolist()))
    text = array.dtype.kind == "U" or (
        array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat)
    )
    dtype = "text" if text else str(array.dtype)
    return ("array", dtype, array.shape, repr(array.tolist()), str(array.dtype.metadata or None))
