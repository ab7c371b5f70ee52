"""Which files of a project git tracks and ignores, according to git itself."""

import subprocess

import pytest

KEPT = """
README.md
.gitignore
.pre-commit-config.yaml
pyproject.toml
environment.yml
data/README.md
data/cohort/README.md
notebooks/1_preprocessing.ipynb
src/my_project/__init__.py
src/my_project/checkpoint/formats/h5ad.py
scripts/simulate_citeseq.py
results/1_preprocessing/.gitkeep
results/1_preprocessing/params.json
results/2_integration/matching.csv
results/2_integration/shared_features/params.json
results/2_integration/shared_features/pairs.csv
results/2_integration/annotations.json
results/3_visualization/figures/umap.png
results/3_visualization/figures/umap.pdf
results/3_visualization/figures/umap.svg
.env.example
""".split()

IGNORED = """
results/1_preprocessing/rna_adata.h5ad
results/1_preprocessing/rna.h5mu
results/1_preprocessing/raw.h5
results/1_preprocessing/raw.hdf5
results/1_preprocessing/raw.h5ad.gz
results/1_preprocessing/model.pickle
results/1_preprocessing/seurat.rds
results/1_preprocessing/matrix.mtx.gz
results/2_integration/arrays.npy
results/2_integration/shared.npz
results/2_integration/matching.pkl
results/2_integration/table.parquet
results/2_integration/deep/er/model.joblib
results/2_integration/deep/er/cells.loom
results/2_integration/deep/er/table.feather
results/2_integration/big.zarr/0.0
results/2_integration/big.zarr/.zattrs
results/1_preprocessing/.lock
results/1_preprocessing/failed.ipynb
results/1_preprocessing/executed.ipynb
results/report.html
results/report.zip
results/1_preprocessing/.commit/params.json
results/1_preprocessing/.staging-1a2b3c4d/params.json
data/rna_counts.h5ad
data/counts.csv
data/cohort/barcodes.tsv.gz
data/cohort/meta.json
notebooks/.ipynb_checkpoints/1_preprocessing-checkpoint.ipynb
notebooks/scratch.h5ad
src/my_project/__pycache__/x.cpython-311.pyc
src/my_project.egg-info/PKG-INFO
.venv/bin/python
.conda/bin/python
.env
.env.local
.ruff_cache/x
.pytest_cache/x
.DS_Store
""".split()


@pytest.fixture
def verdicts(project):
    """Return the paths that git ignores with the project's `.gitignore`."""
    project.git("init", "-q")
    done = subprocess.run(
        ["git", "-C", str(project), "check-ignore", "--no-index", "--stdin"],
        input="\n".join([*KEPT, *IGNORED]),
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    return set(done.stdout.splitlines())


def test_the_table_of_paths(verdicts):
    assert len(KEPT) + len(IGNORED) >= 30
    assert verdicts.intersection(KEPT) == set()
    assert verdicts == set(IGNORED)


def test_git_adds_what_it_should(project):
    """Unlike `git check-ignore`, `git add` also depends on the files and folders that exist."""
    for name in [*KEPT, *IGNORED]:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    project.git("init", "-q")
    project.git("add", ".")
    listed = project.git("ls-files").splitlines()
    assert set(KEPT) <= set(listed)
    assert not set(IGNORED).intersection(listed)
