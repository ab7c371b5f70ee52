"""The verbs that look at a project and change nothing: status, check."""

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
) -> None:
    """Show which step loads what, as a tree.

    A step that loads several hangs below the last of them and names the others.
    """
    from ..notebooks.graph import Graph

    loads = Graph(current_project()).loads
    if mermaid:
        print(render.mermaid(loads))
    else:
        render.tree(out, loads)


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
            {"project": str(root), **vars(problem)}
            for root, problems in problems_by_root.items()
            for problem in problems
        ]
        projects = many.problems(problems_by_root)
        print(json.dumps({"problems": rows, "projects": projects}, indent=2))
    else:
        render.problems(out, problems_by_root, full_paths=bool(paths))
    raise typer.Exit(any(problems_by_root.values()))
