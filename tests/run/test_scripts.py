"""Steps that are commands, and notebooks that need another kernel."""

import os
import re
import signal
import time

import psutil
import pytest
from project_under_test import steps_done

from checkpoint import CheckpointDamagedError, CheckpointNotFoundError, load, save
from checkpoint.check.check import check
from checkpoint.edit.chain import rename
from checkpoint.lineage.states import Lineage
from checkpoint.notebooks.recipe import Recipe
from checkpoint.project.project import Project
from checkpoint.project.settings import Entry
from checkpoint.storage import input_hashes
from checkpoint.storage.outputs import captured

ONE, THREE = "1_one", "3_three"
SCRIPT = """\
import json, os
from pathlib import Path

out = Path(os.environ["CHECKPOINT_OUTPUT"])
n = int(Path("data/n.txt").read_text())
assert Path("results/1_one/params.json").exists()
(out / "table.csv").write_text("a,b\\n1,2\\n" * n)
(out / "model.rds").write_bytes(b"R")
(out / "sub").mkdir()
(out / "sub" / "note.txt").write_text("x")
(out / "params.json").write_text(json.dumps({"group": {"n": n}}))
print("made it")
"""
SETTINGS = """
[tool.checkpoint.steps.2_scran]
run = "python scripts/scran.py results/1_one/params.json"  # why
loads = ["1_one"]
code = ["scripts/scran.py"]
"""


@pytest.fixture
def scripted(bake, monkeypatch):
    """Return a project of two notebooks with a script between them."""
    baked = bake(pipeline="blank", notebooks="1_one, 3_three")
    baked.change_cell(
        THREE, 'from my_project.checkpoint import load, save\nload("2_scran")', "load"
    )
    (baked / "scripts").mkdir()
    (baked / "scripts" / "scran.py").write_text(SCRIPT)
    (baked / "data" / "n.txt").write_text("2")
    with (baked / "pyproject.toml").open("a") as file:
        file.write(SETTINGS)
    monkeypatch.chdir(baked)
    return baked


def made(scripted):
    """Run only the script, without notebook kernels; return its result files."""
    save(ONE, {"x": 1})
    assert steps_done(scripted.command("run", "2_scran")) == ["2_scran"]
    return scripted.files("2_scran")


@pytest.mark.slow
def test_a_script_between_notebooks(scripted):
    assert scripted.steps() == [ONE, "2_scran", THREE]
    assert check(scripted) == []
    with pytest.raises(CheckpointNotFoundError, match="Run `checkpoint run 2_scran` first"):
        load("2_scran")
    assert steps_done(scripted.command("run")) == [ONE, "2_scran", THREE]
    assert set(scripted.states().values()) == {"current"}
    shown = scripted.command("graph", "--mermaid").stdout.split()
    assert shown[-6:] == ["s1", "-->", "s2", "s2", "-->", "s3"]
    lines = scripted.command("graph").stdout.splitlines()
    assert [line.strip("└─ ") for line in lines] == [ONE, "2_scran", THREE]
    made = load("2_scran")
    assert list(made) == ["model", "table", "sub/note"]
    assert (made["table"].shape, made["model"].read_bytes()) == ((3, 2), b"R")
    assert made.params == {"group": {"n": 2}}
    assert (scripted / "results" / "2_scran" / "run.log").read_text().split() == ["made", "it"]
    record = scripted.record("2_scran")["checkpoint"]
    assert list(record["inputs"]) == ["results/1_one", "data/n.txt"]

    # a change of a file named in the code, of the code or of the settings is noticed
    (scripted / "data" / "n.txt").write_text("3")
    assert scripted.state("2_scran") == ("stale", ["data/n.txt changed"])
    (scripted / "data" / "n.txt").write_text("2")
    code = scripted / "scripts" / "scran.py"
    code.write_text("# a comment\n" + SCRIPT)
    assert scripted.state("2_scran")[0] == "current"
    code.write_text(SCRIPT + "print()\n")
    assert scripted.state("2_scran") == ("edited", ["scripts/scran.py changed"])
    assert scripted.states()[THREE] == "stale"
    code.write_text(SCRIPT)
    pyproject = scripted / "pyproject.toml"
    text = pyproject.read_text()
    pyproject.write_text(text.replace('params.json"  #', 'params.json --fast"  #'))
    reason = "[tool.checkpoint.steps.2_scran] of pyproject.toml changed"
    assert scripted.state("2_scran") == ("edited", [reason])
    pyproject.write_text(text)
    assert set(scripted.states().values()) == {"current"}

    # renaming a step updates all mentions of it, and every step stays current
    rename(Project(scripted), ONE, "first")
    rename(Project(scripted), "2_scran", "norm")
    text = pyproject.read_text()
    assert '[tool.checkpoint.steps.2_norm]\nrun = "python scripts/scran.py results/1_first/' in text
    assert 'loads = ["1_first"]' in text
    assert "results/1_first/params.json" in code.read_text()
    assert scripted.states() == dict.fromkeys(["1_first", "2_norm", THREE], "current")
    assert steps_done(scripted.command("run", "--all", "2_norm")) == ["2_norm"]
    (scripted / "results" / "2_norm" / "table.csv").write_text("")
    with pytest.raises(CheckpointDamagedError, match="Run `checkpoint run 2_norm` again"):
        load("2_norm")


def test_what_was_edited_just_before_a_command_is_not_called_changed(scripted, monkeypatch):
    monkeypatch.setattr(input_hashes, "SETTLED_NS", 50_000_000)
    project, data = Project(scripted), scripted / "data" / "n.txt"
    (step,) = project.select(["2_scran"])
    recipe = Recipe(Entry(["python"], [], [], []), [], [], ["data/n.txt"])
    for during, notes in (
        (None, []),
        ("3", ["data/n.txt changed while 2_scran ran. Run it again."]),
    ):
        data.write_text("2")
        with captured(project, step, recipe) as output:
            time.sleep(0.1)
            (output / "made.csv").write_text("x\n1\n")
            if during:
                data.write_text(during)
        assert scripted.record("2_scran")["checkpoint"].get("notes", []) == notes


@pytest.mark.slow
def test_a_script_that_fails_is_killed_or_writes_nothing(scripted):
    before = made(scripted)
    code = scripted / "scripts" / "scran.py"
    for end, said in (
        ("\nraise SystemExit(4)\n", "failed with exit status 4; what it printed: results/2_scran/"),
        ("\nimport shutil\nshutil.rmtree(out)\nout.mkdir()\n", "2_scran wrote nothing into the"),
        ("\n(out / 'con.txt').write_text('')\n", "'con.txt', which is the name of a device"),
    ):
        code.write_text(SCRIPT + end)
        done = scripted.command("run", "2_scran")
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
        left = scripted.files("2_scran")
        assert left.pop("failed.log").startswith(b"made it")
        assert left == before
    assert "made it" in (scripted / "results" / "2_scran" / "failed.log").read_text()
    pyproject = scripted / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"python scripts', '"nowhere scripts'))
    assert "'nowhere' is not installed here" in scripted.command("run", "2_scran").stderr


# keeps writing and printing, even if its folder is removed
ENDLESS = """
Path("data/pid").write_text(str(os.getpid()))
while True:
    out.mkdir(exist_ok=True)
    (out / "late.csv").write_text("a")
    print("tick", flush=True)
"""
# leaves behind a process that keeps writing to its table
HASTY = """
import subprocess, sys
code = "import sys\\nwith open(sys.argv[1], 'a') as f:\\n    while True: f.write('1'); f.flush()"
subprocess.Popen([sys.executable, "-c", code, str(out / "table.csv")])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_run_that_is_ended_or_killed_and_its_command(scripted):
    before = made(scripted)
    code, pid = scripted / "scripts" / "scran.py", scripted / "data" / "pid"
    code.write_text(SCRIPT + ENDLESS)
    for end, status in (
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),  # sent when a terminal is closed
        (signal.SIGKILL, -9),
    ):
        if signal.getsignal(end) is signal.SIG_IGN:
            continue  # child processes ignore it too if the tests run under nohup
        pid.unlink(missing_ok=True)
        running = scripted.start("run", "2_scran")
        while not pid.exists() or not pid.read_text():
            time.sleep(0.1)
        time.sleep(0.3)
        running.send_signal(end)
        assert running.wait(20) == status
        assert psutil.pid_exists(int(pid.read_text())) == (end == signal.SIGKILL)
        left = scripted.files("2_scran")
        assert left.pop("failed.log").rstrip().endswith(b"tick")  # the last newline may be missing
        assert {name: left[name] for name in left if name[0] != "."} == before

    # a killed run cannot end its command, so the next run does
    orphan = f"python (process {pid.read_text()})"
    state = Lineage(Project(scripted)).state("2_scran")
    assert (state.state, state.notes) == (
        "interrupted",
        [f"{orphan} of a run that was killed still runs; `checkpoint run` ends it"],
    )
    code.write_text(SCRIPT + HASTY)
    done = scripted.command("run", "2_scran")
    assert done.stdout.splitlines()[0] == (
        f"2_scran: ended {orphan}, which an earlier run left when it was killed"
    )
    assert re.search(
        r"2_scran: ended python \(process \d+\), which it had started and", done.stdout
    )
    assert not psutil.pid_exists(int(pid.read_text()))
    assert (scripted / "results" / "2_scran" / "run.log").read_text() == "made it\n"
    assert not [name for name in scripted.files("2_scran") if "late" in name or "staging" in name]
    assert list(load("2_scran")) == ["model", "table", "sub/note"]
    assert load("2_scran")["table"].columns.tolist() == ["a", "b"]


@pytest.mark.slow
def test_a_kernel_that_is_not_there(scripted):
    """The error comes before any step runs, and the setting `kernels` can name another kernel."""
    with scripted.edited(THREE) as notebook:
        notebook.metadata.kernelspec.name = "scvi"
    done = scripted.command("run")
    assert done.returncode == 2
    assert "3_three.ipynb runs in the kernel 'scvi', which is not installed here;" in done.stderr
    assert " python3" in done.stderr
    assert not (scripted / "results" / ONE / "params.json").exists()
    assert [problem.rule for problem in check(scripted)] == ["kernel"]
    scripted.add_settings('kernels.3_three = "scvi"')
    assert check(scripted) == []
    (scripted / "checkpoint.local.toml").write_text('[kernels]\n3_three = "nowhere"\n')
    assert "in the kernel 'nowhere', which is not" in scripted.command("run").stderr

    # a step with its own kernel has other versions, so they are not noted
    for step, noted in ((ONE, True), (THREE, False)):
        save(step, {"x": 1})
        scripted.edit_record(
            step, lambda r: r["checkpoint"]["environment"]["packages"].update(numpy="1.2")
        )
        notes = Lineage(Project(scripted)).state(step).notes
        assert [note[:20] == "made with numpy 1.2;" for note in notes] == [True] * noted
