"""Lazy objects on a dask cluster, whose workers are processes of their own."""

import pytest
from project_under_test import ONE, TWO

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

SCRIPT = f"""
import warnings

import anndata as ad
import numpy as np
import scipy.sparse as sp
from dask.distributed import Client, LocalCluster

from my_project.checkpoint import load, save

ARRAY = np.random.default_rng(0).random((20_000, 100), dtype="f4")
COUNTS = sp.random(20_000, 100, 0.1, "csr", dtype="f4", random_state=1)


def main():
    save({ONE!r}, {{"atlas": ad.AnnData(COUNTS, layers={{"dense": ARRAY}}), "array": ARRAY}})
    previous = load({ONE!r})
    atlas, array = previous.lazy("atlas"), previous.lazy("array")
    meta = sp.csr_matrix((0, 0), dtype="f4")
    atlas.X = atlas.X.map_blocks(lambda block: block.log1p(), dtype="f4", meta=meta)
    atlas.layers["dense"] = 2 * atlas.layers["dense"]
    kept = (array + 1).rechunk((5_000, 100)).persist()
    for key, obj in {{"atlas.h5ad": atlas, "atlas.zarr": atlas}}.items():
        save({TWO!r}, {{key: obj}})
        again = load({TWO!r})[key]
        assert abs(again.X - COUNTS.log1p()).max() < 1e-6
        np.testing.assert_array_equal(again.layers["dense"], 2 * ARRAY)
    for key, obj, expected in (
        ("array.zarr", 3 * array, 3 * ARRAY),
        ("kept.zarr", kept, ARRAY + 1),
        ("kept.npy", kept, ARRAY + 1),
    ):
        save({TWO!r}, {{key: obj}})
        np.testing.assert_array_equal(np.asarray(load({TWO!r})[key]), expected)
    for key in ("wrong.zarr", "wrong.npy"):
        try:
            save({TWO!r}, {{key: array.map_blocks(lambda block: block + 0.1j, dtype="f4")}})
        except TypeError as error:
            print(key, "of complex64" in str(error))
    print(list(load({TWO!r})))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster):
            main()
"""


def test_workers_read_and_write_and_the_results_are_the_same(project):
    (project / "scripts").mkdir(exist_ok=True)
    script = project / "scripts" / "on_a_cluster.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = project.python(str(script))
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("wrong", "["))]
    assert lines == ["wrong.zarr True", "wrong.npy True", "['kept.npy']"], done.stdout
