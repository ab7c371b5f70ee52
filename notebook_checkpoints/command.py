"""The `notebook-checkpoints` command."""

import sys
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
        path, steps = Path(folders[0]), tuple("" if one in folders else one for one in steps)
    run(path, list(steps), **options)


def main() -> None:
    """Run the command."""
    # not installed as a package of its own, since others have that name
    sys.path.insert(0, str(template_folder()))
    command(prog_name="notebook-checkpoints")
