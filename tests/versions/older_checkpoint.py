"""Save objects of every format in one environment, then load and compare them in another.

    python tests/versions/older_checkpoint.py save FOLDER
    python tests/versions/older_checkpoint.py compare FOLDER

FOLDER becomes a small project. The comparison builds the objects again, so that loaded objects are
compared with objects made by the same library versions.
"""

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from checkpoint import load, save

TEXT = "text"  # a text column of `obs`, which .h5ad stores as categories
STEP = "1_made_before"
LIBRARIES = ("anndata", "h5py", "numpy", "pandas", "pyarrow", "scipy")


def table() -> pd.DataFrame:
    days = np.array(["2020-01-01", "2021-02-03T01:02:03.5", "NaT"], dtype="datetime64[ns]")
    return pd.DataFrame(
        {
            "text": ["007", "", 'é, "quoted"\nline'],
            "text with missing": ["a", None, "NA"],
            "float": [0.1, np.nan, 1 / 3],
            "float32": np.array([0.1, 0.2, 1e-30], dtype="float32"),
            "int8": np.array([1, 2, 3], dtype="int8"),
            "uint64": np.array([1, 2**63, 3], dtype="uint64"),
            "bool": [True, False, True],
            "Int64": pd.array([2**60 + 1, None, 3], dtype="Int64"),
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "string": pd.array(["a", None, "c"], dtype="string"),
            "category": pd.Categorical(["b", None, "b"], categories=["b", "a", "c"], ordered=True),
            "numbers": pd.Categorical([3, 1, None]),
            "date": days,
            "zone": pd.Series(days).dt.tz_localize("Europe/Paris"),
            "span": np.array([1, 90, "NaT"], dtype="timedelta64[ns]"),
        }
    )


def cells() -> ad.AnnData:
    names = [f"cell_{number}" for number in range(6)]
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(["T", "B", None] * 2, categories=["T", "B", "NK"]),
            "sample": pd.Categorical(["a", "b"] * 3),
            TEXT: ["x", None, "NA"] * 2,
            "n_counts": np.arange(6),
            "score": [0.5, np.nan] * 3,
            "doublet": [True, False] * 3,
            "Int64": pd.array([1, None, 3] * 2, dtype="Int64"),
            "boolean": pd.array([True, None, False] * 2, dtype="boolean"),
        },
        index=names,
    )
    counts = np.arange(24, dtype="float32").reshape(6, 4) % 5
    adata = ad.AnnData(sp.csr_matrix(counts), obs=obs)
    adata.var_names = ["CD3", "CD19", "CD8", "é"]
    adata.var["highly_variable"] = [True, False, True, False]
    adata.raw = adata.copy()
    adata.layers["counts"] = sp.csc_matrix(counts)
    adata.layers["dense"] = counts
    adata.obsm["X_pca"] = counts[:, :2].astype("float64")
    adata.obsm["scores"] = pd.DataFrame({"a": np.arange(6.0)}, index=names)
    adata.obsp["distances"] = sp.csr_matrix(np.eye(6))
    adata.uns["neighbors"] = {"params": {"n_neighbors": 15, "method": "umap"}}
    adata.uns["names"] = np.array(["a", "b"], dtype=object)
    return adata


def objects() -> dict[str, object]:
    numbers, text = table(), table().set_index(pd.Index(["x", "NA", "z"], name="cell"))
    days = pd.DatetimeIndex(np.array(["2020-01-01", "2020-01-02", "2021-01-01"], "datetime64[ns]"))
    tables = {
        "numbered": numbers,
        "named rows": text,
        "days": numbers[["float"]].set_index(days),
        "levels": numbers.set_index(["int8", "text"]),
        "no rows": numbers[["float", "int8"]].iloc[:0],
    }
    records = np.array([(1, 2.5, "é")], dtype=[("a", "i4"), ("b", "f8"), ("c", "U2")])
    values = {"list": [1, 2.5, None, True, "é"], "dict": {"a": {"b": []}}, "big": 2**80}
    return {
        "cells.h5ad": cells(),
        **{f"{name}.csv": frame for name, frame in tables.items()},
        **{f"{name}.parquet": frame for name, frame in tables.items()},
        "array.npy": np.arange(6, dtype=">i4").reshape(2, 3),
        "text.npy": np.array(["a", "é"]),
        "days.npy": np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"),
        "records.npy": records,
        "csr.npz": sp.csr_matrix(np.eye(3, dtype="float32")),
        "coo.npz": sp.coo_array(np.eye(3, dtype="int64")),
        "values.json": values,
        "plain.pkl": {**values, "bytes": b"\0", "tuple": (1, {2, 3}), "complex": 1j},
        "array.pkl": {"array": np.arange(3.0), "scalar": np.float32(0.1)},
        "table.pkl": numbers[["float", "int8", "text"]],
        "series.pkl": pd.Series([1.5, None], index=["a", "b"], name="series"),
    }


def plain(value: object) -> object:
    """Return the content of an object as lists and dicts, with one dtype for text."""
    if isinstance(value, ad.AnnData):
        parts = ("X", "obs", "var", "layers", "obsm", "obsp", "uns")
        shown = {part: plain(getattr(value, part)) for part in parts}
        shown["obs"] = plain(value.obs.astype({TEXT: object}))
        return shown if value.raw is None else {**shown, "raw": plain(value.raw.to_adata())}
    if isinstance(value, pd.DataFrame):
        columns = [(plain(name), plain(value[name])) for name in value.columns]
        return {"index": plain(value.index), "columns": columns}
    if isinstance(value, pd.MultiIndex):
        return [plain(value.get_level_values(level)) for level in range(value.nlevels)]
    if isinstance(value, pd.Series):
        return {"name": value.name, "index": plain(value.index), "values": plain(value.array)}
    if isinstance(value, pd.Index):
        return {"name": value.name, "values": plain(value.array)}
    if isinstance(value, pd.Categorical):
        categories = plain(value.categories.array)
        return {"codes": plain(value.codes), "categories": categories, "ordered": value.ordered}
    if isinstance(value, pd.api.extensions.ExtensionArray):
        items = [None if pd.isna(item) else plain(item) for item in value]
        kind = "text" if is_text(value) else str(value.dtype)
        return {"dtype": kind, "values": items}
    if sp.issparse(value):
        return {"type": type(value).__name__, "values": plain(value.toarray())}
    if isinstance(value, np.ndarray):
        items = [plain(item) for item in value.ravel().tolist()]
        kind = "text" if value.dtype.kind in "OT" else value.dtype.str
        return {"dtype": kind, "shape": value.shape, "values": items}
    if hasattr(value, "items"):
        # anndata 0.13 lists X among the layers, under None
        return {name: plain(item) for name, item in value.items() if name is not None}
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(plain, value)]
    return [type(value).__name__, repr(value)]


def is_text(array: pd.api.extensions.ExtensionArray) -> bool:
    """Return whether an array has a text dtype: `object` before pandas 3, `str` since."""
    return str(array.dtype) in ("object", "str")


def difference(expected: Any, loaded: Any, where: str = "") -> str | None:
    """Describe the first difference between two values that `plain` returned; None if equal."""
    if isinstance(expected, list | tuple) and type(loaded) is type(expected):
        expected, loaded = dict(enumerate(expected)), dict(enumerate(loaded))
    if isinstance(expected, dict) and isinstance(loaded, dict):
        if expected.keys() == loaded.keys():
            inner = (difference(expected[key], loaded[key], f"{where}[{key!r}]") for key in loaded)
            return next(filter(None, inner), None)
        expected, loaded = list(expected), list(loaded)
    return None if expected == loaded else f"{where}: expected {expected}, got {loaded}"


def in_project(folder: Path) -> None:
    """Make `folder` a project and change into it."""
    notebook = folder / "notebooks" / f"{STEP}.ipynb"
    notebook.parent.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("[tool.checkpoint]\n", encoding="utf-8")
    notebook.write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n', encoding="utf-8"
    )
    os.chdir(folder)


def compare(folder: Path) -> int:
    """Print each loaded object that differs, and return their number."""
    loaded = load(STEP)
    different = 0
    for key, expected in objects().items():
        try:
            problem = difference(plain(expected), plain(loaded[key]))
        except Exception as error:  # still compare the other objects
            problem = f": {error!r}"
        if problem:
            different += 1
            print(f"{key}{problem}")
    return different


def main() -> int:
    verb, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    print(f"{verb} with Python {sys.version.split()[0]}, {libraries}")
    in_project(folder)
    if verb == "save":
        save(STEP, objects(), params={"made_with": libraries})
        return 0
    different = compare(folder)
    print(f"{len(objects()) - different} objects are equal, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
