"""MuData, saved as `.h5mu` and within other objects."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from checkpoint import load, save
from checkpoint.errors import CheckpointError, CheckpointFormatError

mudata = pytest.importorskip("mudata")
pytestmark = pytest.mark.filterwarnings("ignore")
STEP = "1_preprocessing"


def cells(prefix="g", **uns):
    adata = ad.AnnData(np.arange(12.0).reshape(4, 3))
    adata.var_names = [f"{prefix}{i}" for i in range(3)]
    adata.obs["kind"] = list("abab")
    adata.uns.update(uns)
    return adata


def modalities(**uns):
    mdata = mudata.MuData({"rna": cells(pair=(1, 2)), "prot": cells("p", none=None)})
    mdata.obs["batch"] = [pd.Timestamp("2020"), "x", None, 3]
    mdata.uns.update(uns)
    return mdata


def nested():
    return mudata.MuData({"both": modalities(), "atac": cells("a")})


def assert_same(again, saved):
    assert type(again) is type(saved)
    assert again.shape == saved.shape
    assert list(again.mod) == list(saved.mod)
    assert again.axis == saved.axis
    assert list(again.obs.astype(object).stack()) == list(saved.obs.astype(object).stack())
    assert list(again.obs_names) == list(saved.obs_names)
    for name, adata in saved.mod.items():
        if isinstance(adata, mudata.MuData):
            assert_same(again[name], adata)
            continue
        np.testing.assert_array_equal(again[name].X, adata.X)
        assert dict(again[name].uns) == dict(adata.uns)
        assert list(again[name].obs["kind"]) == list(adata.obs["kind"])


OBJECTS = {
    "whole": lambda: modalities(tuple=(1, "a")),
    "view": lambda: modalities()[:2],
    "nested": nested,
    "view of nested": lambda: nested()[:2],
    "modality with a slash": lambda: mudata.MuData({"a/b": cells(), "prot": cells("p")}),
    "joined by genes": lambda: mudata.MuData({"a": cells(), "b": cells()}, axis=1),
}


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("kind", OBJECTS)
def test_it_comes_back_alone_and_within_others(project, kind):
    saved = OBJECTS[kind]()
    save(STEP, {"m": saved, "p.pkl": saved, "dict": {"m": [saved]}, "uns": cells(m=saved)})
    previous = load(STEP)
    suffix = ".pkl" if "nested" in kind or "slash" in kind else ".h5mu"
    assert previous.path("m").name == f"m{suffix}"
    uns = previous["uns"].uns["m"]
    for again in (previous["m"], previous["p"], previous["dict"]["m"][0], uns):
        assert_same(again, saved)
    assert previous["m"].uns.get("tuple") == saved.uns.get("tuple")


def test_others_read_the_file(project):
    save(STEP, {"m": modalities(tuple=(1, "a"))})
    plain = mudata.read_h5mu(load(STEP).path("m"))
    assert list(plain.mod) == ["rna", "prot"]
    assert list(plain["rna"].uns["pair"]) == [1, 2]


def test_a_nested_one_is_refused_as_a_file_before_anything_is_written(project):
    save(STEP, {"before": 1})
    with pytest.raises(CheckpointFormatError, match=r"a MuData as its modality 'both'.*'m\.pkl'"):
        save(STEP, {"m.h5mu": nested()})
    assert dict(load(STEP)) == {"before": 1}


@pytest.mark.parametrize("key", ["m", "m.pkl", "within"])
@pytest.mark.parametrize("part", ["whole", "view"])
def test_a_backed_one_is_read_from_its_file(project, tmp_path, key, part):
    """The checkpoint must not need the file that backed the object."""
    plain = mudata.MuData({"rna": cells(), "prot": cells("p")})
    plain.write_h5mu(tmp_path / "raw.h5mu")
    plain["rna"].write_h5ad(tmp_path / "raw.h5ad")
    shown = slice(None) if part == "whole" else slice(2)
    backed = mudata.read_h5mu(tmp_path / "raw.h5mu", backed="r")
    rna = ad.read_h5ad(tmp_path / "raw.h5ad", backed="r")
    mdata, adata = (one if part == "whole" else one[shown] for one in (backed, rna))
    save(STEP, {key: cells(m=mdata, a=[adata]) if key == "within" else mdata})
    backed.file.close()
    rna.file.close()
    for path in tmp_path.glob("raw.*"):
        path.unlink()
    again = load(STEP)[key]
    found = again.uns["m"] if key == "within" else again
    assert_same(found, plain[shown].copy())
    assert not found.isbacked
    if key == "within":
        np.testing.assert_array_equal(again.uns["a"][0].X, plain["rna"].X[shown])


def test_a_disk_without_room(project):
    """The size of all modalities is known before anything is written."""
    save(STEP, {"x": 1})
    mdata = modalities()
    mdata["prot"].obsm["huge"] = np.broadcast_to(np.zeros(1, "u1"), (4, 10**15))
    with pytest.raises(CheckpointError, match="Not enough room on the disk") as error:
        save(STEP, {"atlas": mdata})
    assert error.value.expected >= 4 * 10**15
    assert load(STEP)["x"] == 1
