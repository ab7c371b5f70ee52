"""Restore a notebook to its handed-out version, keeping the student's own version."""

from pathlib import Path
from typing import NamedTuple

from ..errors import ProjectError
from ..files import replace
from ..notebooks import notebook
from ..project import servers
from ..project.project import Project

HANDED_OUT = "handout"  # what `notebook-checkpoints handout` adds to a copy
NOTEBOOKS, PACKS = f"{HANDED_OUT}/notebooks", f"{HANDED_OUT}/packs"
MINE = "my_"  # prefix of the kept copy, which makes it a notebook that is not a step


class Reset(NamedTuple):
    """The result of a reset."""

    notebook: Path  # now as it was handed out
    kept: Path | None  # the student's version; None if there was none, or it was the same
    changed: bool  # whether anything had to be done


def reset(project: Project, step: str) -> Reset:
    """Restore a step's notebook to its handed-out version, keeping the student's version.

    The notebook may have been moved to another folder.

    Raises
    ------
    ProjectError
        If it was not handed out, has been renamed, or one of its cells is running.
    """
    handed_out = {path.stem: path for path in sorted((project.root / NOTEBOOKS).rglob("*.ipynb"))}
    there = {step.name: step.path for step in project.steps() if not step.is_script}
    if step not in handed_out:
        before = _before(handed_out, there[step]) if step in there else None
        if before:
            raise _renamed(before, step)
        names = ", ".join(handed_out) or "none"
        raise ProjectError(
            f"{NOTEBOOKS}/ has no {step}.ipynb; there are {names}. `notebook-checkpoints handout` "
            "puts them there.",
            step=step,
            file=f"{NOTEBOOKS}/{step}.ipynb",
            expected=list(handed_out),
        )
    place = handed_out[step].relative_to(project.root / NOTEBOOKS)
    target = there.get(step, project.notebooks / place)
    if not target.exists():
        others = {name: path for name, path in there.items() if name not in handed_out}
        now = next((name for name in others if _before(handed_out, others[name]) == step), None)
        if now:
            raise _renamed(step, now)
    content = handed_out[step].read_bytes()
    mine = target.read_bytes() if target.exists() else None
    if mine == content:
        return Reset(target, None, False)
    servers.refuse_busy(project, [project.show(target)])
    kept = _keep(target, mine) if mine is not None else None
    replace(target, content)
    return Reset(target, kept, True)


def _renamed(before: str, now: str) -> ProjectError:
    return ProjectError(
        f"{now} was handed out as {before}. Nothing was changed. Give it that name first: "
        f"`checkpoint rename {now} {before}`, then `checkpoint reset {before}`.",
        step=now,
        expected=before,
        found=now,
    )


def _before(handed_out: dict[str, Path], path: Path) -> str | None:
    """Return the name under which a notebook with half of its lines left was handed out."""
    shares: dict[str, float] = {}
    try:
        mine = _lines(path)
        for name, notebook in handed_out.items():
            lines = _lines(notebook)
            shares[name] = len(lines & mine) / max(len(lines), 1)
    except ProjectError:
        return None  # a notebook that cannot be read cannot be compared
    best = max(shares, key=lambda name: shares[name], default="")
    return best if best and shares[best] >= 1 / 2 else None


def _lines(path: Path) -> set[str]:
    texts = map(notebook.source_of, notebook.read_whole(path)["cells"])
    return {line.strip() for text in texts for line in text.splitlines()} - {""}


def _keep(target: Path, content: bytes) -> Path:
    """Write a copy next to a notebook, under an unused name, and return its path."""
    number = 1
    while True:
        ending = "" if number == 1 else f"-{number}"
        kept = target.with_name(f"{MINE}{target.stem}{ending}.ipynb")
        try:
            with kept.open("xb") as file:
                file.write(content)
        except FileExistsError:
            number += 1
        else:
            return kept
