"""The steps as jobs of a workflow manager; the `Snakefile` makes its rules from them.

A job's outcome is a stamp, an empty file, and not the checkpoint itself: Snakemake removes the
outputs of a job before it runs and after it fails, and a checkpoint must outlive that.
"""

import os
from pathlib import Path
from typing import NamedTuple

from ..errors import ProjectError
from ..lineage.changes import CURRENT
from ..lineage.states import Lineage
from ..notebooks.graph import Graph, foreign
from ..project.project import Project
from ..project.settings import read_settings

STAMPS, LOCKS = ".snakemake/steps", ".snakemake/locks"


class Job(NamedTuple):
    """A step to be run by `checkpoint run STEP`.

    Attributes
    ----------
    step
        The step.
    stamp
        The file that stands for its results being current, relative to the project.
    needs
        The stamps of the steps that it loads.
    resources
        What it asks a scheduler for, from `[tool.checkpoint.resources]`.
    """

    step: str
    stamp: str
    needs: list[str]
    resources: dict[str, int | str]


def jobs(root: Path | str) -> list[Job]:
    """Return the steps of a project as jobs, in running order; no copies that save as another.

    Raises
    ------
    ProjectError
        If a notebook or the settings cannot be read, or the settings name a step that is none.
    """
    project = Project(Path(root))
    graph, asked = Graph(project), read_settings(project).resources
    for step in asked:
        if step not in graph.loads:
            raise ProjectError(
                f"pyproject.toml: [tool.checkpoint] resources names {step!r}, which is no step; "
                f"there are {', '.join(graph.loads) or 'none'}."
            )
    own = [one.name for one in graph.steps if not foreign(project, one)]
    needs = {step: [_stamp(one) for one in graph.loads[step] if one in own] for step in own}
    return [Job(step, _stamp(step), needs[step], asked.get(step, {})) for step in own]


def stamp(root: Path | str) -> None:
    """Let the stamps say which steps are current, as `checkpoint status` does.

    Those of current steps are made or renewed in running order, the others removed: a workflow
    manager, which compares times, then runs just what is not current and what depends on it.
    """
    project = Project(Path(root))
    if any((project.root / LOCKS).glob("*")) or not os.access(project.root, os.W_OK):
        return  # a run that goes on compares these very times; or somebody may only look
    lineage = Lineage(project)
    current = [one.name for one in project.steps() if lineage.state(one.name).state == CURRENT]
    stamps = [project.root / _stamp(step) for step in current]
    for path in project.root.glob(f"{STAMPS}/*"):
        if path not in stamps:
            path.unlink()
    for path in stamps:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _stamp(step: str) -> str:
    return f"{STAMPS}/{step}"
