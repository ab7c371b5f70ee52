"""Add, rename, move and remove steps, with everything that names them."""

from collections.abc import Iterable, Mapping
from itertools import count, takewhile
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
from .finish import finish_rename
from .references import rename_references


class New(NamedTuple):
    """A step that was added.

    Attributes
    ----------
    step
        Its name.
    previous
        The step that it loads; None for the first step of a project.
    renamed
        New names of the steps that were renumbered, by their old ones.
    """

    step: str
    previous: str | None
    renamed: dict[str, str]


def new(project: Project, name: str, after: str | None = None) -> New:
    """Add a notebook that loads the step before it; the steps after it are renumbered.

    Parameters
    ----------
    project
        The project.
    name
        The new step's name, without a number.
    after
        The step after which the new one runs; the last step if None.

    Returns
    -------
    New

    Raises
    ------
    ProjectError
        If the name is not valid or is taken, or something cannot be renamed safely. Nothing has
        changed then.
    """
    steps = project.steps()
    _check_name(steps, name)
    previous = _select(project, after) if after else (steps[-1] if steps else None)
    number = previous.number + 1 if previous else 1
    step = _name(number, name, previous)
    renamed = _shifted(_by_number(steps), count(number), by=1)
    results = project.results_of(step)
    if any(path.name not in (KEEP, ".lock") for path in results.glob("*")):
        raise ProjectError(
            f"results/{step} already contains files. Move them, or choose another name.",
            step=step,
        )
    loaded = previous.name if previous else None
    content = notebook.dumps(skeleton(project.package, step, loaded))
    change = _renaming(project, renamed)
    change.writes[f"notebooks/{step}.ipynb"] = None, content.encode()
    if not results.exists():
        change.writes[f"results/{step}/{KEEP}"] = None, b""
    change.apply()
    return New(step, loaded, renamed)


def rename(project: Project, step: str, name: str) -> dict[str, str]:
    """Give a step another name; it keeps its number. Returns and raises as `move`.

    If the notebook's file was renamed already, all else follows (`finish_rename`).
    """
    if finished := finish_rename(project, step, name):
        return finished
    selected = _select(project, step)
    _check_name([other for other in project.steps() if other != selected], name)
    if selected.label == name:
        return {}
    renamed = {selected.name: _name(selected.number, name, selected)}
    _renaming(project, renamed).apply()
    return renamed


def move(project: Project, step: str, position: int) -> dict[str, str]:
    """Give a step another number; those between its old and its new position make room.

    Parameters
    ----------
    project
        The project.
    step
        The step.
    position
        Its new number.

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
    selected = _select(project, step)
    steps = project.steps()
    last = steps[-1].number
    if not 1 <= position <= last:
        raise ProjectError(
            f"position must be from 1 to {last}, got {position}.",
            step=selected.name,
            expected=range(1, last + 1),
            found=position,
        )
    others = {n: other for n, other in _by_number(steps).items() if other != selected}
    if position == selected.number:
        return {}
    by = 1 if position < selected.number else -1
    renamed = _shifted(others, count(position, by), by)
    renamed[selected.name] = _name(position, selected.label, selected)
    _renaming(project, renamed).apply()
    return renamed


def remove(project: Project, step: str) -> dict[str, str]:
    """Remove a step's notebook and results; the steps after it close the gap.

    Returns
    -------
    dict
        New names of steps by their old ones.

    Raises
    ------
    ProjectError
        If another notebook loads the step, or something cannot be renamed safely. Nothing has
        changed then.
    """
    selected = removable(project, step)
    others = [other for other in project.steps() if other != selected]
    later = {other.number: other for other in others if other.number > selected.number}
    leaves_gap = all(other.number != selected.number for other in others)
    renamed = _shifted(later, count(selected.number + 1), by=-1) if leaves_gap else {}
    change = _renaming(project, renamed, removed=selected.name)
    change.removals = _paths(project, selected.name)
    change.apply()
    return renamed


def removable(project: Project, step: str) -> Step:
    """Return a step that nothing else needs; raises as `remove`."""
    selected = _select(project, step)
    name = selected.name
    loading = [other for other, loads in Graph(project).loads.items() if name in loads]
    if loading:
        raise ProjectError(
            f"{name} is loaded by {' and '.join(loading)}. Change their load cells first, then "
            "remove it.",
            step=name,
            found=loading,
        )
    if name in read_settings(project).resources:
        raise ProjectError(
            f"pyproject.toml: [tool.checkpoint.resources] names {name}. Remove that first.",
            step=name,
            file="pyproject.toml",
        )
    return selected


def loaded_too_early(project: Project) -> list[tuple[str, str]]:
    """Return pairs of steps of which the first loads the second, which runs later."""
    graph = Graph(project)
    return [(step, later) for step, loads in graph.later.items() for later in loads]


def _renaming(project: Project, renamed: Mapping[str, str], removed: str | None = None) -> Change:
    """Return a change that renames steps, with all that names them."""
    change = Change(project)
    for old, new_name in renamed.items():
        # a path has the name of its step once, behind `notebooks/` or `results/`
        change.moves |= {path: path.replace(old, new_name) for path in _paths(project, old)}
    if renamed or removed:
        rename_references(project, change, {**renamed, **({removed: None} if removed else {})})
    return change


def _paths(project: Project, step: str) -> list[str]:
    """Return the paths of a step's notebook and results."""
    results = [f"results/{step}"] if project.results_of(step).is_dir() else []
    return [f"notebooks/{step}.ipynb", *results]


def _shifted(by_number: Mapping[int, Step], numbers: Iterable[int], by: int) -> dict[str, str]:
    """Return new names of the steps that have these numbers, up to the first gap."""
    steps = [by_number[number] for number in takewhile(by_number.__contains__, numbers)]
    return {step.name: _name(step.number + by, step.label, step) for step in steps}


def _name(number: int, label: str, like: Step | None) -> str:
    """Return a step's name, with as many digits as another's: `02_integration`."""
    digits = like.path.stem.partition("_")[0] if like else ""
    width = len(digits) if digits.startswith("0") else 1
    name = f"{number:0{width}d}_{label}" if label else f"{number:0{width}d}"
    if reason := unportable(name):
        raise ProjectError(f"{name!r} {reason}. Choose another name.", found=name)
    return name


def _select(project: Project, step: str) -> Step:
    (selected,) = project.select([step])
    return selected


def _by_number(steps: list[Step]) -> dict[int, Step]:
    by_number: dict[int, Step] = {}
    for step in steps:
        other = by_number.setdefault(step.number, step)
        if other != step:
            raise ProjectError(
                f"{other.path.name} and {step.path.name} have the same number. Rename one of the "
                "files first.",
                step=step.name,
            )
    return by_number


def _check_name(steps: list[Step], name: str) -> None:
    if reason := unfit(name):
        raise ProjectError(f"{name!r} {reason}. Choose a name such as quality_control.", found=name)
    for step in steps:
        if step.label.casefold() == name.casefold():
            raise ProjectError(
                f"{step.path.name} already has the name {name!r}. Choose another.",
                step=step.name,
                found=name,
            )
