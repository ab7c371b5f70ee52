"""Load lazy objects into memory, so that a pickle contains their data and not just a path.

Pickled unchanged, a zarr array, a dask array on a store or a LazyFrame contains only a path: once
the store is gone, it is read as zeros or cannot be read at all.
"""

import operator
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from ..errors import CheckpointFormatError
from .kinds import a_type, is_a

Reduced = tuple  # a reduce value of `pickle`: a callable and its arguments


def itself(obj: Any) -> Reduced:
    """Return the reduce value that unpickles as `obj` itself."""
    return operator.getitem, ([obj], 0)


def of_dask(obj: Any) -> Reduced:
    """Compute a dask collection in this process, even if a cluster would keep it on its workers."""
    computed = obj.persist(scheduler="threads")
    if attrs := getattr(obj, "__dict__", {}).get(
        "_attrs"
    ):  # set on the points of a SpatialData; dask drops it
        make, arguments, *_ = computed.__reduce__()
        return make, arguments, {"_attrs": attrs}
    return itself(computed)


def of_zarr(obj: Any) -> Reduced | None:
    """Copy a zarr array or group into memory."""
    import zarr

    if isinstance(obj.store, zarr.storage.MemoryStore):
        return None
    return itself(zarr_copy(obj, zarr.storage.MemoryStore()))


def zarr_copy(obj: Any, store: Any) -> Any:
    """Copy a zarr array or group, with its attributes, chunks and codecs, into another store."""
    import zarr

    if isinstance(obj, zarr.Array):
        return _copied_array(obj, store, None)
    group = zarr.open_group(store, mode="w", zarr_format=obj.metadata.zarr_format)
    group.attrs.update(obj.attrs.asdict())
    for name, member in sorted(obj.members(max_depth=None)):
        if isinstance(member, zarr.Array):
            _copied_array(member, group.store, name)
        else:
            group.require_group(name).attrs.update(member.attrs.asdict())
    return group


def _copied_array(array: Any, store: Any, name: str | None) -> Any:
    import zarr

    copied = zarr.from_array(store, data=array, name=name)
    copied.attrs.update(array.attrs.asdict())
    return copied


def of_xarray(obj: Any) -> Reduced | None:
    """Drop the function that closes the file that an xarray object was opened from."""
    nodes = list(obj.subtree) if hasattr(obj, "subtree") else [obj]
    if all(getattr(node, "_close", None) is None for node in nodes):
        return None
    obj = obj.copy(deep=False)
    for node in obj.subtree if hasattr(obj, "subtree") else [obj]:
        node.set_close(None)
    return itself(obj)


def of_indexed(obj: Any) -> Reduced | None:
    """Read data that xarray has not read from its file yet; its indices are already in memory."""
    if type(obj).__name__ in ("PandasIndexingAdapter", "PandasMultiIndexingAdapter"):
        return None
    return itself(obj.get_duck_array())


def of_polars(frame: Any) -> Reduced:
    """Collect a LazyFrame and return a LazyFrame of the data in memory."""
    return itself(frame.collect().lazy())


def of_arrow(dataset: Any) -> Reduced:
    """Read an Arrow dataset and return a dataset of the table in memory."""
    import pyarrow.dataset

    return pyarrow.dataset.dataset, (dataset.to_table(),)


def of_anndata(adata: Any) -> Reduced | None:
    """Copy the AnnData that a view shows, or read a backed or lazy AnnData into memory."""
    if adata.isbacked or not is_a(adata.obs, "pandas", "DataFrame"):
        return itself(adata.to_memory())
    return itself(adata.copy()) if adata.is_view else None


def of_sparse_dataset(dataset: Any) -> Reduced:
    """Read a sparse matrix of a backed AnnData into memory."""
    return itself(dataset.to_memory())


def of_mudata(mdata: Any) -> Reduced:
    """Rebuild a MuData from its parts, since its own pickle cannot be read."""
    import mudata

    mdata = mdata.copy() if mdata.is_view and not mdata.isbacked else mdata
    parts = {slot: getattr(mdata, slot).copy() for slot in ("obs", "var")}
    for slot in ("obsm", "varm", "obsp", "varp", "obsmap", "varmap", "uns"):
        parts[slot] = dict(getattr(mdata, slot))
    return partial(mudata.MuData, axis=mdata.axis, **parts), (dict(mdata.mod),)


def of_spatialdata(sdata: Any) -> Reduced | None:
    """Drop the path that a SpatialData was read from; its elements are computed one by one."""
    if sdata.path is None:
        return None
    import spatialdata

    slots = ("images", "labels", "points", "shapes", "tables")
    parts = {slot: dict(getattr(sdata, slot)) for slot in slots}
    return itself(spatialdata.SpatialData(**parts, attrs=sdata.attrs))


def of_memmap(array: Any) -> Reduced:
    """Read a memory-mapped NumPy array into memory."""
    import numpy as np

    return itself(np.array(array, subok=False))


def refused(how: str) -> Callable[[Any], Reduced]:
    """Return a handler that raises an error, which says what to save instead."""

    def refuse(obj: Any) -> Reduced:
        raise CheckpointFormatError(
            f"it holds {a_type(obj)}, a path to data that are elsewhere. Save {how} instead"
        )

    return refuse


# module, name, handler; the first type that an object belongs to is used
KINDS: tuple[tuple[str, str, Callable[[Any], Reduced | None]], ...] = (
    ("anndata", "AnnData", of_anndata),
    ("anndata.abc", "CSRDataset", of_sparse_dataset),
    ("anndata.abc", "CSCDataset", of_sparse_dataset),
    ("mudata", "MuData", of_mudata),
    ("spatialdata", "SpatialData", of_spatialdata),
    ("dask.base", "DaskMethodsMixin", of_dask),
    ("xarray", "Dataset", of_xarray),
    ("xarray", "DataArray", of_xarray),
    ("xarray", "DataTree", of_xarray),
    ("xarray.core.indexing", "ExplicitlyIndexed", of_indexed),
    ("zarr", "Array", of_zarr),
    ("zarr", "Group", of_zarr),
    ("zarr.storage", "MemoryStore", lambda store: None),
    ("zarr.abc.store", "Store", refused("the zarr array or group")),
    ("polars", "LazyFrame", of_polars),
    ("pyarrow.dataset", "Dataset", of_arrow),
    ("numpy", "memmap", of_memmap),
    ("h5py", "Dataset", refused("what it holds, `dataset[()]`,")),
    ("h5py", "HLObject", refused("what it holds")),
    ("distributed", "Future", refused("its `.result()`")),
    ("ibis", "Expr", refused("its `.to_pandas()`")),
    ("ibis.expr.types", "Expr", refused("its `.to_pandas()`")),
    ("tensorstore", "TensorStore", refused("its `.read().result()`")),
    ("tiledb", "Array", refused("what it holds, `array[:]`,")),
    ("datasets", "Dataset", refused("its `.to_pandas()`")),
    ("cooler", "Cooler", refused("the Path of its file")),
    ("joblib.memory", "MemorizedResult", refused("its `.get()`")),
)


def handler_of(kind: type) -> Callable[[Any], Reduced | None] | None:
    """Return the handler that loads objects of a type into memory; None if none is needed."""
    for module, name, handler in KINDS:
        lazy = getattr(sys.modules.get(module), name, None)
        if isinstance(lazy, type) and issubclass(kind, lazy):
            return handler
    return None
