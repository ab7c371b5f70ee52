"""What is to be run, and when the turn of each step comes."""

from collections.abc import Iterable

from ..lineage.changes import CURRENT
from ..lineage.states import Lineage
from ..notebooks.graph import Graph
from ..project.chain import Step
from ..project.project import Project


class Schedule:
    """Steps that wait for their turn.

    Parameters
    ----------
    project
        The project.
    notebooks
        The notebooks, in running order.
    forced
        The steps that run also if they are current.
    """

    def __init__(self, project: Project, notebooks: list[Step], forced: set[str]) -> None:
        self.waiting = {one.name: one for one in notebooks}
        self._project = project
        self._forced = forced
        self._graph = Graph(project)

    def next(self, running: Iterable[str]) -> Step | None:
        """Take out the first step that can run while others are running; None if there is none.

        A step whose turn has come and that is current by then is left out.
        """
        unfinished = {*running, *self.waiting}
        for step, one in list(self.waiting.items()):
            if unfinished.intersection(self._graph.loads[step]):
                continue
            del self.waiting[step]
            unfinished.discard(step)
            if step in self._forced or Lineage(self._project).state(step).state != CURRENT:
                return one
        return None
