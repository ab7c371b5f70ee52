"""Notebooks in real kernels: every way they are run, from every folder."""

import json
import shutil
import subprocess

import nbformat
import pytest
from baked import Baked
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

ANALYSIS = {
    "1_one": 'save("1_one", {"n": np.arange(SIZE)}, params={"sizes": {"size": SIZE}})',
    "2_two": 'save("2_two", {"m": previous["n"] * 2})',
}


@pytest.fixture
def chain(bake):
    """Return a project of two notebooks in which something is handed on."""
    baked = bake(pipeline="blank", notebooks="one, two")
    for step, saving in ANALYSIS.items():
        path = baked.path / "notebooks" / f"{step}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[-3].source = "import numpy as np\nSIZE = 3"
        notebook.cells[-3].metadata["tags"] = ["parameters"]
        notebook.cells[-1].source = saving
        nbformat.write(notebook, path)
    return baked


def saved(baked, step):
    return json.loads((baked.path / "results" / step / "params.json").read_text(encoding="utf-8"))


def assert_ran(baked, size=3):
    assert saved(baked, "1_one")["data_shapes"] == {"n": {"shape": [size], "dtype": "int64"}}
    assert saved(baked, "2_two")["data_shapes"]["m"]["shape"] == [size]
    assert list(saved(baked, "2_two")["checkpoint"]["inputs"]) == ["results/1_one"]


def test_a_blank_chain_runs_as_generated(bake):
    baked = bake(pipeline="blank", notebooks="load, qc, typing, report")
    done = baked.command("run")
    assert done.returncode == 0, done.stderr
    assert list(saved(baked, "4_report")["checkpoint"]["inputs"]) == ["results/3_typing"]


@pytest.mark.parametrize("folder", ["notebooks", ".", "results/1_one"])
def test_nbclient_in_any_folder(chain, folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(chain.path / "src"))
    for step in ANALYSIS:
        notebook = nbformat.read(chain.path / "notebooks" / f"{step}.ipynb", as_version=4)
        resources = {"metadata": {"path": str(chain.path / folder)}}
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
    assert saved(chain, "1_one")["sizes"] == {"size": 5}


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
    shutil.copytree(chain.path, copy)
    # the package of the first project, notebooks in the copy
    done = chain.python("-m", "my_project.checkpoint", "run", cwd=copy)
    assert done.returncode == 0, done.stderr
    assert_ran(Baked(copy))
    assert not (chain.path / "results" / "1_one" / "params.json").exists()


def test_the_cells_that_ran_are_recorded(chain):
    from checkpoint.storage.hashes import code_hash

    assert chain.command("run").returncode == 0
    notebook = nbformat.read(chain.path / "notebooks" / "2_two.ipynb", as_version=4)
    hashes = [code_hash(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    assert saved(chain, "2_two")["checkpoint"]["run"]["cells"] == hashes


SCRIPT = """
from my_project.checkpoint import load, save
save("1_one", {"n": [1, 2]})
print(load("1_one")["n"])
"""


def test_a_plain_script(chain):
    done = chain.python("-c", SCRIPT)
    assert done.stdout.splitlines()[-1] == "[1, 2]", done.stderr
    assert "run" not in saved(chain, "1_one")["checkpoint"]


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
    (chain.path / "notebooks" / "app.py").write_text(MARIMO, encoding="utf-8")
    done = chain.python("notebooks/app.py")
    assert done.returncode == 0, done.stderr
    assert "run" not in saved(chain, "1_one")["checkpoint"]


def test_pip_install_then_the_commands_of_the_readme(bake, tmp_path):
    """In an environment of its own, which sees this one's libraries."""
    baked = bake(pipeline="blank", notebooks="one", author_name="Zoë", description='A "test"')
    command = next(baked.install(tmp_path / "env").glob("checkpoint*"))
    for arguments in (["check"], ["run"]):
        done = subprocess.run(
            [command, *arguments], cwd=baked.path / "data", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert saved(baked, "1_one")["checkpoint"]["environment"]["packages"]["numpy"]


def test_pre_commit(bake, tmp_path, monkeypatch):
    """The generated hooks, installed and run by pre-commit itself."""
    baked = bake(pipeline="single-cell")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "hooks"))

    def git(*arguments):
        return subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
            cwd=baked.path,
            capture_output=True,
            text=True,
        )

    git("init", "-q")
    git("add", ".")
    done = baked.python("-m", "pre_commit", "run", "--all-files")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 5
    path = baked.path / "notebooks" / "1_preprocessing.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="x")]
    nbformat.write(notebook, path)
    before = [cell.id for cell in notebook.cells]
    assert baked.python("-m", "pre_commit", "run", "--all-files").returncode == 1
    cleared = nbformat.read(path, as_version=4)
    assert cleared.cells[1].outputs == []
    assert [cell.id for cell in cleared.cells] == before
    (baked.path / "notebooks" / "2_integration.ipynb").write_text("{}")
    git("add", ".")
    failed = baked.python("-m", "pre_commit", "run", "checkpoint-check")
    assert "notebooks/2_integration.ipynb: is nbformat" in failed.stdout
