"""Lazy, large and compressed data are written in blocks, and can be interrupted between them."""

import shutil
import time

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from project_under_test import ONE, TWO

from checkpoint import load, save
from checkpoint.errors import (
    CheckpointError,
    CheckpointFormatError,
    ProjectError,
)
from checkpoint.formats import in_blocks

RNG = np.random.default_rng(0)
COUNTS = sp.random(90, 7, 0.3, format="csr", dtype="float32", random_state=RNG)
DENSE = RNG.random((90, 7))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(in_blocks, "BLOCK", 500)


def atlas(matrix):
    n_cells = matrix.shape[0]
    obs = pd.DataFrame({"n": range(n_cells)}, index=[f"cell{i}" for i in range(n_cells)])
    return ad.AnnData(matrix, obs=obs, layers={"x": matrix})


def values(matrix):
    return matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)


def dask_of(matrix, delays=()):
    da = pytest.importorskip("dask.array")
    axis = 1 if getattr(matrix, "format", "") == "csc" else 0
    chunks = (-1, 2) if axis else (13, -1)

    def slowly(block, block_info=None):
        time.sleep(delays[block_info[0]["chunk-location"][axis]] if delays else 0)
        return block

    return da.from_array(matrix, chunks=chunks, asarray=False).map_blocks(
        slowly, meta=matrix[:0, :0]
    )


MATRICES = {
    "csr": COUNTS,
    "csc": COUNTS.tocsc(),
    "dense": DENSE,
    "by columns": np.asfortranarray(DENSE),
    "one row a block": np.ones((90, 200), "u1"),
    "dask csr": lambda: dask_of(COUNTS, (0.05, 0, 0, 0.02, 0, 0, 0)),
    "dask csc": lambda: dask_of(COUNTS.tocsc()),
    "dask dense": lambda: dask_of(DENSE, (0.05, 0, 0, 0.02, 0, 0, 0)),
    "dask in squares": lambda: dask_of(DENSE).rechunk((20, 3)),
}


@pytest.mark.versions
@pytest.mark.filterwarnings("ignore")
def test_every_kind_of_matrix(project):
    matrices = {key: each() if callable(each) else each for key, each in MATRICES.items()}
    adatas = {key: atlas(matrix) for key, matrix in matrices.items()}
    with h5py.File.in_memory() as file:
        for matrix in matrices.values():
            assert in_blocks.takes(file, matrix)
    for suffix in (".h5ad", ".zarr"):
        save(ONE, {f"{key}{suffix}": adata for key, adata in adatas.items()})
        previous = load(ONE)
        for key, adata in adatas.items():
            again, matrix = previous[key], adata.X
            expected = matrix.compute() if hasattr(matrix, "compute") else matrix
            for found in (again.X, again.layers["x"]):
                np.testing.assert_array_equal(values(found), values(expected), err_msg=key)
                assert type(found) is type(expected) and found.dtype == expected.dtype
            pd.testing.assert_frame_equal(again.obs, adata.obs)
    path = project / "results" / ONE / "csr.h5ad"
    save(ONE, {"csr.h5ad": adatas["csr"]})
    ours = {**layout(path)}
    adatas["csr"].write_h5ad(path)
    assert ours == layout(path)


def layout(path):
    """Return the dtype and the attributes of each element of an HDF5 file, as anndata sees them."""
    found = {}

    def note(name, element):
        kind = getattr(element, "dtype", None)
        found[name] = (kind, {key: str(value) for key, value in element.attrs.items()})

    with h5py.File(path) as file:
        file.visititems(note)
    return found


@pytest.mark.versions
@pytest.mark.filterwarnings("ignore")
def test_lazy_objects_over_their_own_source(project):
    pytest.importorskip("xarray")
    for suffix in (".h5ad", ".zarr"):
        save(ONE, {f"atlas{suffix}": atlas(COUNTS)})
        lazy = load(ONE).lazy("atlas")
        lazy.X = lazy.X * 2
        save(ONE, {f"atlas{suffix}": lazy})
        np.testing.assert_array_equal(values(load(ONE)["atlas"].X), 2 * COUNTS.toarray())
        path = project / "results" / ONE / f"atlas{suffix}"
        opened = ad.experimental.read_lazy(path)
        save(ONE, {f"atlas{suffix}": opened[5:80]})
        again = load(ONE)["atlas"]
        np.testing.assert_array_equal(values(again.X), 2 * COUNTS.toarray()[5:80])
        assert list(again.obs["n"]) == list(range(5, 80))
    save(ONE, {"atlas.h5ad": atlas(COUNTS)})
    backed = ad.read_h5ad(project / "results" / ONE / "atlas.h5ad", backed="r")
    save(TWO, {"atlas": backed, "part": backed[:3]})
    backed.file.close()
    np.testing.assert_array_equal(values(load(TWO)["atlas"].X), COUNTS.toarray())
    np.testing.assert_array_equal(values(load(TWO)["part"].X), COUNTS.toarray()[:3])


def test_a_dask_array_as_npy(project, capsys):
    array = dask_of(DENSE)
    save(ONE, {"x.npy": array, "y.npy": array[0], "whole": DENSE, "columns": DENSE.T})
    assert "x.npy: it was computed, and comes back as a NumPy array" in capsys.readouterr().out
    previous = load(ONE)
    for key, expected in (("x", DENSE), ("y", DENSE[0]), ("whole", DENSE), ("columns", DENSE.T)):
        np.testing.assert_array_equal(previous[key], expected)
    with pytest.raises(CheckpointFormatError, match=r"cannot save this dask\.Array as \.npy"):
        save(ONE, {"x.npy": dask_of(COUNTS)})


@pytest.mark.versions
def test_settings(project, monkeypatch):
    monkeypatch.setattr(in_blocks, "BLOCK", 50_000)
    adata = atlas(COUNTS)
    dense = {"x": ad.AnnData(RNG.integers(0, 2, (500, 50)).astype(float))}
    sizes = {}
    settings = project / "pyproject.toml"
    plain = settings.read_text(encoding="utf-8")
    for anndata_format, compression in (
        *(("h5ad", "none"), ("h5ad", "gzip"), ("h5ad", "lzf")),
        *(("zarr", "none"), ("zarr", "gzip"), ("zarr", "zstd")),
    ):
        settings.write_text(plain, encoding="utf-8")
        project.add_settings(f'anndata_format = "{anndata_format}"\ncompression = "{compression}"')
        save(ONE, {"atlas": adata, **dense})
        previous = load(ONE)
        assert set(previous.files) == {f"atlas.{anndata_format}", f"x.{anndata_format}"}
        np.testing.assert_array_equal(values(previous["atlas"].X), COUNTS.toarray())
        sizes[anndata_format, compression] = previous.files[f"x.{anndata_format}"].bytes
    for key, size in sizes.items():
        assert (size > 200_000) == (key[1] == "none"), sizes
    settings.write_text(plain, encoding="utf-8")
    project.add_settings('compression = "zstd"')
    with pytest.raises(ProjectError, match="compression: expected one of 'none', 'gzip', 'lzf'"):
        save(ONE, {"atlas": atlas(COUNTS[:5])})
    np.testing.assert_array_equal(values(load(ONE)["atlas"].X), COUNTS.toarray())


@pytest.mark.parametrize("anndata_format", ["h5ad", "zarr"])
@pytest.mark.versions
def test_small_matrices_and_the_last_block_are_not_padded(project, monkeypatch, anndata_format):
    monkeypatch.setattr(in_blocks, "BLOCK", 1 << 18)
    project.add_settings(f'anndata_format = "{anndata_format}"\ncompression = "none"')
    dense = RNG.random((1_000, 40))  # 1.2 blocks
    matrices = {"small": COUNTS, "dense": dense, "lazy": dask_of(COUNTS)}
    save(ONE, {name: ad.AnnData(matrix) for name, matrix in matrices.items()})
    files = load(ONE).files
    for name, most in (("small", 100_000), ("dense", 1.3 * dense.nbytes), ("lazy", 2_000_000)):
        assert files[f"{name}.{anndata_format}"].bytes < most, name


@pytest.mark.parametrize("kind", ["csr", "dense", "dask csr", "array"])
def test_stop_between_two_blocks(project, monkeypatch, kind):
    made = MATRICES["dense" if kind == "array" else kind]
    matrix = made() if callable(made) else made
    if kind == "array":
        matrix = np.zeros(10_000_000)  # NumPy writes 16 MB at a time
    save(ONE, {"x": 1})
    seen = []

    def stop(self, amount):
        seen.append(amount)
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("checkpoint.progress.Progress.advance", stop)
    with pytest.raises(KeyboardInterrupt):
        save(ONE, {"x": matrix if kind == "array" else atlas(matrix)})
    assert len(seen) == 3
    assert load(ONE)["x"] == 1
    assert not list((project / "results" / ONE).glob(".staging*"))


def test_a_disk_without_room(project, monkeypatch):
    """If the size is known, `save` must report the full disk before it writes anything."""
    save(ONE, {"x": 1})
    huge = np.broadcast_to(np.zeros(1), (10**9, 10**6))
    matrix = ad.AnnData(sp.csr_matrix((3, 3)))
    matrix.obsm["x"] = np.broadcast_to(np.zeros(1), (3, 10**15))
    neighbors = ad.AnnData(shape=(10**5, 1))
    for k in range(100):
        neighbors.obsp[f"distances {k}"] = np.broadcast_to(np.zeros(1), (10**5, 10**5))
    free = shutil.disk_usage(project).free
    for objects in (
        {"huge": huge},
        {"small": 1, "atlas": matrix},
        {"small": 1, "atlas": neighbors},
    ):
        with pytest.raises(CheckpointError, match="Not enough room on the disk") as error:
            save(ONE, objects)
        assert error.value.expected >= 8 * 10**12
        assert abs(error.value.found - free) < 10**9
    assert load(ONE)["x"] == 1


def refused(obj, key, what):
    """Check that a dask array whose blocks are not what it declares is refused with a reason."""
    with pytest.raises(CheckpointFormatError, match="tell `map_blocks` with dtype=") as caught:
        save(ONE, {key: obj})
    assert what in str(caught.value)


@pytest.mark.parametrize("key", ["x.npy", "x.zarr"])
def test_blocks_that_are_not_what_the_array_declares(project, key):
    da = pytest.importorskip("dask.array")
    array = da.from_array(np.arange(40), chunks=10)
    what = "of float64, (10,), where the array declares an array of float32, (10,)"
    refused(array.map_blocks(np.sqrt, dtype="f4"), key, what)
    refused(array.map_blocks(lambda b: b[:5], dtype=array.dtype), key, "(5,), where")
    masked = array.map_blocks(lambda b: np.ma.masked_less(b, 5), meta=np.empty(0, "i8"))
    refused(masked, key, "Masked")
    narrow = array.map_blocks(lambda b: b.astype("i2"), dtype="i8")
    save(ONE, {key: narrow})
    again = np.asarray(load(ONE)["x"])
    assert (again.dtype, again.tolist()) == (np.dtype("i8"), list(range(40)))


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_blocks_of_an_annotated_matrix_that_are_not_what_it_declares(project, suffix):
    key = f"x{suffix}"
    sparse = dask_of(COUNTS)
    dense = sparse.map_blocks(lambda b: b.toarray(), meta=COUNTS[:0, :0])
    refused(atlas(dense), key, "where the array declares csr of float32")
    doubles = sparse.map_blocks(lambda b: b.astype("f8"), meta=COUNTS[:0, :0])
    refused(atlas(doubles), key, "csr_matrix of float64")
    refused(atlas(dask_of(DENSE).map_blocks(lambda b: b[:1], dtype="f8")), key, "(1, 7), where")
    columns = sparse.map_blocks(lambda b: b.tocsc(), meta=COUNTS[:0, :0])
    empty = sparse.map_blocks(lambda b: b.astype("f2") if not b.nnz else b, meta=COUNTS[:0, :0])
    for blocks in (columns, empty):
        save(ONE, {key: atlas(blocks)})
        again = load(ONE)["x"].X
        assert again.dtype == COUNTS.dtype
        np.testing.assert_array_equal(values(again), values(COUNTS))


def test_a_file_in_memory_does_not_ask_for_room_on_a_disk(monkeypatch):
    """Its name is no path, so the disk asked would be that of the working directory."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: pytest.fail(f"asked for {path}"))
    with h5py.File.in_memory() as file:
        in_blocks.write(file, "x", DENSE)
        np.testing.assert_array_equal(file["x"][:], DENSE)
