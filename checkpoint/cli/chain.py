"""The verbs that change the chain of notebooks: new, rename, move, remove."""

from __future__ import annotations

from typing import Annotated

import typer

from . import render
from .shared import StepName, Yes, confirm, current_project, out, tell_open


def new(
    name: Annotated[str, typer.Argument(help="Its name, without a number.")],
    after: Annotated[
        str | None,
        typer.Option(
            "--after", help="The step that it follows; by default, the last.", metavar="STEP"
        ),
    ] = None,
) -> None:
    """Add a notebook that loads the one before it, and renumber the notebooks after it."""
    from ..edit import chain

    project = current_project()
    with tell_open(project):
        made = chain.new(project, name, after)
        loading = f", which loads {made.previous}" if made.previous else ""
        out.print(f"Made {made.path}{loading}.")
        render.renamed(out, project, made.renamed)


def rename(
    step: StepName, name: Annotated[str, typer.Argument(help="The new name, without a number.")]
) -> None:
    """Rename a notebook and its results, and update the code and settings that name it."""
    from ..edit import chain

    project = current_project(settled=False)
    with tell_open(project):
        renamed = chain.rename(project, step, name)
        if not renamed:
            out.print("Nothing to do: it already has that name.")
        render.renamed(out, project, renamed)


def move(
    step: StepName, position: Annotated[str, typer.Argument(help="Its new number, or letter.")]
) -> None:
    """Give a notebook another number, and renumber the notebooks in between."""
    from ..edit import chain

    project = current_project()
    with tell_open(project):
        renamed = chain.move(project, step, position)
        if not renamed:
            out.print("Nothing to do: it already has that number.")
        for name in [name for name in renamed if renamed[name] == name]:
            out.print(f"{renamed.pop(name)} has another place in `order`.")
        render.renamed(out, project, renamed)
    for early, late in chain.loaded_too_early(project):
        out.print(f"{early} loads {late}, which now runs after it. Change its load cell.")


def remove(step: StepName, yes: Yes = False) -> None:
    """Remove a notebook and its results, and renumber the notebooks after it."""
    from ..edit import chain

    project = current_project()
    target = chain.removable(project, step)
    render.notebook_and_results(out, project, target)
    confirm("Remove them?", yes)
    with tell_open(project):
        renamed = chain.remove(project, step)
        out.print(f"Removed {target.name}.")
        render.renamed(out, project, renamed)
