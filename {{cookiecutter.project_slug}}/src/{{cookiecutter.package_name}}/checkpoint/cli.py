"""The `checkpoint` command."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from .errors import CheckpointError

app = typer.Typer(
    help="Work on the chain of notebooks of this project.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# paths and messages are shown as they are: no colours for numbers, no line breaks of its own
out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(highlight=False, soft_wrap=True, markup=False, stderr=True)


@app.callback()
def checkpoint() -> None:
    """Work on the chain of notebooks of this project."""


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Projects; this one if none is named.")
    ] = None,
) -> None:
    """Check the layout: folders, notebooks, their load and save cells, .gitignore."""
    from .check import check as problems_of
    from .project import find_project

    failed = False
    for root in paths or [find_project().root]:
        problems = problems_of(root)
        for problem in problems:
            out.print(f"{root / problem.where if paths else problem.where}: {problem.advice}")
        failed = failed or bool(problems)
        if not problems:
            out.print(f"{root.name}: the layout is as it should be.")
    raise typer.Exit(1 if failed else 0)


@app.command()
def run(
    steps: Annotated[
        list[str] | None, typer.Argument(help="Notebooks, as 1_preprocessing; all if none.")
    ] = None,
) -> None:
    """Run notebooks in order, and keep their outputs in them."""
    from .project import find_project
    from .run import run as run_steps

    run_steps(find_project(), steps or [], out)


def main() -> None:
    """Run the command; errors are one line."""
    try:
        app(prog_name="checkpoint")
    except CheckpointError as error:
        # a cell's traceback comes in colours, which a file would keep as codes
        err.print(Text.from_ansi(str(error)))
        raise SystemExit(2) from error
