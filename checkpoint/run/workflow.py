"""Steps as jobs of a workflow manager; the `Snakefile` makes its rules from them.

A job's output is a flag file and not the checkpoint itself: Snakemake removes the outputs of a job
before it runs and after it fails, and a checkpoint has to outlive both.
"""

import os
from pathlib import Path
from typing import NamedTuple

from ..errors import ProjectError
from ..notebooks.graph import Graph
from ..project.project import Project
from ..project.settings import check_settings, read_resources
from .left_out import skipped
from .schedule import Schedule

FLAGS, LOCKS = ".snakemake/steps", ".snakemake/locks"


class Job(NamedTuple):
    """A step that is run with `checkpoint run STEP`."""

    step: str
    flag: str  # the file that exists while its results are current
    needs: list[str]  # the flag files of the steps that it loads
    resources: dict[str, int | str]  # to request from a scheduler


def jobs(root: Path | str) -> list[Job]:
    """Return the steps of a project as jobs, in running order, without the skipped notebooks.

    Raises `ProjectError` if the project is invalid or Snakemake cannot use the name of a step.
    """
    project = Project(Path(root))
    project.refuse_unclear()
    check_settings(project)
    graph, resources = Graph(project, lenient=True), read_resources(project)
    for step in resources:
        if step not in graph.loads:
            raise ProjectError(
                f"pyproject.toml: [tool.checkpoint] resources names {step!r}, which is not a "
                f"step; there are {', '.join(graph.loads) or 'none'}.",
                file="pyproject.toml",
                key="resources",
                expected=list(graph.loads),
                found=step,
            )
    for step in graph.loads:
        if "{" in step or "}" in step:
            raise ProjectError(
                f"{step!r} has a brace, by which Snakemake marks a wildcard. Rename the step.",
                step=step,
            )
    skips = skipped(project, graph.steps)
    names = [step.name for step in graph.steps if step.name not in skips]
    needs = {
        name: [_flag(other) for other in graph.loads[name] if other in names] for name in names
    }
    return [Job(name, _flag(name), needs[name], resources.get(name, {})) for name in names]


def skip_reasons(root: Path | str) -> list[str]:
    """Return a sentence for each notebook that has no job: which one, why, and what to do."""
    project = Project(Path(root))
    return [f"{skip.reason}." for skip in skipped(project, project.steps()).values()]


def renew_flags(root: Path | str) -> None:
    """Create a flag file for each current step, in running order, and remove the others.

    A workflow manager compares their times and then runs the steps that are not current and the
    steps that depend on them.
    """
    project = Project(Path(root))
    if any((project.root / LOCKS).glob("*")) or not os.access(project.root, os.W_OK):
        return  # a running workflow compares these times; some users can only read the project
    schedule = Schedule(project, project.steps(), set())
    current = [step.name for step in project.steps() if not schedule.is_due(step.name)]
    flags = [project.root / _flag(step) for step in current]
    for path in project.root.glob(f"{FLAGS}/*"):
        if path not in flags:
            path.unlink()
    for path in flags:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _flag(step: str) -> str:
    return f"{FLAGS}/{step}"
