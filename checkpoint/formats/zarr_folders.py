"""AnnData, arrays, xarray and SpatialData objects as `.zarr` folders."""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import is_the_machines
from ..files import remove
from . import h5ad, in_blocks
from .anndata_fidelity import of_anndata
from .arrays import npy_nearest, npy_shape, npy_unfit
from .elements import in_file
from .fidelity import differences, mapped
from .kinds import is_a
from .lazy import zarr_copy
from .on_disk import lazy_zarr, parts
from .registry import Format
from .rest import Difference

ELEMENTS = ("images", "labels", "points", "shapes", "tables")
# saved as .zarr by default; the other types only if the key names the suffix
DEFAULT = (
    *(("zarr", "Array"), ("zarr", "Group"), ("dask.array", "Array")),
    ("spatialdata", "SpatialData"),
)
TYPES = (
    *(("anndata", "AnnData"), ("numpy", "ndarray")),
    *(("xarray", "Dataset"), ("xarray", "DataArray")),
    *DEFAULT,
)
ARRAYS = ("numpy.ndarray", "dask.array.Array")


def kind_of(obj: Any) -> str:
    """Return an object's type as the record names it: `numpy.ndarray`."""
    return next(f"{module}.{name}" for module, name in TYPES if is_a(obj, module, name))


def unfit(obj: Any) -> str | None:
    """Return why zarr cannot hold an object, or None."""
    if is_a(obj, "numpy", "ndarray"):
        return npy_unfit(obj)
    if is_a(obj, "dask.array", "Array"):
        if any(math.isnan(side) for side in obj.shape):
            return "has a side of unknown length; call `compute_chunk_sizes()` first"
        if not is_a(obj._meta, "numpy", "ndarray", exactly=True) or obj.dtype.hasobject:
            return f"has chunks of {type(obj._meta).__name__} of {obj.dtype}"
    return None


def nearest(obj: Any) -> Any:
    """Return a plain array for a NumPy array that zarr cannot hold."""
    if not is_a(obj, "numpy", "ndarray"):
        raise TypeError("has no nearest form")
    return npy_nearest(obj)


def write(obj: Any, path: Path) -> dict[str, Any]:
    """Write an object; return its type and what zarr does not keep, such as dask's chunks."""
    import zarr

    kind, store = kind_of(obj), str(path)
    details: dict[str, Any] = {"type": kind}
    if kind == "anndata.AnnData":
        import anndata

        # anndata 0.12.0 cannot write text in zarr's newer format, and does not by default
        version = anndata.settings.zarr_write_format
        group = zarr.open_group(store, mode="w", zarr_format=version)
        h5ad.write_anndata(group, h5ad.in_memory(obj))
    elif kind == "numpy.ndarray":
        zarr.create_array(store, data=obj)
        details |= {"recarray": True} if is_a(obj, "numpy", "recarray") else {}
    elif kind == "dask.array.Array":
        _write_dask(obj, store)
        details["chunks"] = [list(sides) for sides in obj.chunks]
    elif kind.startswith("zarr."):
        zarr_copy(obj, store)
    elif kind.startswith("xarray."):
        obj.drop_encoding().to_zarr(store, mode="w", consolidated=False)
    else:
        _write_spatialdata(obj, path)
    if kind in ARRAYS and not obj.dtype.isnative and not obj.dtype.names:
        details["dtype"] = obj.dtype.str  # zarr reads numbers in this machine's byte order
    return details


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read an object into memory, as the type that was saved."""
    import numpy as np
    import zarr

    stored: Any = zarr.open(str(path), mode="r")
    kind = details["type"] if details else _kind_in(stored)
    if kind == "anndata.AnnData":
        return in_file(stored)
    if kind in ARRAYS:
        array = np.asarray(stored[...])
        if details and "dtype" in details:
            array = array.astype(details["dtype"])
        if kind == "numpy.ndarray":
            return array.view(np.recarray) if details and "recarray" in details else array
        import dask.array as da

        chunks = tuple(map(tuple, details["chunks"])) if details else "auto"
        return da.from_array(array, chunks=chunks)  # type: ignore[no-untyped-call]
    if kind == "spatialdata.SpatialData":
        return _read_spatialdata(path)
    if kind.startswith("xarray."):
        import xarray

        open_it = xarray.open_dataset if kind.endswith("Dataset") else xarray.open_dataarray
        with open_it(path, engine="zarr", consolidated=False) as opened:
            return opened.load().drop_encoding()
    return zarr_copy(stored, zarr.storage.MemoryStore())


def changes(obj: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Yield what the folder does not preserve of an object."""
    import zarr

    kind = kind_of(obj)
    if kind == "anndata.AnnData":
        yield from of_anndata(h5ad.in_memory(obj), zarr.open_group(str(path), mode="r"))
    elif kind == "spatialdata.SpatialData":
        again = _read_spatialdata(path)
        for name, table in obj.tables.items():
            slot, place = f"tables[{name!r}].", ("tables", name)
            yield from of_anndata(h5ad.in_memory(table), again.tables[name], slot, place)
    elif kind.startswith("xarray."):
        plain, again = obj.compute(), read(path, details)
        if not plain.identical(again) or _dtypes(plain) != _dtypes(again):
            yield Difference("it", "is not stored as it is", (), obj)
        elif obj.chunks:
            yield Difference("it", "was computed, and comes back in memory")
    elif kind == "numpy.ndarray":
        if is_a(obj, "numpy", "memmap"):
            yield mapped()
        if obj.dtype.kind not in "biufc":
            yield from differences(obj, read(path, details), "it")


def shape(obj: Any) -> dict[str, Any]:
    """Return the shape and dtype of an array; empty for other objects or an unknown shape."""
    return npy_shape(obj) if hasattr(obj, "dtype") and hasattr(obj, "shape") else {}


def _write_dask(array: Any, store: str) -> None:
    """Write a dask array to a zarr array chunk by chunk; on a cluster, its workers write."""
    import dask
    import dask.array
    import zarr

    chunks = tuple(max(sides, default=1) or 1 for sides in array.chunks)
    target: Any = zarr.create_array(store, shape=array.shape, dtype=array.dtype, chunks=chunks)
    checked = array.map_blocks(
        partial(_as_declared, array.dtype, in_blocks.layout_of(array)),
        dtype=array.dtype,
        meta=array._meta,
    )
    chosen = {} if in_blocks.cores_of_cluster() else {"scheduler": "threads"}
    with dask.config.set(chosen):
        # in equal chunks, so that no two threads write to the same one
        dask.array.store(checked.rechunk(chunks) if array.ndim else checked, target, lock=False)


def _as_declared(dtype: Any, layout: str | None, block: Any, block_info: Any = None) -> Any:
    return in_blocks.as_declared(block, block_info[None]["chunk-shape"], dtype, layout)


def _write_spatialdata(sdata: Any, path: Path) -> None:
    """Write a SpatialData; if that fails, write it with the nearest forms of its tables."""
    copied = _without_path(sdata)
    try:
        copied.write(path)
    except Exception as error:
        if is_the_machines(error) or not copied.tables:
            raise
        remove(path)
        copied = _without_path(sdata)
        for name, table in dict(copied.tables).items():
            copied.tables[name] = h5ad.nearest_anndata(table)
        copied.write(path)


def _without_path(sdata: Any) -> Any:
    """Return a SpatialData with the same elements and no path."""
    import spatialdata

    parts = {name: dict(getattr(sdata, name)) for name in ELEMENTS}
    return spatialdata.SpatialData(**parts, attrs=sdata.attrs)


def _read_spatialdata(path: Path) -> Any:
    """Read a SpatialData into memory; its elements would otherwise read the folder later."""
    import spatialdata

    sdata = spatialdata.read_zarr(path)
    for name in ("images", "labels", "points"):
        for key, element in dict(getattr(sdata, name)).items():
            getattr(sdata, name)[key] = _computed(element)
    return _without_path(sdata)


def _computed(element: Any) -> Any:
    if not hasattr(element, "persist"):  # a multiscale image
        return element.map_over_datasets(lambda data: data.persist(scheduler="threads"))
    computed = element.persist(scheduler="threads")
    if not is_a(element, "xarray", "DataArray"):
        computed.attrs.update(element.attrs)  # a dask table
    return computed


def _kind_in(stored: Any) -> str:
    """Return the type of an object that another program wrote."""
    attributes = stored.attrs.asdict()
    if attributes.get("encoding-type") == "anndata":
        return "anndata.AnnData"
    return "spatialdata.SpatialData" if "spatialdata_attrs" in attributes else "zarr.Group"


def _dtypes(data: Any) -> dict[Any, str]:
    data = data.to_dataset(name="values") if is_a(data, "xarray", "DataArray") else data
    return {name: str(variable.dtype) for name, variable in data.variables.items()}


FORMATS = (
    Format(
        suffix=".zarr",
        holds="AnnData, NumPy, dask or zarr array, xarray, SpatialData",
        comes_back="the same, in memory",
        writer=write,
        reader=read,
        types=TYPES,
        default_for=DEFAULT,
        unfit=unfit,
        nearest=nearest,
        comparer=changes,
        shape=shape,
        lazily=lazy_zarr,
        parts=parts,
        is_folder=True,
        extra="zarr",
    ),
)
