"""Matplotlib figures as `.png`, `.pdf` and `.svg`, the same bytes for the same figure."""

from pathlib import Path
from typing import Any

from .registry import Format

# the metadata that would carry the date of the run
DATED = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


def write(figure: Any, path: Path) -> None:
    """Draw a figure into a file, without a date and with fixed ids."""
    import matplotlib as mpl

    suffix = path.suffix.lower()
    # a layout that is computed while drawing settles first, or the second file would differ
    figure.draw_without_rendering()
    with mpl.rc_context({"svg.hashsalt": "checkpoint"}):
        figure.savefig(path, format=suffix[1:], metadata=DATED[suffix])


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
