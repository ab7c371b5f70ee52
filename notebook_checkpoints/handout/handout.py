"""Make the students' copy of a project: notebooks without solutions, and the results they load."""

import base64
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from checkpoint.errors import ProjectError
from checkpoint.files import remove
from checkpoint.lineage.changes import CURRENT, UNVERIFIABLE
from checkpoint.lineage.states import Lineage
from checkpoint.notebooks import notebook
from checkpoint.notebooks.graph import Graph
from checkpoint.project.project import KEEP, Project
from checkpoint.project.settings import FILE
from checkpoint.share.pack import pack, sources_line
from checkpoint.share.reset import HANDED_OUT, NOTEBOOKS, PACKS

from .files import copy_files, restrict
from .leaks import leaks, telling
from .markers import Cleared, cleared
from .others import later_solutions, unchanged
from .proof import prove
from .texts import Texts

FIGURES = f"{HANDED_OUT}/figures"
SHOWN = 10  # leaks that a message lists
PNG, TEXT_CHUNKS = b"\x89PNG\r\n\x1a\n", (b"tEXt", b"zTXt", b"iTXt", b"eXIf")


class HandedOut(NamedTuple):
    """What was handed out.

    Attributes
    ----------
    path
        The copy.
    removed
        What was removed, by notebook and kind.
    packs
        The packs in the copy, each with its size in bytes.
    proved
        Whether the copy was run with the solutions.
    notes
        What was left out, and what could not be searched for solutions.
    """

    path: Path
    removed: dict[str, Counter[str]]
    packs: dict[str, int]
    proved: bool
    notes: list[str]


def handout(
    project: Project,
    steps: list[str],
    target: Path,
    *,
    markers: str = "nbgrader",
    url: str = "",
    figures: bool = False,
    allow: Iterable[str] = (),
    proof: bool = True,
) -> HandedOut:
    """Write the students' copy of some notebooks of a project atomically.

    Parameters
    ----------
    project
        The project.
    steps
        Its steps that students get.
    target
        The copy; it does not exist yet.
    markers
        The markers of solutions: `nbgrader` or `otter`.
    url
        Where the packs can be downloaded; they are in the copy, too.
    figures
        Whether figures of removed solutions stay, as what to expect.
    allow
        Lines of solutions that may be in the copy.
    proof
        Whether to run the copy with the solutions put back.

    Raises
    ------
    ProjectError
        If a line of a solution would be in the copy; if the copy does not run; if a notebook
        cannot be handed out, or loads a step that is not current.
    """
    project.refuse_unclear()
    originals = _originals(project, steps)
    if target.exists():
        raise ProjectError(f"{target} exists. Choose a new folder.", file=str(target))
    students = {
        name: cleared(content, f"notebooks/{name}", markers) for name, content in originals.items()
    }
    names = [Path(name).stem for name in originals]
    draft = target.resolve().with_name(f".{target.name}-{os.urandom(4).hex()}")
    graph = Graph(project)
    try:
        draft.mkdir(parents=True)
        left_out = copy_files(
            project, draft, [file for name in names for file in graph.files[name]]
        )
        packs = _pack(project, graph, names, draft, url)
        _put_notebooks(draft, students, figures)
        removed, unknown = later_solutions(project, names, markers)
        unread = _refuse_leaks(draft, students, removed, set(allow))
        if proof:
            prove(draft, _without_outputs(originals), list(packs))
        draft.rename(target)
    finally:
        if draft.exists():
            remove(draft)
    counts = {name: student.counts for name, student in students.items()}
    return HandedOut(target, counts, packs, proof, list(_notes(left_out, unknown, unread)))


def _originals(project: Project, steps: list[str]) -> dict[str, dict]:
    """Return the notebooks of some steps, by their paths below `notebooks/`."""
    chosen = project.select(steps)
    if scripts := [step.name for step in chosen if step.is_script]:
        raise ProjectError(
            f"{scripts[0]} is made by a command, and has no notebook.", step=scripts[0]
        )
    return {
        step.path.relative_to(project.notebooks).as_posix(): notebook.read_whole(step.path)
        for step in chosen
    }


def _put_notebooks(draft: Path, students: dict[str, Cleared], figures: bool) -> None:
    """Write the notebooks to work in, what they are compared with later, and their results."""
    for name, student in students.items():
        if figures:
            _keep_figures(draft, name, student)
        for folder in ("notebooks", NOTEBOOKS):
            _write(draft / folder / name, student)
        results = draft / "results" / Path(name).stem
        results.mkdir(parents=True)
        (results / KEEP).touch()


def _notes(left_out: dict[str, str], unknown: list[str], unread: list[str]) -> Iterator[str]:
    """Say what is not in the copy, and what of it was not searched."""
    yield from (f"left out {name}, {why}" for name, why in left_out.items())
    for why in unknown:
        yield f"not searched for the solutions of another notebook: {why.rstrip('.')}"
    if unread:
        more = f", and {len(unread) - SHOWN} more" if len(unread) > SHOWN else ""
        yield f"not searched for solutions: {', '.join(unread[:SHOWN])}{more}"


def _pack(
    project: Project, graph: Graph, names: list[str], draft: Path, url: str
) -> dict[str, int]:
    """Pack the steps that the notebooks load from elsewhere, and add them to the settings."""
    named = [checkpoint.partition("/")[0] for name in names for checkpoint in graph.named[name]]
    loaded = [*(step for name in names for step in graph.loads[name]), *named]
    lineage, packs, lines = Lineage(project), {}, []
    (draft / PACKS).mkdir(parents=True)
    for step in [step for step in dict.fromkeys(loaded) if step not in names]:
        state = lineage.state(step)
        if state.state not in (CURRENT, UNVERIFIABLE):
            why = f": {'; '.join(state.reasons)}" if state.reasons else ""
            raise ProjectError(
                f"results/{step}, which students shall load, is {state.state}{why}. Run "
                "`checkpoint run` first.",
                step=step,
                found=state.state,
            )
        packing = pack(project, [step], draft / PACKS / f"{step}.zip")
        urls = [f"{PACKS}/{step}.zip", *([f"{url.rstrip('/')}/{step}.zip"] if url else [])]
        lines.append(sources_line(packing, step, urls))
        packs[step] = packing.bytes
    restrict(draft / FILE, names, lines)
    return packs


def _keep_figures(draft: Path, name: str, student: Cleared) -> None:
    """Put the figures of removed solutions into files, each shown by a cell below."""
    cells = student.content["cells"]
    stem, up = Path(name).stem, "../" * (name.count("/") + 1)
    pictures = [(cell, picture) for cell, outputs in student.solved for picture in _pngs(outputs)]
    for number, (cell, picture) in enumerate(pictures, 1):
        file = f"{FIGURES}/{stem}-{number}.png"
        (draft / file).parent.mkdir(exist_ok=True)
        (draft / file).write_bytes(_without_texts(picture))
        place = next(index for index, candidate in enumerate(cells) if candidate is cell)
        shown = {
            "cell_type": "markdown",
            "metadata": {},
            "source": ["What to expect:\n", "\n", f"![figure]({up}{file})"],
        }
        if "id" in cell:  # notebooks of older versions have none
            shown["id"] = f"expected-{number}"
        cells.insert(place + 1, shown)


def _pngs(outputs: list) -> list[bytes]:
    pictures = []
    for output in outputs:
        data = output.get("data", {}).get("image/png")
        if data:
            pictures.append(base64.b64decode("".join(data)))
    return pictures


def _without_texts(png: bytes) -> bytes:
    """Return a picture without its text metadata."""
    chunks, place = [png[: len(PNG)]], len(PNG)
    while place + 12 <= len(png):
        end = place + 12 + int.from_bytes(png[place : place + 4], "big")
        kind = png[place + 4 : place + 8]
        chunks += [] if kind in TEXT_CHUNKS else [png[place:end]]
        place = len(png) if kind == b"IEND" else end
    return b"".join(chunks)


def _write(path: Path, student: Cleared) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook.dumps(student.content), encoding="utf-8", newline="\n")


def _refuse_leaks(
    draft: Path, students: dict[str, Cleared], later: list[str], allowed: set[str]
) -> list[str]:
    """Raise if a solution is in the copy; return which files could not be searched."""
    removed = [line for student in students.values() for line in student.removed] + later
    sources = [
        source for student in students.values() for source in notebook.sources(student.content)
    ]
    allowed = {line.strip() for line in allowed}
    texts = Texts()
    lines = telling(removed, sources) - allowed
    leaked = list(leaks(draft, lines, unchanged(draft), texts, allowed))
    if leaked:
        shown = "\n".join(f"  {leak.file}: {leak.line}" for leak in leaked[:SHOWN])
        more = f"\n  and {len(leaked) - SHOWN} more" if len(leaked) > SHOWN else ""
        raise ProjectError(
            f"Nothing was written: lines that only the solutions have would be in the copy.\n"
            f'{shown}{more}\nRemove them there, or allow a line with --allow "…".',
            file=leaked[0].file,
            found=[leak.line for leak in leaked],
        )
    return [name for name in texts.unread if not name.startswith(f"{FIGURES}/")]


def _without_outputs(originals: dict[str, dict]) -> dict[str, dict]:
    return {
        name: {
            **content,
            "cells": [
                {**cell, "outputs": [], "execution_count": None}
                if cell["cell_type"] == "code"
                else cell
                for cell in content["cells"]
            ],
        }
        for name, content in originals.items()
    }
