"""Objects saved as folders, copies of files and folders, and formats of optional libraries."""

import os
import shutil
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from checkpoint import load, save
from checkpoint.errors import CheckpointDamagedError, CheckpointFormatError, CheckpointKeyError
from checkpoint.formats.paths import file_name
from checkpoint.project.project import Project
from checkpoint.storage import clean, store

STEP = "1_preprocessing"


def cells(**uns):
    adata = ad.AnnData(sp.csr_matrix(np.eye(4, 3, dtype="f4")))
    adata.obs["kind"] = ["a", "b", "a", "b"]
    adata.uns.update(uns)
    return adata


def odd():
    """Return an AnnData with values that no file format can hold."""
    adata = cells(
        pair=(1, 2), none=None, when=pd.Timestamp("2020", tz="UTC"), keys={1: "a", "a/b": 2}
    )
    adata.obs["mixed"] = ["a", 1, None, 2.5]
    adata.obs["zone"] = pd.date_range("2020", periods=4, tz="Europe/Paris")
    adata.obsm["X/umap"] = np.eye(4, 2)
    return adata


def assert_same(again, saved):
    assert type(again) is type(saved)
    assert set(again.uns) == set(saved.uns)
    assert again.uns["pair"] == (1, 2)
    assert again.uns["none"] is None
    assert again.uns["when"] == saved.uns["when"]
    assert again.uns["keys"] == {1: "a", "a/b": 2}
    assert list(again.obs) == list(saved.obs)
    assert list(again.obs["mixed"]) == ["a", 1, None, 2.5]
    assert again.obs["zone"].dtype == saved.obs["zone"].dtype
    assert list(again.obsm) == ["X/umap"]
    assert (again.X != saved.X).nnz == 0


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", ["a", "a.zarr"])
def test_an_anndata_comes_back_whole(project, key):
    pytest.importorskip("zarr")
    save(STEP, {key: odd()})
    assert_same(load(STEP)["a"], odd())


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", ["a", "a.zarr"])
def test_others_read_the_nearest(project, key):
    pytest.importorskip("zarr")
    save(STEP, {key: odd()})
    path = load(STEP).path(key)
    plain = (ad.read_zarr if key.endswith("zarr") else ad.read_h5ad)(path)
    assert list(plain.obs["mixed"].astype(object).fillna("")) == ["a", "1", "", "2.5"]
    assert plain.obs["zone"].iloc[0].startswith("2020-01-01T00:00:00")
    assert list(plain.uns["pair"]) == [1, 2]
    assert plain.uns["when"].startswith("2020-01-01")
    assert plain.uns["keys"] == {"1": "a", "a_b": 2}


class Special(ad.AnnData):
    """A subclass that adds an attribute, as labs write them."""


@pytest.mark.parametrize("key", ["a", "a.pkl"])
def test_a_subclass_of_anndata_comes_back(project, key):
    special = Special(np.eye(2))
    special.protocol = {"steps": (1, 2)}
    save(STEP, {key: special})
    again = load(STEP)[key]
    assert type(again) is Special
    assert again.protocol == {"steps": (1, 2)}


ARRAYS = {
    "numbers": lambda: np.arange(6.0).reshape(2, 3),
    "text": lambda: np.array(["a", "bc"]),
    "dates": lambda: np.array(["2020", "NaT"], dtype="datetime64[D]"),
    "no dimension": lambda: np.array(3),
    "masked": lambda: np.ma.masked_array([1, 2], [True, False]),
    "other order of bytes": lambda: np.arange(3, dtype=">f4"),
    "records": lambda: np.rec.array([(1, "a")], dtype=[("x", int), ("y", "U1")]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_as_zarr(project, kind):
    pytest.importorskip("zarr")
    array = ARRAYS[kind]()
    save(STEP, {"a.zarr": array})
    again = load(STEP)["a"]
    assert type(again) is type(array)
    assert again.dtype == array.dtype
    assert again.tolist() == array.tolist() or kind == "dates"


@pytest.mark.filterwarnings("ignore")
def test_dask_comes_back_with_its_chunks(project):
    da = pytest.importorskip("dask.array")
    pytest.importorskip("zarr")
    array = da.arange(10, chunks=((3, 3, 4),)) * 2
    save(STEP, {"a": array, "unknown": array[array > 4], "delayed": {"a": array}})
    again = load(STEP)
    assert again.path("a").name == "a.zarr"
    assert again["a"].chunks == array.chunks
    assert list(again["a"].compute()) == list(array.compute())
    assert list(again["unknown"].compute()) == list(range(6, 20, 2))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", ["x", "x.zarr"])
@pytest.mark.parametrize("kind", ["dataset", "array", "levels"])
def test_xarray(project, key, kind):
    xr = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    data = xr.Dataset({"v": (("x", "y"), np.eye(2))}, {"x": ["a", "b"]}, {"unit": "m"})
    if kind == "array":
        data = data["v"]
    if kind == "levels":
        index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", "n"])
        data = data.assign_coords(xr.Coordinates.from_pandas_multiindex(index, "y"))
    if kind == "levels" and key == "x.zarr":
        with pytest.raises(CheckpointFormatError, match=r"x\.pkl"):
            save(STEP, {key: data})
        return
    save(STEP, {key: data})
    assert data.identical(load(STEP)["x"])


@pytest.mark.filterwarnings("ignore")
def test_spatialdata_does_not_belong_to_the_checkpoint(project, tmp_path):
    spatialdata = pytest.importorskip("spatialdata")
    from spatialdata.datasets import blobs

    sdata = blobs(length=64, n_points=20)
    sdata.write(tmp_path / "raw.zarr")
    sdata = spatialdata.read_zarr(tmp_path / "raw.zarr")
    sdata.tables["table"].uns["pair"] = (1, 2)
    before = sdata["blobs_multiscale_image"]["scale1"]["image"].to_numpy()
    points = sdata["blobs_points"].compute()
    save(STEP, {"s": sdata, "nested": {"s": sdata}})
    assert Path(sdata.path).name == "raw.zarr"
    shutil.rmtree(tmp_path / "raw.zarr")
    loaded = load(STEP)
    for again in (loaded["s"], loaded["nested"]["s"]):
        assert again.path is None
        np.testing.assert_array_equal(again["blobs_multiscale_image"]["scale1"]["image"], before)
        pd.testing.assert_frame_equal(again["blobs_points"].compute(), points)
        assert again.tables["table"].uns.pop("pair") == (1, 2)
        again.write(tmp_path / "again.zarr")
        shutil.rmtree(tmp_path / "again.zarr")


def test_a_path_takes_a_file_or_a_folder(project, tmp_path):
    (tmp_path / "model" / "inner").mkdir(parents=True)
    (tmp_path / "model" / "weights.bin").write_bytes(b"weights")
    (tmp_path / "model" / "inner" / "vocabulary.txt").write_text("a b")
    (tmp_path / "out.ome.tiff").write_bytes(b"tiff")
    cells().write_h5ad(tmp_path / "x.h5ad")
    save(
        STEP,
        {
            "model": tmp_path / "model",
            "slide": tmp_path / "out.ome.tiff",
            "other.h5ad": tmp_path / "x.h5ad",
            "text": str(tmp_path / "model"),
        },
    )
    shutil.rmtree(tmp_path / "model")
    previous = load(STEP)
    assert (previous["model"] / "inner" / "vocabulary.txt").read_text() == "a b"
    assert previous["slide"].name == "slide.ome.tiff"
    assert previous["other"] == previous["other.h5ad"] == previous.path("other")
    assert isinstance(previous["other"], Path)
    assert previous["text"] == str(tmp_path / "model")


@pytest.mark.parametrize(
    ("key", "path", "file"),
    [
        ("x", "a.tiff", "x.tiff"),
        ("x", "a.tar.gz", "x.tar.gz"),
        ("x", "a.ome.tif", "x.ome.tif"),
        ("x", "a.v1.bin", "x.bin"),
        ("x", "model", "x"),
        ("x_0.5", "a.bin", "x_0.5.bin"),
        ("x.tif", "a.tiff", "x.tif"),
    ],
)
def test_the_name_of_a_file(key, path, file):
    assert file_name(key, Path(path)) == file


def test_a_path_that_leads_nowhere_is_refused(project):
    with pytest.raises(CheckpointFormatError, match=r"'model': it is a Path, and 'gone' does not"):
        save(STEP, {"model": Path("gone")})


def test_a_folder_that_holds_the_checkpoint_is_not_copied_into_itself(project):
    with pytest.raises(CheckpointFormatError, match=r"'all': .* contains the checkpoint") as raised:
        save(STEP, {"all": Path("../results")})
    assert ".pkl" not in str(raised.value)
    assert not list((project / "results").rglob("all"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(project, tmp_path):
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run" / "pipe")
    for path in (tmp_path / "run", tmp_path / "run" / "pipe"):
        with pytest.raises(CheckpointFormatError, match=r"'run'.*pipe' is neither a file nor"):
            save(STEP, {"run": path})


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_folder_with_a_link_to_nothing_is_refused_with_its_name(project, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.pt").symlink_to(tmp_path / "gone.pt")
    with pytest.raises(CheckpointFormatError, match=r"weights\.pt: .*No such file") as raised:
        save(STEP, {"model": tmp_path / "model"})
    assert "staging" not in str(raised.value)


@pytest.fixture
def folder(project, tmp_path):
    """Return the path of a folder that was saved as an object of a checkpoint."""
    (tmp_path / "model").mkdir()
    for name in ("a", "b"):
        (tmp_path / "model" / f"{name}.bin").write_bytes(name.encode())
    save(STEP, {"model": tmp_path / "model", "n": 1})
    return project / "results" / STEP / "model"


def swap(folder):
    """Swap the names of two files of equal size, which keeps their modification times."""
    (folder / "a.bin").rename(folder / "c.bin")
    (folder / "b.bin").rename(folder / "a.bin")
    (folder / "c.bin").rename(folder / "b.bin")


HARM = {
    "changed": lambda folder: (folder / "a.bin").write_bytes(b"x"),
    "grown": lambda folder: (folder / "a.bin").write_bytes(b"longer"),
    "added": lambda folder: (folder / "new.bin").write_bytes(b""),
    "deleted": lambda folder: (folder / "a.bin").unlink(),
    "swapped": swap,
    "gone": shutil.rmtree,
}


@pytest.mark.parametrize("harm", HARM)
def test_a_folder_is_verified_like_a_file(folder, harm):
    from checkpoint.lineage.states import Lineage

    assert folder.is_dir()
    HARM[harm](folder)
    with pytest.raises(CheckpointDamagedError):
        load(STEP)["model"]
    (found,) = [one for one in Lineage(Project(folder.parents[2])).states() if one.step == STEP]
    assert found.state == "damaged"


def test_a_folder_is_replaced_whole_and_goes_when_it_is_saved_no_more(folder, tmp_path):
    (tmp_path / "model" / "a.bin").unlink()
    save(STEP, {"model": tmp_path / "model"})
    assert sorted(path.name for path in folder.iterdir()) == ["b.bin"]
    (tmp_path / "file").write_bytes(b"file")
    save(STEP, {"model": tmp_path / "file"})
    assert folder.read_bytes() == b"file"
    save(STEP, {"model": tmp_path / "model"})
    assert folder.is_dir()
    save(STEP, {"n": 1})
    assert not folder.exists()


def test_a_save_of_a_folder_that_was_cut_short_is_completed(folder, tmp_path, monkeypatch):
    (tmp_path / "model" / "a.bin").write_bytes(b"new")
    real = os.replace

    def fail(source, target):
        if Path(target).name == "model":
            raise OSError(13, "busy", str(target))
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(store.os, "replace", fail)
        save(STEP, {"model": tmp_path / "model"})
        assert (load(STEP)["model"] / "a.bin").read_bytes() == b"new"
    assert (load(STEP)["model"] / "a.bin").read_bytes() == b"new"
    assert not (folder.parent / ".commit").exists()


def test_a_folder_of_somebody_else_is_not_replaced(project, tmp_path):
    (tmp_path / "model").mkdir()
    other = project / "results" / STEP / "model"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    with pytest.raises(Exception, match="is a folder that save did not write"):
        save(STEP, {"model": tmp_path / "model"})
    assert (other / "mine.txt").exists()


def test_clean_removes_a_folder(folder):
    (found,) = clean.find(Project(folder.parents[2]), [STEP])
    assert found.others == []
    clean.clean([found])
    assert not folder.exists()


def test_a_key_is_found_with_and_without_its_suffix(project):
    table = pd.DataFrame({"a": [1]})
    save(STEP, {"m.pkl": 1, "m.csv": table, "t.csv": table, "n": np.arange(2)})
    previous = load(STEP)
    assert previous["t"].equals(table) and previous["n.npy"].tolist() == [0, 1]
    assert "t" in previous and "m" not in previous
    with pytest.raises(CheckpointKeyError, match=r"several files for 'm': m\.pkl, m\.csv"):
        previous["m"]
    assert previous._ipython_key_completions_() == ["m.pkl", "m.csv", "t.csv", "n"]


def test_what_is_kept_beside_a_file_is_no_object_of_its_own(project):
    save(STEP, {"a": cells(pair=(1, 2))})
    previous = load(STEP)
    assert list(previous) == ["a"] and len(previous) == 1
    assert sorted(previous.files) == ["a.h5ad", "a.rest.pkl"]
    rest = project / "results" / STEP / "a.rest.pkl"
    rest.write_bytes(rest.read_bytes()[::-1])
    with pytest.raises(CheckpointDamagedError, match=r"a\.rest\.pkl"):
        load(STEP)["a"]


def test_what_is_kept_beside_a_file_is_found_without_a_record(project):
    save(STEP, {"a": cells(pair=(1, 2))})
    (project / "results" / STEP / "params.json").unlink()
    assert list(load(STEP)) == ["a"]
    assert load(STEP)["a"].uns["pair"] == (1, 2)


def test_two_files_of_one_name_have_a_rest_each(project):
    frame = pd.DataFrame({"a": [("s", 1), None]})
    save(STEP, {"t.csv": frame, "t.parquet": frame})
    previous = load(STEP)
    assert previous["t.csv"].equals(frame) and previous["t.parquet"].equals(frame)
    assert {"t.csv.rest.pkl", "t.parquet.rest.pkl"} <= set(previous.files)
