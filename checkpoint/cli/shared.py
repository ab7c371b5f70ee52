"""What the verbs share: consoles, options, the current project, asking for confirmation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from ..project.project import Project

# Paths and messages are printed as they are, without highlighted numbers or line breaks of rich's.
# Where a program reads the output, each row of a table is one line, however long.
width = None if sys.stdout.isatty() else 10_000
out = Console(highlight=False, soft_wrap=True, markup=False, width=width)
err = Console(highlight=False, soft_wrap=True, markup=False, stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
StepName = Annotated[str, typer.Argument(help="The step, such as 1_preprocessing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def current_project() -> Project:
    """Return the project of the working directory, after undoing an interrupted change to it."""
    from ..edit.change import recover
    from ..project.project import find_project

    project = find_project()
    if recover(project):
        err.print(
            "An interrupted change to the project was undone. Files that were edited since have "
            "copies that end in .kept."
        )
    return project


def confirm(question: str, yes: bool) -> None:
    """Go on if the user confirms; where nobody can be asked, only with --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        err.print("Nothing was removed: not an interactive terminal; pass --yes to confirm.")
        raise typer.Exit(2)
    typer.confirm(question, abort=True)
