"""The `checkpoint` command, as users and pre-commit call it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest


def test_check_without_installing_the_project(bake):
    """What the pre-commit hook calls, in an environment that lacks the project."""
    path = bake(pipeline="blank").path

    def check():
        return subprocess.run(
            [sys.executable, "src/my_project/checkpoint", "check"],
            cwd=path,
            capture_output=True,
            text=True,
        )

    assert check().returncode == 0
    assert check().stdout == "my_project follows the rules.\n"
    (path / "notebooks" / "2_integration.ipynb").write_text("{}")
    assert check().returncode == 1
    assert "notebooks/2_integration.ipynb: is nbformat" in check().stdout


def test_check_of_other_projects(bake):
    baked = bake(pipeline="blank")
    other = baked.path.parent / "other"
    shutil.copytree(baked.path, other)
    done = baked.command("check", str(baked.path), str(other))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2 of 2 projects follow the rules.\n"
    set_source(other / "notebooks" / "2_integration.ipynb", "x = open('/home/me/x.csv')")
    done = baked.command("check", str(baked.path), str(other))
    assert done.returncode == 1
    path = other / "notebooks" / "2_integration.ipynb"
    assert done.stdout.splitlines() == [
        f"{path}, cell `x = open('/home/me/x.csv')`: has the absolute path '/home/me/x.csv', which "
        "is on this machine only. Put the file into data/ and use data_file(…), or load(…) a "
        "result. [absolute-path]",
        "1 of 2 projects follow the rules.",
    ]
    done = baked.command("check", "--json", str(baked.path), str(other))
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["project"] == str(other)
    assert problem["file"] == "notebooks/2_integration.ipynb"
    assert problem["cell"] == "x = open('/home/me/x.csv')"
    assert problem["rule"] == "absolute-path"
    assert baked.command("check", str(baked.path / "data")).returncode == 1


@pytest.mark.slow
def test_run_all_then_one(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    done = baked.command("run")
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["1_one", "2_two"]
    saved = json.loads((baked.path / "notebooks" / "2_two.ipynb").read_text(encoding="utf-8"))
    texts = "".join(str(cell.get("outputs")) for cell in saved["cells"])
    assert "Loaded from results/1_one/" in texts
    assert "Saved to results/2_two/" in texts
    assert baked.command("run", "2_two").returncode == 0


@pytest.mark.slow
def test_run_shows_the_failing_cell_and_leaves_the_notebook(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    path = baked.path / "notebooks" / "2_two.ipynb"
    before = path.read_bytes()
    done = baked.command("run", "2_two")
    assert done.returncode == 2
    failed = baked.path / "results" / "2_two" / "failed.ipynb"
    assert (
        "notebooks/2_two.ipynb failed; with its outputs it is results/2_two/failed" in done.stderr
    )
    assert "CheckpointNotFoundError" in failed.read_text(encoding="utf-8")
    assert "Results directory 'results/1_one' not found. Run 1_one.ipynb first." in done.stderr
    assert "\x1b[" not in done.stderr
    assert path.read_bytes() == before
    assert baked.command("run").returncode == 0
    assert not failed.exists()


def test_run_of_a_step_that_is_not_there(bake):
    done = bake(pipeline="blank", notebooks="one").command("run", "2_two")
    assert (done.returncode, done.stderr) == (2, "No notebook '2_two'; there are 1_one.\n")


def set_source(path, source):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].source = source
    nbformat.write(notebook, path)


@pytest.mark.slow
def test_a_notebook_that_was_changed_while_it_ran_is_left(bake):
    baked = bake(pipeline="blank", notebooks="one")
    path = baked.path / "notebooks" / "1_one.ipynb"
    set_source(
        path, f"import pathlib\nq = pathlib.Path({str(path)!r})\nq.write_text(q.read_text() + ' ')"
    )
    done = baked.command("run", "notebooks/1_one.ipynb")
    assert done.returncode == 2
    assert "was changed while it ran, and is left as it is now" in done.stderr
    assert path.read_text().endswith("} ") or path.read_text().endswith("}\n ")
    assert (baked.path / "results" / "1_one" / "executed.ipynb").is_file()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_leaves_the_notebook(bake):
    baked = bake(pipeline="blank", notebooks="one")
    path = baked.path / "notebooks" / "1_one.ipynb"
    flag = baked.path / "flag"
    set_source(path, f"import pathlib, time\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(60)")
    before = path.read_bytes()
    run = subprocess.Popen(
        [sys.executable, "-m", "my_project.checkpoint", "run"],
        cwd=baked.path,
        env=baked.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not flag.exists():
        assert run.poll() is None
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=30)[1]
    assert run.returncode == 130, said
    assert said.splitlines()[-1] == "Interrupted. The notebook that was running is as it was."
    assert path.read_bytes() == before
