"""States and problems of several projects at once, such as those of a lab."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CheckpointError
from ..project.project import Project, is_project

if TYPE_CHECKING:
    from ..check.rules import Problem

FAILED = "unknown"  # the state of a project that cannot be read


def states(roots: list[Path]) -> list[dict[str, Any]]:
    """Return the state of each project and its steps; `why` says why it is not current."""
    return [
        {"project": str(root), "version": Project(root).version, **_state(root)} for root in roots
    ]


def problems(problems_by_root: Mapping[Path, list[Problem]]) -> list[dict[str, Any]]:
    """Return how many problems each project has, by rule."""
    return [
        {
            "project": str(root),
            "version": Project(root).version,
            "problems": dict(Counter(problem.rule for problem in listed)),
        }
        for root, listed in problems_by_root.items()
    ]


def _state(root: Path) -> dict[str, Any]:
    from ..edit.journal import FOLDER
    from ..lineage.changes import CURRENT
    from ..lineage.states import Lineage

    why = ""
    if not root.exists():
        why = "does not exist"
    elif not is_project(root):
        why = "not a project: no pyproject.toml with a [tool.checkpoint] table"
    elif (root / FOLDER).exists():
        why = "a change of its steps was interrupted, or runs; `checkpoint status` there undoes it"
    else:
        try:
            Project(root).refuse_unclear()
            lineage = Lineage(Project(root))
            steps = [step for step in lineage.states() if not lineage.is_empty(step.step)]
        except (CheckpointError, OSError) as error:
            why = str(error)
    if why:
        return {"state": FAILED, "made": None, "bytes": 0, "why": why, "steps": []}
    counts = Counter(step.state for step in steps)
    made = [step.timestamp for step in steps if step.timestamp]
    reasons = (f"{step.step}: {reason}" for step in steps for reason in step.reasons)
    alike = len(counts) == 1
    return {
        "state": ", ".join(name if alike else f"{count} {name}" for name, count in counts.items()),
        "made": max(made, default=None),
        "bytes": sum(step.bytes for step in steps),
        "why": "" if set(counts) == {CURRENT} else next(reasons, ""),
        "steps": [step._asdict() for step in steps],
    }
