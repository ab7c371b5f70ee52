"""An analysis of data several times larger than the memory that the process may use."""

import subprocess
import sys

import pytest
from project_under_test import TEMPLATE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="a limit that Linux alone has"),
]
LIMIT = 130  # MB, in addition to what the libraries use
PROGRAM = f"""
import resource, sys, warnings
sys.path.insert(0, {str(TEMPLATE)!r})
warnings.simplefilter("ignore")
import anndata as ad, dask, dask.array as da, numpy as np, pandas as pd, scanpy as sc
import scipy.sparse as sp
from checkpoint import load, save
from checkpoint.formats import in_blocks, on_disk

in_blocks.BLOCK = on_disk.BLOCK = 1 << 21  # for a small limit, so that the test is short
dask.config.set(num_workers=2)
N_CELLS, N_GENES, STORED, ROWS = 100_000, 1_000, 400, 500

def counts(block_info=None):
    (start, stop), _ = block_info[None]["array-location"]
    rng = np.random.default_rng(start)
    groups = np.arange(stop - start) % 4
    # each group of cells has genes of its own, so that the components are unambiguous
    chance = rng.random((stop - start, N_GENES), dtype="f4")
    for group in range(4):
        chance[groups == group, group * 100 : group * 100 + 10 * (group + 3)] *= 0.1
    genes = np.sort(np.argpartition(chance, STORED, axis=1)[:, :STORED], axis=1).astype("i4")
    values = rng.integers(1, 9, genes.size).astype("f4")
    rows = np.arange(stop - start + 1, dtype="i4") * STORED
    return sp.csr_matrix((values, genes.ravel(), rows), shape=(stop - start, N_GENES))

def make():
    chunks = ((ROWS,) * (N_CELLS // ROWS), (N_GENES,))
    X = da.map_blocks(counts, chunks=chunks, dtype="f4", meta=sp.csr_matrix((0, 0), dtype="f4"))
    return ad.AnnData(X, obs=pd.DataFrame(index=pd.RangeIndex(N_CELLS).astype(str)))

def analyse(adata, n_comps=3):
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    sc.pp.highly_variable_genes(adata, n_top_genes=adata.n_vars // 5)
    sc.pp.pca(adata, n_comps=n_comps, svd_solver="covariance_eigh")
    return adata

def limited():
    few = sp.random(60, 20, 0.5, format="csr", dtype="f4", random_state=np.random.default_rng(0))
    np.asarray(analyse(ad.AnnData(da.from_array(few, (30, 20), asarray=False))).obsm["X_pca"])
    with open("/proc/self/status") as file:
        now = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (now + ({LIMIT} << 20),) * 2)
"""
LAZILY = """
limited()
save("1_preprocessing", {"atlas": make()})
save("2_integration", {"atlas": analyse(load("1_preprocessing").lazy("atlas"))})
umap, obs = load("2_integration").part("atlas", "obsm/X_pca", "obs")
assert umap.shape == (N_CELLS, 3) and len(obs) == N_CELLS
"""
IN_MEMORY = """
there, again = analyse(load("1_preprocessing")["atlas"]), load("2_integration")["atlas"]
assert abs(there.X - again.X).max() < 1e-5
pd.testing.assert_frame_equal(there.var, again.var, rtol=1e-3, atol=1e-3)  # of about 1
one, other = (abs(adata.obsm["X_pca"]) for adata in (there, again))
np.testing.assert_allclose(one, other, rtol=0, atol=1e-2)  # of about 6, in single precision
"""


def test_a_memory_limit(project):
    def run(code):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM + code], cwd=project, capture_output=True, text=True
        )

    done = run(LAZILY)
    assert done.returncode == 0, done.stderr[-3000:]
    size = (project / "results" / "1_preprocessing" / "atlas.h5ad").stat().st_size
    assert size > 2.3 * LIMIT * 2**20
    done = run("limited(); load('1_preprocessing')['atlas']")
    assert "Unable to allocate" in done.stderr  # the limit works
    done = run(IN_MEMORY)
    assert done.returncode == 0, done.stderr[-3000:]
