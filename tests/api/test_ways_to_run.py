"""Notebooks run in real kernels, by different tools and from different folders."""

import shutil
import subprocess

import nbformat
import pytest
from nbclient import NotebookClient
from project_under_test import ProjectUnderTest

pytestmark = pytest.mark.slow

ANALYSIS = {
    "1_one": 'save("1_one", {"n": np.arange(SIZE)}, params={"sizes": {"size": SIZE}})',
    "2_two": 'save("2_two", {"m": previous["n"] * 2})',
}


@pytest.fixture
def chain(bake):
    """Return a project of two notebooks, the second of which uses results of the first."""
    baked = bake(pipeline="blank", notebooks="one, two")
    for step, saving in ANALYSIS.items():
        with baked.edited(step) as notebook:
            notebook.cells[-3].source = "import numpy as np\nSIZE = 3"
            notebook.cells[-3].metadata["tags"] = ["parameters"]
            notebook.cells[-1].source = saving
    return baked


def assert_ran(baked, size=3):
    assert baked.record("1_one")["data_shapes"] == {"n": {"shape": [size], "dtype": "int64"}}
    assert baked.record("2_two")["data_shapes"]["m"]["shape"] == [size]
    assert list(baked.record("2_two")["checkpoint"]["inputs"]) == ["results/1_one"]


def test_a_blank_chain_runs_as_generated(bake):
    baked = bake(pipeline="blank", notebooks="load, qc, typing, report")
    done = baked.command("run")
    assert done.returncode == 0, done.stderr
    assert list(baked.record("4_report")["checkpoint"]["inputs"]) == ["results/3_typing"]


@pytest.mark.parametrize("folder", ["notebooks", ".", "results/1_one"])
def test_nbclient_in_any_folder(chain, folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(chain / "src"))
    for step in ANALYSIS:
        notebook = nbformat.read(chain / "notebooks" / f"{step}.ipynb", as_version=4)
        resources = {"metadata": {"path": str(chain / folder)}}
        NotebookClient(notebook, resources=resources).execute()
    assert_ran(chain)


def test_papermill_from_the_project_root_with_a_parameter(chain, tmp_path):
    for step in ANALYSIS:
        done = chain.python(
            *("-m", "papermill", f"notebooks/{step}.ipynb", str(tmp_path / "out.ipynb")),
            *("-p", "SIZE", "5"),
        )
        assert done.returncode == 0, done.stderr
    assert_ran(chain, size=5)
    assert chain.record("1_one")["sizes"] == {"size": 5}


def test_nbconvert_from_the_project_root(chain, tmp_path):
    for step in ANALYSIS:
        done = chain.python(
            *("-m", "nbconvert", "--execute", "--to", "html", f"notebooks/{step}.ipynb"),
            *("--output-dir", str(tmp_path)),
        )
        assert done.returncode == 0, done.stderr
    assert_ran(chain)
    assert "Loaded from results/1_one/" in (tmp_path / "2_two.html").read_text(encoding="utf-8")


def test_a_copy_of_the_project_uses_its_own_folders(chain, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(chain, copy)
    # runs the first project's package on the notebooks of the copy
    done = chain.python("-m", "my_project.checkpoint", "run", cwd=copy)
    assert done.returncode == 0, done.stderr
    assert_ran(ProjectUnderTest(copy))
    assert not (chain / "results" / "1_one" / "params.json").exists()


def test_the_cells_that_ran_are_recorded(chain):
    from checkpoint.storage.hashes import code_hash

    assert chain.command("run").returncode == 0
    notebook = nbformat.read(chain / "notebooks" / "2_two.ipynb", as_version=4)
    hashes = [code_hash(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    assert chain.record("2_two")["checkpoint"]["run"]["cells"] == hashes


SCRIPT = """
from my_project.checkpoint import load, save
save("1_one", {"n": [1, 2]})
print(load("1_one")["n"])
"""


def test_a_plain_script(chain):
    done = chain.python("-c", SCRIPT)
    assert done.stdout.splitlines()[-1] == "[1, 2]", done.stderr
    assert "run" not in chain.record("1_one")["checkpoint"]


MARIMO = """
import marimo

app = marimo.App()


@app.cell
def _():
    from my_project.checkpoint import load, save

    save("1_one", {"n": [1, 2]})
    print(load("1_one")["n"])
    return


if __name__ == "__main__":
    app.run()
"""


def test_marimo(chain):
    (chain / "notebooks" / "app.py").write_text(MARIMO, encoding="utf-8")
    done = chain.python("notebooks/app.py")
    assert done.returncode == 0, done.stderr
    assert "run" not in chain.record("1_one")["checkpoint"]


def test_pip_install_then_the_commands_of_the_readme(bake, tmp_path):
    """The README's commands must work after installation, from any folder of the project."""
    baked = bake(pipeline="blank", notebooks="one", author_name="Zoë", description='A "test"')
    command = next(baked.install(tmp_path / "env").glob("checkpoint*"))
    for arguments in (["check"], ["run"]):
        done = subprocess.run(
            [command, *arguments], cwd=baked / "data", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert baked.record("1_one")["checkpoint"]["environment"]["packages"]["numpy"]


def test_pre_commit(bake, tmp_path, monkeypatch):
    """The generated hooks pass on a new project, clear outputs and report invalid notebooks."""
    baked = bake(pipeline="single-cell")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "hooks"))
    baked.git("init", "-q")
    baked.git("add", ".")
    done = baked.python("-m", "pre_commit", "run", "--all-files")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 5
    with baked.edited("1_preprocessing") as notebook:
        notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="x")]
    before = [cell.id for cell in notebook.cells]
    assert baked.python("-m", "pre_commit", "run", "--all-files").returncode == 1
    cleared = nbformat.read(baked.notebook("1_preprocessing"), as_version=4)
    assert cleared.cells[1].outputs == []
    assert [cell.id for cell in cleared.cells] == before
    (baked / "notebooks" / "2_integration.ipynb").write_text("{}")
    baked.git("add", ".")
    failed = baked.python("-m", "pre_commit", "run", "checkpoint-check")
    assert "notebooks/2_integration.ipynb: is nbformat" in failed.stdout
