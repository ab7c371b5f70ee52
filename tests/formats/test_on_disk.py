"""Objects larger than memory: opened lazily, read in part, or replaced while open."""

import os
import pickle
import sys

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from checkpoint import load, save
from checkpoint.errors import (
    CheckpointDamagedError,
    CheckpointError,
    CheckpointFormatError,
    MissingPackageError,
)
from checkpoint.formats import on_disk

pytest.importorskip("dask.array")
STEP = "1_preprocessing"
SUFFIXES = [".h5ad", pytest.param(".zarr", marks=pytest.mark.filterwarnings("ignore"))]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(on_disk, "BLOCK", 400)


def atlas(seed=0, n_cells=50):
    rng = np.random.default_rng(seed)
    counts = sp.random(n_cells, 8, 0.3, format="csr", dtype="float32", random_state=rng)
    adata = ad.AnnData(counts)
    adata.obs["kind"] = pd.Categorical(rng.choice(list("ab"), n_cells))
    adata.obs["seen"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n_cells), "D")
    adata.layers["dense"] = np.asfortranarray(rng.random((n_cells, 8)))
    adata.layers["by_gene"] = counts.tocsc()
    adata.obsm["X_umap"] = rng.random((n_cells, 2), dtype="float32")
    adata.obsm["table"] = pd.DataFrame({"n": range(n_cells)}, index=adata.obs_names)
    adata.uns["pca"] = {"variance": rng.random(3), "who": ("a", 1)}
    adata.raw = adata.copy()
    return adata


def same(one, other):
    pd.testing.assert_frame_equal(one.obs, other.obs)
    pd.testing.assert_frame_equal(one.var, other.var)
    for matrix in (lambda a: a.X, lambda a: a.raw.X, *map(by_name, ("dense", "by_gene"))):
        left, right = (values(matrix(adata)) for adata in (one, other))
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(values(one.obsm["X_umap"]), values(other.obsm["X_umap"]))
    pd.testing.assert_frame_equal(one.obsm["table"], other.obsm["table"])
    assert one.uns["pca"]["who"] == other.uns["pca"]["who"]


def by_name(layer):
    return lambda adata: adata.layers[layer]


def values(matrix):
    matrix = matrix.compute() if hasattr(matrix, "compute") else matrix
    return matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_anndata(project, suffix):
    saved = atlas()
    save(STEP, {f"atlas{suffix}": saved})
    previous = load(STEP)
    lazy = previous.lazy("atlas", verify=True)
    for matrix in (lazy.X, lazy.raw.X, lazy.layers["by_gene"]):
        assert matrix.npartitions > 1
    assert type(lazy.layers["dense"]) is type(lazy.obsm["X_umap"]) is type(lazy.X)
    assert sp.issparse(lazy.X._meta) and lazy.X.dtype == "float32"
    same(lazy, saved)
    same(lazy[10:20], saved[10:20])

    obs, umap = previous.part("atlas", "obs", "obsm/X_umap")
    pd.testing.assert_frame_equal(obs, saved.obs)
    np.testing.assert_array_equal(umap, saved.obsm["X_umap"])
    assert previous.part("atlas", "uns")["pca"]["who"] == ("a", 1)
    assert previous.part("atlas", "uns/pca/who") == ("a", 1)
    np.testing.assert_array_equal(values(previous.part("atlas", "raw/X")), values(saved.X))
    with pytest.raises(CheckpointFormatError, match="obsm has no 'X_pca'; there are X_umap, table"):
        previous.part("atlas", "obsm/X_pca")
    for name in ("", "/", ".", "../atlas", "obs//kind", 3, ["obs"]):
        with pytest.raises(CheckpointFormatError, match=r"there are X, lay|there are _ind|not a"):
            previous.part("atlas", name)


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_that_the_file_has_in_another_form(project, suffix):
    """`part` returns the values of the saved table, not the form in which the file stores them."""
    saved = atlas(n_cells=5)
    mixed = [1, "a", None, 2.5, (1, 2)]
    saved.obs["mixed"] = saved.obs["again"] = mixed
    saved.obsm["table"]["mixed"] = mixed
    save(STEP, {f"atlas{suffix}": saved})
    previous = load(STEP)
    for name in ("obs/mixed", "obs/again", "obsm/table/mixed"):
        assert previous.part("atlas", name).tolist() == mixed
    assert list(previous.part("atlas", "obs/kind")) == list(saved.obs["kind"])
    assert list(previous.part("atlas", "obs/_index")) == list(saved.obs_names)
    assert previous.part("atlas", "obs/seen").tolist() == saved.obs["seen"].tolist()


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_that_the_size_does_not_show(project, suffix):
    save(STEP, {f"atlas{suffix}": atlas()})
    path = project / "results" / STEP / f"atlas{suffix}"
    if path.is_dir():
        (path,) = (
            path / "obs" / name
            for name in ("zarr.json", ".zattrs")
            if (path / "obs" / name).exists()
        )
    path.write_bytes(b"x" * path.stat().st_size)
    previous = load(STEP)
    for read in (lambda: previous.lazy("atlas"), lambda: previous.part("atlas", "obs")):
        with pytest.raises(CheckpointDamagedError, match=r"Run 1_preprocessing\.ipynb again"):
            read()


@pytest.mark.versions
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_replaced_meanwhile(project, suffix):
    """A lazy object returns the old data or an error, never a mix, also in a cluster's worker."""
    old = atlas()
    save(STEP, {f"atlas{suffix}": old})
    lazy = load(STEP).lazy("atlas")
    elsewhere = pickle.dumps(lazy.X)
    np.testing.assert_array_equal(values(pickle.loads(elsewhere)), values(old.X))
    save(STEP, {f"atlas{suffix}": atlas(1)})
    if suffix == ".h5ad":
        same(lazy, old)
    else:
        with pytest.raises(CheckpointError, match="was saved again since it was opened"):
            lazy.X.compute()
    with pytest.raises(CheckpointError, match="Run the load cell again"):
        pickle.loads(elsewhere).compute()
    save(STEP, {"other": 1})
    with pytest.raises(CheckpointError, match="Run the load cell again"):
        pickle.loads(elsewhere).compute()


@pytest.mark.versions
@pytest.mark.parametrize("new", [{"other": 1}, {"atlas.zarr": np.zeros(3)}])
def test_a_folder_that_is_replaced_by_something_else(project, new):
    save(STEP, {"atlas.zarr": atlas()})
    lazy = load(STEP).lazy("atlas")
    save(STEP, new)
    for matrix in (lazy.X, lazy.layers["dense"]):
        with pytest.raises(CheckpointError, match=r"was opened\. Run the load cell again"):
            matrix.compute()
    with pytest.raises(CheckpointError, match=r"was opened\. Run the load cell again"):
        save("2_integration", {"again": lazy})
    (project / "results" / STEP).rename(project / "results" / "1_other")
    with pytest.raises(CheckpointError, match="renamed or removed since it was opened"):
        lazy.X.compute()


@pytest.mark.versions
@pytest.mark.parametrize("key", ["x.h5ad", "x.npy"])
def test_a_file_that_is_cut_short_while_it_is_open(project, key):
    """HDF5 reads zeros beyond the end of a file."""
    matrix = np.ones((2000, 8))
    save(STEP, {key: matrix if key == "x.npy" else ad.AnnData(matrix)})
    lazy = load(STEP).lazy("x")
    os.truncate(project / "results" / STEP / key, 3000)
    with pytest.raises(CheckpointDamagedError, match=r"1_preprocessing/x\..* was changed since it"):
        (lazy if key == "x.npy" else lazy.X).compute()


@pytest.mark.versions
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", ["x.h5ad", "x.zarr"])
def test_a_block_that_cannot_be_read(project, key):
    project.add_settings('compression = "gzip"')
    rng = np.random.default_rng(0)
    save(STEP, {key: ad.AnnData(rng.random((2000, 8)))})
    path, place = project / "results" / STEP / key, 0
    if path.is_dir():
        path = max((p for p in path.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    else:
        with h5py.File(path) as stored:
            place = stored["X"].id.get_chunk_info(0).byte_offset
    with path.open("r+b") as file:
        file.seek(place)
        file.write(rng.bytes(500))
    lazy = load(STEP).lazy("x")
    with pytest.raises(CheckpointDamagedError, match=f"{STEP}/{key}: a block cannot be read"):
        lazy.X.compute()
    with pytest.raises(CheckpointDamagedError, match=r"verify=True\) checks it"):
        save("2_integration", {"x": lazy})


@pytest.mark.versions
def test_other_libraries_open_the_file_meanwhile(project):
    adata = atlas()
    save(STEP, {"atlas.h5ad": adata})
    previous = load(STEP)
    path, lazy = previous.path("atlas"), previous.lazy("atlas")
    backed = ad.read_h5ad(path, backed="r")
    for found in (ad.read_h5ad(path).X, backed.X[:], lazy.X):
        np.testing.assert_array_equal(values(found), values(adata.X))
    same(previous["atlas"], adata)
    backed.file.close()


@pytest.mark.versions
def test_a_folder_that_goes_while_a_block_is_read(project, monkeypatch):
    """Zarr reads zeros if a file is missing, so this must be an error."""
    save(STEP, {"atlas.zarr": atlas()})
    lazy = load(STEP).lazy("atlas")
    inner, again = on_disk.Source.opened.__wrapped__, iter([atlas(1)])

    def replaced(source):
        generator = inner(source)
        group = next(generator)
        if new := next(again, None):
            save(STEP, {"atlas.zarr": new})
        yield group
        next(generator, None)

    monkeypatch.setattr(on_disk.Source, "opened", on_disk.contextmanager(replaced))
    with pytest.raises(CheckpointError, match="was saved again since it was opened"):
        lazy.X.blocks[0].compute()


ARRAYS = {
    "numbers": np.arange(300.0).reshape(100, 3),
    "by columns": np.asfortranarray(np.arange(300).reshape(3, 100)),
    "three sides": np.arange(240, dtype="i2").reshape(30, 4, 2),
    "one side": np.arange(100),
    "of another machine": np.arange(100, dtype=">f8"),
    "no side": np.array(3.5),
    "empty": np.empty((0, 4)),
    "text": np.array(["a", "bc"] * 40),
    "dates": np.arange(100).astype("M8[D]"),
    "records": np.array([(1, 2.5)] * 80, dtype=[("größe", "i4"), ("β", "f8")]),
}


@pytest.mark.parametrize("suffix", [".npy", ".zarr"])
def test_arrays(project, suffix):
    held = {
        name: array
        for name, array in ARRAYS.items()
        if suffix == ".npy" or array.dtype.kind in "if"
    }
    save(STEP, {f"{name}{suffix}": array for name, array in held.items()})
    previous = load(STEP)
    opened = {name: previous.lazy(name) for name in held}
    for name, array in held.items():
        assert opened[name].dtype == array.dtype and opened[name].shape == array.shape, name
        np.testing.assert_array_equal(opened[name].compute(), array, err_msg=name)
    assert opened["one side"].npartitions > 1 or suffix == ".zarr"
    save(STEP, {f"{name}{suffix}": array[::-1] for name, array in held.items() if array.ndim})
    if suffix == ".npy":
        np.testing.assert_array_equal(opened["by columns"].compute(), ARRAYS["by columns"])
    else:
        with pytest.raises(CheckpointError, match="was saved again"):
            opened["one side"].compute()


@pytest.mark.slow
@pytest.mark.versions
def test_what_can_only_be_read_whole(project):
    save(STEP, {"table": pd.DataFrame({"a": [1]}), "group.zarr": atlas(), "x": np.arange(3)})
    previous = load(STEP)
    with pytest.raises(CheckpointFormatError, match=r"lazy\(\) takes \.h5ad, \.npy, \.zarr\."):
        previous.lazy("table")
    with pytest.raises(CheckpointFormatError, match=r"part\(\) takes \.h5ad, \.zarr\."):
        previous.part("x", "obs")


def test_without_dask(project, monkeypatch):
    save(STEP, {"atlas": atlas()})
    previous = load(STEP)
    monkeypatch.delitem(sys.modules, "dask.array")
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(MissingPackageError) as error:
        previous.lazy("atlas")
    assert '".[lazy]"' in str(error.value)
    assert len(previous.part("atlas", "obs")) == 50


def test_a_file_that_is_not_what_was_saved(project):
    save(STEP, {"atlas": atlas()})
    previous = load(STEP)
    path = project / "results" / STEP / "atlas.h5ad"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointDamagedError, match="is not what was saved"):
        previous.lazy("atlas", verify=True)
    path.write_bytes(content[:-1])
    for read in (lambda: previous.lazy("atlas"), lambda: previous.part("atlas", "obs")):
        with pytest.raises(CheckpointDamagedError, match="expected"):
            read()
