"""Lazy objects are computed while they are saved; no path to their data is kept."""

import shutil

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pds
import pytest
import scipy.sparse as sp

from checkpoint import load, save
from checkpoint.errors import CheckpointFormatError

STEP = "1_preprocessing"
VALUES = np.arange(6, dtype="i4").reshape(3, 2)
FRAME = pd.DataFrame({"a": [1, 2, 3]})


def zarr_array(folder):
    zarr = pytest.importorskip("zarr")
    array = zarr.create_array(str(folder / "a.zarr"), data=VALUES, chunks=(2, 2))
    array.attrs["unit"] = "counts"
    return array


def zarr_group(folder):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(str(folder / "g.zarr"), mode="w")
    group.create_group("inner").create_array("values", data=VALUES)
    group.attrs["unit"] = "counts"
    return group


def dask_array(folder):
    da = pytest.importorskip("dask.array")
    return da.from_zarr(zarr_array(folder)) * 2


def dask_frame(folder):
    dd = pytest.importorskip("dask.dataframe")
    FRAME.to_parquet(folder / "table.parquet")
    return dd.read_parquet(folder / "table.parquet")


def delayed(folder):
    dask = pytest.importorskip("dask")
    np.save(folder / "a.npy", VALUES)
    return dask.delayed(np.load)(folder / "a.npy")


def xarray_lazy(folder):
    xr = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    xr.Dataset({"v": (("x", "y"), VALUES)}, {"x": [5, 6, 7]}).to_zarr(folder / "x.zarr")
    return xr.open_dataset(folder / "x.zarr", engine="zarr")


def xarray_chunked(folder):
    return xarray_lazy(folder).chunk({"x": 2})["v"]


def xarray_tree(folder):
    xr = pytest.importorskip("xarray")
    xr.DataTree.from_dict({"/a": xr.Dataset({"v": (("x", "y"), VALUES)})}).to_zarr(
        folder / "t.zarr"
    )
    return xr.open_datatree(folder / "t.zarr", engine="zarr")


def polars_lazy(folder):
    pl = pytest.importorskip("polars")
    FRAME.to_parquet(folder / "table.parquet")
    return pl.scan_parquet(folder / "table.parquet")


def arrow_dataset(folder):
    FRAME.to_parquet(folder / "table.parquet")
    return pds.dataset(folder / "table.parquet")


def memory_map(folder):
    array = np.memmap(folder / "m", dtype="i4", mode="w+", shape=(3, 2))
    array[:] = VALUES
    return array


def backed(folder):
    ad.AnnData(sp.csr_matrix(VALUES.astype("f4"))).write_h5ad(folder / "b.h5ad")
    return ad.read_h5ad(folder / "b.h5ad", backed="r")


def read_lazy(folder):
    pytest.importorskip("xarray")
    ad.AnnData(
        VALUES.astype("f4"), obs=pd.DataFrame({"n": [1, 2, 3]}, index=list("abc"))
    ).write_h5ad(folder / "l.h5ad")
    return ad.experimental.read_lazy(folder / "l.h5ad")


# name: (function that makes the object, function that returns its values as an array)
LAZY = {
    "zarr array": (zarr_array, lambda array: array[:]),
    "zarr group": (zarr_group, lambda group: group["inner/values"][:]),
    "dask array": (dask_array, lambda array: array.compute()),
    "dask frame": (dask_frame, lambda frame: frame.compute()["a"].to_numpy()),
    "dask delayed": (delayed, lambda value: value.compute()),
    "xarray": (xarray_lazy, lambda data: data["v"].to_numpy()),
    "xarray in chunks": (xarray_chunked, lambda data: data.compute().to_numpy()),
    "xarray tree": (xarray_tree, lambda tree: tree["a/v"].to_numpy()),
    "polars": (polars_lazy, lambda frame: frame.collect()["a"].to_numpy()),
    "arrow dataset": (arrow_dataset, lambda data: data.to_table()["a"].to_numpy()),
    "memory map": (memory_map, np.asarray),
    "backed AnnData": (backed, lambda adata: adata.to_memory().X.toarray()),
    "lazy AnnData": (read_lazy, lambda adata: np.asarray(adata.X)),
}

HOLDERS = {
    "alone": (lambda obj: obj, lambda obj: obj),
    "in a dict": (lambda obj: {"x": obj}, lambda obj: obj["x"]),
    "in a tuple of a list": (lambda obj: [(1, obj)], lambda obj: obj[0][1]),
    "in uns": (
        lambda obj: ad.AnnData(np.eye(2), uns={"results": {"x": obj}}),
        lambda adata: adata.uns["results"]["x"],
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("kind", LAZY)
def test_the_data_come_back_when_their_store_is_gone(project, tmp_path, kind, holder):
    make, values = LAZY[kind]
    wrap, unwrap = HOLDERS[holder]
    folder = tmp_path / "scratch"
    folder.mkdir()
    obj = make(folder)
    expected = np.array(values(obj))
    save(STEP, {"x": wrap(obj)})
    if kind == "backed AnnData":
        obj.file.close()
    del obj
    shutil.rmtree(folder)
    again = unwrap(load(STEP)["x"])
    # an array in uns comes back in memory
    found = again if holder == "in uns" and isinstance(again, np.ndarray) else values(again)
    np.testing.assert_array_equal(found, expected)
    if "xarray" not in kind:  # xarray keeps the path in `encoding`
        files = [path for path in (project / "results" / STEP).rglob("*") if path.is_file()]
        assert all(b"scratch/" not in path.read_bytes() for path in files)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("slot", ["X", "layers", "obsm"])
@pytest.mark.parametrize("kind", ["dask array", "zarr array"])
def test_a_slot_of_an_anndata_is_computed(project, tmp_path, capsys, kind, slot):
    array = LAZY[kind][0](tmp_path)
    expected = np.array(LAZY[kind][1](array))
    adata = ad.AnnData(np.eye(3, 2))
    if slot == "X":
        adata.X = array
    else:
        getattr(adata, slot)["x"] = array
    save(STEP, {"a": adata})
    shutil.rmtree(tmp_path / "a.zarr")
    again = load(STEP)["a"]
    np.testing.assert_array_equal(again.X if slot == "X" else getattr(again, slot)["x"], expected)


@pytest.mark.parametrize("holder", ["alone", "in a dict"])
def test_what_cannot_be_computed_is_refused_with_what_to_do(project, tmp_path, holder):
    wrap, _ = HOLDERS[holder]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("a", data=VALUES)
        with pytest.raises(CheckpointFormatError, match=r"Save what it holds, `dataset\[\(\)\]`"):
            save(STEP, {"x": wrap(dataset)})


def test_a_table_of_arrow_is_no_path(project):
    save(STEP, {"x": pa.table({"a": [1]})})
    assert load(STEP)["x"].to_pydict() == {"a": [1]}
