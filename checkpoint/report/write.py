"""Write the page to a file, and a zip with the page and the small files that it names."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError
from ..files import replace
from ..formats import format_of
from ..project.project import Project
from ..storage import committed
from ..storage.schema import RECORD
from .facts import Facts, gather
from .page import GENERATOR, Page

NAME = "report.html"  # in results/
SUFFIXES = (".html", ".htm")
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date in a zip, used for all files


def write(project: Project, path: Path, budget: int, *, zipped: bool = False) -> Page:
    """Write the report page of a project.

    Parameters
    ----------
    project
        The project.
    path
        The file, which ends in `.html`.
    budget
        The size budget of the page in bytes.
    zipped
        Whether to write a zip next to it, with the page, the notebooks, and the results that git
        tracks: figures as they were saved, small tables, `params.json`, `environment.txt`.

    Raises
    ------
    ProjectError
        If the path does not end in `.html` or `.htm`, or is a file that this code did not write.
    """
    refuse(path)
    page = Page(gather(project), budget)
    replace(path, page.html)
    if zipped:
        replace(path.with_suffix(".zip"), _zip(page.facts, path.name, page.html))
    return page


def refuse(path: Path) -> None:
    """Raise an error unless a page may be written to a path."""
    if path.suffix.lower() not in SUFFIXES:
        raise ProjectError(
            f"-o: expected a file that ends in .html, but got {str(path)!r}.",
            expected=".html",
            found=str(path),
        )
    if path.exists() and not _is_ours(path):
        raise ProjectError(
            f"{path} is not a page that `checkpoint report` wrote, so it stays. Choose another "
            "name with -o, or remove it.",
            file=str(path),
        )


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return GENERATOR.encode() in file.read(2_000)


def _zip(facts: Facts, name: str, html: bytes) -> bytes:
    """Return a zip; the same content produces the same bytes."""
    written = io.BytesIO()
    files = {name: html, **{inside: path.read_bytes() for inside, path in _small(facts)}}
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, content in files.items():
            entry = zipfile.ZipInfo(inside, LONG_AGO)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _small(facts: Facts) -> Iterator[tuple[str, Path]]:
    project = facts.project
    for step in facts.steps:
        if step.step and not step.step.is_script:
            yield step.path, step.step.path
        for saved in step.all:
            record = saved.record
            if record is None:
                continue
            freeze = record.environment and record.environment.freeze
            names = [RECORD, *(file for file in record.files if _is_small(file))]
            for file in [*names, *([freeze.key] if freeze else [])]:
                path = committed.locate(project.results_of(saved.name), file)
                if path.is_file():
                    yield f"results/{saved.name}/{file}", path


def _is_small(file: str) -> bool:
    known = format_of(file)
    return known is not None and not known.large
