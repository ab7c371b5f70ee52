"""Putting a notebook back as it was handed out, with one's own beside it."""

from pathlib import Path
from typing import NamedTuple

from ..errors import ProjectError
from ..files import replace
from ..project import servers
from ..project.project import Project

HANDED_OUT = "handout"  # what `notebook-checkpoints handout` adds to a copy
NOTEBOOKS, PACKS = f"{HANDED_OUT}/notebooks", f"{HANDED_OUT}/packs"
MINE = "my_"  # begins the name of a notebook that is no step


class Reset(NamedTuple):
    """What was reset.

    Attributes
    ----------
    notebook
        The notebook that is as it was handed out.
    kept
        Where one's own is now; None if there was none, or if it was the same.
    changed
        Whether anything had to be done.
    """

    notebook: Path
    kept: Path | None
    changed: bool


def reset(project: Project, step: str) -> Reset:
    """Put the notebook of a step back as it was handed out; one's own is kept beside it.

    Raises
    ------
    ProjectError
        If it was not handed out, or a cell of it is running.
    """
    handed_out = sorted((project.root / NOTEBOOKS).rglob("*.ipynb"))
    found = next((path for path in handed_out if path.stem == step), None)
    if found is None:
        names = ", ".join(path.stem for path in handed_out) or "none"
        raise ProjectError(
            f"{NOTEBOOKS}/ has no {step}.ipynb; there are {names}. `notebook-checkpoints handout` "
            "puts them there.",
            step=step,
            file=f"{NOTEBOOKS}/{step}.ipynb",
            expected=[path.stem for path in handed_out],
        )
    target = project.notebooks / found.relative_to(project.root / NOTEBOOKS)
    content = found.read_bytes()
    mine = target.read_bytes() if target.exists() else None
    if mine == content:
        return Reset(target, None, False)
    servers.refuse_busy(project, [project.show(target)])
    kept = _keep(target, mine) if mine is not None else None
    replace(target, content)
    return Reset(target, kept, True)


def _keep(target: Path, content: bytes) -> Path:
    """Write a copy beside a notebook, under a name that is not taken, and return where."""
    number = 1
    while True:
        ending = "" if number == 1 else f"-{number}"
        kept = target.with_name(f"{MINE}{target.stem}{ending}.ipynb")
        try:
            with kept.open("xb") as file:
                file.write(content)
        except FileExistsError:
            number += 1
        else:
            return kept
