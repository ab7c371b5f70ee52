"""Which step loads what, from the load and save calls in the notebooks."""

from collections.abc import Iterable

from . import notebook
from .calls import calls, imported
from .project import Notebook, Project


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
        self.files: dict[str, list[str]] = {}
        for step in self.steps:
            self._add(step)

    def ready(self, waiting: Iterable[str], done: Iterable[str]) -> list[str]:
        """Return the waiting steps that load none of the others, but for those that are done."""
        waiting = list(waiting)
        open_ = set(waiting) - set(done)
        return [step for step in waiting if not open_.intersection(self.loads[step])]

    def _add(self, step: Notebook) -> None:
        sources = notebook.sources(notebook.read_whole(step.path))
        names = imported(sources)
        found = [call for source in sources for call in calls(source, names) or ()]
        earlier = [other.step for other in self.steps if other.number < step.number]
        loads = {call.argument for call in found if call.function == "load"}
        named = {argument.partition("/")[0] for argument in loads if argument}
        self.loads[step.step] = [one for one in earlier if None in loads or one in named]
        files = {call.argument for call in found if call.function == "data_file"}
        self.files[step.step] = sorted(filter(None, files))
