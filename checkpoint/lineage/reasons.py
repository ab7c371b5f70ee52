"""Describe changes in words."""

from collections.abc import Callable

from ..notebooks.parameters import assignments
from ..project.settings import FILE
from .changes import Change, How, Kind


def reason(change: Change, notebook_of: Callable[[str], str]) -> str:
    """Return a change as a clause that names its cause: the file, cell, module or step.

    `notebook_of` returns the notebook of a step, relative to the project.
    """
    results, notebook = f"results/{change.step}", notebook_of(change.step)
    match change.kind, change.how:
        case Kind.RECORD, _:
            return f"{results}/{change.name}"
        case Kind.LARGE, _:
            return (
                f"the files that git ignores are missing, as in a new clone ({results}/"
                f"{change.name}); run the notebook, or copy {results}/ from where it was made"
            )
        case Kind.SAVE, _:
            return "a save was interrupted"
        case Kind.ORIGIN, _:
            return "not written by save"
        case Kind.PARAMS, _:
            return f"{change.name!r} in {results}/params.json was edited by hand"
        case Kind.NOTEBOOK, _:
            return f"{notebook} {change.name}"
        case Kind.FOREIGN, _:
            return f"{notebook} is not adopted: it neither loads nor saves checkpoints"
        case Kind.CELL, _:
            return f"cell `{change.name}` of {notebook} changed"
        case Kind.CELLS, _:
            return f"{notebook} changed: {change.name}"
        case Kind.SESSION, _:
            return change.name
        case Kind.ELSEWHERE, _:
            return (
                f"the modules that ran were imported from {change.name} and differ from src/; run "
                "`pip install -c constraints.txt -e .` in this project, restart the kernel and run "
                "all"
            )
        case Kind.SET_CELL, _:
            lines = ", ".join(assignments(change.name))
            return f"the cell that set {lines} was removed from {notebook}"
        case Kind.MODULE, _ if change.name == FILE:
            return f"[tool.checkpoint.steps.{change.step}] of {FILE} changed"
        case Kind.FOLDER, How.CHANGED:
            return f"{change.name} contains other files"
        case Kind.DATA, How.NEW:
            return f"{change.name} was missing and is there now"
        case Kind.FILE, How.CHANGED:
            return f"{results}/{change.name} is not what was saved"
        case Kind.STEP, How.CHANGED:
            return f"results/{change.name} was regenerated with different content"
        case Kind.STEP, How.NEW:
            return f"results/{change.name} was regenerated"
    place = {
        Kind.FILE: f"{results}/{change.name}",
        Kind.PART: f"results/{change.name}",
        Kind.STEP: f"results/{change.name}",
    }.get(change.kind, change.name)
    return f"{place} is missing" if change.how is How.MISSING else f"{place} changed"
