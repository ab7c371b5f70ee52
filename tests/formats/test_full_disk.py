"""A disk that fills up while an object of unknown size is written."""

import subprocess

import pytest
from project_under_test import ONE

pytestmark = pytest.mark.slow

CODE = f"""
import gc
import anndata as ad
import scipy.sparse as sp
from dask import array as da
from my_project.checkpoint import load, save

def block(zeros):
    return sp.random(*zeros.shape, 0.5, "csr", dtype="f4")  # nothing to compress

meta = sp.csr_matrix((0, 0), dtype="f4")
counts = da.zeros((15_000, 1_000), chunks=(500, 1_000)).map_blocks(block, dtype="f4", meta=meta)
atlas = ad.AnnData(counts)
for key in ("atlas.h5ad", "atlas.zarr"):
    save({ONE!r}, {{"before": 1}})
    try:
        save({ONE!r}, {{key: atlas}})
    except OSError as error:
        print(key, error.errno)
    gc.collect()  # HDF5 files whose closing failed would end Python here
    print(key, load({ONE!r})["before"])
"""


@pytest.fixture
def small_disk(project):
    """Mount a disk of 20 MB as the project's `results/`; the atlas needs 60 MB."""
    results = project / "results"
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(results)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        yield results
    finally:
        subprocess.run(["umount", "-l", str(results)], check=True)


def test_a_sparse_atlas_from_dask_that_does_not_fit(project, small_disk):
    pytest.importorskip("dask.array")
    done = project.python("-W", "ignore", "-c", CODE)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("atlas.")]
    assert lines == ["atlas.h5ad 28", "atlas.h5ad 1", "atlas.zarr 28", "atlas.zarr 1"]
    assert not list((small_disk / ONE).glob(".staging*"))
