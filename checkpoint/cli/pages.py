"""The verbs that tell others of a project: report, methods."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from .shared import current_project, err, out


def report(
    file: Annotated[
        Path | None, typer.Option("-o", help="The file; by default, results/report.html.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    zipped: Annotated[
        bool,
        typer.Option(
            "--zip", help="Also write a zip of it, the notebooks, figures and small tables."
        ),
    ] = False,
    budget: Annotated[
        str, typer.Option(help="The size that it may have; pictures are made smaller to fit.")
    ] = "10MB",
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if a step does not hold.")
    ] = False,
) -> None:
    """Write the project as a page: what it is, from which data, what came out, does it hold.

    It is one HTML file that needs nothing else, for somebody who was not there.
    """
    from .. import text
    from ..report.pictures import budget_of
    from ..report.write import NAME, write

    project = current_project()
    path = file or project.results / NAME
    page = write(project, path.absolute(), budget_of(budget), zipped=zipped)
    size = len(page.html)
    out.print(f"Wrote {file or project.show(path)}, {text.size(size)}.")
    if zipped:
        out.print(f"Wrote {(file or Path(project.show(path))).with_suffix('.zip')}.")
    if page.notebooks_left_out:
        out.print(f"Left out the notebooks of {', '.join(page.notebooks_left_out)}: see --budget.")
    if page.smaller or page.left_out:
        out.print(
            f"To stay below {budget}, {page.smaller} of {len(page.pictures)} pictures were made "
            f"smaller and {page.left_out} left out."
        )
    if size > budget_of(budget):
        err.print(f"It is larger than {budget}: its text alone is.")
    failing = [step for step in page.steps if step.holds is False]
    for step in failing:
        why = "; ".join(step.state.reasons)
        err.print(f"{step.name} is {step.state.state}" + (f": {why}" if why else ""))
    if show and not webbrowser.open(path.absolute().as_uri()):
        err.print("No browser was found.")
    raise typer.Exit(check and bool(failing))


def methods() -> None:
    """Print the facts that a methods section starts from: tools, versions, inputs, parameters."""
    from ..lineage.changes import CURRENT
    from ..report.facts import gather
    from ..report.methods import methods as facts_of

    facts = gather(current_project())
    print(facts_of(facts))
    for step in facts.steps:
        if step.saved.state.state != CURRENT:
            err.print(f"Note: {step.name} is {step.saved.state.state}; see `checkpoint status`.")
