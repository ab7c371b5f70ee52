"""The chain as a drawing: a row per step in running order, and a lane per result still in use."""

from collections.abc import Mapping
from typing import NamedTuple

LANE, NARROW, WIDEST = 22, 9, 320  # pixels: between lanes, and of all lanes
EDGE = 16


class Node(NamedTuple):
    """A step: its name, and where it is drawn."""

    name: str
    x: float
    y: float


class Drawing(NamedTuple):
    """What is drawn.

    Attributes
    ----------
    width, height
        In pixels.
    nodes
        The steps, from top to bottom.
    paths
        The lines, from a step to one that loads it, as the `d` of an SVG path.
    """

    width: float
    height: float
    nodes: list[Node]
    paths: list[str]


def draw(loads: Mapping[str, list[str]], height: int) -> Drawing:
    """Draw steps, given in running order with the steps that each loads, in rows of a height.

    A step stands in the lane of one that it loads and no later step does, else in a free one. So no
    line runs through a step that it has nothing to do with, if steps load earlier ones.
    """
    lanes = _lanes(loads)
    count = max(lanes.values(), default=0) + 1
    step = min(LANE, max(NARROW, (WIDEST - 2 * EDGE) / max(1, count - 1)))
    places = {
        name: (EDGE + lanes[name] * step, height * (row + 0.5)) for row, name in enumerate(loads)
    }
    paths = [
        _path(places[before], places[name], height)
        for name, loaded in loads.items()
        for before in loaded
    ]
    nodes = [Node(name, *place) for name, place in places.items()]
    return Drawing(2 * EDGE + (count - 1) * step, height * len(nodes), nodes, paths)


def _lanes(loads: Mapping[str, list[str]]) -> dict[str, int]:
    rows = {name: row for row, name in enumerate(loads)}
    last = {name: rows[name] for name in loads}  # the row of the last step that loads it
    for name, loaded in loads.items():
        for before in loaded:
            last[before] = max(last[before], rows[name])
    lanes: dict[str, int] = {}
    for name, loaded in loads.items():
        row = rows[name]
        busy = {lanes[other] for other in lanes if last[other] > row}
        own = [lanes[b] for b in loaded if b in lanes and lanes[b] not in busy]
        free = (lane for lane in range(len(rows) + 1) if lane not in busy)
        lanes[name] = min(own) if own else next(free)
    return lanes


def _path(start: tuple[float, float], end: tuple[float, float], height: int) -> str:
    (x0, y0), (x1, y1) = start, end
    if x0 == x1:
        return f"M{x0:g} {y0:g}V{y1:g}"
    turn = y1 - height if y1 > y0 else y1 + height
    middle = (turn + y1) / 2
    return f"M{x0:g} {y0:g}V{turn:g}C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}"
