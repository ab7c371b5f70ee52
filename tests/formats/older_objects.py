"""The objects in `tests/formats/older/`; run this to save them with the installed versions.

python tests/formats/older_objects.py tests/formats/older/<name>
"""

import json
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp


def objects():
    """Return the objects, by the keys under which they are saved."""
    table = pd.DataFrame(
        {
            "text": pd.Series(["007", None, "a,b"], dtype=object),
            "text and nan": pd.Series(["007", np.nan, "NA"], dtype=object),
            "string": pd.array(["a", None, ""], dtype="string"),
            "float": [0.1, np.nan, 1 / 3],
            "int8": np.array([1, 2, 3], dtype="int8"),
            "Int64": pd.array([2**60 + 1, None, 3], dtype="Int64"),
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "category": pd.Categorical(["b", "a", None], ["b", "a", "c"], ordered=True),
            "numbers": pd.Categorical([3, 1, None]),
            "date": np.array(["2020-01-01", "2021-02-03T01:02:03.5", "NaT"], "datetime64[ns]"),
            "span": np.array([1, 2, 3], "timedelta64[ns]"),
            "zone": pd.Series(np.array(["2020-01-01"] * 3, "datetime64[ns]")).dt.tz_localize("UTC"),
        }
    )
    indexed = table.set_index(pd.Index(["x", "y", "z"], name="cell"))
    levels = table[["float"]].set_index(
        pd.MultiIndex.from_arrays([["r", "r", "s"], [1, 2, 1]], names=["kind", None])
    )
    adata = ad.AnnData(sp.csr_matrix(np.arange(12, dtype="float32").reshape(3, 4)))
    adata.obs_names, adata.var_names = list("xyz"), list("abcd")
    adata.obs["text"] = ["u", "v", "u"]
    adata.obs["barcode"] = ["k", "l", "m"]
    adata.obs["category"] = pd.Categorical(["B", "T", "B"], ["T", "B"], ordered=True)
    adata.obs["Int64"] = pd.array([1, None, 3], dtype="Int64")
    adata.layers["counts"] = adata.X.tocsc()
    adata.obsm["X_pca"] = np.eye(3, 2)
    adata.obsp["connectivities"] = sp.eye(3, format="csr")
    adata.uns = {"log1p": {"base": 2.0}, "names": np.array(["a", "b"]), "empty": None}
    adata.uns["table"] = pd.DataFrame({"gene": ["a", "b"]}, index=["r", "s"])
    adata.raw = adata
    return {
        "adata": adata,
        "plain.parquet": table,
        "indexed.parquet": indexed,
        "levels.parquet": levels,
        "plain.csv": table,
        "indexed.csv": indexed,
        "levels.csv": levels,
        "array": np.array([(1, "a")], dtype=[("n", "i8"), ("t", "U1")]),
        "sparse": sp.csr_array(sp.eye(3, format="csr")),
        "mixed": {"table": indexed, "array": np.arange(3), "scalar": np.float64(0.5)},
        "values.json": {"a": [1, 2.5, None, "é"]},
    }


def main(folder: Path) -> None:
    """Save the objects, and in `details.json` what a record would contain about each file."""
    from checkpoint.formats import choose

    folder.mkdir(parents=True)
    details = {}
    for key, obj in objects().items():
        file, entry = choose(key, obj)
        details[file] = {"key": key, "details": entry.write(obj, folder / file)}
    (folder / "details.json").write_text(json.dumps(details, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(Path(sys.argv[1]))
