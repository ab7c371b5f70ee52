"""What the verbs share: consoles, options, the current project, prompts and advice."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..errors import CheckpointError, ProjectError
from ..project.find import RESULTS, fits, package, project_of_command
from ..project.places import refuse_missing_data

if TYPE_CHECKING:
    from ..project.project import Project

# rich prints paths and messages unchanged, without highlighting numbers or breaking lines. Unless
# the output goes to a terminal, each row of a table is one line, however long.
width = None if sys.stdout.isatty() else 10_000
out = Console(highlight=False, soft_wrap=True, markup=False, width=width)
err = Console(highlight=False, soft_wrap=True, markup=False, stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
StepName = Annotated[str, typer.Argument(help="The step, such as 1_preprocessing.")]
StepNames = Annotated[
    list[str] | None, typer.Argument(help="Steps, such as 1_preprocessing; by default, all.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def current_project(*, settled: bool = True) -> Project:
    """Return the project of the working directory, after undoing an interrupted change to it.

    If `settled`, raises `ProjectError` unless it is clear which notebooks are the steps.
    """
    from ..edit.change import recover

    project = project_here()
    if RESULTS in os.environ:
        raise ProjectError(
            f"{RESULTS} is set, which only load and save in notebooks follow; the command works on "
            f"{project.results}. Unset it.",
            key=RESULTS,
            found=os.environ[RESULTS],
        )
    project.refuse_broken_link(project.results)
    try:
        refuse_missing_data(project)
        project.refuse_broken_link(project.data)
    except CheckpointError as error:
        err.print(f"Note: {error}")
    if recover(project):
        err.print(
            "An interrupted change to the project was undone. Files that were edited since have "
            "copies that end in .kept."
        )
    if settled:
        project.refuse_unclear()
    return project


def project_here() -> Project:
    """Return the project of the working directory; raises if it has another package."""
    project = project_of_command()
    if not fits(project):
        other = project.package
        meant = shlex.join(["python", "-m", f"{other}.checkpoint", *sys.argv[1:]])
        raise ProjectError(
            f"This is the command of the package {package()}, but the project {project.root} has "
            f"the package {other}. In its environment, run `{meant}`.",
            expected=other,
            found=package(),
        )
    return project


def confirm(question: str, yes: bool) -> None:
    """Return if the user confirms, else exit; a non-interactive terminal requires `yes`."""
    if yes:
        return
    if not sys.stdin.isatty():
        err.print("Nothing was removed: not an interactive terminal; pass --yes to confirm.")
        raise typer.Exit(2)
    typer.confirm(question, abort=True)


@contextmanager
def tell_open(project: Project) -> Iterator[None]:
    """Print, after the `with` block, which open notebooks to close and which to reload."""
    from ..project.servers import CLOSE, RELOAD, advice

    before = _stamps(project)
    yield
    after = _stamps(project)
    gone = [name for name in before if name not in after]
    rewritten = [name for name in after if before.get(name, after[name]) != after[name]]
    for names, todo in ((gone, CLOSE), (rewritten, RELOAD)):
        if names:
            out.print(advice(project, names, todo))


def _stamps(project: Project) -> dict[str, tuple[int, int]]:
    paths = {path.name: path.stat() for path in project.notebook_files()}
    return {name: (status.st_mtime_ns, status.st_size) for name, status in paths.items()}
