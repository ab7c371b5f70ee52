"""Finish a rename that began outside, as in JupyterLab's file browser: the notebook alone moved."""

from ..errors import ProjectError
from ..notebooks.copies import saves_as
from ..project.chain import step_of
from ..project.names import number_of, unfit
from ..project.project import KEEP, Project
from .change import Change
from .references import rename_references


def finish_rename(project: Project, step: str, name: str) -> dict[str, str] | None:
    """Rename the results of a step, and what names it, after its notebook; raises as `rename`.

    `step` is its old name, which no notebook has, and `name` that of the notebook, with or without
    its number; one that lost its number gets it back. Returns the new name by the old one, or None
    if no such rename has begun.
    """
    old, given = step_of(step), step_of(name)
    number = number_of(old)
    prefix = f"{number.text}_" if number else ""
    by_stem = {path.stem: path for path in project.notebook_files()}
    found = by_stem.get(f"{prefix}{given}") or by_stem.get(given)
    known = number or old in (name.rpartition("/")[2] for name in project.not_there())
    if not known or old in by_stem or not found:
        return None
    if not (project.results / old).is_dir() and not saves_as(found, old):
        return None  # a slip in the old name
    new = found.stem if number_of(found.stem) else f"{prefix}{given}"
    if reason := unfit(new, bare=False):
        raise ProjectError(f"{new!r} {reason}. Rename the file to another name first.", found=new)
    change = Change(project)
    change.moved = {project.show(found.with_stem(old)): project.show(found)}
    if found.stem != new:
        change.moves[project.show(found)] = project.show(found.with_stem(new))
    if (project.results / old).is_dir():
        change.moves[f"results/{old}"] = f"results/{new}"
        taken = project.results / new
        if taken.is_dir() and all(path.name in (KEEP, ".lock") for path in taken.iterdir()):
            change.removals = [f"results/{new}"]
    rename_references(project, change, {old: new})
    change.apply()
    return {old: new}
