"""Figures as `.png`, `.pdf` and `.svg`, with the same bytes for the same figure.

They may be matplotlib figures or anything drawn with it: axes, seaborn grids, scanpy and plotnine
plots.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import charts
from .kinds import is_a
from .registry import ANY, Format

# arguments that leave the date of the run out of the metadata
DATED = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
MARGIN = 0.1  # inches around what is drawn outside the figure
# multiples of the figure's size; anything farther away is not meant to be seen, such as the label
# of a point beyond the limits of its axes
FAR = 10
# types that draw a figure on demand, and how to get it
DRAWN: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("plotnine", "ggplot", lambda plot: plot.draw()),
    ("seaborn.objects", "Plot", lambda plot: plot.plot()._figure),
    ("seaborn.axisgrid", "Grid", lambda grid: grid.figure),
    ("seaborn.axisgrid", "JointGrid", lambda grid: grid.figure),
    ("seaborn.matrix", "ClusterGrid", lambda grid: grid.figure),
    ("scanpy.plotting._baseplot_class", "BasePlot", lambda plot: _of_scanpy(plot)),
)


def unfit(obj: Any) -> str | None:
    """Return why an object is not exactly one figure, or None."""
    if charts.is_chart(obj):
        return None
    if not _is_drawn(obj, depth=5):
        return "is not a matplotlib Figure"
    figures = {id(figure) for figure in _figures_of(obj)}
    if len(figures) == 1:
        return None
    return f"belongs to {len(figures)} figures; save each under a name of its own"


def write(obj: Any, path: Path) -> None:
    """Draw a figure to a file, without a date and with fixed ids.

    The picture has the size of the figure, extended on the sides where something is drawn outside
    of it, such as a legend next to the axes.
    """
    if charts.is_chart(obj):
        charts.write_picture(obj, path)
        return
    import matplotlib as mpl

    figure = next(_figures_of(obj))
    suffix = path.suffix.lower()
    with mpl.rc_context({"svg.hashsalt": "checkpoint"}), _laid_out(figure):
        figure.savefig(
            path, format=suffix[1:], metadata=DATED[suffix], bbox_inches=_drawn_area(figure)
        )


def read(path: Path, details: dict[str, Any] | None) -> Path:
    """Return the path; figures are for viewing and are not read back."""
    return path


def _is_drawn(obj: Any, depth: int) -> bool:
    """Return whether an object is a figure, a part of one, or a list or dict of parts."""
    if not depth:  # a list may contain itself
        return False
    if isinstance(obj, Mapping):
        obj = list(obj.values())
    elif is_a(obj, "numpy", "ndarray"):
        obj = list(obj.flat) if obj.dtype == object else []
    if isinstance(obj, list | tuple):
        return bool(obj) and all(_is_drawn(item, depth - 1) for item in obj)
    kinds = (("matplotlib.artist", "Artist"), *((module, name) for module, name, _ in DRAWN))
    return any(is_a(obj, *kind) for kind in kinds)


def _figures_of(obj: Any) -> Iterator[Any]:
    """Yield the figure of an object, or the figures of the parts of a list or dict."""
    if isinstance(obj, Mapping):
        obj = list(obj.values())
    parts: Iterable[Any] | None = obj.flat if is_a(obj, "numpy", "ndarray") else None
    if parts is not None or isinstance(obj, list | tuple):
        for part in obj if parts is None else parts:
            yield from _figures_of(part)
        return
    for module, name, draw in DRAWN:
        if is_a(obj, module, name):
            yield draw(obj)
            return
    figure = obj
    while figure is not None and not is_a(figure, "matplotlib.figure", "Figure"):
        figure = figure.figure  # for a subfigure, its parent
    if figure is not None:
        yield figure


def _of_scanpy(plot: Any) -> Any:
    """Return the figure of a scanpy plot, drawing it if it has not been shown yet."""
    if plot.fig is None:
        import matplotlib.pyplot as plt

        plot.make_figure()
        plt.close(plot.fig)  # so that the notebook does not show it, too
    return plot.fig


@contextmanager
def _laid_out(figure: Any) -> Iterator[None]:
    """Compute the layout once and keep it within the `with` block.

    Otherwise each drawing would compute it again, which takes longer than drawing itself and makes
    a second file differ.
    """
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def _drawn_area(figure: Any) -> Any:
    """Return the area of everything drawn, in inches; None to use the figure's own area."""
    from matplotlib.transforms import Bbox

    own, drawn = figure.bbox_inches, figure.get_tightbbox()
    x0, y0, x1, y1 = (round(float(edge), 2) for edge in drawn.extents)
    outside = (x0 < own.x0, y0 < own.y0, x1 > own.x1, y1 > own.y1)
    if not any(outside) or max((x1 - x0) / own.width, (y1 - y0) / own.height) > FAR:
        return None
    edges = (x0 - MARGIN, y0 - MARGIN, x1 + MARGIN, y1 + MARGIN)
    return Bbox.from_extents(
        *(new if out else old for new, out, old in zip(edges, outside, own.extents, strict=True))
    )


FORMATS = tuple(
    Format(
        suffix=suffix,
        holds="matplotlib Figure",
        comes_back="the path of the file",
        writer=write,
        reader=read,
        types=ANY,
        unfit=unfit,
        by_suffix_only=suffix != ".png",
        large=False,
        extra="charts",
    )
    for suffix in DATED
)
