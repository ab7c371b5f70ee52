"""The `notebook-checkpoints` command."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from .template import template_folder


def show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the template's version, which is that of `checkpoint`."""
    if wanted:
        from checkpoint import __version__

        click.echo(__version__)
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version and exit.",
)
def command() -> None:
    """Generate projects whose notebooks are connected by checkpoints."""


@command.command(context_settings={"ignore_unknown_options": True}, options_metavar="[OPTIONS]")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[QUESTION=ANSWER]...")
def new(arguments: tuple[str, ...]) -> None:
    """Generate a project in a new folder.

    Asks the template's questions; QUESTION=ANSWER, e.g. pipeline=blank, changes a default. The
    options are those of cookiecutter: --no-input takes the defaults, -o FOLDER chooses where the
    project's folder is made; `cookiecutter --help` lists the rest.
    """
    from cookiecutter.cli import main as cookiecutter

    try:
        cookiecutter([str(template_folder()), *arguments], prog_name="notebook-checkpoints new")
    except ValueError as error:  # an answer that is not among the choices of its question
        raise click.ClickException(str(error)) from error


@command.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--write",
    "steps",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="[STEP]",
    help="Add the template's files; with STEP, or `all`, rewrite that notebook, too.",
)
@click.option("--package", help="The project's package, which the notebooks import.")
@click.option("--no-git", is_flag=True, help="Write outside of a clean git tree, too.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--mermaid", is_flag=True, help="Print the map for Mermaid, which GitHub draws.")
def adopt(path: Path, steps: tuple[str, ...], **options: Any) -> None:
    """Bring a project of hand-written notebooks into the template.

    Without --write, this changes nothing: it shows the order of the notebooks and scripts in PATH,
    which reads what which writes, and what is broken.
    """
    from .adopt.verb import adopt as run

    folders = [step for step in steps if step and Path(step).is_dir()]
    if folders and path == Path():  # `adopt --write PATH`
        path, steps = Path(folders[0]), tuple("" if step in folders else step for step in steps)
    run(path, list(steps), **options)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error of `checkpoint` as its message; name the package that is missing."""
    from checkpoint.errors import CheckpointError, missing_package

    try:
        yield
    except (CheckpointError, ModuleNotFoundError) as error:
        shown = missing_package(error) if isinstance(error, ModuleNotFoundError) else error
        raise click.ClickException(str(shown or error)) from error


@command.command()
@click.argument("project", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("steps", nargs=-1, required=True, metavar="STEP...")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The new folder."
)
@click.option(
    "--markers",
    type=click.Choice(["nbgrader", "otter"]),
    default="nbgrader",
    show_default=True,
    help="How solutions are marked; a cell tagged `solution` is one with either.",
)
@click.option("--url", default="", help="Where you will put the packs of handout/packs/.")
@click.option("--figures", is_flag=True, help="Keep figures of removed solutions.")
@click.option("--allow", multiple=True, help="A line of a solution that may be in the copy.")
@click.option("--no-proof", is_flag=True, help="Do not run the copy with the solutions.")
def handout(
    project: Path,
    steps: tuple[str, ...],
    output: Path,
    markers: str,
    url: str,
    figures: bool,
    allow: tuple[str, ...],
    no_proof: bool,
) -> None:
    """Write the students' copy of a project.

    It has the notebooks of the STEPs without their solutions, and the results that these load.
    Nothing is written if a line of a solution would be in it, or if it does not run with the
    solutions put back.
    """
    with errors_shown():
        from checkpoint.project.project import Project
        from checkpoint.text import size

        from .handout.handout import handout as hand_out

        done = hand_out(
            Project(project.resolve()),
            list(steps),
            output,
            markers=markers,
            url=url,
            figures=figures,
            allow=allow,
            proof=not no_proof,
        )
    for name, counts in done.removed.items():
        kinds = ", ".join(f"{n} {kind}{'s' * (n != 1)}" for kind, n in counts.items())
        click.echo(f"notebooks/{name}: removed {kinds}" if kinds else f"notebooks/{name}: nothing")
    for step, n_bytes in done.packs.items():
        click.echo(f"handout/packs/{step}.zip: {size(n_bytes)}")
    for note in done.notes:
        click.echo(f"Note: {note}.")
    click.echo("It runs with the solutions put back." if done.proved else "It was not tried.")
    click.echo(f"Handed out to {done.path}.")


@command.command()
@click.argument("handout", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("submissions", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--expected",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project with the results that are expected.",
)
@click.option(
    "--tolerance", default=1e-3, show_default=True, help="How far numbers may differ, relatively."
)
@click.option(
    "--rand", default=0.9, show_default=True, help="Least adjusted Rand index of cluster labels."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(
    handout: Path,
    submissions: Path,
    expected: Path | None,
    tolerance: float,
    rand: float,
    as_json: bool,
) -> None:
    """Compare students' notebooks and results with what was handed out and what is expected.

    HANDOUT is the students' copy; SUBMISSIONS has a folder per student, such as nbgrader's
    submitted/ or autograded/. Records of students are not believed, and their pickles not opened.
    """
    with errors_shown():
        from checkpoint.project.project import Project

        from .compare.compare import compare as compare_all
        from .compare.shown import as_json_text, as_text
        from .compare.values import Tolerance

        rows = list(
            compare_all(
                Project(handout.resolve()),
                submissions.resolve(),
                Project(expected.resolve()) if expected else None,
                Tolerance(tolerance, rand),
            )
        )
    click.echo(as_json_text(rows) if as_json else as_text(rows))


@command.command()
@click.argument("projects", nargs=-1, type=click.Path(path_type=Path), metavar="[PROJECT]...")
@click.option("--template", metavar="ADDRESS", help="Update from here, not from where they name.")
@click.option("--checkout", metavar="REF", help="Update to this branch, tag or commit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def update(
    projects: tuple[Path, ...], template: str | None, checkout: str | None, as_json: bool
) -> None:
    """Bring the template's newest version into projects; the current folder by default.

    Notebooks, data, results, scripts, README and LICENSE stay as they are. Nothing is committed:
    `git diff HEAD` shows what changed. Exits with 1 if a project was not updated or needs a
    decision.
    """
    from .update import update_all

    roots = [path.resolve() for path in projects or (Path(),)]
    updates = []
    widths = (max(map(len, map(str, roots))), len("not updated"), len("before"), len("after"))

    def show(row: Iterable[str]) -> None:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())

    if not as_json:
        show(("project", "result", "before", "after"))
    for done in update_all(roots, template, checkout):  # minutes for many, so each as it is done
        updates.append(done)
        if not as_json:
            show(done[:4])
            for note in done.notes:
                click.echo(f"    {note}")
    if as_json:
        click.echo(json.dumps({"projects": [done._asdict() for done in updates]}, indent=2))
    sys.exit(any(done.result not in ("updated", "up to date") for done in updates))


def main() -> None:
    """Run the command."""
    # not installed as a package of its own, since others have that name
    sys.path.insert(0, str(template_folder()))
    command(prog_name="notebook-checkpoints")
