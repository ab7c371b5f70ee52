"""`checkpoint run`: which steps run, in which order, and what a failure leaves."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from nbformat.sign import NotebookNotary
from project_under_test import steps_done

from checkpoint.run.workflow import jobs

pytestmark = pytest.mark.slow


def test_run_all_then_one_then_from_one_on(bake):
    baked = bake(pipeline="blank", notebooks="one, two, three")
    done = baked.command("run")
    assert steps_done(done) == ["1_one", "2_two", "3_three"]
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1_one: cell 1 of 3, 0.")
    assert lines[0].endswith("s, `from my_project.checkpoint import data_file, save`")
    saved = nbformat.read(baked.notebook("2_two"), as_version=4)
    assert NotebookNotary().check_signature(saved)
    texts = "".join(str(cell.get("outputs")) for cell in saved["cells"])
    assert "Loaded from results/1_one/" in texts
    assert "Saved to results/2_two/" in texts
    done = baked.command("run", "2_two")
    assert (done.returncode, done.stdout) == (0, "Nothing to run: 2_two is current.\n")
    assert steps_done(baked.command("run", "--all", "2_two")) == ["2_two"]
    assert steps_done(baked.command("run", "--from", "2_two")) == ["2_two", "3_three"]
    assert baked.command("run", "--from", "4_four").stderr.startswith("No notebook '4_four';")


def test_run_shows_the_failing_cell_and_leaves_the_notebook(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    path = baked / "notebooks" / "2_two.ipynb"
    before = path.read_bytes()
    done = baked.command("run", "2_two")
    assert done.returncode == 2
    failed = baked / "results" / "2_two" / "failed.ipynb"
    assert "2_two.ipynb failed; executed copy: results/2_two/failed.ipynb\n" in done.stderr
    assert "CheckpointNotFoundError" in failed.read_text(encoding="utf-8")
    assert "Results directory 'results/1_one' not found. Run 1_one.ipynb first." in done.stderr
    assert done.stderr.count("previous = load(") == 1  # the cell is shown once, without our frames
    assert "api.py" not in done.stderr
    assert "\x1b[" not in done.stderr
    assert path.read_bytes() == before
    assert baked.command("run").returncode == 0
    assert not failed.exists()


def test_run_of_a_step_that_is_not_there(bake):
    done = bake(pipeline="blank", notebooks="one").command("run", "2_two")
    assert (done.returncode, done.stderr) == (2, "No notebook '2_two'; there are 1_one.\n")


def test_a_notebook_that_was_changed_while_it_ran_is_left(bake):
    baked = bake(pipeline="blank", notebooks="one")
    path = baked / "notebooks" / "1_one.ipynb"
    baked.change_cell(
        "1_one",
        f"import pathlib\nq = pathlib.Path({str(path)!r})\nq.write_text(q.read_text() + ' ')",
    )
    done = baked.command("run", "notebooks/1_one.ipynb")
    assert done.returncode == 2
    assert "was changed while it ran, so it was not overwritten" in done.stderr
    assert path.read_text().endswith("} ") or path.read_text().endswith("}\n ")
    assert (baked / "results" / "1_one" / "executed.ipynb").is_file()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_leaves_the_notebook(bake):
    baked = bake(pipeline="blank", notebooks="one")
    path = baked / "notebooks" / "1_one.ipynb"
    flag = baked / "flag"
    baked.change_cell(
        "1_one", f"import pathlib, time\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(60)"
    )
    before = path.read_bytes()
    run = baked.start("run", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not flag.exists():
        assert run.poll() is None
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=30)[1]
    assert run.returncode == 130, said
    assert (
        said.splitlines()[-1] == "Interrupted. The notebooks that were running were left unchanged."
    )
    assert path.read_bytes() == before


MEET = """
import pathlib, time
SIZE = 1
here = pathlib.Path("../meet-{me}")
here.touch()
for _ in range(300):
    if pathlib.Path("../meet-{other}").exists():
        break
    time.sleep(0.1)
else:
    raise TimeoutError("the other notebook does not run")
"""


def branches(bake):
    """Return a project in which steps 2 and 3 load only step 1, and 4 loads both."""
    baked = bake(pipeline="blank", notebooks="one, two, three, four")
    baked.write_cells(one="SIZE = 1", four="SIZE = load('2_two')['x'] + load('3_three')['x']")
    path = baked / "notebooks" / "3_three.ipynb"
    path.write_text(path.read_text().replace("2_two", "1_one"))
    return baked


def test_independent_steps_run_side_by_side(bake):
    baked = branches(bake)
    # each waits for the other, so they fail if they run one after the other
    baked.write_cells(
        two=MEET.format(me="two", other="three"),
        three=MEET.format(me="three", other="two"),
    )
    ran = steps_done(baked.command("run", "--jobs", "3"))
    assert (ran[0], set(ran[1:3]), ran[3]) == ("1_one", {"2_two", "3_three"}, "4_four")


def test_when_one_of_two_fails_the_other_is_finished_and_nothing_begun(bake):
    baked = branches(bake)
    baked.write_cells(
        two=MEET.format(me="two", other="three") + "\nraise ValueError('no')",
        three=MEET.format(me="three", other="two") + "\ntime.sleep(2)",
    )
    done = baked.command("run", "--jobs", "2")
    assert done.returncode == 2
    assert "notebooks/2_two.ipynb failed" in done.stderr and "ValueError: no" in done.stderr
    assert "3_three: done in" in done.stdout
    assert "4_four" not in done.stdout
    assert not (baked / "results" / "4_four" / "params.json").exists()


def test_what_is_made_again_to_the_same_ends_the_run_and_from_stale_results_is_told(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    baked.write_cells(one="SIZE = 3")
    assert steps_done(baked.command("run")) == ["1_one", "2_two"]
    baked.write_cells(one="SIZE = 1 + 2")
    assert steps_done(baked.command("run")) == ["1_one"]
    baked.write_cells(one="SIZE = 4")
    done = baked.command("run", "2_two")
    assert "2_two: done in" in done.stdout
    state, rewrote, advice = done.stdout.splitlines()[-3:]
    assert state.endswith(" s, but stale")
    assert rewrote == "Rewrote notebooks/2_two.ipynb."
    assert advice.startswith("If 2_two.ipynb is open, reload it") and "Overwrite" in advice
    assert done.returncode == 3
    assert done.stderr.startswith("2_two is not current: stale (")
    assert "SIZE = 4" in done.stderr
    assert done.stderr.endswith("). `checkpoint run` also runs the steps that it is made from.\n")


def test_a_kernel_that_dies(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    baked.write_cells(one="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    done = baked.command("run")
    assert done.returncode == 2
    assert "notebooks/1_one.ipynb: the kernel died, perhaps because memory ran out" in done.stderr
    assert (baked / "results" / "1_one" / "failed.ipynb").exists()
    assert "2_two" not in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_every_kernel(bake, number, code):
    baked = bake(pipeline="blank", notebooks="one, two")
    baked.write_cells(one="import time, pathlib\npathlib.Path('../flag').touch()\ntime.sleep(60)")
    run = baked.start("run", stderr=subprocess.PIPE)
    while not (baked / "flag").exists():
        assert run.poll() is None
        time.sleep(0.1)
    while len(kernels := psutil.Process(run.pid).children()) < 2:
        time.sleep(0.1)  # wait until the kernel of the next notebook is being started
    run.send_signal(number)
    said = run.communicate(timeout=30)[1]
    assert (run.returncode, said) == (
        code,
        "Interrupted. The notebooks that were running were left unchanged.\n",
    )
    assert not any(kernel.is_running() for kernel in kernels)


def test_a_notebook_that_saves_nothing(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    baked.change_cell("1_one", "if False:\n    save('1_one', {})", "save")
    done = baked.command("run")
    assert done.returncode == 2
    assert done.stderr == (
        'notebooks/1_one.ipynb ran without saving 1_one. Let its last cell call save("1_one", …).\n'
    )


def test_a_kernel_that_cannot_be_started(bake, tmp_path, monkeypatch):
    baked = bake(pipeline="blank", notebooks="one")
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    argv = ["/nonexistent/python", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    done = baked.command("run")
    assert done.returncode == 2
    assert done.stderr.startswith("The kernel 'python3' cannot be started: ")


def test_a_kernel_that_ends_at_once_is_started_again(bake, tmp_path, monkeypatch):
    """A kernel ends at once if another one has just taken its port."""
    baked = bake(pipeline="blank", notebooks="one")
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    code = (
        "import pathlib, runpy, sys\n"
        f"tried = pathlib.Path({str(tmp_path)!r}, 'tried')\n"
        "tried.exists() or sys.exit(tried.touch())\n"
        "runpy.run_module('ipykernel_launcher', run_name='__main__')"
    )
    argv = [sys.executable, "-c", code, "-f", "{connection_file}"]
    kernel = {"argv": argv, "display_name": "x", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert steps_done(baked.command("run")) == ["1_one"]


def test_half_an_emoji(bake):
    baked = bake(pipeline="blank", notebooks="one")
    path = baked / "notebooks" / "1_one.ipynb"
    text = path.read_text()
    path.write_text(text.replace("## Analysis", "## Analysis \\ud83d"))
    assert steps_done(baked.command("run")) == ["1_one"]
    assert "## Analysis \\ud83d" in path.read_text()
    path.write_text(text.replace("# The analysis", "# The \\ud83d analysis; x = 1\\nx = 2"))
    assert "a cell contains half a character" in baked.command("run").stderr


def test_a_copy_does_not_overwrite_the_original(bake):
    """A copy that saves as the original is skipped with a reason, as are notes without code."""
    baked = bake(pipeline="blank", notebooks="one, two")
    notebooks = baked / "notebooks"
    copy = notebooks / "2_two_v2.ipynb"
    copy.write_bytes((notebooks / "2_two.ipynb").read_bytes())
    notes = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Notes")])
    nbformat.write(notes, notebooks / "3_notes.ipynb")
    done = baked.command("run")
    assert done.returncode == 0, done.stderr
    assert steps_done(done) == ["1_one", "2_two"]
    reason = (
        "notebooks/2_two_v2.ipynb saves as '2_two', which would overwrite that step's results; "
        "let it save as '2_two_v2'."
    )
    assert done.stdout.splitlines()[:2] == [
        f"Not run: {reason}",
        "Not run: notebooks/3_notes.ipynb has no code, so it makes no results.",
    ]
    said = baked.command("status").stdout.replace("\n", " ")
    assert reason in said and "has no code, so it makes no results." in said
    assert "Next:" not in said
    done = baked.command("run", "--from", "2_two")
    assert steps_done(done) == ["2_two"]
    assert [job.step for job in jobs(baked)] == ["1_one", "2_two"]
    done = baked.command("run", "2_two_v2")
    assert (done.returncode, done.stderr) == (2, f"{reason}\n")


def test_notes_without_code_are_not_counted(bake):
    """They can never become current, so they must not make `status` or `run` fail."""
    baked = bake(pipeline="blank", notebooks="one")
    assert baked.command("run").returncode == 0
    notes = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (baked / "notebooks" / "2_notes.ipynb").write_text(json.dumps(notes))
    done = baked.command("status")
    assert "2_notes.ipynb has no code, so it makes no results." in done.stdout.replace("\n", " ")
    assert (done.returncode, baked.command("status", ".").returncode) == (0, 0)
    assert baked.command("check").returncode == 0
    assert baked.command("report", "--check").returncode == 0
    assert baked.command("run").returncode == 0
    (baked / "notebooks" / "2_notes.ipynb").write_text("{")
    assert baked.command("status").returncode == 1


def test_a_step_that_is_named_by_a_variable(bake):
    """Cells after the save had not run when it saved, so they do not count as edits."""
    baked = bake(pipeline="blank", notebooks="one")
    baked.change_cell("1_one", 'STEP = "1_one"\nsave(STEP, {"a": 1})', "save")
    baked.add_cell("1_one", "a = 1", after="save")
    assert steps_done(baked.command("run")) == ["1_one"]
    assert baked.command("run").stdout == "Nothing to run: everything is current.\n"


def test_an_error_of_the_disk_is_told_with_its_notebook(bake):
    """A step that runs at the same time must still finish."""
    baked = bake(pipeline="blank", notebooks="one, two")
    with baked.edited("2_two") as notebook:
        notebook.cells[1].source = notebook.cells[1].source.replace('load("1_one")', "None")
        notebook.cells[3].source = "import time\ntime.sleep(4)"
    (baked / "results" / "1_one" / "failed.ipynb").mkdir()
    done = baked.command("run", "--jobs", "2")
    assert done.returncode == 2
    assert done.stderr.startswith("notebooks/1_one.ipynb: ")
    assert done.stderr.rstrip().endswith("failed.ipynb")
    assert "2_two: done in" in done.stdout
