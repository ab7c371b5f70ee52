"""Matplotlib figures as `.png`, `.pdf` and `.svg`, the same bytes for the same figure."""

from pathlib import Path
from typing import Any

from .registry import Format

# the metadata that would carry the date of the run
DATED = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
MARGIN = 0.1  # inches around what is drawn outside the figure


def write(figure: Any, path: Path) -> None:
    """Draw a figure into a file, without a date and with fixed ids.

    The picture has the size of the figure, and more on the sides where something is drawn outside
    of it, such as a legend beside the axes.
    """
    import matplotlib as mpl

    suffix = path.suffix.lower()
    # a layout that is computed while drawing settles first, or the second file would differ
    figure.draw_without_rendering()
    with mpl.rc_context({"svg.hashsalt": "checkpoint"}):
        figure.savefig(
            path, format=suffix[1:], metadata=DATED[suffix], bbox_inches=_drawn_area(figure)
        )


def read(path: Path, details: dict[str, Any] | None) -> Path:
    """Return the path: figures are looked at, not read back."""
    return path


def _drawn_area(figure: Any) -> Any:
    """Return the area that holds all that is drawn, in inches; None if that is the figure's own."""
    from matplotlib.transforms import Bbox

    own, drawn = figure.bbox_inches, figure.get_tightbbox()
    x0, y0, x1, y1 = (round(float(edge), 2) for edge in drawn.extents)
    outside = (x0 < own.x0, y0 < own.y0, x1 > own.x1, y1 > own.y1)
    if not any(outside):
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
        types=(("matplotlib.figure", "Figure"),),
        by_suffix_only=suffix != ".png",
        large=False,
    )
    for suffix in DATED
)
