"""Interrupts in the middle of a file that a library writes or reads in one call."""

import _thread
import signal
import threading
from contextlib import suppress

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from checkpoint import load, save
from checkpoint.formats import arrays, block_files, in_blocks

STEP = "1_preprocessing"
TABLE = pd.DataFrame(np.random.default_rng(0).random((20_000, 8))).rename(columns=str)
OBJECTS = {
    "table.parquet": TABLE,
    "table.csv": TABLE,
    "table.csv.gz": TABLE,
    "array.pkl": {"array": TABLE.to_numpy()},
    "numbers.pkl": list(range(300_000)),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Reduce the block size, so that small files have several blocks."""
    monkeypatch.setattr(block_files, "BLOCK", 1 << 16)
    monkeypatch.setattr(in_blocks, "BLOCK", 1 << 16)
    monkeypatch.setattr(block_files, "LARGE", 0)
    monkeypatch.setattr(arrays, "LARGE", 0)


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("name", OBJECTS)
def test_stop_ends_a_file_between_two_blocks(project, monkeypatch, name):
    save(STEP, {name: OBJECTS[name]})
    before = load(STEP).path(name).read_bytes()
    blocks = []

    def stop(amount):
        blocks.append(amount)
        if len(blocks) > 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(block_files, "advance", stop)
    with pytest.raises(KeyboardInterrupt):
        save(STEP, {name: OBJECTS[name]})
    assert max(blocks) <= block_files.BLOCK
    assert sum(blocks[:3]) < len(before)
    assert load(STEP).path(name).read_bytes() == before


READ = {
    "table.csv": TABLE,
    "table.csv.gz": TABLE,
    "array.npy": TABLE.to_numpy(),
    "by columns.npy": np.asfortranarray(TABLE.to_numpy()),
    "records.npy": TABLE.to_records(),
    "dates.npy": np.arange("2000-01-01", "2300-01-01", dtype="M8[D]"),
    "array.pkl": {"array": TABLE.to_numpy()},
}


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("name", READ)
def test_stop_ends_the_reading_of_a_file_between_two_blocks(project, monkeypatch, name):
    save(STEP, {name: READ[name]})
    previous = load(STEP)
    given = []

    def readinto(file, buffer, read=block_files.InBlocks.readinto):
        given.append(read(file, buffer))
        if len(given) > 2:
            raise KeyboardInterrupt
        return given[-1]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(block_files.InBlocks, "readinto", readinto)
        previous[name]
    assert max(given) <= block_files.BLOCK
    assert sum(given) < previous.path(name).stat().st_size
    again, obj = previous[name], READ[name]
    assert type(again) is type(obj)
    pairs = obj.items() if isinstance(obj, dict) else [(None, obj)]
    for key, expected in pairs:
        found = again if key is None else again[key]
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
        assert getattr(found, "dtype", None) == getattr(expected, "dtype", None)
        assert getattr(found, "strides", None) == getattr(expected, "strides", None)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_stop_ends_the_reading_of_an_anndata_between_two_blocks(project, monkeypatch, kind):
    h5py, sp = pytest.importorskip("h5py"), pytest.importorskip("scipy.sparse")
    X = TABLE.to_numpy() if kind == "dense" else sp.csr_matrix(TABLE.to_numpy())
    save(STEP, {"adata": ad.AnnData(X)})
    previous = load(STEP)
    blocks = []

    def read_direct(dataset, target, *places, read=h5py.Dataset.read_direct):
        blocks.append(places[0])
        if len(blocks) > 2:
            raise KeyboardInterrupt
        read(dataset, target, *places)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(h5py.Dataset, "read_direct", read_direct)
        previous["adata"]
    again = previous["adata"].X
    assert type(again) is type(X) and again.dtype == X.dtype
    assert (again != X).sum() == 0


def test_stop_counts_even_if_a_library_swallows_it(project, monkeypatch):
    """Python only prints what is raised in a callback of a weak reference, as h5py has some."""
    h5py = pytest.importorskip("h5py")
    save(STEP, {"adata": ad.AnnData(TABLE.to_numpy())})
    previous, blocks = load(STEP), []

    def read_direct(dataset, target, *places, read=h5py.Dataset.read_direct):
        blocks.append(places[0])
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        read(dataset, target, *places)

    with monkeypatch.context() as patch:
        patch.setattr(h5py.Dataset, "read_direct", read_direct)
        with pytest.raises(KeyboardInterrupt, match=r"Nothing was read\."):
            previous["adata"]
        assert len(blocks) == 1
        patch.setattr(in_blocks, "heed", lambda: None)  # as in a library that reads at once
        with pytest.raises(KeyboardInterrupt, match=r"Nothing was read\."):
            previous["adata"]
    assert len(blocks) > 2
    assert previous["adata"].n_obs == len(TABLE)


def a_mudata():
    mudata = pytest.importorskip("mudata")
    return mudata.MuData({"rna": ad.AnnData(TABLE.to_numpy())})


def a_table():
    return pytest.importorskip("pyarrow").table({"a": [1, 2]})


# library: (module, its function that reads a file in one call, function that makes an object)
IN_ONE_CALL = {
    "pandas": ("pyarrow.parquet", "read_table", lambda: TABLE),
    "pyarrow": (
        "pyarrow.parquet",
        "read_table",
        lambda: pytest.importorskip("pyarrow").table(TABLE),
    ),
    "mudata": ("mudata", "read_h5mu", a_mudata),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", IN_ONE_CALL)
def test_stop_does_not_wait_for_a_library_that_reads_a_file(project, monkeypatch, library):
    name, function, make = IN_ONE_CALL[library]
    module = pytest.importorskip(name)
    key = "x.parquet" if function == "read_table" else "x"
    save(STEP, {key: make()})
    previous = load(STEP)
    began, may_end = threading.Event(), threading.Event()
    read, ended = getattr(module, function), []

    def slowly(*args, **options):
        began.set()
        ended.append(may_end.wait(60))
        return read(*args, **options)

    def stop():
        began.wait(60)
        _thread.interrupt_main()

    with monkeypatch.context() as patch:
        patch.setattr(module, function, slowly)
        threading.Thread(target=stop).start()
        with pytest.raises(KeyboardInterrupt):
            previous["x"]
        assert not ended
        may_end.set()
    again = previous["x"]
    assert again.shape == make().shape and type(again) is type(make())
