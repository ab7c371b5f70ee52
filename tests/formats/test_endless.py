"""Lists and dicts that contain themselves must neither crash nor block a save."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from checkpoint import load, save

pytestmark = pytest.mark.versions
STEP = "1_preprocessing"


def a_list():
    endless = [1]
    endless.append(endless)
    return endless


def a_dict():
    endless = {"a": 1}
    endless["me"] = endless
    return endless


@pytest.mark.parametrize("make", [a_list, a_dict])
@pytest.mark.parametrize("key", ["x", "x.csv"])
def test_a_column(make, key, project, capsys):
    save(STEP, {key: pd.DataFrame({"a": [make(), make()], "b": [1, 2]})})
    assert "load restores it from x.rest.pkl" in capsys.readouterr().out
    again = load(STEP)[key]
    assert repr(again["a"].tolist()) == repr([make(), make()])
    assert again["a"][0] is again["a"][0][1 if make is a_list else "me"]
    assert again["b"].tolist() == [1, 2]


@pytest.mark.parametrize("make", [a_list, a_dict])
@pytest.mark.parametrize("slot", ["uns", "obs"])
def test_in_an_anndata(make, slot, project, capsys):
    adata = ad.AnnData(np.eye(2, dtype="float32"))
    getattr(adata, slot)["x"] = (
        pd.Series([make()] * 2, adata.obs_names) if slot == "obs" else make()
    )
    save(STEP, {"a": adata})
    assert "load restores it from a.rest.pkl" in capsys.readouterr().out
    again = load(STEP)["a"]
    found = again.obs["x"].iloc[0] if slot == "obs" else again.uns["x"]
    inner = found[1 if make is a_list else "me"]
    assert repr(inner) == repr(make()) and len(found) == 2
    np.testing.assert_array_equal(again.X, adata.X)
