"""Charts of plotly and altair as `.html`, and as pictures if their exporter is installed.

A page contains the scripts that draw it, so that it opens offline, and still does in ten years.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .kinds import is_a
from .registry import Format
from .rest import Difference

TYPES = (("plotly.basedatatypes", "BaseFigure"), ("altair", "TopLevelMixin"))
STYLER = ("pandas.io.formats.style", "Styler")  # a table with colours
EXPORTERS = {"plotly": "kaleido", "altair": "vl_convert"}  # packages that turn charts into pictures


def is_chart(obj: Any) -> bool:
    """Return whether an object is a chart of plotly or altair."""
    return any(is_a(obj, *kind) for kind in TYPES)


def write(chart: Any, path: Path) -> None:
    """Write a page that shows a chart as the notebook does."""
    # with fixed ids, so that the bytes are the same each time
    if is_a(chart, *STYLER):
        page = chart.to_html(table_uuid="table", doctype_html=True, encoding="utf-8")
    elif is_a(chart, *TYPES[0]):
        page = chart.to_html(include_plotlyjs=True, div_id="chart")
    else:
        page = chart.to_html(inline=not _lacks_scripts(chart))
    path.write_text(page, encoding="utf-8", newline="\n")


def changes(chart: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Yield a difference if the page needs the internet because its scripts are not installed."""
    if _lacks_scripts(chart):
        yield Difference(
            "it",
            "is a page that loads its scripts from the internet each time it is opened. "
            'With `pip install -c constraints.txt -e ".[charts]"`, the page contains them',
        )


def write_picture(chart: Any, path: Path) -> None:
    """Draw a chart to a `.png`, `.pdf` or `.svg`.

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
    """Return the path; charts are for viewing and are not read back."""
    return path


def _lacks_scripts(chart: Any) -> bool:
    """Return whether the scripts that draw an altair chart are not installed."""
    return is_a(chart, *TYPES[1]) and find_spec(EXPORTERS["altair"]) is None


FORMATS = (
    Format(
        suffix=".html",
        holds="plotly or altair chart, pandas Styler",
        comes_back="the path of the file",
        writer=write,
        reader=read,
        types=(*TYPES, STYLER),
        comparer=changes,
        large=False,
        extra="charts",
    ),
)
