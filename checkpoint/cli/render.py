"""Print states, problems, sizes and new names for the `checkpoint` command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from .. import text
from ..files import below
from . import many

if TYPE_CHECKING:
    from rich.table import Table

    from ..check.rules import Problem
    from ..lineage.states import State
    from ..project.chain import Step
    from ..project.project import Project
    from ..storage.clean import Removable

DEEPER = 4  # characters by which a branch of a tree is indented
OTHER_COLUMNS = 85  # characters of a row besides the step's name, 40 of them for the reasons


def states(console: Console, project: Project, states: list[State]) -> None:
    """Print a row per step, and the command to run next.

    The reasons for a state are in the last column, or below the table on a narrow terminal.
    """
    from ..lineage.changes import ABSENT, CURRENT, MISSING, UNVERIFIABLE
    from ..notebooks.copies import written_back
    from ..run.left_out import skipped, unrunnable

    whys = {state.step: _why(state, states) for state in states}
    in_table = console.width >= max(map(len, whys), default=0) + OTHER_COLUMNS
    sources = ["from"] if _branches(states) else []
    table = _table("step", *sources, "state", "made", "size", *(["why"] if in_table else []))
    for state in states:
        made = (state.timestamp or "")[:16].replace("T", " ")
        size = text.size(state.bytes) if state.timestamp else ""
        style = {CURRENT: "green", MISSING: "dim"}.get(state.state, "yellow")
        why = [Text("\n".join(whys[state.step]))] if in_table else []
        loads = [", ".join(_whole(state))] if sources else []
        shown = f"{state.state}, given" if state.origin == "given" else state.state
        table.add_row(state.step, *loads, Text(shown, style), made, size, *why)
    console.print(table, soft_wrap=False)
    if not in_table and any(whys.values()):
        console.print()
        for step, lines in whys.items():
            for line in lines:
                console.print(f"{step}: {line}", soft_wrap=False)
    for old, new in written_back(project):
        console.print(
            f"\n{project.show(old.path)} has the cells of {new.path.name} and no results; an "
            "editor may have written it back after a rename. `checkpoint check` says what to do."
        )
    steps = {step.name: step for step in project.steps()}
    left = (ABSENT, UNVERIFIABLE, CURRENT)  # `run` skips these, unless they are named or needed
    due = [state for state in states if state.state not in left and state.step in steps]
    skips = skipped(project, [steps[state.step] for state in due])
    for state in due:
        if state.step in skips and not state.reasons:
            console.print(f"\n{skips[state.step].reason}.")
    if to_fetch := [step for step in _to_fetch(project, states) if step not in steps]:
        console.print(f"\nNext: checkpoint unpack {to_fetch[0]}")
    elif len(due) > len(skips):
        blocked = unrunnable(project, skips)
        for line in map(str, blocked) if blocked else ["Next: checkpoint run"]:
            console.print(f"\n{line}")


def _to_fetch(project: Project, states: list[State]) -> list[str]:
    """Return the steps that are not here, that others load, and that have a source."""
    from ..lineage.changes import ABSENT, MISSING
    from ..project.settings import read_sources

    here = {state.step for state in states if state.state not in (ABSENT, MISSING)}
    loaded = {name.partition("/")[0] for state in states for name in state.loads}
    return [step for step in read_sources(project) if step in loaded - here]


def projects(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print a row per project: its version, the states of its steps, and the first reason."""
    from ..lineage.changes import CURRENT

    names = _names([row["project"] for row in rows])
    table = _table("project", "version", "state", "made", "size", "why")
    for row, name in zip(rows, names, strict=True):
        made = (row["made"] or "")[:16].replace("T", " ")
        size = text.size(row["bytes"]) if row["made"] else ""
        state = Text(row["state"], "green" if row["state"] == CURRENT else "yellow")
        table.add_row(name, row["version"], state, made, size, Text(row["why"]))
    console.print(table, soft_wrap=False)
    good = sum(row["state"] == CURRENT for row in rows)
    console.print(f"\n{good} of {len(rows)} projects are current.")


def _table(*titles: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, justify="right" if title == "size" else "left")
    return table


def _names(paths: list[str]) -> list[str]:
    """Return the names of folders, or their paths if two have the same name."""
    names = [Path(path).name for path in paths]
    return names if len(set(names)) == len(names) else paths


def _branches(states: list[State]) -> bool:
    """Tell whether any step loads something other than just the step before it."""
    before: list[str] = []
    for state in states:
        if _whole(state) != before:
            return True
        before = [state.step]
    return False


def _whole(state: State) -> list[str]:
    """Return the steps from which a step is made, not their sub-checkpoints and parts."""
    return list(dict.fromkeys(loaded.partition("/")[0] for loaded in state.loads))


def _why(state: State, states: list[State]) -> list[str]:
    """Return a state's reasons and notes; `as STEP` for the reasons of an earlier step."""
    first = next((other.step for other in states if other.reasons == state.reasons), state.step)
    repeated = state.reasons and first != state.step
    return [*([f"as {first}"] if repeated else state.reasons), *state.notes]


def tree(console: Console, loads: Mapping[str, list[str]], later: Mapping[str, list[str]]) -> None:
    """Print a tree of steps, each below the last earlier step that it loads."""
    from rich.segment import Segments
    from rich.tree import Tree

    top = Tree("", hide_root=True)
    branches: dict[str, Tree] = {}
    for step, loaded in loads.items():
        others = f"  also from {', '.join(loaded[:-1])}" if loaded[1:] else ""
        if later[step]:
            others += f"  loads {', '.join(later[step])}, which does not run before it"
        above = branches[loaded[-1]] if loaded else top
        branches[step] = above.add(Text.assemble(step, (others, "dim")))
    # a long chain may be wider than the terminal, which would cut off names
    options = console.options.update_width(console.width + DEEPER * len(loads))
    console.print(Segments(console.render(top, options)), soft_wrap=True, end="")


def mermaid(loads: Mapping[str, list[str]]) -> str:
    """Return a graph of steps in the syntax of Mermaid."""
    names = {step: f"s{number}" for number, step in enumerate(loads, 1)}
    nodes = [f'    {name}["{_for_mermaid(step)}"]' for step, name in names.items()]
    arrows = [f"    {names[before]} --> {names[step]}" for step in loads for before in loads[step]]
    return "\n".join(["graph TD", *nodes, *arrows])


def _for_mermaid(name: str) -> str:
    """Return a name with the characters escaped that Mermaid would interpret."""
    return "".join(f"#{ord(letter)};" if letter in "#&;`" else letter for letter in name)


def problems(
    console: Console, problems_by_root: Mapping[Path, list[Problem]], *, full_paths: bool
) -> None:
    """Print a line per problem that `check` found, and whether the projects follow the rules."""
    for root, problems in problems_by_root.items():
        for problem in problems:
            where = root / problem.where if full_paths else problem.where
            console.print(f"{where}: {problem.advice}")
    good = [root for root, problems in problems_by_root.items() if not problems]
    if len(problems_by_root) > 1:
        _counts(console, many.problems(problems_by_root))
        console.print(f"{len(good)} of {len(problems_by_root)} projects follow the rules.")
    elif good:
        console.print(f"{good[0].name} follows the rules.")


def _counts(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print a row per project: its version and how often each rule is broken."""
    table = _table("project", "version", "problems")
    for row, name in zip(rows, _names([row["project"] for row in rows]), strict=True):
        listed = ", ".join(f"{count} {rule}" for rule, count in row["problems"].items())
        table.add_row(name, row["version"], Text(listed or "none"))
    console.print(table, soft_wrap=False)
    console.print()


def removable(console: Console, checkpoints: Iterable[Removable]) -> None:
    """Print a line for each step whose checkpoints would be removed."""
    for step in checkpoints:
        if not step.files:
            console.print(f"{step.step}: a save that was cut short, {text.size(step.bytes)}")
            continue
        others = text.files(len(step.others)) if step.others else ""
        kept = f"; keeps {others} that save did not create" if others else ""
        files, size = text.files(len(step.files)), text.size(step.bytes)
        console.print(f"results/{step.step}/: {files}, {size}{kept}")


def notebook_and_results(console: Console, project: Project, step: Step) -> None:
    """Print the notebook and results to be removed, naming files that `save` did not create."""
    from ..storage.clean import others_in

    results = project.results_of(step.name)
    paths = [path for path in below(results) if path.is_file() and path.name[0] != "."]
    size = text.size(sum(path.stat().st_size for path in paths))
    files = text.files(len(paths))
    console.print(f"{project.show(step.path)}, {files} of results/{step.name}/, {size}")
    others = [path.relative_to(results).as_posix() for path in others_in(project, step.name)]
    if others:
        console.print(f"  including files that save did not create: {', '.join(others)}")


def rules(console: Console, rows: list[dict[str, str]]) -> None:
    """Print what each rule of `check` finds, and the reason."""
    for row in rows:
        console.print(f"{row['name']}: {row['finds']}; {row['why']}.")


def renamed(console: Console, project: Project, names: Mapping[str, str]) -> None:
    """Print old and new names of steps, and where the old names are still mentioned."""
    from ..edit.references import still_mentioned

    for old, new in names.items():
        console.print(f"{old} is now {new}.")
    gone = names.keys() - names.values()
    places = [f"  {place}" for old in sorted(gone) for place in still_mentioned(project, old)]
    if places:
        console.print("Remaining mentions of the old name:\n" + "\n".join(places))
