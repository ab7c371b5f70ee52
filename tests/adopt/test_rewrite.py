"""`adopt --write`: how the code of notebooks is rewritten, in memory."""

import ast
from typing import NamedTuple

import nbformat
import pytest
from hand_written import write_notebook

from checkpoint.notebooks.notebook import dumps
from notebook_checkpoints.adopt.rewrite.rewrite import Result, rewrite
from notebook_checkpoints.adopt.scan.chain import chain_of
from notebook_checkpoints.adopt.scan.scan import scan

pytestmark = pytest.mark.slow


class Adopted(NamedTuple):
    """Rewritten notebooks, in memory."""

    result: Result

    def cells(self, step):
        """Return the sources of the code cells, after validating the notebook."""
        (one,) = (one for one in self.result.notebooks if one.step == step)
        content = nbformat.reads(dumps(one.content), as_version=4)
        nbformat.validate(content)
        return [cell.source for cell in content.cells if cell.cell_type == "code"]

    def code(self, step):
        """Return the code of a notebook, after parsing each cell."""
        for source in self.cells(step):
            ast.parse(source)
        return "\n".join(self.cells(step))

    @property
    def left(self):
        """Messages about code that was left unchanged, in all notebooks."""
        return "\n".join(text for one in self.result.notebooks for text in one.left)


def rewritten(root, **sources):
    """Write notebooks of one cell each, and rewrite all notebooks of the project."""
    for name, source in sources.items():
        write_notebook(root / "notebooks" / f"{name.lstrip('_')}.ipynb", [source])
    found = chain_of(scan(root))
    return Adopted(rewrite(root, "lab", found, [one.unit.path for one in found.scanned]))


def test_what_stays_and_why(tmp_path):
    adopted = rewritten(
        tmp_path,
        _1_a='np.save("../r/twice.npy", x)\nnp.save("../r/twice.npy", y)\n'
        'if FULL:\n    np.save("../r/maybe.npy", x)\n'
        'if "z" in dir():\n    z.to_pickle("../r/z.pkl")\n'
        'path = "../r/a.npy" if FULL else "/scratch/a.npy"\nnp.save(path, x)\n'
        'np.save("../data/raw/x.npy", x)\n'
        'for n in range(3):\n    name = LABELS[n]\n    np.save(f"../r/{name}_part.npy", x)\n'
        'plt.savefig("../r/a.png")',
        _2_b='a = np.load("../r/maybe.npy")\nb = pd.read_pickle("../r/z.pkl")\n'
        'c = [np.load(p) for p in glob("../r/*_part.npy")]\nd = np.load("../r/gone.npy")',
    )
    a, b = adopted.code("1_a"), adopted.code("2_b")
    for stays in (
        'np.save("../r/twice.npy", y)',
        "np.save(path, x)",
        'np.save("../data/raw/x.npy", x)',
        'np.save(f"../r/{name}_part.npy", x)',
        'plt.savefig("../r/a.png")',
    ):
        assert stays in a
    assert '    save("1_a/maybe", {"maybe.npy": np.asanyarray(x)})' in a
    assert 'if "z" in dir():\n    save("1_a/z", {"z.pkl": z})' in a
    assert 'a = maybe["maybe"]' in b
    assert 'b = z["z"]' in b
    assert 'glob("../r/*_part.npy")' in b
    assert "# adopt: r/gone.npy is not here, and nothing writes it\n" in b
    for reason in (
        "it is written more than once",
        "it is raw data",
        "depends on how the code runs",
        "is not the variable of its loop",
        "it reads a pattern of files",
    ):
        assert reason in adopted.left


def test_a_notebook_of_windows_that_changes_its_folder(tmp_path):
    (tmp_path / "out" / "qc").mkdir(parents=True)
    (tmp_path / "out" / "qc" / "a.npy").touch()
    adopted = rewritten(
        tmp_path,
        _1_a='OUT = "../out/qc"\r\nfor s in ["a"]:\r\n    é = 1\r\n'
        '    np.save(f"{OUT}/{s}.npy", é)\r\nnp.save("../out/é.npy", 2)\r\n'
        'print("saved ../out/é.npy")',
        _2_b='%cd ..\nx = np.load("out/é.npy")\ny = np.load("out\\\\qc\\\\a.npy")',
    )
    a, b = "\n".join(adopted.cells("1_a")), "\n".join(adopted.cells("2_b"))
    assert 'save(f"1_a/qc_{s}", {"object.npy": np.asanyarray(é)})' in a
    assert 'save("1_a", {"é.npy": np.asanyarray(2)})' in a
    kept = "    # adopt: kept, notebooks/2_b.ipynb reads this file\n    np.save(f"
    assert kept in a.replace("\r", "")
    assert a.count("np.save") == 1
    assert "print" not in a
    assert 'x = previous["é"]' in b
    file = "reads out/qc/a.npy as a file, as it is written by notebooks/1_a.ipynb"
    assert adopted.left == file


def test_files_of_one_name_and_files_that_may_be_missing(tmp_path):
    adopted = rewritten(
        tmp_path,
        _1_a='a.to_csv("../r/a/x.csv")\nb.to_csv("../r/b/x.csv")\nb += 1\n'
        'np.save("../r/c.npy", x)\nb += 1\nnp.save("../r/d.npy", x)\nb += 1\n'
        'np.save("../r/e.npy", x)',
        _2_b='a = pd.read_csv("../r/a/x.csv")\nb = pd.read_csv("../r/b/x.csv")\n'
        'if os.path.exists("../r/c.npy"):\n    c = np.load("../r/c.npy")\n'
        'try:\n    d = np.load("../r/d.npy")\nexcept FileNotFoundError:\n'
        '    d = np.load("../r/e.npy")',
    )
    a, b = adopted.code("1_a"), adopted.code("2_b")
    assert a.count('"x.csv": Path(') == 1
    assert "# adopt: not saved: two files would have the same name\nb.to_csv(" in a
    assert 'a = pd.read_csv(previous.path("x.csv"))\nb = pd.read_csv("../r/b/x.csv")' in b
    for name in "cd":
        assert f'# adopt: kept, notebooks/2_b.ipynb reads this file\nnp.save("../r/{name}.npy"' in a
        assert f"    # adopt: not loaded: the notebook goes on without it\n    {name} = np" in b
    assert '["e"]' in b


def test_names_that_the_notebook_uses_itself(tmp_path):
    adopted = rewritten(
        tmp_path,
        _1_a="from joblib import load\nfrom matplotlib.path import Path\n"
        'previous = load("x.joblib")\nnp.savetxt("../r/a.txt", x)',
        _2_b="from pylab import *\nprevious = 1\nx = np.loadtxt('../r/a.txt')",
    )
    assert adopted.cells("1_a")[0] == "import pathlib\n\nfrom lab import checkpoint"
    assert 'checkpoint.save("1_a", {"a.txt": pathlib.Path("../r/a.txt")})' in adopted.code("1_a")
    assert 'previous_results = checkpoint.load("1_a")' in adopted.code("2_b")
    assert 'x = np.loadtxt(previous_results.path("a.txt"))' in adopted.code("2_b")


def test_a_file_that_two_notebooks_write_stays_in_both(tmp_path):
    adopted = rewritten(
        tmp_path,
        _1_a='np.save("../r/x.npy", x)\nnp.save("../r/y.npy", y)',
        _1_a_v2='np.save("../r/x.npy", x)',
        _2_b='x = np.load("../r/x.npy")\ny = np.load("../r/y.npy")',
    )
    mark = "# adopt: not saved: notebooks/1_a_v2.ipynb writes it, too\n"
    assert f'{mark}np.save("../r/x.npy", x)\n' in adopted.code("1_a")
    assert adopted.cells("1_a_v2")[-1] == 'save("1_a_v2")'
    both = "notebooks/1_a.ipynb and notebooks/1_a_v2.ipynb"
    assert f"reads r/x.npy as a file, as it is written by {both}" in adopted.left
    assert 'x = np.load("../r/x.npy")\ny = previous["y"]' in adopted.code("2_b")


def test_a_loop_over_a_known_list_is_no_other_file(tmp_path):
    adopted = rewritten(
        tmp_path,
        _1_a='for s in ["a", "b"]:\n    np.save(f"../r/{s}.npy", x)\nnp.save("../r/all.npy", x)',
        _2_b='x = np.load("../r/all.npy")\ny = [np.load(f"../r/{n}.npy") for n in ("b", "a")]',
    )
    assert "np.save(" not in adopted.code("1_a")
    assert 'x = previous["all"]\ny = [load(f"1_a/r_{n}")["object"] for n in ("b", "a")]' in (
        adopted.code("2_b")
    )


def test_a_name_that_another_module_may_bind_is_no_path(tmp_path):
    adopted = rewritten(
        tmp_path,
        _1_a='OUT = "../r"\nfrom settings import *\nnp.save(f"{OUT}/x.npy", x)',
        _2_b='from settings import *\nOUT = "../r"\nos.chdir("..")\nnp.save("r/y.npy", x)',
    )
    assert 'np.save(f"{OUT}/x.npy", x)' in adopted.code("1_a")
    assert 'checkpoint.save("2_b", {"y.npy": np.asanyarray(x)})' in adopted.code("2_b")


def test_paths_of_samples_that_have_a_name(tmp_path):
    adopted = rewritten(
        tmp_path,
        _1_a='for n, s in enumerate(S):\n    out = Path("../r") / f"{s}_x.npy"\n'
        "    np.save(out, x)",
        _2_b='def get(sample):\n    path = f"../r/{sample}_x.npy"\n    return np.load(path)',
        _3_c='for s in S:\n    path = f"../r/{s}_x.npy"\n    s = s.lower()\n    np.load(path)',
    )
    assert '    save(f"1_a/{s}_x", {"x.npy": np.asanyarray(x)})' in adopted.code("1_a")
    assert '    return load(f"1_a/{sample}_x")["x"]' in adopted.code("2_b")
    assert "    np.load(path)" in adopted.code("3_c")
    assert "# adopt: kept, notebooks/3_c.ipynb reads this file" in adopted.code("1_a")


H5AD = """import scanpy as sc
adata = sc.read_h5ad("../data/a.h5ad")
adata.write_h5ad("../r/counts.h5ad", compression="gzip")
sc.pp.normalize_total(adata)
adata.write("../r/normal.h5ad")
print("wrote ../r/normal.h5ad")"""


def test_anndata_is_saved_where_it_was_written_and_changed_as_by_writing(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.h5ad").touch()
    adopted = rewritten(
        tmp_path,
        _1_a=H5AD,
        _2_b='a = sc.read_h5ad("../r/counts.h5ad")\n'
        'b = ad.read_h5ad("../r/normal.h5ad", backed="r")',
    )
    a, b = adopted.code("1_a"), adopted.code("2_b")
    assert 'adata = sc.read_h5ad(data_file("a.h5ad"))' in a
    before, after = a.split("sc.pp.normalize_total(adata)")
    assert before.endswith(
        "adata.strings_to_categoricals()  # as write_h5ad does\nif adata.raw is not None:\n"
        "    adata.strings_to_categoricals(adata.raw.var)\n"
        'save("1_a/counts", {"counts.h5ad": adata})\n'
    )
    assert after.strip() == 'save("1_a", {"normal.h5ad": adata})'
    assert 'a = counts["counts"]' in b
    assert 'ad.read_h5ad(a_results.path("normal.h5ad"), backed="r")' in b


@pytest.mark.parametrize(
    "reads",
    [
        'FILES = {"a": "../r/array.npy"}\nnp.load(FILES[k])',
        'def get(path):\n    return np.load(path)\nget("../r/array.npy")',
        'for n in names:\n    np.load(f"../r/{n}.npy")',
        'for f in Path("../r").iterdir():\n    np.load(f)',
        "!cat ../r/array.npy",
        'np.load("../r/array.npy" if FULL else "../r/other.npy")',
    ],
)
def test_a_file_that_may_still_be_read_is_still_written(tmp_path, reads):
    adopted = rewritten(tmp_path, _1_a='np.save("../r/array.npy", x)', _2_b=reads)
    assert 'np.save("../r/array.npy", x)\nsave("1_a", {"array.npy"' in adopted.code("1_a")
    assert reads in "\n".join(adopted.cells("2_b"))


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        ({"_1_a": "x = = 1"}, "is not valid Python"),
        ({"_1_a": "%run other.ipynb"}, "it runs another file with %run"),
        ({"_1_a": "os.chdir(where)"}, "it changes its working directory"),
        ({"_1_a": "if LOCAL:\n    os.chdir('..')"}, "it changes its working directory"),
        ({"_1_a": "x = 1\n%cd .."}, "it changes its working directory"),
        (
            {
                "_1_a": 'np.load("../r/y.npy")\nnp.save("../r/x.npy", x)',
                "_2_b": 'np.load("../r/x.npy")\nnp.save("../r/y.npy", x)',
            },
            "read what the other writes",
        ),
    ],
)
def test_notebooks_that_are_not_rewritten(tmp_path, sources, reason):
    refused = rewritten(tmp_path, **sources).result.refused
    assert reason in refused["notebooks/1_a.ipynb"]


def test_the_folder_and_the_message_of_a_last_writer_go_with_it(tmp_path):
    made = 'os.makedirs("../{}", exist_ok=True)\n'
    last = 'np.save("../out/x.npy", x)\nprint("saved ../out/x.npy")\nplt.savefig("../figs/x.png")'
    adopted = rewritten(
        tmp_path, _1_a=made.format("out") + made.format("figs") + f"x = f()\n{last}"
    )
    code = adopted.code("1_a")
    assert "out" not in code and "saved" not in code
    assert made.format("figs") in code


def test_a_notebook_that_moves_finds_its_files_or_stays(tmp_path):
    (tmp_path / "raw").mkdir(parents=True)
    (tmp_path / "raw" / "a.csv").touch()
    (tmp_path / "helpers.py").touch()
    setup = 'OUT = "out"\nos.makedirs(OUT, exist_ok=True)\nx = pd.read_csv("raw/a.csv")'
    write_notebook(tmp_path / "1 first é.ipynb", [setup, 'x.to_csv(f"{OUT}/b.csv")'])
    write_notebook(tmp_path / "2_helped.ipynb", ["import helpers", 'pd.read_csv("out/b.csv")'])
    draw = 'sc.pl.umap(x, save="_1.png")'
    figdir = 'sc.settings.figdir = "figs"'
    write_notebook(tmp_path / "3_draws.ipynb", [figdir, draw, 'pd.read_csv("raw/a.csv")'])
    write_notebook(tmp_path / "4_draws.ipynb", [draw, 'pd.read_csv("raw/a.csv")'])
    adopted = rewritten(tmp_path)
    moved = adopted.code("1 first é")
    paths = sorted(one.path for one in adopted.result.notebooks)
    assert paths == ["notebooks/1 first é.ipynb", "notebooks/3_draws.ipynb"]
    assert 'sc.settings.figdir = "../figs"' in adopted.code("3_draws")
    assert 'pd.read_csv("../raw/a.csv")' in moved
    assert 'os.makedirs("../out", exist_ok=True)' in moved
    assert 'x.to_csv("../out/b.csv")' in moved
    assert 'save("1 first é", {"b.csv": Path("../out/b.csv")})' in moved
    reason = "it imports helpers, which is in the top folder"
    draws = "`sc.pl.umap(x, save='_1.png')` writes a figure below the notebook's folder"
    assert adopted.result.refused == {
        "2_helped.ipynb": reason,
        "4_draws.ipynb": f"{draws}; set figdir for it",
    }
