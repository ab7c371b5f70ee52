"""Each file format returns an object as it was saved, or refuses it."""

import hashlib
import subprocess
import sys
import threading

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from pandas.testing import assert_frame_equal
from project_under_test import TEMPLATE
from round_trip import TABLE, round_trip

from checkpoint import save
from checkpoint.errors import CheckpointFormatError
from checkpoint.formats import FORMATS, choose


def cells(n_cells=6, n_genes=4):
    rng = np.random.default_rng(0)
    adata = ad.AnnData(sp.csr_matrix(rng.poisson(1, (n_cells, n_genes)).astype("float32")))
    adata.obs["n_counts"] = np.arange(n_cells)
    adata.obs["cell_type"] = pd.Categorical(["B", "T"] * (n_cells // 2), categories=["T", "B"])
    adata.layers["counts"] = adata.X.tocsc()
    adata.obsm["X_pca"] = rng.normal(size=(n_cells, 2))
    adata.uns["log1p"] = {"base": 2}
    return adata


def cells_with(**uns):
    adata = cells()
    adata.uns.update(uns)
    return adata


def test_every_format_has_a_suffix_of_its_own():
    assert len({entry.suffix for entry in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize(
    ("obj", "file"),
    [
        (cells(), "x.h5ad"),
        (np.arange(3), "x.npy"),
        (np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), "x.npy"),
        (np.array(["a", 1], dtype=object), "x.pkl"),
        (np.ma.masked_array([1, 2], [True, False]), "x.pkl"),
        (sp.csr_matrix((2, 2)), "x.npz"),
        (sp.coo_array((2, 2)), "x.npz"),
        (sp.lil_matrix((2, 2)), "x.pkl"),
        (TABLE, "x.parquet"),
        (TABLE.rename(columns={"text": 3}), "x.parquet"),
        (TABLE[[]], "x.parquet"),
        (plt.figure(), "x.png"),
        (plt.figure().add_subplot(), "x.png"),
        (pd.Series([1]), "x.pkl"),
        ({"a": {1}}, "x.pkl"),
        (None, "x.pkl"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_type_chooses(obj, file):
    assert choose("x", obj)[0] == file


@pytest.mark.parametrize("key", ["leiden_0.5", "v1.2"])
def test_a_number_is_no_suffix(key):
    assert choose(key, np.arange(2))[0] == f"{key}.npy"


def test_anndata(tmp_path):
    adata = cells()
    adata.raw = adata
    again = round_trip(tmp_path, "rna", adata)
    assert (again.X != adata.X).nnz == 0
    assert again.X.format == "csr" and again.X.dtype == adata.X.dtype
    assert again.layers["counts"].format == "csc"
    assert_frame_equal(again.obs, adata.obs)
    assert_frame_equal(again.var, adata.var)
    np.testing.assert_array_equal(again.obsm["X_pca"], adata.obsm["X_pca"])
    assert again.uns == adata.uns
    assert (again.raw.X != adata.raw.X).nnz == 0


@pytest.mark.parametrize("view", [False, True])
def test_the_anndata_in_memory_stays_as_it_was(tmp_path, view):
    adata = cells()
    adata.obs["sample"] = ["a", "b", "c"] * 2
    adata.var["symbol"] = ["x", "y"] * 2
    adata.raw = adata
    if view:
        adata = adata[:4]
    before = [str(dtype) for dtype in text_dtypes(adata)]
    round_trip(tmp_path, "rna", adata)
    assert adata.is_view is view
    assert [str(dtype) for dtype in text_dtypes(adata)] == before
    assert "category" not in before


def text_dtypes(adata):
    columns = adata.obs["sample"], adata.var["symbol"], adata.raw.var["symbol"]
    return [column.dtype for column in columns]


def test_a_backed_anndata_reads_on_after_it_was_saved(tmp_path):
    cells().write_h5ad(tmp_path / "backed.h5ad")
    backed = ad.read_h5ad(tmp_path / "backed.h5ad", backed="r")
    again = round_trip(tmp_path, "rna", backed)
    assert backed.isbacked
    assert (backed.X[:] != again.X).nnz == 0


def test_a_view_is_no_reason_to_warn(tmp_path):
    told = []
    round_trip(tmp_path, "rna", cells()[:3], told)
    assert told == []


@pytest.mark.parametrize("key", ["rna", "rna.zarr"])
@pytest.mark.parametrize("x", [sp.csr_matrix, np.asarray])
def test_a_view_of_a_backed_anndata_is_no_reason_to_keep_it_twice(tmp_path, x, key):
    adata = cells()
    adata.X = x(adata.X.toarray())
    adata.write_h5ad(tmp_path / "backed.h5ad")
    told = []
    again = round_trip(tmp_path, key, ad.read_h5ad(tmp_path / "backed.h5ad", backed="r")[:3], told)
    assert told == []
    np.testing.assert_array_equal(sp.coo_array(again.X).toarray(), cells().X[:3].toarray())
    np.testing.assert_array_equal(again.obsm["X_pca"], adata.obsm["X_pca"][:3])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st_numpy.arrays(
        st.one_of(
            st_numpy.scalar_dtypes(),
            st_numpy.array_dtypes(max_size=2),
        ),
        st_numpy.array_shapes(min_dims=0, max_side=3),
    )
)
def test_arrays(tmp_path, array):
    again = round_trip(tmp_path, "array", array)
    assert again.dtype == array.dtype
    assert again.shape == array.shape
    assert again.tobytes() == array.tobytes()


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("what", ["matrix", "array"])
def test_sparse(tmp_path, kind, dtype, what):
    dense = np.array([[0, 1], [2, 0], [0, 0]]).astype(dtype)
    matrix = getattr(sp, f"{kind}_{what}")(dense)
    again = round_trip(tmp_path, "sparse", matrix)
    assert type(again) is type(matrix)
    assert again.dtype == matrix.dtype
    np.testing.assert_array_equal(again.toarray(), dense)


@pytest.mark.parametrize(
    ("key", "obj", "said"),
    [
        ("x.npy", TABLE, "this pandas.DataFrame as .npy: it is not a NumPy array"),
        ("x.h5ad", [1], "this list as .h5ad: it is not an AnnData"),
        ("x.csv", np.arange(2), "this numpy.ndarray as .csv: it is not a DataFrame"),
        ("x.npz", np.eye(1), "it is not a SciPy sparse matrix or array"),
        ("x.pdf", TABLE, "it is not a matplotlib Figure"),
        ("x.docx", TABLE, ".docx is not a format"),
    ],
)
def test_a_suffix_that_cannot_hold_it(key, obj, said):
    with pytest.raises(CheckpointFormatError) as raised:
        choose(key, obj)
    assert repr(key) in str(raised.value)
    assert said in str(raised.value)
    assert "It can be saved as 'x." in str(raised.value)


MAKE = """
import sys
sys.path.insert(0, {source!r})
import numpy as np, pandas as pd, anndata as ad, scipy.sparse as sp
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
from pathlib import Path
from checkpoint.formats import choose
figure, axes = plt.subplots()
axes.scatter([1, 2], [3, 4], label="cells"); axes.legend(); axes.set_title("UMAP")
adata = ad.AnnData(sp.eye(3, format="csr", dtype="float32")); adata.obs["t"] = ["a", "b", "a"]
frame = pd.DataFrame({{"a": ["x", None], "b": [1.5, 2]}})
objects = {{"a": adata, "n": np.arange(3), "s": sp.eye(3, format="csr"), "p": frame,
    "c.csv": frame, "j.json": {{"a": 1}}, "o": {{"list": [1, "x"]}},
    "f.png": figure, "f.pdf": figure, "f.svg": figure}}
for key, obj in objects.items():
    file, entry = choose(key, obj)
    entry.write(obj, Path(sys.argv[1], file))
"""


@pytest.mark.slow
def test_the_same_objects_give_the_same_bytes(tmp_path):
    """Time and hash seed must not change files, so that checksums of equal results are equal."""
    digests = []
    for run in ("1", "2"):
        folder = tmp_path / run
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-c", MAKE.format(source=str(TEMPLATE)), str(folder)],
            check=True,
            env={"PYTHONHASHSEED": run, "HOME": str(tmp_path), "PATH": ""},
        )
        files = sorted(folder.iterdir())
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files})
    assert len(digests[0]) == 10
    assert digests[0] == digests[1]


def test_importing_the_package_imports_no_library():
    code = (
        "import sys; before = set(sys.modules); import checkpoint, checkpoint.api;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(new - set(sys.stdlib_module_names) - {'checkpoint'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(TEMPLATE)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("key", ["f.pkl", "f.json"])
def test_a_part_of_a_figure_is_refused_where_it_is_no_picture(key):
    axes = plt.figure().add_subplot()
    with pytest.raises(CheckpointFormatError, match=f"'{key}': cannot save this matplotlib.*Axes"):
        choose(key, axes)


@pytest.mark.parametrize(
    ("key", "obj", "formats"),
    [
        ("l.json", threading.Lock(), None),
        ("l", {"a": threading.Lock()}, None),
        ("l.json", range(3), "'l.pkl'"),
        ("l.npy", {}, "'l.pkl' or 'l.json'"),
        ("a", cells_with(lock=threading.Lock()), None),
    ],
)
def test_the_formats_that_are_named_hold_the_object(project, key, obj, formats):
    with pytest.raises(CheckpointFormatError) as error:
        save("1_preprocessing", {key: obj})
    can = str(error.value).partition(" It can be saved as ")[2]
    assert can == (f"{formats}." if formats else "")
    for name in can.replace("'", "").rstrip(".").split(" or ") if can else []:
        save("1_preprocessing", {name: obj})


VIEWS = {
    "obs": lambda view: view.obs,
    "obsm": lambda view: view.obsm["X_pca"],
    "X": lambda view: view.X,
    "uns": lambda view: view.uns,
    "AnnData": lambda view: view,
}


@pytest.mark.parametrize("key", ["x", "x.pkl", "in a dict"])
@pytest.mark.parametrize("part", VIEWS)
def test_a_view_is_saved_as_what_it_shows(tmp_path, part, key):
    adata = cells(2000)
    adata.obs["donor"] = [f"donor{i}" for i in range(2000)]
    obj = VIEWS[part](adata[:4])
    wrapped = {"view": obj} if key == "in a dict" else obj
    again = round_trip(tmp_path, key, wrapped)
    again = again["view"] if key == "in a dict" else again
    (file,) = tmp_path.iterdir()
    assert b"donor1999" not in file.read_bytes()
    assert file.stat().st_size < 50_000
    assert type(again).__module__.partition(".")[0] != "anndata" or not again.is_view
    expected = VIEWS[part](adata[:4].copy())
    if part == "obs":
        assert type(again) is pd.DataFrame
        assert_frame_equal(again, expected, check_dtype=key == "x.pkl")
    elif part == "uns":
        assert again == {"log1p": {"base": 2}}
    elif part == "AnnData":
        assert list(again.obs_names) == list(expected.obs_names)
    else:
        np.testing.assert_array_equal(
            sp.coo_array(again).toarray(), sp.coo_array(expected).toarray()
        )


def test_a_table_of_a_view_takes_the_format_of_tables():
    assert choose("x", cells()[:3].obs)[0] == "x.parquet"
    assert choose("x.csv", cells()[:3].obs)[0] == "x.csv"


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_a_legend_beside_the_axes_is_in_the_picture(tmp_path, suffix):
    figure, axes = plt.subplots()
    axes.plot([1, 2], label="CD14+ monocytes, classical")
    legend = axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    path = round_trip(tmp_path, f"umap.{suffix}", figure)
    first = path.read_bytes()
    if suffix == "png":
        height, width = plt.imread(path).shape[:2]
        assert height == round(figure.bbox.height)
        assert width > legend.get_window_extent().x1 > figure.bbox.width
    assert round_trip(tmp_path, f"umap.{suffix}", figure).read_bytes() == first
    plt.close(figure)


def test_a_picture_has_the_size_of_its_figure(tmp_path):
    figure, axes = plt.subplots(figsize=(6, 4), dpi=100)
    axes.plot([1, 2], label="cells")
    axes.legend()
    assert plt.imread(round_trip(tmp_path, "x", figure)).shape[:2] == (400, 600)
    plt.close(figure)


def test_what_is_drawn_far_beyond_the_axes_does_not_blow_up_the_picture(tmp_path):
    figure, axes = plt.subplots(figsize=(6, 4), dpi=100)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.text(1e3, 1e3, "a gene beyond the limits")
    assert plt.imread(round_trip(tmp_path, "x", figure)).shape[:2] == (400, 600)
    plt.close(figure)
