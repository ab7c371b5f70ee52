"""Time a cold run of three notebooks with `checkpoint run` and with other tools.

    python benchmarks/running.py [runs]

The tools take turns to run the same notebooks, each in a new process and in a project without
results. Medians and their ratio to a plain loop with nbclient are printed. Snakemake and DVC run
each notebook with `jupyter execute`, the command of nbclient; only the project's own Snakefile
calls `checkpoint run`. DVC is installed into a temporary environment.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).resolve().parents[1]
NOTHING = "checkpoint run, again"  # nothing to do
CASES = {"blank": {"pipeline": "blank"}, "single-cell": {"pipeline": "single-cell"}}
LOOP = """
import sys
import nbformat
from nbclient import NotebookClient

for path in sys.argv[1:]:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, resources={"metadata": {"path": "notebooks"}})
    client.execute()
    nbformat.write(notebook, path)
"""
PAPERMILL = """
import sys
import papermill

for path in sys.argv[1:]:
    papermill.execute_notebook(path, path, cwd="notebooks", progress_bar=False)
"""
SNAKEFILE = """
STEPS = {steps}
rule all:
    input: [f"done/{{step}}" for step in STEPS]
for before, step in zip([None, *STEPS], STEPS):
    rule:
        name: step
        input: [f"done/{{before}}"] if before else []
        output: touch(f"done/{{step}}")
        params: step=step
        shell: "jupyter execute --inplace notebooks/{{params.step}}.ipynb"
"""


def main(runs: int) -> None:
    """Time all tools and print a table for each pipeline."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tools = {**TOOLS, "dvc repro": dvc(place / "dvc")}
        for case, answers in CASES.items():
            template = cookiecutter(
                str(TEMPLATE), no_input=True, extra_context=answers, output_dir=str(place / case)
            )
            seconds: dict[str, list[float]] = {tool: [] for tool in [*tools, NOTHING]}
            for run in range(runs + 1):
                for tool, command in tools.items():
                    project = place / "run"
                    shutil.copytree(template, project)
                    taken = timed(command(project), project)
                    if run:  # the first run warms the caches
                        seconds[tool].append(taken)
                    if run and tool == "checkpoint run":
                        seconds[NOTHING].append(timed(command(project), project))
                    shutil.rmtree(project)
            show(case, seconds)


def show(case: str, seconds: dict[str, list[float]]) -> None:
    """Print a row for each tool."""
    loop = seconds["nbclient loop"]
    for tool, times in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(times, loop, strict=True))
        print(f"{case:12} {tool:24} {statistics.median(times):6.2f} s  {ratio:.2f}", flush=True)


def timed(command: list[str], project: Path) -> float:
    """Run a command in a project and return how many seconds it took."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(project / "src"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    start = time.perf_counter()
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    taken = time.perf_counter() - start
    saved = list(project.glob("results/*/params.json"))
    if done.returncode or len(saved) != 3:
        raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
    return taken


def notebooks(project: Path) -> list[str]:
    """Return the paths of the notebooks in running order."""
    return [path.relative_to(project).as_posix() for path in sorted(project.glob("notebooks/*"))]


def checkpoint_run(project: Path) -> list[str]:
    """Return the command `checkpoint run`."""
    return [sys.executable, "-m", "my_project.checkpoint", "run"]


def loop(project: Path) -> list[str]:
    """Return a command that runs the notebooks with nbclient in one process."""
    return [sys.executable, "-c", LOOP, *notebooks(project)]


def papermill(project: Path) -> list[str]:
    """Return a command that runs the notebooks with papermill in one process."""
    return [sys.executable, "-c", PAPERMILL, *notebooks(project)]


def snakemake(project: Path) -> list[str]:
    """Return a Snakemake command with a rule for each notebook."""
    steps = [Path(path).stem for path in notebooks(project)]
    (project / "Snakefile").write_text(SNAKEFILE.format(steps=steps), "utf-8")
    return [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]


def snakemake_of_the_project(project: Path) -> list[str]:
    """Return a Snakemake command for the project's Snakefile, which calls `checkpoint run STEP`."""
    command = project / "bin" / "checkpoint"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m my_project.checkpoint "$@"\n', "utf-8"
    )
    command.chmod(0o755)
    path = f"PATH={command.parent}{os.pathsep}{os.environ['PATH']}"
    return ["env", path, sys.executable, "-m", "snakemake", "--profile", "profiles/local"]


def dvc(env: Path) -> Callable[[Path], list[str]]:
    """Install DVC; return a function that makes its command, with a stage for each notebook."""
    subprocess.run([sys.executable, "-m", "venv", str(env)], check=True)
    subprocess.run([env / "bin" / "pip", "install", "--quiet", "dvc"], check=True)

    def command(project: Path) -> list[str]:
        steps = [Path(path).stem for path in notebooks(project)]
        stages = {
            step: {
                "cmd": f"jupyter execute --inplace notebooks/{step}.ipynb",
                "deps": [f"results/{before}/params.json"] if before else [],
                "outs": [{f"results/{step}/params.json": {"cache": False}}],
            }
            for before, step in zip([None, *steps], steps, strict=False)
        }
        (project / "dvc.yaml").write_text(json.dumps({"stages": stages}), "utf-8")
        subprocess.run([env / "bin" / "dvc", "init", "--no-scm", "-q"], cwd=project, check=True)
        return [str(env / "bin" / "dvc"), "repro", "--quiet"]

    return command


TOOLS = {
    "nbclient loop": loop,
    "checkpoint run": checkpoint_run,
    "papermill loop": papermill,
    "Snakemake": snakemake,
    "Snakemake, own Snakefile": snakemake_of_the_project,
}

if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
