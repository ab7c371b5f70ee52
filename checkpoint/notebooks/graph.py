"""Which step loads what, from the load and save calls in the notebooks."""

from typing import NamedTuple

from ..errors import ProjectError
from ..project.chain import Step
from ..project.project import Project
from . import notebook
from .calls import calls, imported


class Named(NamedTuple):
    """What the code of a notebook names.

    Attributes
    ----------
    steps
        The steps and sub-checkpoints that it loads.
    files
        The raw files that it reads, relative to `data/`.
    computed
        Whether it loads by a name that is known only when it runs, or in a cell that is not
        Python.
    """

    steps: list[str]
    files: list[str]
    computed: bool


def named_in(sources: list[str]) -> Named:
    """Return what the code cells of a notebook load and read."""
    names = imported(sources)
    called = [calls(source, names) for source in sources]
    found = [call for calls_ in called for call in calls_ or ()]
    unread = [source for source, calls_ in zip(sources, called, strict=True) if calls_ is None]
    loads = [call.argument for call in found if call.function == "load"]
    files = [call.argument for call in found if call.function == "data_file"]
    return Named(
        list(dict.fromkeys(filter(None, loads))),
        list(dict.fromkeys(filter(None, files))),
        None in loads or any("load" in source for source in unread),
    )


def foreign(project: Project, one: Step) -> str | None:
    """Tell why a notebook makes no step of its own; None if it does, or may.

    A copy, as `2_integration_v2`, would overwrite the results of the original; notes have none.
    """
    try:
        sources = [source for source in notebook.sources(notebook.read_whole(one.path)) if source]
    except ProjectError:
        return None  # whoever needs it says what is wrong
    where, names = project.show(one.path), imported(sources)
    if not sources:
        return f"{where} has no code, so it makes no results"
    called = [call for source in sources for call in calls(source, names) or ()]
    saved = [call.argument for call in called if call.function == "save"]
    if not saved or None in saved or one.name in (step.partition("/")[0] for step in saved if step):
        return None
    return f"{where} saves as {saved[0]!r}, and would overwrite that; let it save as {one.name!r}"


class Graph:
    """The steps of a project and what each is made from.

    Parameters
    ----------
    project
        The project. Each notebook is read once, here.

    Attributes
    ----------
    loads
        The steps that a step's notebook loads, in the order of their numbers. Where it loads by a
        name that is known only when it runs, all earlier ones.
    later
        The steps that it loads though they run after it.
    files
        The raw files that it names, relative to `data/`.

    Raises
    ------
    ProjectError
        If a notebook cannot be read.
    """

    def __init__(self, project: Project) -> None:
        self.steps = project.steps()
        self.loads: dict[str, list[str]] = {}
        self.later: dict[str, list[str]] = {}
        self.files: dict[str, list[str]] = {}
        for step in self.steps:
            self._add(step)

    def _add(self, step: Step) -> None:
        named = named_in(notebook.sources(notebook.read_whole(step.path)))
        loads = {loaded.partition("/")[0] for loaded in named.steps}
        earlier = [other.name for other in self.steps if other.number < step.number]
        others = [other.name for other in self.steps if other.name != step.name]
        self.loads[step.name] = [one for one in earlier if named.computed or one in loads]
        self.later[step.name] = [one for one in others if one in loads and one not in earlier]
        self.files[step.name] = named.files
