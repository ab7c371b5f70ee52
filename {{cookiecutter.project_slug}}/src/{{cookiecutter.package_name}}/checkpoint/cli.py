"""The `checkpoint` command."""

from __future__ import annotations

import json
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from . import wording
from .errors import CheckpointError

if TYPE_CHECKING:
    from .lineage import State
    from .project import Project

app = typer.Typer(
    help="Work on the chain of notebooks of this project.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# paths and messages are shown as they are: no colours for numbers, no line breaks of its own
out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(highlight=False, soft_wrap=True, markup=False, stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def checkpoint() -> None:
    """Work on the chain of notebooks of this project."""


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Projects; this one if none is named.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check layout, load and save cells, and habits that break a chain of notebooks.

    Exits with 1 if a rule is broken. Rules are switched off in pyproject.toml:
    [tool.checkpoint] ignore = ["absolute-path"].
    """
    from .check import check as problems_of
    from .project import find_project

    roots = [path.resolve() for path in paths or [find_project().root]]
    found = {root: problems_of(root) for root in roots}
    good = [root for root, problems in found.items() if not problems]
    if as_json:
        listed = [
            {"project": str(root), **problem._asdict()}
            for root, problems in found.items()
            for problem in problems
        ]
        print(json.dumps({"problems": listed}, indent=2))
    else:
        for root, problems in found.items():
            for problem in problems:
                out.print(f"{root / problem.where if paths else problem.where}: {problem.advice}")
        if len(roots) > 1:
            out.print(f"{len(good)} of {len(roots)} projects follow the rules.")
        elif good:
            out.print(f"{good[0].name} follows the rules.")
    raise typer.Exit(len(good) != len(roots))


@app.command()
def status(
    as_json: AsJson = False,
) -> None:
    """Show whether each step's results still fit their inputs and their notebook.

    Exits with 1 if any does not.
    """
    from .lineage import CURRENT, Lineage
    from .project import find_project

    project = find_project()
    states = Lineage(project).states()
    if as_json:
        print(json.dumps({"steps": [state._asdict() for state in states]}, indent=2))
    else:
        show_states(project, states)
    raise typer.Exit(any(state.state != CURRENT for state in states))


@app.command()
def run(
    steps: Annotated[
        list[str] | None,
        typer.Argument(help="Notebooks, as 1_preprocessing; all if none is named."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is current.")] = False,
    beginning: Annotated[
        str | None, typer.Option("--from", help="Everything from this step on.", metavar="STEP")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A value for a name in a `parameters` cell.", metavar="NAME=VALUE"
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="How many may run side by side.")
    ] = 1,
) -> None:
    """Run the notebooks that are not current, in order, and keep their outputs in them.

    One that fails stays as it was; its outputs are in results/<step>/failed.ipynb.
    """
    from .parameters import parse_settings
    from .project import find_project
    from .run import run as run_steps

    values = parse_settings(settings or [])
    try:
        run_steps(
            find_project(),
            steps or [],
            everything=everything,
            beginning=beginning,
            values=values,
            jobs=jobs,
            out=out,
        )
    except KeyboardInterrupt as interrupt:
        err.print("Interrupted. What was running is as it was.")
        raise typer.Exit(128 + (interrupt.args or (SIGINT,))[0]) from None


@app.command()
def accept(
    step: Annotated[str, typer.Argument(help="The step, as 1_preprocessing.")],
    why: Annotated[str, typer.Option("--why", help="Why the change does not matter.")],
) -> None:
    """Mark a step as current without running it again; the reason is kept in its params.json."""
    from .accept import accept as accept_step
    from .project import find_project

    for reason in accept_step(find_project(), step, why):
        out.print(f"{step} is current: accepted that {reason}.")


def show_states(project: Project, states: list[State]) -> None:
    """Print a row per step, and what to type next."""
    from rich.table import Table

    from .lineage import CURRENT, MISSING

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("step", "state", "made", "size", "why"):
        table.add_column(title, justify="right" if title == "size" else "left", overflow="fold")
    for state in states:
        made = (state.timestamp or "")[:16].replace("T", " ")
        weight = wording.size(state.bytes) if state.timestamp else ""
        style = {CURRENT: "green", MISSING: "dim"}.get(state.state, "yellow")
        why = "\n".join([*state.reasons, *state.notes])
        table.add_row(state.step, Text(state.state, style), made, weight, Text(why))
    out.print(table, soft_wrap=False)
    known = {notebook.step for notebook in project.steps()}
    if any(state.state != CURRENT and state.step in known for state in states):
        out.print("\nNext: checkpoint run")


def main() -> None:
    """Run the command; an error is its message, without a traceback of this code."""
    try:
        app(prog_name="checkpoint")
    except CheckpointError as error:
        # a cell's traceback comes in colours, which a file would keep as codes
        err.print(Text.from_ansi(str(error)))
        raise SystemExit(2) from error
