"""Results go to the right project when papermill, nbconvert or an autograder runs a notebook."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from project_under_test import generate, git

pytestmark = pytest.mark.slow

ONE, TWO = "1_one", "2_two"
CELLS = (
    'from my_project.checkpoint import load, save\nprevious = load("1_one")',
    'save("2_two", {"x": previous["x"] + " and a student"})',
)


@pytest.fixture
def teacher(bake):
    """Return a project with results, and a notebook that loads and saves."""
    baked = bake(pipeline="blank", notebooks="one, two")
    code = f"from my_project.checkpoint import save\nfor step in {(ONE, TWO)}: "
    assert baked.python("-c", code + "save(step, {'x': 'a teacher'})").returncode == 0
    path = baked / "notebooks" / f"{TWO}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(notebook, path)
    return baked


@pytest.fixture(params=["in no project", "in another project"])
def elsewhere(request, tmp_path):
    """Return a folder that is not the teacher's project."""
    if request.param == "in another project":
        return generate(tmp_path, project_name="Other", pipeline="blank") / "notebooks"
    folder = tmp_path / "autograded" / "bob" / "ps1"
    folder.mkdir(parents=True)
    return folder


def execute(teacher, tool, folder, out, **variables):
    """Run the teacher's notebook as a tool does, with `folder` as working directory."""
    source = teacher / "notebooks" / f"{TWO}.ipynb"
    target = out / "out.ipynb"
    if tool == "papermill":
        command = ["-m", "papermill", "--cwd", str(folder), str(source), str(target)]
    elif tool == "nbconvert":  # runs in the notebook's folder
        shutil.copy(source, folder / "copy.ipynb")
        command = ["-m", "nbconvert", "--execute", "--to", "notebook", str(folder / "copy.ipynb")]
        command += ["--output", str(target)]
    else:  # as nbgrader's `autograde`: nbconvert's preprocessor in the submission's folder
        code = (
            "import nbformat, sys\n"
            "from nbconvert.preprocessors import ExecutePreprocessor\n"
            "notebook = nbformat.read(sys.argv[1], as_version=4)\n"
            "resources = {'metadata': {'path': sys.argv[3]}}\n"
            "ExecutePreprocessor(allow_errors=True).preprocess(notebook, resources)\n"
            "nbformat.write(notebook, sys.argv[2])\n"
        )
        command = ["-c", code, str(source), str(target), str(folder)]
    return subprocess.run(
        [sys.executable, *command],
        cwd=out,
        env={**teacher.environment(), **variables},
        capture_output=True,
        text=True,
    )


def outputs(path):
    """Return the text outputs and the error messages of a notebook's cells."""
    cells = nbformat.read(path, as_version=4).cells
    found = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(
        output.get("text") or output.get("evalue") or output.data["text/plain"] for output in found
    )


def results(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", ".gitkeep")
    }


@pytest.mark.parametrize("tool", ["papermill", "nbconvert", "autograde"])
def test_elsewhere_it_loads_and_does_not_save(teacher, tool, elsewhere, tmp_path):
    before = results(teacher / "results")
    done = execute(teacher, tool, elsewhere, tmp_path)
    said = done.stderr if tool == "nbconvert" else outputs(tmp_path / "out.ipynb")
    assert f"this would replace {teacher / 'results' / TWO}" in said.replace("\n", "")
    if tool != "nbconvert":
        assert f"Loaded from {teacher / 'results' / ONE}/" in said
    assert results(teacher / "results") == before
    assert not list(elsewhere.parent.glob("results/*/params.json"))


def test_an_autograder_reads_through_the_project(teacher, elsewhere, tmp_path):
    before = results(teacher / "results")
    done = execute(teacher, "autograde", elsewhere, tmp_path, CHECKPOINT_RESULTS="results")
    assert done.returncode == 0, done.stderr
    said = outputs(tmp_path / "out.ipynb")
    assert f"Loaded from {teacher / 'results' / ONE}/" in said
    assert f"Saved to {elsewhere / 'results' / TWO}/" in said
    record = json.loads((elsewhere / "results" / TWO / "params.json").read_text())
    assert list(record["checkpoint"]["inputs"]) == [f"results/{ONE}"]
    assert results(teacher / "results") == before


def test_the_ways_out_that_the_error_names(teacher, tmp_path):
    record = teacher / "results" / TWO / "params.json"
    before = record.read_bytes()
    folder = teacher / "notebooks"
    assert execute(teacher, "papermill", folder, tmp_path).returncode == 0
    assert record.read_bytes() != before
    before = record.read_bytes()
    variables = {"CHECKPOINT_PROJECT": str(teacher)}
    assert execute(teacher, "papermill", tmp_path, tmp_path, **variables).returncode == 0
    assert record.read_bytes() != before


def test_a_clone_is_a_project_of_its_own(teacher, tmp_path):
    """A clone that uses the teacher's installed package must save to its own results."""
    git(teacher, "init", "-q")
    git(teacher, "add", ".")
    git(teacher, "commit", "-qm", "first")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(teacher), str(clone))
    before = results(teacher / "results")
    save = f"from my_project.checkpoint import save; save({ONE!r}, {{'x': 'a clone'}})"
    done = teacher.python("-c", save, cwd=clone / "notebooks")
    assert done.stdout.startswith(f"Saved to results/{ONE}/\n"), done.stderr
    done = execute(teacher, "nbconvert", clone / "notebooks", tmp_path)
    assert done.returncode == 0, done.stderr
    assert results(teacher / "results") == before
    assert results(clone / "results")[f"{TWO}/x.pkl"] != before[f"{TWO}/x.pkl"]


def test_a_cell_that_runs_other_notebooks(teacher, tmp_path):
    """The inherited name of the calling notebook must not block the save of the other one."""
    code = (
        "import os, subprocess, sys\n"
        "command = [sys.executable, '-m', 'papermill', '2_two.ipynb', sys.argv[1]]\n"
        "sys.exit(subprocess.run(command).returncode)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out.ipynb")],
        cwd=teacher / "notebooks",
        env={
            **teacher.environment(),
            "JPY_SESSION_NAME": str(teacher / "notebooks" / f"{ONE}.ipynb"),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"Saved to results/{TWO}/" in outputs(tmp_path / "out.ipynb")


@pytest.mark.skipif(os.name == "nt", reason="starts a server as on POSIX")
def test_a_jupyter_server_names_the_notebook(teacher, tmp_path):
    """A copied notebook, or one renamed while it runs, must not replace results."""
    from jupyter_client.manager import KernelManager

    folder = teacher / "notebooks"
    shutil.copy(folder / f"{TWO}.ipynb", folder / f"{TWO}_v2.ipynb")

    def run(name, then=lambda: None):
        """Run a notebook's cells in a kernel as a Jupyter server starts it; return the output."""
        manager = KernelManager(kernel_name="python3")
        session = {"JPY_SESSION_NAME": str(folder / f"{name}.ipynb")}
        manager.start_kernel(cwd=str(folder), env={**teacher.environment(), **session})
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        said: list[str] = []

        def hear(message):
            content = message["content"]
            said.extend(content.get(key, "") for key in ("text", "evalue"))
            said.append(content.get("data", {}).get("text/plain", ""))

        client.execute_interactive(CELLS[0], output_hook=hear, timeout=60)
        then()
        client.execute_interactive(CELLS[1], output_hook=hear, timeout=60)
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        return "".join(said)

    assert f"Saved to results/{TWO}/" in run(TWO)
    before = results(teacher / "results")
    said = run(f"{TWO}_v2")
    assert f"notebooks/{TWO}_v2.ipynb would replace results/{TWO}, which" in said
    assert "Saved" not in said
    (folder / f"{TWO}_v2.ipynb").unlink()
    renamed = folder / "2_matching.ipynb"
    said = run(TWO, then=lambda: (folder / f"{TWO}.ipynb").rename(renamed))
    assert f"notebooks/{TWO}.ipynb does not exist" in said
    assert f"`checkpoint rename {TWO} 2_matching`" in said
    assert results(teacher / "results") == before
    assert teacher.command("rename", TWO, "2_matching").returncode == 0
    notebook = nbformat.read(renamed, as_version=4)
    assert 'save("2_matching"' in notebook.cells[1].source
