"""Files saved with older versions of pandas and anndata can be read, and are equal."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from older_objects import objects
from pandas.api.types import infer_dtype
from pandas.testing import assert_frame_equal

from checkpoint.formats import format_of

FOLDERS = sorted(path for path in (Path(__file__).parent / "older").iterdir() if path.is_dir())
SAVED = [
    pytest.param(folder, file, entry, id=f"{folder.name}-{file}")
    for folder in FOLDERS
    for file, entry in json.loads((folder / "details.json").read_text(encoding="utf-8")).items()
]


@pytest.mark.parametrize(("folder", "file", "entry"), SAVED)
def test_it_comes_back(folder, file, entry):
    again = format_of(file).read(folder / file, entry["details"])
    assert_same(again, objects()[entry["key"]])


def test_there_is_one_of_each_format_that_is_read_back():
    for folder in FOLDERS:
        suffixes = {path.suffix for path in folder.iterdir()}
        assert suffixes >= {".h5ad", ".parquet", ".csv", ".npy", ".npz", ".pkl", ".json"}


def assert_same(again, saved):
    assert type(again) is type(saved)
    if isinstance(saved, ad.AnnData):
        for slot in ("layers", "obsm", "varm", "obsp", "varp", "uns"):
            assert_same(dict(getattr(again, slot)), dict(getattr(saved, slot)))
        for slot in ("X", "obs", "var"):
            assert_same(getattr(again, slot), getattr(saved, slot))
        assert_same(again.raw.X, saved.raw.X)
        assert_same(again.raw.var, saved.raw.var)
    elif isinstance(saved, pd.DataFrame):
        assert ordered(again) == ordered(saved)
        assert_frame_equal(text_as_objects(again), text_as_objects(saved), check_freq=False)
    elif sp.issparse(saved):
        assert (again.dtype, again.format) == (saved.dtype, saved.format)
        np.testing.assert_array_equal(again.toarray(), saved.toarray())
    elif isinstance(saved, np.ndarray):
        assert again.tolist() == saved.tolist()
        assert again.dtype == saved.dtype or saved.dtype.kind == "U"
    elif isinstance(saved, dict):
        assert again.keys() == saved.keys()
        for key, value in saved.items():
            assert_same(again[key], value)
    else:
        assert again == saved


def text_as_objects(frame):
    """Return a table with text as dtype object, since pandas 3 has another dtype for text."""
    frame = frame.copy()
    for name in frame.columns:
        if infer_dtype(frame[name].astype(object), skipna=True) == "string":
            texts = [text if isinstance(text, str) else None for text in frame[name]]
            frame[name] = pd.Series(texts, dtype=object, index=frame.index)
    if frame.index.nlevels == 1:
        frame.index = frame.index.astype(object)
    else:
        levels = [level.astype(object) for level in frame.index.levels]
        frame.index = frame.index.set_levels(levels)
    frame.columns = frame.columns.astype(object)
    return frame


def ordered(frame):
    """Return the categories of each ordered categorical column, by column name."""
    return {
        name: list(frame[name].cat.categories)
        for name, dtype in frame.dtypes.items()
        if isinstance(dtype, pd.CategoricalDtype) and dtype.ordered
    }
