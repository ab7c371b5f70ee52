"""Finish a rename that began outside, as in JupyterLab's file browser: the notebook alone moved."""

from pathlib import Path

from ..errors import ProjectError
from ..notebooks.copies import saves_as
from ..project.chain import numbered, step_of
from ..project.names import unfit
from ..project.project import KEEP, Project
from .change import Change
from .references import rename_references


def finish_rename(project: Project, step: str, name: str) -> dict[str, str] | None:
    """Rename the results of a step, and what names it, after its notebook.

    Parameters
    ----------
    project
        The project.
    step
        The old name of the step, which no notebook has.
    name
        The new name of the notebook, with or without its number. A notebook that lost its number
        gets it back.

    Returns
    -------
    dict or None
        The new name by the old one; None if no such rename has begun.

    Raises
    ------
    ProjectError
        If the name is not valid, or something cannot be renamed safely. Nothing has changed then.
    """
    old, given = step_of(step), step_of(name)
    number = old.partition("_")[0]
    candidates = [project.notebooks / f"{stem}.ipynb" for stem in (f"{number}_{given}", given)]
    found = next(filter(Path.is_file, candidates), None)
    if not numbered(Path(old)) or (project.notebooks / f"{old}.ipynb").exists() or not found:
        return None
    if not (project.results / old).is_dir() and not saves_as(found, old):
        return None  # a slip in the old name
    new = found.stem if numbered(found) else f"{number}_{given}"
    if reason := unfit(new.partition("_")[2]):
        raise ProjectError(f"{new!r} {reason}. Rename the file to another name first.", found=new)
    change = Change(project)
    change.moved = {f"notebooks/{old}.ipynb": project.show(found)}
    if found.stem != new:
        change.moves[project.show(found)] = f"notebooks/{new}.ipynb"
    if (project.results / old).is_dir():
        change.moves[f"results/{old}"] = f"results/{new}"
        taken = project.results / new
        if taken.is_dir() and all(path.name in (KEEP, ".lock") for path in taken.iterdir()):
            change.removals = [f"results/{new}"]
    rename_references(project, change, {old: new})
    change.apply()
    return {old: new}
