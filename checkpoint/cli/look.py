"""The verbs that look at a project and change nothing: status, graph, check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from . import many, render
from .shared import AsJson, current_project, out, project_here

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Project folders; by default, the project you are in."),
]


def status(paths: Paths = None, as_json: AsJson = False) -> None:
    """Show whether each step's results fit its notebook and its inputs.

    Of the projects in PATHS, it shows a row each. Exits with 1 unless every step is current.
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
    states = Lineage(project).states()
    if as_json:
        print(json.dumps({"steps": [state._asdict() for state in states]}, indent=2))
    else:
        render.states(out, project, states)
    raise typer.Exit(any(state.state != CURRENT for state in states))


def graph(
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print it for Mermaid, which GitHub draws.")
    ] = False,
    svg: Annotated[
        Path | None,
        typer.Option("--svg", help="Write it as a picture, for a README.", metavar="FILE"),
    ] = None,
) -> None:
    """Show which step loads what, as a tree.

    A step that loads several hangs below the last of them and names the others.
    """
    from ..errors import CheckpointValueError
    from ..files import replace
    from ..notebooks.graph import Graph
    from ..report.drawing import as_svg

    found = Graph(current_project())
    every = {step: [*loads, *found.later[step]] for step, loads in found.loads.items()}
    if svg and svg.suffix.lower() != ".svg":
        raise CheckpointValueError(f"--svg expects a name that ends in .svg, got {str(svg)!r}.")
    if svg:
        replace(svg, as_svg(every).encode())
    if mermaid:
        print(render.mermaid(every))
    elif not svg:
        render.tree(out, found.loads, found.later)


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
