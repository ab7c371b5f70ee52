"""The verbs that inspect a project without changing it: status, graph, check, report, methods."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from .. import text
from . import many, render
from .shared import AsJson, current_project, err, out, project_here

Paths = Annotated[
    list[Path] | None, typer.Argument(help="Project folders; by default, the project you are in.")
]


def status(paths: Paths = None, as_json: AsJson = False) -> None:
    """Show whether each step's results match its notebook and its inputs.

    With PATHS, shows one row per project. Exits with 1 unless every step is current;
    notebooks without code do not count.
    """
    from ..lineage.changes import CURRENT
    from ..lineage.states import Lineage

    if paths:
        rows = many.states([path.resolve() for path in paths])
        if as_json:
            print(json.dumps({"projects": rows}, indent=2))
        else:
            render.projects(out, rows)
        raise typer.Exit(any(row["state"] != CURRENT for row in rows))
    project = current_project()
    lineage = Lineage(project)
    states = lineage.states()
    if as_json:
        print(json.dumps({"steps": [state._asdict() for state in states]}, indent=2))
    else:
        render.states(out, project, states)
    wrong = [state for state in states if state.state != CURRENT]
    raise typer.Exit(not all(lineage.is_empty(state.step) for state in wrong))


def graph(
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print it for Mermaid, which GitHub draws.")
    ] = False,
    svg: Annotated[
        Path | None,
        typer.Option("--svg", help="Write it as a picture, for a README.", metavar="FILE"),
    ] = None,
) -> None:
    """Show which steps load which, as a tree.

    A step that loads several steps is below the last of them and lists the others.
    """
    from ..errors import CheckpointValueError
    from ..files import replace
    from ..notebooks.graph import Graph
    from ..report.drawing import as_svg

    graph = Graph(current_project())
    every = {step: [*loads, *graph.later[step]] for step, loads in graph.loads.items()}
    if svg and svg.suffix.lower() != ".svg":
        raise CheckpointValueError(
            f"--svg expects a name that ends in .svg, got {str(svg)!r}.", found=str(svg)
        )
    if svg:
        replace(svg, as_svg(every).encode())
    if mermaid:
        print(render.mermaid(every))
    elif not svg:
        render.tree(out, graph.loads, graph.later)


def check(
    paths: Paths = None,
    as_json: AsJson = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="List the rules, with the reason for each.")
    ] = False,
) -> None:
    """Check the project's layout, its load and save cells, and risky habits.

    Exits with 1 if a rule is broken. Switch rules off in pyproject.toml:
    [tool.checkpoint] ignore = ["absolute-path"].
    """
    from ..check.check import check as problems_of
    from ..check.rules import RULES

    if rules:
        rows = [{"name": r.name, "finds": r.finds, "why": r.why} for r in RULES.values()]
        if as_json:
            print(json.dumps({"rules": rows}, indent=2))
        else:
            render.rules(out, rows)
        return
    roots = [path.resolve() for path in paths] if paths else [project_here().root]
    problems_by_root = {root: problems_of(root) for root in roots}
    if as_json:
        rows = [
            {"project": str(root), **problem._asdict()}
            for root, problems in problems_by_root.items()
            for problem in problems
        ]
        projects = many.problems(problems_by_root)
        print(json.dumps({"problems": rows, "projects": projects}, indent=2))
    else:
        render.problems(out, problems_by_root, full_paths=bool(paths))
    raise typer.Exit(any(problems_by_root.values()))


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
    """Write a report: what the project is, its data, its results, and whether they hold.

    The report is one self-contained HTML file, for readers who were not involved.
    """
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
    """Print the facts for a methods section: tools, versions, inputs, parameters."""
    from ..lineage.changes import CURRENT
    from ..report.facts import gather
    from ..report.methods import methods as facts_of

    facts = gather(current_project())
    print(facts_of(facts))
    for step in facts.steps:
        if step.saved.state.state != CURRENT:
            err.print(f"Note: {step.name} is {step.saved.state.state}; see `checkpoint status`.")
