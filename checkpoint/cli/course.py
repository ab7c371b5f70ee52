"""The verbs for sharing results and handing out notebooks: pack, unpack, reset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import text
from ..errors import ProjectError
from .shared import StepName, current_project, err, out, tell_open


def pack(
    steps: Annotated[list[str], typer.Argument(help="Steps, such as 1_preprocessing.")],
    target: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The archive; by default, STEP.zip.", metavar="FILE"),
    ] = None,
) -> None:
    """Pack the results of steps into one file that others can unpack.

    Sub-checkpoints are included. Packing the same results again makes an identical file.
    """
    from ..share.pack import pack as pack_steps
    from ..share.pack import sources_line

    packing = pack_steps(current_project(), steps, target)
    for note in packing.notes:
        err.print(f"Note: {note}")
    names = ", ".join(f"results/{step}" for step in packing.steps)
    files, size = text.files(packing.files), text.size(packing.bytes)
    out.print(f"Packed {names} into {packing.path}: {files}, {size}.")
    out.print(f"blake3:{packing.blake3}")
    if packing.pickles:
        out.print(
            f"It holds pickles ({', '.join(packing.pickles)}), which run code when they are "
            "loaded: unpacking it needs --trust."
        )
    whole = [step for step in packing.steps if "/" not in step]
    if not whole:
        step = packing.steps[0].partition("/")[0]
        out.print(f"Projects fetch whole steps; for that, pack {step}.")
        return
    out.print("To let a project fetch it, add to its pyproject.toml:")
    out.print("  [tool.checkpoint.sources]")
    for step in whole:
        out.print(f"  {sources_line(packing, step, [f'https://…/{packing.path.name}'])}")


def unpack(
    source: Annotated[
        str, typer.Argument(help="A file, an address, or a step that has one in pyproject.toml.")
    ],
    expected: Annotated[
        str, typer.Option("--hash", help="What `pack` printed: blake3:….", metavar="HASH")
    ] = "",
    trust: Annotated[
        bool, typer.Option("--trust", help="Take pickles, which run code when they are loaded.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace results that were made here.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", help="Seconds to wait for a silent server.", min=0.1)
    ] = 30.0,
) -> None:
    """Unpack results that someone packed, atomically.

    `status` shows them as given. They do not become stale, and `run` makes them again only if you
    ask it to run the step.
    """
    from ..project.chain import step_of
    from ..project.settings import read_sources
    from ..share.sources import local_path
    from ..share.unpack import fetch
    from ..share.unpack import unpack as unpack_it

    project = current_project()
    local = local_path(source, Path())
    sources = read_sources(project)
    if step_of(source) in sources and not (local and local.is_file()):
        unpacked = fetch(project, step_of(source), trust=trust, replace=replace, timeout=timeout)
    else:
        if local and not local.is_file() and "/" not in source and "." not in source:
            raise ProjectError(
                f"{source} is neither a file nor a step with an address: [tool.checkpoint.sources] "
                f"in pyproject.toml lists {', '.join(sources) or 'none'}.",
                step=source,
                expected=list(sources),
            )
        unpacked = unpack_it(
            project,
            source,
            Path(),
            expected=expected,
            trust=trust,
            replace=replace,
            timeout=timeout,
        )
    assert unpacked
    verb = "Unpacked" if unpacked.steps else "Nothing to do, the same results are there:"
    out.print(f"{verb} {unpacked.described}")
    out.print(f"blake3:{unpacked.given.blake3}")


def reset(step: StepName) -> None:
    """Restore a notebook as it was handed out; your version is kept next to it."""
    from ..project.chain import step_of
    from ..share.reset import reset as reset_step

    project = current_project()
    with tell_open(project):
        done = reset_step(project, step_of(step))
        name = project.show(done.notebook)
        if not done.changed:
            out.print(f"Nothing to do: {name} is as it was handed out.")
            return
        out.print(f"{name} is as it was handed out.")
        if done.kept:
            out.print(f"Yours is {project.show(done.kept)}.")
