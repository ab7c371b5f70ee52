"""What the verb `adopt` prints and asks."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from checkpoint.errors import CheckpointError
from checkpoint.text import files

from . import adopt as work
from .scan.shown import as_data, as_mermaid, as_text
from .takeover import Taken


def adopt(
    path: Path,
    steps: list[str],
    package: str | None = None,
    no_git: bool = False,
    yes: bool = False,
    as_json: bool = False,
    mermaid: bool = False,
) -> None:
    """Look at a project, or adopt it."""
    for stream in (sys.stdout, sys.stderr):  # a terminal may lack characters of a path
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    root = path.resolve()
    try:
        if steps:
            _write(root, [step for step in steps if step], package, not no_git, yes, as_json)
        else:
            _look(root, as_json, mermaid)
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error


def _look(root: Path, as_json: bool, mermaid: bool) -> None:
    chain, broken = work.look(root)
    if as_json:
        click.echo(json.dumps(as_data(chain, broken), indent=2, ensure_ascii=False))
    elif mermaid:
        click.echo(as_mermaid(chain))
    else:
        click.echo(as_text(chain, broken))
        click.echo("\nNothing was changed. Next: notebook-checkpoints adopt --write")


def _write(
    root: Path, steps: list[str], package: str | None, git: bool, yes: bool, as_json: bool
) -> None:
    plan = work.plan(root, steps, package, git=git)
    if not as_json:
        click.echo("\n".join(_about_to(plan)))
    if plan.changes and not yes:
        if not sys.stdin.isatty():
            raise click.ClickException("not an interactive terminal; pass --yes to confirm")
        click.confirm("\nWrite this?", abort=True)
    taken, originals = work.write(plan, git=git) if plan.changes else ([], "")
    if as_json:
        click.echo(json.dumps(work.report(plan, taken, originals), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_done(plan, taken, originals, git)))


def _about_to(plan: work.Plan) -> Iterator[str]:
    if differences := work.shown(plan):
        yield differences
    new = [change.path for change in plan.changes if not (plan.root / change.path).exists()]
    folder = f"src/{plan.added.package}/checkpoint/"
    code = [path for path in new if path.startswith(folder)]
    yield from [f"adds {folder} ({files(len(code))})"] if code else []
    yield from (f"adds {path}" for path in new if path not in code)
    for path, reason in plan.result.refused.items():
        yield f"does not rewrite {path}: {reason}"
    yield from (f"leaves to you: {todo}" for todo in plan.added.left)
    for rewritten in plan.result.notebooks:
        yield from (f"leaves in {rewritten.path}: {todo}" for todo in rewritten.left)
    if not plan.changes:
        yield "Nothing to write."


def _done(plan: work.Plan, taken: list[Taken], originals: str, git: bool) -> Iterator[str]:
    for rewritten in plan.result.notebooks:
        before, after = rewritten.lines
        moved = (
            f" (was {rewritten.scanned.unit.path})"
            if rewritten.path != rewritten.scanned.unit.path
            else ""
        )
        yield f"Rewrote {rewritten.path}{moved}: {before} lines of code before, {after} after."
    for script, _ in plan.result.scripts:
        yield f"Rewrote {script.scanned.unit.path}, the step {script.step}."
    for step in taken:
        if step.missing:
            yield f"results/{step.step}: nothing taken over, {step.missing}."
        elif not step.n_files:
            reason = "accepted, since its notebook has outputs"
            yield f"results/{step.step}: nothing to take over; {reason}."
        else:
            count = files(step.n_files)
            yield f"results/{step.step}: {count} taken over and accepted."
    copied = [name for step in taken for name in step.copied]
    if copied:
        yield f"These were copied; delete them when nothing needs them: {', '.join(copied)}"
    if plan.changes:
        back = "`git checkout .` brings back what was there; `git clean -n` lists what was added."
        where = f"The originals are in {originals}/." if originals else ""
        nothing = "" if git or originals else "Nothing that was there was changed."
        ways = " ".join(filter(None, [back if git else "", where, nothing]))
        yield (
            "\nNext, in the project: pip install -c constraints.txt -e . and checkpoint status. "
            + ways
        )
