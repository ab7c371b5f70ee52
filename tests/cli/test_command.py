"""The `checkpoint` command, as users and pre-commit call it."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from project_under_test import ONE, TEMPLATE, THREE, TWO, ProjectUnderTest

import checkpoint
from checkpoint.cli.command import VERBS
from checkpoint.edit.journal import FOLDER


@pytest.mark.slow
def test_check_without_installing_the_project(bake):
    """The pre-commit hook runs this in an environment in which the project is not installed."""
    path = bake(pipeline="blank")

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


def test_version(bake):
    done = bake(pipeline="blank").command("--version")
    assert (done.stdout, done.stderr) == (f"{checkpoint.__version__}\n", "")


def test_help_lists_every_verb_in_its_group(bake):
    said = bake(pipeline="blank").command("--help").stdout
    rows = [
        "─ Look ─",
        "│ status ",
        "│ check ",
        "│ report ",
        "─ Run ─",
        "│ run ",
        "│ accept ",
        "│ clean ",
    ]
    rows += ["─ Change the chain ─", "│ new ", "│ rename ", "│ move ", "│ remove "]
    rows += ["─ Give and take ─", "│ pack ", "│ unpack ", "│ reset "]
    places = [said.find(row) for row in rows]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("verb", [verb.__name__ for group in VERBS.values() for verb in group])
def test_every_verb_is_described(verb):
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\|.*`(checkpoint )?{verb}\b", readme, re.MULTILINE), "add a row"
    page = (TEMPLATE / "docs" / "command.md").read_text(encoding="utf-8")
    assert re.search(rf"^## .*`{verb}`", page, re.MULTILINE), "add a section"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the workflow's machine is Linux")
def test_the_generated_workflow(bake, tmp_path):
    """The workflow's commands must install all that they need into an empty environment."""
    path = bake(pipeline="single-cell")
    workflow = yaml.safe_load((path / ".github" / "workflows" / "checkpoint.yml").read_text())
    commands = [step["run"] for step in workflow["jobs"]["check"]["steps"] if "run" in step]
    assert len(commands) == 2
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    environment = {**os.environ, "PATH": f"{tmp_path / 'env' / 'bin'}:{os.environ['PATH']}"}

    def run(command):
        return subprocess.run(
            ["bash", "-e", "-c", command], cwd=path, env=environment, capture_output=True, text=True
        )

    done = [run(command) for command in commands]
    assert [one.returncode for one in done] == [0, 0], done
    assert done[-1].stdout == "my_project follows the rules.\n"
    path.add_cell("2_integration", 'import os\nos.chdir("..")')
    done = run(commands[-1])
    assert done.returncode == 1
    assert "[chdir]" in done.stdout


@pytest.mark.slow
def test_check_of_other_projects(bake):
    baked = bake(pipeline="blank")
    other = ProjectUnderTest(baked.parent / "other")
    shutil.copytree(baked, other)
    done = baked.command("check", str(baked), str(other))
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["project", "version", "problems"],
        ["my_project", checkpoint.__version__, "none"],
        ["other", checkpoint.__version__, "none"],
        [],
        "2 of 2 projects follow the rules.".split(),
    ]
    other.change_cell("2_integration", "x = open('/home/me/x.csv')")
    done = baked.command("check", str(baked), str(other))
    assert done.returncode == 1
    path = other / "notebooks" / "2_integration.ipynb"
    problem, _, good, bad, _, summary = done.stdout.splitlines()
    assert (good.split()[2:], bad.split()[2:]) == (["none"], ["1", "absolute-path"])
    assert problem.startswith(f"{path}, cell `x = open('/home/me/x.csv')`: ")
    assert problem.endswith(". [absolute-path]")
    assert summary == "1 of 2 projects follow the rules."
    done = baked.command("check", "--json", str(baked), str(other))
    (problem,) = json.loads(done.stdout)["problems"]
    projects = json.loads(done.stdout)["projects"]
    assert [one["problems"] for one in projects] == [{}, {"absolute-path": 1}]
    assert problem["project"] == str(other)
    assert problem["file"] == "notebooks/2_integration.ipynb"
    assert problem["cell"] == "x = open('/home/me/x.csv')"
    assert problem["rule"] == "absolute-path"
    done = baked.command("check", str(baked / "data"))
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1 and "is not a project" in done.stdout


@pytest.mark.versions
def test_status_of_several_projects(committed):
    """Each project has a row; an unreadable one neither stops the others nor counts as current."""
    whole = committed
    kept = shutil.ignore_patterns(".git")
    damaged, broken, changing, empty = (whole.parent / name for name in "abcd")
    for copy in (damaged, broken, changing):
        shutil.copytree(whole, copy, ignore=kept)
    empty.mkdir()
    (damaged / "results" / ONE / "value.pkl").write_bytes(b"x")
    (broken / "pyproject.toml").write_text("[tool.checkpoint]\nx = ", encoding="utf-8")
    (changing / FOLDER).mkdir()
    paths = list(map(str, (damaged, broken, changing, empty)))
    done = whole.command("status", *paths)
    assert (done.returncode, done.stderr) == (1, "")
    first, *rows = (line.split() for line in done.stdout.splitlines())
    assert first == ["project", "version", "state", "made", "size", "why"]
    assert [row[0] for row in rows[:4]] == ["a", "b", "c", "d"]
    assert rows[-1] == "0 of 4 projects are current.".split()
    done = whole.command("status", "--json", str(whole), *paths)
    found = json.loads(done.stdout)["projects"]
    assert [one["state"] for one in found[1:]] == [found[1]["state"], *["unknown"] * 3]
    assert "damaged" in found[1]["state"]
    assert found[1]["why"].startswith(f"{ONE}: results/{ONE}/value.pkl is not")
    assert [step["step"] for step in found[0]["steps"]] == [ONE, TWO, THREE]
    assert "is not valid TOML" in found[2]["why"]
    assert "interrupted" in found[3]["why"] and "not a project" in found[4]["why"]
    assert (changing / FOLDER).exists()
    assert {one["version"] for one in found[:4]} == {checkpoint.__version__}
