"""The figures of a step: their files, the picture to show, and the cell that made them."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from ..lineage.changes import Kind
from ..notebooks import notebook
from ..notebooks.calls import imported, texts
from ..notebooks.graph import saving_cell
from ..project.project import Project
from ..storage import committed
from ..storage.schema import FileEntry
from .facts import Saved, StepFacts
from .pictures import TYPES, Picture

SHOWN = tuple(TYPES)  # the suffixes of pictures that are shown, the preferred ones first
OTHERS = (".pdf", ".html")  # figures that a page can only name


class Origin(NamedTuple):
    """A code cell that a figure comes from: its number and its first line."""

    number: int
    line: str


class Figure(NamedTuple):
    """A figure of a step or sub-checkpoint."""

    name: str  # without a suffix: `figures/umap`
    saved: Saved  # the step or sub-checkpoint
    files: dict[str, FileEntry]
    picture: Picture | None  # None if the page cannot show any of its files
    drawn: Origin | None  # the first cell that names it
    written: Origin | None  # the cell that saves the step
    wrong: list[str]  # its files that are missing or not what was saved

    @property
    def label(self) -> str:
        """Its name as a caption shows it: `umap`."""
        return PurePosixPath(self.name).name


def figures_of(project: Project, step: StepFacts) -> Iterator[Figure]:
    """Yield the figures of a step and of its sub-checkpoints."""
    cells = notebook.sources(step.notebook) if step.notebook else []
    for saved in step.all:
        yield from _figures(project, saved, cells)


def _figures(project: Project, saved: Saved, cells: list[str]) -> Iterator[Figure]:
    groups: dict[str, dict[str, FileEntry]] = {}
    for name, entry in saved.record.files.items() if saved.record else ():
        path = PurePosixPath(name)
        drawing = path.suffix.lower() in SHOWN or (
            path.suffix.lower() in OTHERS and (path.suffix == ".pdf" or path.parts[0] == "figures")
        )
        if drawing and not entry.beside:
            groups.setdefault(str(path.with_suffix("")), {})[name] = entry
    wrong = {change.name for change in saved.changes if change.kind is Kind.FILE}
    for name, files in groups.items():
        yield Figure(
            name,
            saved,
            files,
            _picture(project, saved.name, files),
            *_origins(cells, saved.name, name, files),
            sorted(wrong & files.keys()),
        )


def _picture(project: Project, step: str, files: dict[str, FileEntry]) -> Picture | None:
    by_suffix = {PurePosixPath(name).suffix.lower(): name for name in reversed(files)}
    for suffix in SHOWN:
        if suffix in by_suffix:
            path = committed.locate(project.results_of(step), by_suffix[suffix])
            if path.is_file():
                return Picture(path.read_bytes(), TYPES[suffix], of_result=True)
    return None


def _origins(
    cells: list[str], step: str, name: str, files: dict[str, FileEntry]
) -> tuple[Origin | None, Origin | None]:
    """Return the first cell with the figure's name as a string, and the one that saves the step."""
    known, saving = imported(cells), saving_cell(cells, step)
    names = {PurePosixPath(name).name, name, *files, *(entry.key for entry in files.values())}
    names |= {PurePosixPath(file).name for file in files}
    origins = [Origin(n, notebook.first_line(source)) for n, source in enumerate(cells, 1)]
    written = None if saving is None else origins[saving]
    naming = (
        origin
        for origin, source in zip(origins, cells, strict=True)
        if origin != written and any(t.value in names for t in texts(source, known) or ())
    )
    return next(naming, None), written
