"""`adopt --write`: the template's files, rewritten notebooks, results that are taken over."""

import ast
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tomllib
from typing import NamedTuple

import nbformat
import pytest
from hand_written import SAMPLES, adopt, chain, clone, commit, write_notebook
from project_under_test import ProjectUnderTest, steps_done, tree

from checkpoint.check.check import check
from checkpoint.lineage.states import Lineage
from checkpoint.notebooks.notebook import dumps
from checkpoint.project.project import Project, is_project
from notebook_checkpoints.adopt.chain import chain_of
from notebook_checkpoints.adopt.rewrite import Result, rewrite
from notebook_checkpoints.adopt.scan import scan
from notebook_checkpoints.adopt.template_files import merged_pyproject

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """Return the repository of a project, to be cloned."""
    root = chain(tmp_path_factory.mktemp("origin") / "lab-project")
    (root / "scripts" / "factors.R").unlink()  # R may not be here
    return commit(root)


@pytest.fixture(scope="module")
def with_results(origin, tmp_path_factory):
    """Return a clone in which somebody ran everything, and committed the results."""
    root = clone(origin, tmp_path_factory.mktemp("with_results") / "lab-project")
    for name in ("1_qc", "2_integrate", "scores", "3_report"):
        if name == "scores":
            subprocess.run([sys.executable, "scripts/scores.py"], cwd=root, check=True)
        else:
            run_by_hand(root, name)
    ProjectUnderTest(root).commit("results")
    return root


@pytest.fixture
def project(origin, tmp_path):
    """Return a clone."""
    return ProjectUnderTest(clone(origin, tmp_path / "lab-project"))


@pytest.fixture
def made(with_results, tmp_path):
    """Return a clone with results."""
    return ProjectUnderTest(clone(with_results, tmp_path / "lab-project"))


def run_by_hand(root, step):
    """Run the code of a notebook as its people do, in its folder."""
    notebook = nbformat.read(root / "notebooks" / f"{step}.ipynb", 4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    subprocess.run([sys.executable, "-c", code], cwd=root / "notebooks", check=True)


def cells(root, name):
    """Return the sources of a notebook, which has to be valid."""
    notebook = nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


class Adopted(NamedTuple):
    """Notebooks after they were rewritten, in memory."""

    result: Result

    def cells(self, step):
        """Return the sources of a notebook, which has to be valid."""
        (one,) = (one for one in self.result.notebooks if one.step == step)
        content = nbformat.reads(dumps(one.content), as_version=4)
        nbformat.validate(content)
        return [cell.source for cell in content.cells if cell.cell_type == "code"]

    def code(self, step):
        """Return the code of a notebook, each cell of which has to be valid."""
        for source in self.cells(step):
            ast.parse(source)
        return "\n".join(self.cells(step))

    @property
    def left(self):
        """What stayed as it was, in all notebooks."""
        return "\n".join(text for one in self.result.notebooks for text in one.left)


def rewritten(root, **sources):
    """Rewrite all notebooks of a project; sources are those of notebooks of one cell each."""
    for name, source in sources.items():
        write_notebook(root / "notebooks" / f"{name.lstrip('_')}.ipynb", [source])
    found = chain_of(scan(root))
    return Adopted(rewrite(root, "lab", found, [one.unit.path for one in found.scanned]))


def test_the_templates_files_are_added_and_nothing_is_overwritten(project):
    r = {"name": "ir", "display_name": "R", "language": "R"}
    write_notebook(project / "notebooks" / "4_r.ipynb", ["write.csv(1, 'x.csv')"], kernelspec=r)
    project.commit()
    before = tree(project)
    done = adopt(project, "--write", "--yes")
    assert done.returncode == 0, done.stderr
    after = tree(project)
    assert set(before) < set(after)
    assert {name for name in before if before[name] != after[name]} == {".gitignore"}
    assert after[".gitignore"].startswith(before[".gitignore"])
    assert b"*.h5ad\n" in after[".gitignore"]
    package = project / "src" / "lab_project" / "checkpoint"
    assert (package / "api.py").is_file()
    assert "lab_project.checkpoint" in (project / "Snakefile").read_text(encoding="utf-8")
    assert list((project / "notebooks").iterdir()) != []
    assert not [name for name in after if name.startswith("notebooks/") and name not in before]
    states = {
        state.step: (state.state, state.reasons) for state in Lineage(Project(project)).states()
    }
    reason = "notebooks/1_qc.ipynb is not adopted: it neither loads nor saves checkpoints"
    assert states["1_qc"] == ("missing", [reason])
    of_r = reason.replace("1_qc", "4_r")
    assert states["4_r"] == ("missing", [of_r])
    ran = project.command("run")
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, f"Not run: {reason}.")
    assert f"Not run: {of_r}." in ran.stdout
    # a second time there is nothing to do, after a commit
    refused = adopt(project, "--write", "--yes")
    assert refused.returncode == 1
    assert "is not clean" in refused.stderr
    project.commit()
    again = adopt(project, "--write", "--yes")
    assert "Nothing to write." in again.stdout
    assert tree(project) == after


PYPROJECT = """# mine
[project]
name = "lab"   # a comment
version = "1"
requires-python = ">=3.12"
dependencies = ["numpy>=2", "Rich"]

[tool.black]
line-length = 99
"""


@pytest.mark.parametrize(
    ("before", "left"),
    [
        (PYPROJECT, "see that its build includes src/lab"),
        ("[tool.black]\nline-length = 99\n", None),
        ('[tool.poetry]\nname = "x"\n', "does not list its dependencies in [project]"),
        (PYPROJECT.replace("\n", "\r\n"), "see that its build includes src/lab"),
    ],
)
def test_pyproject_is_merged(tmp_path, blank_project, before, left):
    (tmp_path / "pyproject.toml").write_bytes(before.encode())
    ours = blank_project / "pyproject.toml"
    (change,), todo = merged_pyproject(tmp_path, ours, "lab")
    after = change.content.decode()
    for line in before.splitlines():
        assert line in after or "dependencies" in line
    settings = tomllib.loads(after)
    assert settings["tool"]["checkpoint"] == {}
    if "project" in settings:
        dependencies = settings["project"]["dependencies"]
        names = [re.split(r"\W", one)[0].lower() for one in dependencies]
        assert len(set(names)) == len(names)
        assert {"rich", "msgspec", "nbclient"} <= set(names)
        assert "checkpoint" in settings["project"]["scripts"]
    assert (left or "") in "".join(todo)
    (tmp_path / "pyproject.toml").write_bytes(change.content)
    assert is_project(tmp_path)
    assert merged_pyproject(tmp_path, ours, "lab")[0] == []


def test_what_is_refused_changes_nothing(tmp_path):
    root = tmp_path / "lab"
    write_notebook(root / "1_a.ipynb", ["1"])
    outside = adopt(root, "--write", "--yes")
    assert "is not in a git repository" in outside.stderr
    commit(root)
    unknown = adopt(root, "--write", "2_b", "--yes")
    assert "No notebook or script '2_b'; there are 1_a." in unknown.stderr
    asked = adopt(root, "--write")
    assert "pass --yes to confirm" in asked.stderr
    package = adopt(root, "--write", "--yes", "--package", "json")
    assert "would shadow the standard library module" in package.stderr
    (root / "pyproject.toml").write_text("[", encoding="utf-8")
    invalid = adopt(root, "--write", "--yes", "--no-git")
    assert "is not valid TOML" in invalid.stderr
    assert [done.returncode for done in (outside, unknown, asked, package, invalid)] == [1] * 5
    assert sorted(tree(root)) == ["1_a.ipynb", "pyproject.toml"]


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="the administrator may write anywhere",
)
def test_a_folder_that_cannot_be_written(tmp_path):
    root = tmp_path / "lab"
    write_notebook(root / "1_a.ipynb", ["1"])
    root.chmod(0o555)
    done = adopt(root, "--write", "--yes", "--no-git")
    root.chmod(0o755)
    assert "cannot be written" in done.stderr
    assert sorted(tree(root)) == ["1_a.ipynb"]


@pytest.mark.parametrize("in_git", [False, True])
def test_without_a_clean_git_tree_the_originals_are_kept(tmp_path, in_git):
    root = tmp_path / "lab"
    write_notebook(root / "1_a.ipynb", ["np.load('y.npy')"])
    if in_git:
        commit(root)
    write_notebook(root / "1_a.ipynb", ['np.save("x.npy", x)'])  # not in git
    before = (root / "1_a.ipynb").read_bytes()
    done = adopt(root, "--write", "all", "--yes", "--no-git")
    assert done.returncode == 0, done.stderr
    assert "The originals are in .checkpoint-adopt/." in done.stdout
    assert "git checkout" not in done.stdout
    assert (root / ".checkpoint-adopt" / "1_a.ipynb").read_bytes() == before
    assert not (root / "1_a.ipynb").exists()
    assert cells(root, "1_a")[1] == 'save("1_a", {"x.npy": np.asanyarray(x)})'
    # the next time what was edited in between is kept beside them
    write_notebook(root / "2_b.ipynb", ["np.load('x.npy')"])
    (root / ".gitignore").write_text("mine\n", encoding="utf-8")
    done = adopt(root, "--write", "2_b", "--yes", "--no-git")
    assert "The originals are in .checkpoint-adopt-2/." in done.stdout
    kept = tree(root / ".checkpoint-adopt-2")
    assert kept[".gitignore"] == b"mine\n"
    assert "2_b.ipynb" in kept
    assert (root / ".checkpoint-adopt" / "1_a.ipynb").read_bytes() == before


def test_what_stays_and_why(tmp_path):
    adopted = rewritten(
        tmp_path,
        _1_a='np.save("../r/twice.npy", x)\nnp.save("../r/twice.npy", y)\n'
        'if FULL:\n    np.save("../r/maybe.npy", x)\n'
        'if "z" in dir():\n    z.to_pickle("../r/z.pkl")\n'
        'path = "../r/a.npy" if FULL else "/scratch/a.npy"\nnp.save(path, x)\n'
        'np.save("../data/raw.npy", x)\n'
        'for n in range(3):\n    name = LABELS[n]\n    np.save(f"../r/{name}_part.npy", x)\n'
        'plt.savefig("../r/a.png")',
        _2_b='a = np.load("../r/maybe.npy")\nb = pd.read_pickle("../r/z.pkl")\n'
        'c = [np.load(p) for p in glob("../r/*_part.npy")]\nd = np.load("../r/gone.npy")',
    )
    a, b = adopted.code("1_a"), adopted.code("2_b")
    for stays in (
        'np.save("../r/twice.npy", y)',
        "np.save(path, x)",
        'np.save("../data/raw.npy", x)',
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
    assert 'a = pd.read_csv(x.path("x.csv"))\nb = pd.read_csv("../r/b/x.csv")' in b
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


def test_a_notebook_that_saves_nothing_is_accepted_if_it_ran(tmp_path):
    root = tmp_path / "lab"
    make = "x = 1\npickle.dump(x, open('../out/x.pkl', 'wb'))"
    read = "x = pickle.load(open('../out/x.pkl', 'rb'))"
    write_notebook(root / "notebooks" / "1_a.ipynb", ["import pickle", make])
    for step, more in {"2_shown": "x", "3_failed": "x", "4_other": "open('../out/y', 'w')"}.items():
        write_notebook(root / "notebooks" / f"{step}.ipynb", ["import pickle", read, more])
    with ProjectUnderTest(root).edited("3_failed") as notebook:
        notebook.cells[-1].outputs = [nbformat.v4.new_output("error", ename="E", evalue="e")]
    write_notebook(root / "notebooks" / "5_gone.ipynb", ["np.load('../out/gone.npy')"])
    (root / "out").mkdir()
    (root / "out" / "x.pkl").write_bytes(pickle.dumps(1))
    done = adopt(root, "--write", "all", "--yes", "--no-git")
    said = dict(re.findall(r"^results/(\w+): (.+)\.$", done.stdout, re.MULTILINE))
    assert said["2_shown"] == "nothing to take over; accepted, since its notebook has outputs"
    assert "its outputs have an error" in said["3_failed"]
    assert "out/y, does not go into its checkpoint" in said["4_other"]
    assert "it reads out/gone.npy, which is not here" in said["5_gone"]
    states = ProjectUnderTest(root).states()
    assert states == {
        **dict.fromkeys(["1_a", "2_shown"], "current"),
        **dict.fromkeys(["3_failed", "4_other", "5_gone"], "missing"),
    }


def test_what_is_taken_over_is_made_from_all_that_was_read(tmp_path):
    """Also from files that a pattern finds, those in a folder, and those that a list names."""
    root = ProjectUnderTest(tmp_path / "lab")
    reads = "x = [f(p) for p in glob('../data/*.csv')]\nsc.read_10x_mtx('../data/10x/')\n"
    reads += "for name in FILES.values(): f(name)\nFILES = {'a': '../data/listed.txt'}\n"
    write_notebook(root / "notebooks" / "1_a.ipynb", [f"{reads}a.write_zarr('../out/x.zarr')"])
    write_notebook(root / "notebooks" / "2_b.ipynb", ["ad.read_zarr('../out/x.zarr')"])
    files = ["data/a.csv", "data/10x/matrix.mtx", "data/listed.txt", "out/x.zarr/0"]
    for file in map(root.joinpath, files):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1", encoding="utf-8")
    done = adopt(root, "--write", "all", "--yes", "--no-git")
    assert "results/1_a: 1 file taken over and accepted." in done.stdout, done.stderr
    assert (root / "results" / "1_a" / "x.zarr" / "0").read_text(encoding="utf-8") == "1"
    assert root.states() == dict.fromkeys(["1_a", "2_b"], "current")
    for file in map(root.joinpath, files[:3]):
        file.write_text("2", encoding="utf-8")
        assert root.state("1_a")[0] == "stale", file
        file.write_text("1", encoding="utf-8")
        assert root.state("1_a")[0] == "current"
    (root / "data" / "new.csv").touch()
    assert root.state("1_a")[0] == "stale"


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_a_script_in_r_runs_as_a_step(tmp_path):
    root = tmp_path / "lab"
    write_notebook(
        root / "notebooks" / "1_a.ipynb",
        ["import pandas as pd", "pd.DataFrame({'a': [1, 2]}).to_csv('../results/table.csv')"],
    )
    read = "float(pd.read_csv('../results/factors.csv')['x'].sum())"
    write_notebook(root / "notebooks" / "2_b.ipynb", ["import pandas as pd", read])
    (root / "factors.R").write_text(
        'table <- read.csv("results/table.csv", row.names = 1)\n'
        'write.csv(2 * table$a, file.path("results", "factors.csv"))\n',
        encoding="utf-8",
    )
    (root / "results").mkdir()
    done = adopt(root, "--write", "all", "--yes", "--no-git")
    assert done.returncode == 0, done.stderr
    project = ProjectUnderTest(root)
    ran = project.command("run")
    assert steps_done(ran) == ["1_a", "factors", "2_b"], ran.stderr
    assert set(project.states().values()) == {"current"}
    outputs = nbformat.read(project.notebook("2_b"), 4).cells[-2].outputs
    assert outputs[0]["data"]["text/plain"] == "6.0"


def test_from_clone_to_current_by_results_that_are_there(made):
    done = adopt(made, "--write", "all", "--yes")
    assert done.returncode == 0, done.stderr
    assert "results/1_qc: 3 files taken over and accepted." in done.stdout
    steps = ["1_qc", "2_integrate", "scores", "3_report"]
    assert made.states() == dict.fromkeys(steps, "current")
    assert [one.rule for one in check(made)] == ["orphan-results", "orphan-results"]
    (npy,) = (made / "results" / "1_qc" / "donor_1_qc").glob("*.npy")
    source = made / "results" / "qc" / "donor_1_qc.npy"
    assert npy.read_bytes() == source.read_bytes()
    assert not npy.samefile(source)
    assert cells(made, "1_qc")[0].startswith("from lab_project.checkpoint import")
    notebook = nbformat.read(made.notebook("2_integrate"), 4)
    assert len([cell for cell in notebook.cells if cell.get("outputs")]) == 6
    # what changes from now on is noticed
    (made / "data" / f"{SAMPLES[0]}.csv").write_text("a,b\n0,1\n", encoding="utf-8")
    assert made.states() == dict.fromkeys(steps, "stale")
    # and git brings back what was there
    made.git("checkout", ".")
    made.git("clean", "-fdq")
    assert made.git("status", "--short") == ""
    assert "np.save" in made.notebook("1_qc").read_text(encoding="utf-8")


def test_from_clone_to_current_by_running_and_it_computes_the_same(project, with_results):
    done = adopt(project, "--write", "all", "--yes")
    assert done.returncode == 0, done.stderr
    assert "results/1_qc: nothing taken over" in done.stdout
    ran = project.command("run")
    assert steps_done(ran) == ["1_qc", "2_integrate", "scores", "3_report"]
    assert set(project.states().values()) == {"current"}
    parameters = {"SAMPLES": list(SAMPLES), "N_COMPONENTS": 2}
    assert project.record("2_integrate")["parameters"] == parameters
    before = (with_results / "results" / "summary.json").read_text(encoding="utf-8")
    now = project / "results" / "3_report" / "summary.json"
    assert json.loads(now.read_text(encoding="utf-8")) == json.loads(before)
    assert json.loads(before)["cells"] > 40


def test_in_stages_the_rest_of_the_chain_goes_on(made):
    done = adopt(made, "--write", "2_integrate", "--yes")
    assert done.returncode == 0, done.stderr
    for reader in ("notebooks/3_report.ipynb", "scripts/scores.py"):
        assert f"# adopt: kept, {reader} reads this file" in "\n".join(cells(made, "2_integrate"))
    assert made.state("2_integrate")[0] == "current"
    assert "is not adopted" in made.state("3_report")[1][0]
    embedding = made / "results" / "embedding.npy"
    embedding.unlink()
    assert steps_done(made.command("run", "--all", "2_integrate")) == ["2_integrate"]
    assert embedding.is_file()  # for those that are not adopted
    assert made.state("2_integrate") == ("current", [])
    made.commit()
    # it read what 1_qc writes as files, and knows when they change
    npy = made / "results" / "qc" / "donor_1_qc.npy"
    before = npy.read_bytes()
    npy.write_bytes((npy.parent / "donor_2_qc.npy").read_bytes())
    assert made.state("2_integrate")[0] == "stale"
    npy.write_bytes(before)
    # the rest follows, and loads from what was adopted before
    done = adopt(made, "--write", "3_report", "--write", "scripts/scores.py", "--yes")
    assert done.returncode == 0, done.stderr
    report = "\n".join(cells(made, "3_report"))
    assert 'load("2_integrate/joint")' in report
    assert '["joint.npy"]' in report
    assert 'load("scores")' in report
    scores = (made / "scripts" / "scores.py").read_text(encoding="utf-8")
    assert 'np.load("results/2_integrate/embedding/embedding.npy")' in scores
    assert made.state("3_report")[0] == "current"


def test_a_generated_project_is_adopted_already(blank_project, tmp_path):
    root = tmp_path / "my_project"
    shutil.copytree(blank_project, root)
    done = adopt(root)
    assert done.returncode == 0, done.stderr
    assert "(adopted)" in done.stdout
    written = adopt(root, "--write", "all", "--yes", "--no-git")
    assert "Nothing to write." in written.stdout
