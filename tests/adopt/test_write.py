"""`adopt --write`: added template files, results taken over, and the adopted chain that runs."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tomllib

import nbformat
import pytest
from hand_written import SAMPLES, adopt, chain, clone, commit, write_notebook
from project_under_test import ProjectUnderTest, steps_done, tree

from checkpoint.check.check import check
from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project, is_project
from notebook_checkpoints.adopt.template_files import merged_pyproject

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """Return the repository of a project, for cloning."""
    root = chain(tmp_path_factory.mktemp("origin") / "lab-project")
    (root / "scripts" / "factors.R").unlink()  # R may not be installed
    return commit(root)


@pytest.fixture(scope="module")
def with_results(origin, tmp_path_factory):
    """Return a clone in which every step ran and the results were committed."""
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
    """Return a clone without results."""
    return ProjectUnderTest(clone(origin, tmp_path / "lab-project"))


@pytest.fixture
def made(with_results, tmp_path):
    """Return a clone with results."""
    return ProjectUnderTest(clone(with_results, tmp_path / "lab-project"))


def run_by_hand(root, step):
    """Run the code of a notebook in its folder, as its authors do."""
    notebook = nbformat.read(root / "notebooks" / f"{step}.ipynb", 4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    subprocess.run([sys.executable, "-c", code], cwd=root / "notebooks", check=True)


def cells(root, name):
    """Return the sources of the code cells, after validating the notebook."""
    notebook = nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


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
    assert "Not run: notebooks/4_r.ipynb, which asks for the kernel 'ir', is not " in ran.stdout
    # a second `adopt` needs a commit, and then has nothing to write
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
    write_notebook(root / "1_a.ipynb", ['np.save("x.npy", x)'])  # not committed
    before = (root / "1_a.ipynb").read_bytes()
    done = adopt(root, "--write", "all", "--yes", "--no-git")
    assert done.returncode == 0, done.stderr
    assert "The originals are in .checkpoint-adopt/." in done.stdout
    assert "git checkout" not in done.stdout
    assert (root / ".checkpoint-adopt" / "1_a.ipynb").read_bytes() == before
    assert not (root / "1_a.ipynb").exists()
    assert cells(root, "1_a")[1] == 'save("1_a", {"x.npy": np.asanyarray(x)})'
    # the next run keeps newer originals in a second folder
    write_notebook(root / "2_b.ipynb", ["np.load('x.npy')"])
    (root / ".gitignore").write_text("mine\n", encoding="utf-8")
    done = adopt(root, "--write", "2_b", "--yes", "--no-git")
    assert "The originals are in .checkpoint-adopt-2/." in done.stdout
    kept = tree(root / ".checkpoint-adopt-2")
    assert kept[".gitignore"] == b"mine\n"
    assert "2_b.ipynb" in kept
    assert (root / ".checkpoint-adopt" / "1_a.ipynb").read_bytes() == before


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
    """Files matched by a pattern, in a folder or named in a dict must count as inputs, too."""
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
    # later changes are noticed
    (made / "data" / f"{SAMPLES[0]}.csv").write_text("a,b\n0,1\n", encoding="utf-8")
    assert made.states() == dict.fromkeys(steps, "stale")
    # git restores the original project
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
    assert embedding.is_file()  # for readers that are not adopted
    assert made.state("2_integrate") == ("current", [])
    made.commit()
    # the files that 1_qc writes without `save` count as inputs
    npy = made / "results" / "qc" / "donor_1_qc.npy"
    before = npy.read_bytes()
    npy.write_bytes((npy.parent / "donor_2_qc.npy").read_bytes())
    assert made.state("2_integrate")[0] == "stale"
    npy.write_bytes(before)
    # the other steps, adopted later, load from the checkpoints of those before
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
