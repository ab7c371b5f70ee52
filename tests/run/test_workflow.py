"""The chain as Snakemake jobs, on this machine and on a real SLURM."""

import os
import re
import shutil
import subprocess
import time

import pytest
import yaml
from project_under_test import ONE, THREE, TWO

from checkpoint import load, save
from checkpoint.errors import ProjectError
from checkpoint.run.workflow import jobs, renew_flags, skip_reasons

# shorter waits, since the jobs are small
QUICK = ("--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "5")


def test_jobs_come_from_the_load_cells(project):
    project.change_cell(THREE, f'other = load("{ONE}")')
    project.add_settings(f'resources.{TWO} = {{ mem_mb = 3000, slurm_partition = "large" }}')
    one, two, three = jobs(project)
    assert (one.step, one.needs, one.resources) == (ONE, [], {})
    assert two.needs == [one.flag]
    assert two.resources == {"mem_mb": 3000, "slurm_partition": "large"}
    assert three.needs == [one.flag, two.flag]


def test_a_load_by_a_computed_name_needs_all_before_it(project):
    path = project / "notebooks" / f"{THREE}.ipynb"
    path.write_text(path.read_text().replace(f'load(\\"{TWO}\\")', "load(name)"))
    assert jobs(project)[2].needs == [one.flag for one in jobs(project)[:2]]
    before = jobs(project)
    copy = path.with_name("2_integration_v2.ipynb")
    copy.write_bytes(path.with_name(f"{TWO}.ipynb").read_bytes())
    assert jobs(project) == before
    (reason,) = skip_reasons(project)
    assert reason.startswith("notebooks/2_integration_v2.ipynb saves as '2_integration', which")


def test_resources_of_a_step_that_is_none(project):
    project.add_settings("resources.9_x = { mem_mb = 3000 }")
    with pytest.raises(
        ProjectError, match="resources names '9_x', which is not a step; there are 1_"
    ):
        jobs(project)


def test_a_name_that_snakemake_would_take_for_a_pattern(project):
    project.notebook(THREE).rename(project.notebook("3_{x}"))
    with pytest.raises(ProjectError, match=r"'3_\{x\}' has a brace, by which Snakemake"):
        jobs(project)


def test_two_notebooks_of_one_name_make_no_jobs(project):
    (project / "notebooks" / "more").mkdir()
    shutil.copy(project.notebook("1_preprocessing"), project / "notebooks" / "more")
    with pytest.raises(ProjectError, match="have the same name"):
        jobs(project)


def test_flags_are_of_current_steps(project):
    flags = [project / one.flag for one in jobs(project)]
    renew_flags(project)
    assert not any(path.exists() for path in flags)
    save(ONE, {"a": 1})
    load(ONE)
    save(TWO, {"a": 1})
    (project / ".snakemake" / "steps").mkdir(parents=True)
    (project / ".snakemake" / "steps" / "9_gone").touch()
    renew_flags(project)
    assert [path.exists() for path in flags] == [True, True, False]
    assert flags[0].stat().st_mtime_ns <= flags[1].stat().st_mtime_ns
    assert not (project / ".snakemake" / "steps" / "9_gone").exists()
    save(ONE, {"a": 2})
    renew_flags(project)
    assert [path.exists() for path in flags] == [True, False, False]


def test_flags_are_left_while_snakemake_runs(project):
    save(ONE, {"a": 1})
    renew_flags(project)
    locks = project / ".snakemake" / "locks"
    locks.mkdir()
    (locks / "0.input.lock").touch()
    shutil.rmtree(project / "results" / ONE)
    renew_flags(project)
    assert (project / jobs(project)[0].flag).exists()


def test_a_load_in_a_cell_that_is_not_python_needs_all_before_it(project):
    path = project / "notebooks" / f"{THREE}.ipynb"
    path.write_text(path.read_text().replace("previous = load", "previous = = load"))
    assert len(jobs(project)[2].needs) == 2


class Workflow:
    """A project with its own environment, run by Snakemake."""

    def __init__(self, baked, env):
        self.project = baked
        self.commands = baked.install(env)

    def environment(self):
        path = f"{self.commands}{os.pathsep}{os.environ['PATH']}"
        # without the tests' PYTHONPATH, which cluster jobs would not have either
        return {**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, "PATH": path}

    def start(self, profile, *options, cwd=None):
        return subprocess.Popen(
            [self.commands / "python", "-m", "snakemake", "--profile", profile, *options],
            cwd=cwd or self.project,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, profile, *options, cwd=None):
        """Run Snakemake; return its exit status and the steps whose jobs finished."""
        process = self.start(profile, *options, cwd=cwd)
        said = process.communicate(timeout=300)[0]
        print(said)
        return process.returncode, re.findall(r"Finished jobid: \d+ \(Rule: (\d\w+)\)", said)

    def status(self):
        command = next(self.commands.glob("checkpoint*"))
        return subprocess.run([command, "status"], cwd=self.project, capture_output=True).returncode


@pytest.fixture
def workflow(bake, tmp_path):
    return Workflow(bake(pipeline="blank", notebooks="one, two, three"), tmp_path / "env")


COMMAND = """
import os, pathlib
pathlib.Path(os.environ["CHECKPOINT_OUTPUT"], "n.txt").write_text("1")
"""
OF_COMMAND = """
[tool.checkpoint.steps.2a_command]
run = "python scripts/command.py"
loads = ["1_one"]
code = ["scripts/command.py"]

[tool.checkpoint.resources]
2a_command = { mem_mb = 10 }
"""


@pytest.mark.slow
def test_snakemake_runs_what_is_not_current(workflow):
    script = workflow.project / "scripts" / "command.py"
    script.parent.mkdir()
    script.write_text(COMMAND)
    with (workflow.project / "pyproject.toml").open("a") as file:
        file.write(OF_COMMAND)
    load_cell = 'from my_project.checkpoint import load, save\nload("2a_command")'
    workflow.project.change_cell("3_three", load_cell, "load")
    every = ["1_one", "2_two", "2a_command", "3_three"]
    status, ran = workflow.run("profiles/local")
    assert (status, sorted(ran)) == (0, every)
    assert ran.index("1_one") < ran.index("2a_command") < ran.index("3_three")
    assert workflow.status() == 0
    assert workflow.run("profiles/local") == (0, [])
    script.write_text(COMMAND.replace('"1"', '"2"'))
    assert workflow.run("profiles/local") == (0, ["2a_command", "3_three"])
    # a failed step keeps its checkpoint and runs again next time
    before = workflow.project.files("2_two")
    workflow.project.change_cell("2_two", "raise ValueError('no')")  # no other step loads it
    assert workflow.run("profiles/local") == (1, [])
    after = workflow.project.files("2_two")
    assert after.pop("failed.ipynb") and after == before
    # Snakemake may also be started from a subfolder
    workflow.project.change_cell("2_two", "x = str(1)")
    below = workflow.project / "notebooks"
    options = ("--snakefile", "../Snakefile")
    assert workflow.run("../profiles/local", *options, cwd=below) == (0, ["2_two"])
    assert workflow.status() == 0
    # steps run with `checkpoint run` count as done
    workflow.project.change_cell("3_three", "x = 2")
    assert workflow.project.command("run").returncode == 0
    assert workflow.run("profiles/local") == (0, [])


def test_what_the_profiles_and_the_extra_say(bake):
    path = bake(pipeline="single-cell")
    slurm = yaml.safe_load((path / "profiles" / "slurm" / "config.yaml").read_text())
    assert slurm["executor"] == "slurm"
    assert {"slurm_partition", "runtime", "mem_mb"} <= slurm["default-resources"].keys()
    assert yaml.safe_load((path / "profiles" / "local" / "config.yaml").read_text())["cores"]
    snakefile = (path / "Snakefile").read_text(encoding="utf-8")
    assert "from my_project.checkpoint.run.workflow import" in snakefile


@pytest.fixture
def slurm(workflow):
    """Return the workflow if the test SLURM of `tests/slurm/start` runs here; otherwise skip."""
    if not shutil.which("scontrol"):
        pytest.skip("SLURM is not installed; tests/slurm/start installs it")
    shown = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True).stdout
    if "checkpoint-tests" not in shown:
        pytest.skip("the SLURM of tests/slurm/start does not run")
    return workflow


def scontrol(job):
    return subprocess.run(
        ["scontrol", "show", "job", job], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.slow
def test_three_notebooks_as_slurm_jobs(slurm):
    slurm.project.add_settings("resources.2_two = { mem_mb = 700, runtime = 30 }")
    process = slurm.start("profiles/slurm", *QUICK)
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    assert slurm.status() == 0
    submitted = re.findall(r"SLURM jobid (\d+) \(log: \S*/rule_(\w+)/", said)
    assert [step for _, step in submitted] == ["1_one", "2_two", "3_three"]
    asked = {step: scontrol(job) for job, step in submitted}
    assert "Partition=main" in asked["1_one"] and "TimeLimit=01:00:00" in asked["1_one"]
    assert "MinMemoryNode=8000M" in asked["1_one"]
    assert "TimeLimit=00:30:00" in asked["2_two"] and "MinMemoryNode=700M" in asked["2_two"]


@pytest.mark.slow
def test_a_job_that_is_killed_is_run_again_and_loses_nothing(slurm):
    assert slurm.project.command("run").returncode == 0
    before = slurm.project.files("2_two")
    flag = slurm.project / "flag"
    slurm.project.change_cell(
        "2_two", "import pathlib, time\npathlib.Path('../flag').touch()\ntime.sleep(600)"
    )
    process = slurm.start("profiles/slurm", *QUICK)
    while not flag.exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.2)
    (log,) = (slurm.project / ".snakemake" / "slurm_logs" / "rule_2_two").glob("*.log")
    subprocess.run(["scancel", "--signal=KILL", "--full", log.stem], check=True)
    said = process.communicate(timeout=200)[0]
    assert process.returncode == 1, said
    after = slurm.project.files("2_two")
    after.pop("failed.ipynb", None)  # written if the kernel was killed before the command
    assert after == before
    assert slurm.project.record("2_two")["checkpoint"]["files"] == {}
    slurm.project.change_cell("2_two", "x = str(1)")
    assert slurm.run("profiles/slurm", *QUICK)[1][0] == "2_two"
    assert slurm.status() == 0
