"""New, renamed, moved and removed notebooks, with all that names them."""

from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.graph import Graph
from ..notebooks.skeleton import skeleton
from ..project.chain import Step
from ..project.names import unfit, unportable
from ..project.project import KEEP, Project
from ..project.settings import read_settings
from .change import Change
from .rename import rename_steps


class New(NamedTuple):
    """A notebook that was added.

    Attributes
    ----------
    step
        Its step.
    previous
        The step that it loads; None for a first notebook.
    renamed
        New names of the steps that were renumbered, by their old ones.
    """

    step: str
    previous: str | None
    renamed: dict[str, str]


def new(project: Project, name: str, after: str | None = None) -> New:
    """Add a notebook that loads the one before it; those behind it make room.

    Parameters
    ----------
    project
        The project.
    name
        Its name, without a number.
    after
        The step behind which it is to run; the last one if None.

    Returns
    -------
    New

    Raises
    ------
    ProjectError
        If the name cannot be a notebook's, or is taken, or something cannot be renamed safely.
        Nothing has changed then.
    """
    steps = project.steps()
    _check_name(steps, name)
    previous = _only(project, after) if after else (steps[-1] if steps else None)
    number = previous.number + 1 if previous else 1
    by_number = _by_number(steps)
    renamed = _pushed(by_number, number, 1)
    step = _step(number, name, previous)
    results = project.results_of(step)
    if any(path.name not in (KEEP, ".lock") for path in results.glob("*")):
        raise ProjectError(f"results/{step} has files already. Move them, or choose another name.")
    change = Change(project)
    _rename(project, change, renamed)
    loaded = previous.name if previous else None
    added = notebook.dumps(skeleton(project.package, step, loaded))
    change.creations = {
        project.notebooks / f"{step}.ipynb": added.encode(),
        **({} if results.exists() else {results / KEEP: b""}),
    }
    change.apply()
    return New(step, loaded, renamed)


def rename(project: Project, step: str, name: str) -> dict[str, str]:
    """Give a notebook another name; it keeps its number. Returns and raises as `move`."""
    one = _only(project, step)
    _check_name([other for other in project.steps() if other != one], name)
    renamed = {one.name: _step(one.number, name, one)}
    return _renumber(project, {} if one.label == name else renamed)


def move(project: Project, step: str, position: int) -> dict[str, str]:
    """Give a notebook another number; those between its old and its new place make room.

    Parameters
    ----------
    project
        The project.
    step
        The step.
    position
        The number that it is to have.

    Returns
    -------
    dict
        New names of steps by their old ones.

    Raises
    ------
    ProjectError
        If there is no such step or position, or something cannot be renamed safely. Nothing has
        changed then.
    """
    one = _only(project, step)
    steps = project.steps()
    last = steps[-1].number
    if not 1 <= position <= last:
        raise ProjectError(f"There is no position {position}; there are 1 to {last}.")
    others = {n: other for n, other in _by_number(steps).items() if other != one}
    if position == one.number:
        return {}
    towards = 1 if position < one.number else -1
    moved = {one.name: _step(position, one.label, one)}
    return _renumber(project, {**_pushed(others, position, towards), **moved})


def remove(project: Project, step: str) -> dict[str, str]:
    """Remove a notebook and its results; those behind it close the gap.

    Raises
    ------
    ProjectError
        If another notebook loads it, or something cannot be renamed safely. Nothing has changed
        then.
    """
    one = removable(project, step)
    others = [other for other in project.steps() if other != one]
    alone = all(other.number != one.number for other in others)
    behind = {other.number: other for other in others if other.number > one.number}
    renamed: dict[str, str] = {}
    number = one.number + 1
    while alone and number in behind:
        renamed[behind[number].name] = _step(number - 1, behind[number].label, behind[number])
        number += 1
    change = Change(project)
    results = project.results_of(one.name)
    change.removals = [one.path, *([results] if results.is_dir() else [])]
    _rename(project, change, renamed, gone=one.name)
    change.apply()
    return renamed


def removable(project: Project, step: str) -> Step:
    """Return the notebook of a step that nothing else needs; raises as `remove`."""
    one = _only(project, step)
    loading = [other for other, loads in Graph(project).loads.items() if one.name in loads]
    if loading:
        raise ProjectError(
            f"{' and '.join(loading)} loads {one.name}. Change the load cell first, then remove it."
        )
    if one.name in read_settings(project).resources:
        raise ProjectError(
            f"pyproject.toml: [tool.checkpoint.resources] names {one.name}. Remove that first."
        )
    return one


def loaded_too_early(project: Project) -> list[tuple[str, str]]:
    """Return the pairs of steps of which the first loads the second, which runs later."""
    graph = Graph(project)
    return [(step, later) for step, found in graph.later.items() for later in found]


def _renumber(project: Project, renamed: Mapping[str, str]) -> dict[str, str]:
    change = Change(project)
    _rename(project, change, renamed)
    change.apply()
    return dict(renamed)


def _rename(
    project: Project, change: Change, renamed: Mapping[str, str], gone: str | None = None
) -> None:
    """Add to a change that notebooks and results move, and what names them is rewritten."""
    for old, new_ in renamed.items():
        change.moves.append(
            (project.notebooks / f"{old}.ipynb", project.notebooks / f"{new_}.ipynb")
        )
        if project.results_of(old).is_dir():
            change.moves.append((project.results_of(old), project.results_of(new_)))
    if renamed or gone:
        rename_steps(project, change, {**renamed, **({gone: None} if gone else {})})


def _pushed(by_number: Mapping[int, Step], number: int, towards: int) -> dict[str, str]:
    """Return the new names of the notebooks that have to leave a number, up to the next gap."""
    renamed = {}
    while number in by_number:
        one = by_number[number]
        renamed[one.name] = _step(number + towards, one.label, one)
        number += towards
    return renamed


def _step(number: int, name: str, like: Step | None) -> str:
    """Return a step's name, with as many digits as another has: `02_integration`."""
    digits = like.path.stem.partition("_")[0] if like else ""
    width = len(digits) if digits.startswith("0") else 1
    step = f"{number:0{width}d}_{name}" if name else f"{number:0{width}d}"
    if reason := unportable(step):
        raise ProjectError(f"{step!r} {reason}. Choose another name.")
    return step


def _only(project: Project, step: str) -> Step:
    (one,) = project.select([step])
    return one


def _by_number(steps: list[Step]) -> dict[int, Step]:
    found: dict[int, Step] = {}
    for one in steps:
        if one.number in found:
            raise ProjectError(
                f"{found[one.number].path.name} and {one.path.name} have the same number. Rename "
                "one of the files first."
            )
        found[one.number] = one
    return found


def _check_name(steps: list[Step], name: str) -> None:
    if reason := unfit(name):
        raise ProjectError(f"{name!r} {reason}. Name it, for example, quality_control.")
    taken = {one.label.casefold(): one.path.name for one in steps}
    if name.casefold() in taken:
        raise ProjectError(f"{taken[name.casefold()]} has that name. Choose another.")
