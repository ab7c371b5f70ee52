"""Matplotlib figures as `.png`, `.pdf` and `.svg`, the same bytes for the same figure."""

from pathlib import Path
from typing import Any

from .registry import Format

# the metadata that would carry the date of the run
DATED = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


def write(figure: Any, path: Path) -> None:
    """Draw a figure into a file, without a date and with fixed ids.

    Like Jupyter, this cuts the picture to what is drawn: a legend outside the axes is included.
    """
    import matplotlib as mpl

    suffix = path.suffix.lower()
    # a layout that is computed while drawing settles first, or the second file would differ
    figure.draw_without_rendering()
    with mpl.rc_context({"svg.hashsalt": "checkpoint", "savefig.pad_inches": 0.1}):
        figure.savefig(path, format=suffix[1:], metadata=DATED[suffix], bbox_inches="tight")


def read(path: Path, details: dict[str, Any] | None) -> Path:
    """Return the path: figures are looked at, not read back."""
    return path


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
