"""Add, rename, move and remove steps, and update everything that names them."""

from collections.abc import Iterable, Mapping
from itertools import count, takewhile
from typing import NamedTuple

from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.copies import saves_as
from ..notebooks.graph import Graph
from ..notebooks.skeleton import skeleton
from ..project.chain import Step, step_of
from ..project.names import Number, number_of, unfit, unportable
from ..project.project import KEEP, Project
from ..project.settings import FILE, check_settings, read_order, read_toml
from .change import Change
from .references import rename_references
from .tables import named_in, write_order


class New(NamedTuple):
    """A step that was added."""

    step: str
    previous: str | None  # the step that it loads; None for the first of a project
    renamed: dict[str, str]  # new names of the steps that were renumbered, by their old ones
    path: str  # its notebook, relative to the project


def new(project: Project, name: str, after: str | None = None) -> New:
    """Add a notebook that loads the step before it, and renumber the steps after it.

    Its number has the style of theirs: `02`, `01b`, `1_3`. If the setting `order` lists the
    notebooks, the new one is added to the list and none is renumbered.

    Parameters
    ----------
    project, name
        The project, and the name of the new step without a number; if the setting `order` lists
        the notebooks, the whole name.
    after
        The step after which the new one runs; the last step if None.

    Raises
    ------
    ProjectError
        If the name is invalid or taken, or something cannot be renamed safely. Nothing has changed
        then.
    """
    steps, order = project.steps(), read_order(project)
    countable = [step for step in steps if step.number or order]
    previous = _select(project, after) if after else (countable[-1] if countable else None)
    _check_name(steps, name, bare=not order)
    step, renamed = (name, {}) if order else _numbered_after(previous, steps, name)
    results = project.results_of(step)
    if any(path.name not in (KEEP, ".lock") for path in results.glob("*")):
        raise ProjectError(
            f"results/{step} already contains files. Move them, or choose another name.", step=step
        )
    loaded = previous.name if previous else None
    folder = previous.folder if previous else project.notebooks
    depth = len(folder.relative_to(project.root).parts)
    content = notebook.dumps(skeleton(project.package, step, loaded, depth))
    change = _renaming(project, renamed)
    path = folder / f"{step}.ipynb"
    if path.exists():
        raise ProjectError(
            f"{project.show(path)} already exists, though it is not a step. Choose another name, "
            "or add it to `order`.",
            step=step,
            file=project.show(path),
        )
    change.writes[project.show(path)] = None, content.encode()
    if not results.exists():
        change.writes[f"results/{step}/{KEEP}"] = None, b""
    if order:
        place = order.index(_in_order(project, previous)) + 1 if previous else 0
        order.insert(place, path.relative_to(project.notebooks).with_suffix("").as_posix())
        write_order(change, order)
    change.apply()
    return New(step, loaded, renamed, project.show(path))


def rename(project: Project, step: str, name: str) -> dict[str, str]:
    """Rename a step, keeping its number; returns and raises as `move`.

    The name may include that number or, if the setting `order` lists the notebooks, another. If
    the notebook's file was already renamed, everything else follows (`_finish_rename`).
    """
    if finished := _finish_rename(project, step, name):
        return finished
    selected = _select(project, step)
    number, given = selected.number, number_of(name)
    if number and given and given.label:
        if given.text == number.text:
            name = given.label
        elif read_order(project) and given.text.isdecimal():
            number = None
    bare = number is not None
    _check_name([other for other in project.steps() if other != selected], name, bare=bare)
    renamed = {selected.name: _name(number.text if number else "", name)}
    if renamed[selected.name] == selected.name:
        return {}
    _renaming(project, renamed).apply()
    return renamed


def move(project: Project, step: str, position: int | str) -> dict[str, str]:
    """Give a step another number, and renumber the steps between its old and new position.

    Parameters
    ----------
    project, step
        The project and the step.
    position
        Its new number: for `01b`, another letter; for `1_2`, the part after `1_`. If the setting
        `order` lists the notebooks, its new place in the list.

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
    order = read_order(project)
    if order:
        return _move_in_order(project, selected, position, order)
    number = _number(selected)
    series = _series(selected, project.steps())
    old, last = number.last, max(series)
    new_place = _position(selected, position, min(1, *series), last, number.is_letter)
    if new_place == old:
        return {}
    del series[old]
    by = 1 if new_place < old else -1
    renamed = _shifted(series, count(new_place, by), by)
    renamed[selected.name] = _recounted(selected, new_place, _width(selected, series))
    _renaming(project, renamed).apply()
    return renamed


def remove(project: Project, step: str) -> dict[str, str]:
    """Remove a step's notebook and results, and renumber the steps after it.

    Returns and raises as `move`; also raises `ProjectError` as `removable`.
    """
    selected = removable(project, step)
    order = read_order(project)
    renamed: dict[str, str] = {}
    if not order and selected.number:
        others = [other for other in project.steps() if other != selected]
        later = _series(selected, others)
        if selected.number.last not in later:
            renamed = _shifted(later, count(selected.number.last + 1), by=-1)
    change = _renaming(project, renamed, removed=selected.name)
    change.removals = _paths(project, selected.name)
    if order:
        order.remove(_in_order(project, selected))
        write_order(change, order)
    change.apply()
    return renamed


def removable(project: Project, step: str) -> Step:
    """Return a step; raises `ProjectError` if another step loads it or settings name it."""
    selected = _select(project, step)
    name = selected.name
    graph = Graph(project)
    loading = [other for other in graph.loads if name in graph.loads[other] + graph.later[other]]
    if loading:
        raise ProjectError(
            f"{name} is loaded by {' and '.join(loading)}. Change what they load first, then "
            "remove it.",
            step=name,
            found=loading,
        )
    check_settings(project)
    if name in named_in(read_toml(project)["tool"]["checkpoint"]):
        raise ProjectError(
            f"pyproject.toml: [tool.checkpoint] has settings of {name}. Remove them first.",
            step=name,
            file="pyproject.toml",
        )
    return selected


def loaded_too_early(project: Project) -> list[tuple[str, str]]:
    """Return pairs of steps: the first loads the second, although that runs later."""
    graph = Graph(project)
    return [(step, later) for step, loads in graph.later.items() for later in loads]


def _finish_rename(project: Project, step: str, name: str) -> dict[str, str] | None:
    """Finish a rename that began outside, as in a file browser, with only the notebook renamed.

    `step` is its old name, which no notebook has, and `name` its new name, with or without the
    number; a notebook that lost its number gets it back. Returns the new name by the old one, or
    None if there was no such rename.
    """
    old, given = step_of(step), step_of(name)
    number = number_of(old)
    prefix = f"{number.text}_" if number else ""
    by_stem = {path.stem: path for path in project.notebook_files()}
    path = by_stem.get(f"{prefix}{given}") or by_stem.get(given)
    known = number or old in (name.rpartition("/")[2] for name in project.not_there())
    if not known or old in by_stem or not path:
        return None
    if not (project.results / old).is_dir() and not saves_as(path, old):
        return None  # a typing error in the old name
    new = path.stem if number_of(path.stem) else f"{prefix}{given}"
    if reason := unfit(new, bare=False):
        raise ProjectError(f"{new!r} {reason}. Rename the file to another name first.", found=new)
    change = Change(project)
    change.moved = {project.show(path.with_stem(old)): project.show(path)}
    if path.stem != new:
        change.moves[project.show(path)] = project.show(path.with_stem(new))
    if (project.results / old).is_dir():
        change.moves[f"results/{old}"] = f"results/{new}"
        taken = project.results / new
        if taken.is_dir() and all(path.name in (KEEP, ".lock") for path in taken.iterdir()):
            change.removals = [f"results/{new}"]
    rename_references(project, change, {old: new})
    change.apply()
    return {old: new}


def _numbered_after(
    previous: Step | None, steps: list[Step], name: str
) -> tuple[str, dict[str, str]]:
    """Return the name of a step after another, and new names of the steps to renumber."""
    if previous is None:
        return _name("1", name), {}
    model, number = previous, _number(previous).last + 1
    ahead = number_of(_recounted(previous, number, _number(previous).width))
    after = (other for other in steps if other.place > previous.place)
    following = next((other for other in after if other.folder == previous.folder), None)
    if following and following.number and ahead and following.number.key < ahead.key:
        model, number = following, following.number.last  # 01a_x comes between 01_x and 02_x
    series = _series(model, steps)
    return _recounted(model, number, _width(model, series), name), _shifted(
        series, count(number), 1
    )


def _move_in_order(
    project: Project, selected: Step, position: int | str, order: list[str]
) -> dict[str, str]:
    place = _position(selected, position, 1, len(order))
    entry = _in_order(project, selected)
    if order.index(entry) == place - 1:
        return {}
    order.remove(entry)
    order.insert(place - 1, entry)
    change = Change(project)
    write_order(change, order)
    change.apply()
    return {selected.name: selected.name}


def _in_order(project: Project, step: Step) -> str:
    return (step.folder.relative_to(project.notebooks) / step.name).as_posix()


def _position(
    step: Step, position: int | str, first: int, last: int, in_letters: bool = False
) -> int:
    """Return a position as a number; if numbers end in a letter, it may be given as a letter."""
    text = str(position)
    if in_letters and len(text) == 1 and text.isalpha() and text.isascii():
        place = ord(text.lower()) - ord("a") + 1
    else:
        place = int(text) if text.isascii() and text.isdecimal() else first - 1
    if not first <= place <= last:
        shown = [chr(ord("a") + n - 1) if in_letters else str(n) for n in (first, last)]
        raise ProjectError(
            f"position must be from {shown[0]} to {shown[1]}, got {text}.",
            step=step.name,
            expected=range(first, last + 1),
            found=position,
        )
    return place


def _renaming(project: Project, renamed: Mapping[str, str], removed: str | None = None) -> Change:
    """Return a change that renames steps and updates everything that names them."""
    change = Change(project)
    for old, new_name in renamed.items():
        for path in _paths(project, old):
            folder, _, file = path.rpartition("/")
            change.moves[path] = f"{folder}/{new_name}{'.ipynb' if file.endswith('.ipynb') else ''}"
    if renamed or removed:
        rename_references(project, change, {**renamed, **({removed: None} if removed else {})})
    return change


def _paths(project: Project, step: str) -> list[str]:
    """Return the paths of a step's notebook and results."""
    selected = _select(project, step)
    results = [f"results/{step}"] if project.results_of(step).is_dir() else []
    return results if selected.is_script else [project.show(selected.path), *results]


def _series(model: Step, steps: list[Step]) -> dict[int, Step]:
    """Return the steps that are numbered together with one, by the last part of the numbers."""
    counted = _number(model)
    series: dict[int, Step] = {}
    for step in steps:
        number = step.number
        if (
            number is None
            or step.folder != model.folder
            or (number.head, number.is_letter) != (counted.head, counted.is_letter)
        ):
            continue
        other = series.setdefault(number.last, step)
        if other != step:
            raise ProjectError(
                f"{other.source} and {step.source} have the same number. Rename one of them first.",
                step=step.name,
            )
    return series


def _shifted(series: Mapping[int, Step], numbers: Iterable[int], by: int) -> dict[str, str]:
    """Return new names for the steps that have these numbers, up to the first gap."""
    steps = [series[number] for number in takewhile(series.__contains__, numbers)]
    return {
        step.name: _recounted(step, step.number.last + by, _width(step, series))
        for step in steps
        if step.number
    }


def _width(model: Step, series: Mapping[int, Step]) -> int:
    """Return how many digits the numbers of a series have: 2 for `02_integration`."""
    return max(step.number.width for step in (model, *series.values()) if step.number)


def _recounted(step: Step, last: int, width: int, label: str | None = None) -> str:
    """Return the name of a step with another last part of its number."""
    try:
        number = _number(step).counted(last, width)
    except ValueError as error:
        raise ProjectError(f"{step.name}: {error}. Use another number.", step=step.name) from error
    return _name(number, step.label if label is None else label)


def _number(step: Step) -> Number:
    """Return the number of a step that is counted; raises `ProjectError` if it has none."""
    if step.number is None:
        raise ProjectError(
            f"{step.name} has no number, by which it could be moved or followed. Rename it to one "
            f"with a number, or list the steps in {FILE}: [tool.checkpoint] order = […].",
            step=step.name,
        )
    return step.number


def _name(number: str, label: str) -> str:
    name = "_".join(filter(None, (number, label)))
    if reason := unportable(name):
        raise ProjectError(f"{name!r} {reason}. Choose another name.", found=name)
    return name


def _select(project: Project, step: str) -> Step:
    (selected,) = project.select([step])
    return selected


def _check_name(steps: list[Step], name: str, *, bare: bool = True) -> None:
    if reason := unfit(name, bare=bare):
        raise ProjectError(f"{name!r} {reason}. Choose a name such as quality_control.", found=name)
    for step in steps:
        if name.casefold() in (step.label.casefold(), step.name.casefold()):
            raise ProjectError(
                f"{step.source} already has the name {name!r}. Choose another.",
                step=step.name,
                found=name,
            )
