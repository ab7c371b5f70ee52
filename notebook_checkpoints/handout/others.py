"""What the search for leaks has to know beyond the notebooks that are handed out."""

from collections.abc import Iterator
from pathlib import Path

from checkpoint.errors import ProjectError
from checkpoint.files import below
from checkpoint.notebooks import notebook
from checkpoint.project.project import Project

from ..template import template_folder
from .markers import cleared


def later_solutions(
    project: Project, names: list[str], markers: str
) -> tuple[list[str], list[str]]:
    """Return the solutions in notebooks that students do not get yet.

    Those of earlier notebooks are no secret any more: a lesson may repeat them.

    Returns
    -------
    tuple
        The lines, and why the solutions of some notebooks are not known.
    """
    steps = project.steps()
    first = min(step.place for step in steps if step.name in names)
    shown_to_students = {step.path for step in steps if step.place < first or step.name in names}
    lines, unknown = list[str](), list[str]()
    for path in [path for path in project.notebook_files() if path not in shown_to_students]:
        try:
            lines += cleared(notebook.read_whole(path), project.show(path), markers).removed
        except ProjectError as error:
            unknown.append(str(error).replace(f"{project.root}/", ""))
    return lines, unknown


def unchanged(copy: Path) -> Iterator[str]:
    """Yield the files of a project's `checkpoint/` folder that are as the template has them."""
    ours = template_folder() / "checkpoint"
    for folder in copy.glob("src/*/checkpoint"):
        for path in below(folder):
            original = ours / path.relative_to(folder)
            if path.is_file() and original.is_file() and path.read_bytes() == original.read_bytes():
                yield path.relative_to(copy).as_posix()
