"""The verbs that make, accept and remove results: run, accept, clean."""

from __future__ import annotations

from signal import SIGINT
from typing import Annotated

import typer

from .. import text
from . import render
from .shared import StepName, StepNames, Yes, confirm, current_project, err, out

NOT_CURRENT = 3  # exit status of a run that leaves steps that are not current


def run(
    steps: StepNames = None,
    everything: Annotated[bool, typer.Option("--all", help="Run current steps, too.")] = False,
    beginning: Annotated[
        str | None, typer.Option("--from", help="Run this step and all after it.", metavar="STEP")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Set a name of a cell tagged `parameters`.", metavar="NAME=VALUE"
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="How many may run at the same time.")
    ] = 1,
) -> None:
    """Run the notebooks that are not current, in order, and save their outputs in them.

    A notebook that fails is left unchanged; the executed copy is results/STEP/failed.ipynb. Exits
    with 3 if steps are still not current, after printing why and what to do.
    """
    from ..notebooks.parameters import parse_settings
    from ..run.run import run as run_steps

    values = parse_settings(settings or [])
    try:
        left = run_steps(
            current_project(),
            steps or [],
            everything=everything,
            beginning=beginning,
            values=values,
            jobs=jobs,
            out=out,
        )
    except KeyboardInterrupt as interrupt:
        err.print("Interrupted. The notebooks that were running were left unchanged.")
        raise typer.Exit(128 + (interrupt.args or (SIGINT,))[0]) from None
    for steps_left in left:
        err.print(str(steps_left))
    raise typer.Exit(NOT_CURRENT if left else 0)


def accept(
    step: StepName,
    why: Annotated[str, typer.Option("--why", help="Why the change does not matter.")],
) -> None:
    """Mark a step as current without running it; the reason is stored in its params.json."""
    from ..lineage.accept import accept as accept_step

    for reason in accept_step(current_project(), step, why):
        out.print(f"{step} is current: accepted that {reason}.")


def clean(
    steps: StepNames = None,
    yes: Yes = False,
) -> None:
    """Remove checkpoints, after listing them. Files that save did not create are kept."""
    from ..storage import clean as cleaning

    project = current_project()
    checkpoints = cleaning.find(project, steps or [])
    if not steps:
        checkpoints += cleaning.find_left_over(project)
    if not checkpoints:
        out.print("Nothing to remove: there are no checkpoints.")
        return
    render.removable(out, checkpoints)
    confirm("Remove them?", yes)
    cleaning.clean(checkpoints)
    out.print(f"Removed {text.size(sum(checkpoint.bytes for checkpoint in checkpoints))}.")
