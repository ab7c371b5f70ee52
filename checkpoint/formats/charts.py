"""Charts of plotly and altair as `.html`, and as pictures where their exporter is installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .kinds import is_a
from .registry import Format

TYPES = (("plotly.basedatatypes", "BaseFigure"), ("altair", "TopLevelMixin"))
EXPORTERS = {"plotly": "kaleido", "altair": "vl_convert"}  # what makes pictures of a chart


def is_chart(obj: Any) -> bool:
    """Return whether an object is a chart of plotly or altair."""
    return any(is_a(obj, *kind) for kind in TYPES)


def write(chart: Any, path: Path) -> None:
    """Write a page that shows a chart as the notebook does, with scripts from the internet."""
    if is_a(chart, *TYPES[0]):
        # a fixed id, for the same bytes each time
        page = chart.to_html(include_plotlyjs="cdn", div_id="chart")
    else:
        page = chart.to_html()
    path.write_text(page, encoding="utf-8", newline="\n")


def write_picture(chart: Any, path: Path) -> None:
    """Draw a chart into a `.png`, `.pdf` or `.svg`.

    Raises
    ------
    ModuleNotFoundError
        If the package that draws it is not installed.
    """
    of_plotly = is_a(chart, *TYPES[0])
    exporter = EXPORTERS["plotly" if of_plotly else "altair"]
    if find_spec(exporter) is None:
        raise ModuleNotFoundError(f"No module named {exporter!r}", name=exporter)
    if of_plotly:
        chart.write_image(path, format=path.suffix[1:])
    else:
        chart.save(str(path), format=path.suffix[1:])


def read(path: Path, details: dict[str, Any] | None) -> Path:
    """Return the path: charts are looked at, not read back."""
    return path


FORMATS = (
    Format(
        suffix=".html",
        holds="plotly or altair chart",
        comes_back="the path of the file",
        writer=write,
        reader=read,
        types=TYPES,
        large=False,
        extra="charts",
    ),
)
