"""The `checkpoint` command: its verbs, and how its errors are shown."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.text import Text

from .. import __version__
from ..errors import CheckpointError
from . import chain, course, look, runs
from .shared import err, out

# each verb is a function in the module of its group; typer turns its parameters into options
VERBS: dict[str, tuple[Callable[..., None], ...]] = {
    "Look": (look.status, look.graph, look.check, look.report, look.methods),
    "Run": (runs.run, runs.accept, runs.clean),
    "Change the chain": (chain.new, chain.rename, chain.move, chain.remove),
    "Give and take": (course.pack, course.unpack, course.reset),
}
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for group, verbs in VERBS.items():
    for verb in verbs:
        app.command(rich_help_panel=group)(verb)


def _show_version(asked: bool) -> None:
    if asked:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def checkpoint(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Run, check and edit this project's chain of notebooks, from any of its folders.

    A step is a notebook, such as notebooks/1_preprocessing.ipynb, and its results in
    results/1_preprocessing/. It is current if its results match its cells, its inputs and the
    project's modules.
    """


def main() -> None:
    """Run the command; show errors as messages, without a traceback."""
    for stream in (sys.stdout, sys.stderr):  # a cell's first line may not be encodable here
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="checkpoint")
    except CheckpointError as error:
        # the traceback of a cell has ANSI colours, which do not belong in a log file
        err.print(Text.from_ansi(str(error)))
        raise SystemExit(2) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        err.print(f"{where}{error.strerror or error}")
        raise SystemExit(2) from error
