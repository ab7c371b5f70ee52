"""The single-cell example, run as users run it."""

import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from project_under_test import ONE, REAL_DATA, THREE, TWO, generate

pytestmark = pytest.mark.slow

FIGURES = {"umap", "matching_score", "marker_agreement", "confusion_matrix"}


def run(baked):
    done = baked.command("run")
    assert done.returncode == 0, done.stderr
    return baked


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return run(generate(tmp_path_factory.mktemp("example")))


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if not REAL_DATA.is_dir():
        pytest.skip("the real data set is not here")
    baked = generate(tmp_path_factory.mktemp("real"))
    for path in REAL_DATA.glob("*.h5ad"):
        shutil.copy(path, baked / "data")
    return run(baked)


def check_results(baked):
    """Check that the saved results have the documented files and are consistent."""
    results = baked / "results"
    rna = ad.read_h5ad(results / "1_preprocessing" / "rna_adata.h5ad")
    protein = ad.read_h5ad(results / "1_preprocessing" / "protein_adata.h5ad")
    table = pd.read_csv(results / "2_integration" / "matching.csv")
    matching = pd.read_pickle(results / "2_integration" / "matching.pkl")
    joint = np.load(results / "2_integration" / "arrays.npy")
    assert list(table.columns) == ["rna_cell", "protein_cell", "score"]
    assert len(table) == min(rna.n_obs, protein.n_obs)
    assert table["rna_cell"].is_unique and table["protein_cell"].is_unique
    assert list(rna.obs_names[matching["rna_index"]]) == list(table["rna_cell"])
    assert list(protein.obs_names[matching["protein_index"]]) == list(table["protein_cell"])
    assert joint.shape[0] == rna.n_obs + protein.n_obs
    figures = results / "3_visualization" / "figures"
    names = {f"{name}.{suffix}" for name in FIGURES for suffix in ("png", "pdf")}
    assert {path.name for path in figures.iterdir()} == names
    filtering = baked.record("1_preprocessing")["filtering_params"]
    assert {"min_counts", "max_counts", "min_genes"} <= set(filtering)
    assert rna.obs["total_counts"].between(filtering["min_counts"], filtering["max_counts"]).all()


def check_notebooks(baked):
    """Check that the executed notebooks have no output on stderr."""
    assert [baked.outputs_on_stderr(step) for step in (ONE, TWO, THREE)] == [[], [], []]


def test_it_runs_as_generated(example):
    check_notebooks(example)
    check_results(example)


def test_it_beats_chance_where_the_truth_is_known(example):
    accuracy = example.record("2_integration")["accuracy"]
    assert accuracy["foscttm"] < 0.15 < accuracy["foscttm_chance"]
    assert accuracy["label_transfer"] > 0.7 > 3 * accuracy["label_transfer_chance"]


def test_the_record_names_what_it_was_made_from(example):
    first, second, third = (
        example.record(step)["checkpoint"]
        for step in ("1_preprocessing", "2_integration", "3_visualization")
    )
    assert list(first["inputs"]) == ["data/protein_counts.h5ad", "data/rna_counts.h5ad"]
    assert list(second["inputs"]) == ["results/1_preprocessing"]
    assert list(third["inputs"]) == ["results/1_preprocessing", "results/2_integration"]
    assert first["environment"]["packages"]["scanpy"]
    assert len(first["run"]["cells"]) > 5


def test_the_layout_still_holds(example):
    for verb in ("status", "check"):
        done = example.command(verb)
        assert done.returncode == 0, done.stdout


def test_the_data_are_what_the_script_makes(example, tmp_path):
    done = example.python("scripts/simulate_citeseq.py", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    for name in ("rna_counts.h5ad", "protein_counts.h5ad"):
        again, shipped = ad.read_h5ad(tmp_path / name), ad.read_h5ad(example / "data" / name)
        assert (again.X != shipped.X).nnz == 0
        assert again.obs.equals(shipped.obs)
        assert list(again.var_names) == list(shipped.var_names)
    refused = example.python("scripts/simulate_citeseq.py")
    assert refused.returncode != 0
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_000_000


def test_a_clone_has_no_data_and_the_error_says_how_to_make_them(bake):
    baked = bake(pipeline="single-cell")
    path = baked / "data" / "rna_counts.h5ad"
    path.unlink()
    code = "from my_project.checkpoint import data_file; data_file('rna_counts.h5ad')"
    done = baked.python("-c", code)
    assert f"Put it at {path}, or make it with `python scripts/simulate_citeseq.py`" in done.stderr


def test_the_true_pairing_is_not_in_the_order_of_the_rows(example):
    rna, protein = (
        ad.read_h5ad(example / "data" / f"{name}_counts.h5ad") for name in ("rna", "protein")
    )
    assert set(rna.obs_names) == set(protein.obs_names)
    assert not (rna.obs_names == protein.obs_names).any()


def test_it_runs_on_real_data_unedited(real):
    check_notebooks(real)
    check_results(real)


def test_it_beats_chance_on_real_data(real):
    accuracy = real.record("2_integration")["accuracy"]
    assert accuracy["foscttm"] < 0.2
    assert "label_transfer" not in accuracy  # the real data have no cell type labels
