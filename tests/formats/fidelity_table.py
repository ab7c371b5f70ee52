"""Objects that people save, each with the key it is saved under and the expected outcome."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from fidelity_anndata import ANNDATA
from fidelity_tables import TABLES
from made import EQUAL, REFUSED, Failed, Units, ragged

# name: (function that makes the object, key, expected outcome)
CASES = {
    **ANNDATA,
    **TABLES,
    # arrays
    "array": (lambda: np.arange(6).reshape(2, 3), "x", EQUAL),
    "array of objects": (lambda: np.array(["a", 1], dtype=object), "x", EQUAL),
    "array of objects as .npy": (lambda: np.array(["a", 1], dtype=object), "x.npy", EQUAL),
    "ragged array as .npy": (ragged, "x.npy", EQUAL),
    "ragged array": (ragged, "x", EQUAL),
    "string dtype": (lambda: np.array(["a"], dtype=np.dtypes.StringDType()), "x", EQUAL),
    "string dtype as .npy": (lambda: np.array(["a"], dtype=np.dtypes.StringDType()), "x.npy", EQUAL),
    "list as .npy": (lambda: [1, 2], "x.npy", REFUSED),
    "masked as .npy": (lambda: np.ma.masked_array([1], [True]), "x.npy", EQUAL),
    "matrix": (lambda: np.asmatrix(np.eye(2)), "x", EQUAL),
    "record array": (lambda: np.rec.array([(1, "a")], dtype=[("a", "i8"), ("b", "U1")]), "x", EQUAL),
    "fortran order": (lambda: np.asfortranarray(np.eye(2)), "x", EQUAL),
    "dtype with metadata": (lambda: np.zeros(1, np.dtype("f8", metadata={"unit": "x"})), "x", EQUAL),
    "dates array": (lambda: np.array(["2020", "NaT"], dtype="datetime64[D]"), "x", EQUAL),
    "sparse": (lambda: sp.eye(2, format="csc", dtype="int8"), "x", EQUAL),
    "sparse array": (lambda: sp.csr_array(sp.eye(2)), "x", EQUAL),
    # other objects
    "set": (lambda: {"a", 1}, "x", EQUAL),
    "series": (lambda: pd.Series([1, 2], name="n"), "x", EQUAL),
    "lambda": (lambda: len.__class__ and (lambda: 0), "x", REFUSED),
    "json tuple": (lambda: {"a": (1, 2)}, "x.json", EQUAL),
    "json int keys": (lambda: {1: 2}, "x.json", EQUAL),
    "json": (lambda: {"a": [1, 2.5, None, "é"]}, "x.json", EQUAL),
    # other objects
    "metadata of a field": (lambda: np.zeros(2, np.dtype([("a", np.dtype("f8", metadata={"unit": "x"}))])), "x", EQUAL),
    "exception": (lambda: {"sample": Failed(404, "gone")}, "x", EQUAL),
    "units": (lambda: Units(np.arange(3.0), "m"), "x", EQUAL),
    "Index": (lambda: pd.MultiIndex.from_tuples([("a", 1)]), "x", EQUAL),
    "masked": (lambda: np.ma.masked_array([1, 2], [True, False]), "x.npy", EQUAL),
    "nan in json": (lambda: {"a": [float("nan"), float("inf")]}, "x.json", EQUAL),
    "matrix of lists": (lambda: sp.lil_matrix(np.eye(2)), "x.npz", EQUAL),
}  # fmt: skip
