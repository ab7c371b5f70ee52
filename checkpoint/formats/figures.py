"""Matplotlib figures as `.png`, `.pdf` and `.svg`, the same bytes for the same figure."""

from pathlib import Path
from typing import Any

from .kinds import is_a

# what carries the date of the run
DATED = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


def refusal(obj: Any) -> str | None:
    """Tell why an object is not for `.png`, `.pdf` and `.svg`."""
    if is_a(obj, "matplotlib.figure", "Figure"):
        return None
    return "is not a matplotlib Figure (Axes have theirs as `.figure`)"


def write(figure: Any, path: Path) -> None:
    """Draw a figure into a file, without a date and with fixed ids."""
    import matplotlib as mpl

    suffix = path.suffix.lower()
    # a layout that is worked out while drawing settles first, or the second file would differ
    figure.draw_without_rendering()
    with mpl.rc_context({"svg.hashsalt": "checkpoint"}):
        figure.savefig(path, format=suffix[1:], metadata=DATED[suffix])


def read(path: Path, details: dict[str, Any] | None) -> Path:
    """Return the path: a figure is looked at, not read back."""
    return path
