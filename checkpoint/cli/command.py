"""The `checkpoint` command."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from .. import text
from ..errors import CheckpointError

if TYPE_CHECKING:
    from ..lineage.states import State
    from ..project.project import Project

LOOK, RUN, CHANGE = "Look", "Run", "Change the chain"
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
ROOM = 85  # characters that `status` takes beside the names of steps, 40 of them for reasons
# paths and messages are shown as they are: no colours for numbers, no line breaks of its own;
# what is read by a program has a line per row of a table, however long
width = None if sys.stdout.isatty() else 10_000
out = Console(highlight=False, soft_wrap=True, markup=False, width=width)
err = Console(highlight=False, soft_wrap=True, markup=False, stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
StepName = Annotated[str, typer.Argument(help="The step, as 1_preprocessing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.callback()
def checkpoint() -> None:
    """Work on the chain of notebooks of this project, from any of its folders.

    A step is a notebook, as 1_preprocessing, and its results in results/1_preprocessing/. It is
    current while its results fit its inputs, its cells and the project's modules.
    """


@app.command(rich_help_panel=LOOK)
def status(
    as_json: AsJson = False,
) -> None:
    """Show whether each step's results still fit their inputs and their notebook.

    Exits with 1 if any does not.
    """
    from ..lineage.states import CURRENT, Lineage

    project = here()
    states = Lineage(project).states()
    if as_json:
        print(json.dumps({"steps": [state._asdict() for state in states]}, indent=2))
    else:
        show_states(project, states)
    raise typer.Exit(any(state.state != CURRENT for state in states))


@app.command(rich_help_panel=LOOK)
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Projects; this one if none is named.")
    ] = None,
    as_json: AsJson = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="List the rules, with the reason for each.")
    ] = False,
) -> None:
    """Check layout, load and save cells, and habits that break a chain of notebooks.

    Exits with 1 if a rule is broken. Rules are switched off in pyproject.toml:
    [tool.checkpoint] ignore = ["absolute-path"].
    """
    from ..check.check import check as problems_of
    from ..project.project import find_project

    if rules:
        show_rules(as_json)
        return
    roots = [path.resolve() for path in paths] if paths else [find_project().root]
    found = {root: problems_of(root) for root in roots}
    good = [root for root, problems in found.items() if not problems]
    if as_json:
        listed = [
            {"project": str(root), **vars(problem)}
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


def show_rules(as_json: bool) -> None:
    """Print what each rule finds, and the reason."""
    from ..check.rules import RULES

    listed = [{"name": rule.name, "finds": rule.finds, "why": rule.why} for rule in RULES.values()]
    if as_json:
        print(json.dumps({"rules": listed}, indent=2))
    else:
        for rule in listed:
            out.print(f"{rule['name']}: {rule['finds']}; {rule['why']}.")


@app.command(rich_help_panel=RUN)
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

    One that fails stays as it was; its outputs are in results/STEP/failed.ipynb.
    """
    from ..notebooks.parameters import parse_settings
    from ..run.run import run as run_steps

    values = parse_settings(settings or [])
    try:
        run_steps(
            here(),
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


@app.command(rich_help_panel=RUN)
def accept(
    step: StepName,
    why: Annotated[str, typer.Option("--why", help="Why the change does not matter.")],
) -> None:
    """Mark a step as current without running it again; the reason is kept in its params.json."""
    from ..lineage.accept import accept as accept_step

    for reason in accept_step(here(), step, why):
        out.print(f"{step} is current: accepted that {reason}.")


@app.command(rich_help_panel=RUN)
def clean(
    steps: Annotated[
        list[str] | None, typer.Argument(help="Steps, as 1_preprocessing; all if none is named.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Remove checkpoints, after showing which; files that save did not make stay."""
    from ..storage import clean as cleaning

    project = here()
    found = cleaning.find(project, steps or [])
    if not found:
        out.print("Nothing to remove: there are no checkpoints.")
        return
    for one in found:
        stay = f"; {text.files(one.others)} of others stay" if one.others else ""
        weight = text.size(one.bytes)
        out.print(f"results/{one.step}/: {text.files(one.files)}, {weight}{stay}")
    ask("Remove them?", yes)
    cleaning.clean(project, found)
    out.print(f"Removed {text.size(sum(one.bytes for one in found))}.")


@app.command(rich_help_panel=CHANGE)
def new(
    name: Annotated[str, typer.Argument(help="Its name, without a number.")],
    after: Annotated[
        str | None, typer.Option("--after", help="Behind this step.", metavar="STEP")
    ] = None,
) -> None:
    """Add a notebook that loads the one before it; those behind it are renumbered."""
    from ..edit.renumber import new as add

    project = here()
    made = add(project, name, after)
    loading = f", which loads {made.previous}" if made.previous else ""
    out.print(f"Made notebooks/{made.step}.ipynb{loading}.")
    show_renamed(project, made.renamed, quietly=True)


@app.command(rich_help_panel=CHANGE)
def rename(
    step: StepName, name: Annotated[str, typer.Argument(help="The new name, without a number.")]
) -> None:
    """Give a notebook another name, with its results and all load and save cells that name it."""
    from ..edit.renumber import rename as rename_step

    project = here()
    show_renamed(project, rename_step(project, step, name))


@app.command(rich_help_panel=CHANGE)
def move(
    step: StepName, position: Annotated[int, typer.Argument(help="The number it is to have.")]
) -> None:
    """Give a notebook another number; those between its old and new place make room."""
    from ..edit.renumber import loaded_too_early
    from ..edit.renumber import move as move_step

    project = here()
    show_renamed(project, move_step(project, step, position))
    for early, late in loaded_too_early(project):
        out.print(f"{early} loads {late}, which now runs after it. Change its load cell.")


@app.command(rich_help_panel=CHANGE)
def remove(step: StepName, yes: Yes = False) -> None:
    """Remove a notebook and its results; those behind it are renumbered."""
    from ..edit.renumber import removable
    from ..edit.renumber import remove as remove_step
    from ..storage.clean import others_in

    project = here()
    one = removable(project, step)
    results = project.results_of(one.name)
    files = [path for path in results.rglob("*") if path.is_file() and path.name[0] != "."]
    weight = text.size(sum(path.stat().st_size for path in files))
    out.print(f"notebooks/{one.path.name}, {text.files(files)} of results/{one.name}/, {weight}")
    others = [path.relative_to(results).as_posix() for path in others_in(project, one.name)]
    if others:
        out.print(f"  among them what save did not make: {', '.join(others)}")
    ask("Remove them?", yes)
    renamed = remove_step(project, step)
    out.print(f"Removed {one.name}.")
    show_renamed(project, renamed, quietly=True)


def here() -> Project:
    """Return the project of the working folder, after undoing a change that was cut short."""
    from ..edit.change import recover
    from ..project.project import find_project

    project = find_project()
    if recover(project):
        err.print(
            "A change of the project that was cut short has been undone. A file that was edited "
            "since has a copy that ends in .kept."
        )
    return project


def ask(question: str, yes: bool) -> None:
    """Go on if the user says so; without a terminal, only with --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        err.print("Nothing was removed: there is no terminal to ask at. --yes answers.")
        raise typer.Exit(2)
    typer.confirm(question, abort=True)


def show_renamed(project: Project, renamed: dict[str, str], *, quietly: bool = False) -> None:
    """Say which steps have another name, and where texts still have the old one."""
    from ..edit.rename import mentions, still_mentioned
    from ..project import git

    for old, new_ in renamed.items():
        out.print(f"{old} is now {new_}.")
    if not renamed and not quietly:
        out.print("Nothing to do: it is so already.")
    gone = renamed.keys() - renamed.values()
    places = [f"  {place}" for old in sorted(gone) for place in still_mentioned(project, old)]
    if places:
        out.print("Texts that have the old name:\n" + "\n".join(places))
    staged = git.unstaged(project.root, ["notebooks", "results", "src", "scripts"]) if gone else {}
    left = [name for name, text in staged.items() if any(mentions(text, old) for old in gone)]
    if left:
        out.print(f"`git add` before you commit, since they had edits: {', '.join(left)}")


def show_states(project: Project, states: list[State]) -> None:
    """Print a row per step, and what to type next.

    Why a step is in its state stands at the end of the row, or below the table where a terminal
    has little room.
    """
    from rich.table import Table

    from ..lineage.states import CURRENT, MISSING

    whys = {state.step: _why(state, states) for state in states}
    beside = out.width >= max(map(len, whys), default=0) + ROOM
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("step", "state", "made", "size", *(["why"] if beside else [])):
        table.add_column(title, justify="right" if title == "size" else "left")
    for state in states:
        made = (state.timestamp or "")[:16].replace("T", " ")
        weight = text.size(state.bytes) if state.timestamp else ""
        style = {CURRENT: "green", MISSING: "dim"}.get(state.state, "yellow")
        why = [Text("\n".join(whys[state.step]))] if beside else []
        table.add_row(state.step, Text(state.state, style), made, weight, *why)
    out.print(table, soft_wrap=False)
    if not beside and any(whys.values()):
        out.print()
        for step, lines in whys.items():
            for line in lines:
                out.print(f"{step}: {line}", soft_wrap=False)
    known = {notebook.name for notebook in project.steps()}
    if any(state.state != CURRENT and state.step in known for state in states):
        out.print("\nNext: checkpoint run")


def _why(state: State, states: list[State]) -> list[str]:
    """Return the reasons and notes of a state; reasons that an earlier step has, by its name."""
    same = next((one.step for one in states if one.reasons == state.reasons), state.step)
    told = state.reasons and same != state.step
    return [*([f"as {same}"] if told else state.reasons), *state.notes]


def main() -> None:
    """Run the command; an error is its message, without a traceback of this code."""
    for stream in (sys.stdout, sys.stderr):  # a cell's line may have what this terminal lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="checkpoint")
    except CheckpointError as error:
        # a cell's traceback comes in colours, which a file would keep as codes
        err.print(Text.from_ansi(str(error)))
        raise SystemExit(2) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        err.print(f"{where}{error.strerror or error}")
        raise SystemExit(2) from error
