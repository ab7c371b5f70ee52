"""Draw the chain: one row per step in running order, one lane per result still in use."""

from collections.abc import Mapping
from html import escape
from typing import NamedTuple
from unicodedata import east_asian_width

LANE, NARROW, WIDEST = 22, 9, 320  # pixels: usual and minimum lane spacing, maximum of all lanes
EDGE = 16
ROW, LETTER = 30, 8.5  # pixels of an SVG: from step to step, and the maximum width of a letter
# for light and dark mode
STYLE = (
    "path{fill:none;stroke:#8a919c;stroke-width:1.5}circle{fill:#3465a4}"
    "text{font:14px system-ui,sans-serif;fill:#24292f}"
    "@media(prefers-color-scheme:dark){circle{fill:#7aa7e0}text{fill:#e6e8eb}}"
)


class Node(NamedTuple):
    """A step: its name, and where it is drawn."""

    name: str
    x: float
    y: float


class Drawing(NamedTuple):
    """A drawing of the chain."""

    width: float  # in pixels, like the height
    height: float
    nodes: list[Node]  # the steps, from top to bottom
    paths: list[str]  # from a step to one that loads it, as the `d` of an SVG path


def draw(loads: Mapping[str, list[str]], height: int) -> Drawing:
    """Draw steps, given in running order with the steps that each loads, in rows of a height.

    A step is in the lane of a step that it loads and no later step loads, or else in a free lane.
    So if steps load only earlier ones, no line runs through an unrelated step.
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


def as_svg(loads: Mapping[str, list[str]]) -> str:
    """Return a complete SVG file that shows steps, as for `draw`, with their names."""
    drawn = draw(loads, ROW)
    width = drawn.width + max(map(_width, loads), default=0) + EDGE
    size = f"{width:g}", f"{drawn.height:g}"
    named = [
        f'<circle cx="{node.x:g}" cy="{node.y:g}" r="6"/>'
        f'<text x="{drawn.width:g}" y="{node.y + 5:g}">{escape(node.name)}</text>'
        for node in drawn.nodes
    ]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}" role="img">',
        f"<title>{escape(described(loads))}</title>",
        f"<style>{STYLE}</style>",
        *(f'<path d="{path}"/>' for path in drawn.paths),
        *named,
        "</svg>",
    ]
    return "".join(f"{line}\n" for line in lines)


def described(loads: Mapping[str, list[str]]) -> str:
    """Return a text that says which steps each step loads."""
    return "; ".join(
        f"{step} loads {' and '.join(names)}" for step, names in loads.items() if names
    )


def _width(name: str) -> float:
    wide = sum(letter in "MWmw@%" or east_asian_width(letter) in "WF" for letter in name)
    return LETTER * (len(name) + 0.8 * wide + 0.3 * sum(map(str.isupper, name)))


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
