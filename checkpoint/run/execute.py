"""Execute one notebook in a kernel that was started for it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from ..errors import CheckpointError
from ..files import replace
from ..notebooks import notebook
from ..notebooks.parameters import inject
from ..project.chain import Step
from ..project.project import EXECUTED, FAILED, Project
from ..storage.schema import RECORD
from ..storage.store import locate
from .kernels import Kernel

OnCell = Callable[[int, int, str, float | None], None]


async def execute(
    project: Project,
    step: Step,
    kernel: Kernel,
    values: dict[str, str],
    on_cell: OnCell,
) -> None:
    """Run one notebook; write it back with its outputs if it succeeds.

    Parameters
    ----------
    project
        The project.
    step
        The notebook.
    kernel
        A kernel in which nothing has run.
    values
        Parameters to set: Python code by name.
    on_cell
        Called when a code cell begins and when it is done, with its number, how many there are,
        its first line, and the seconds it took, which are None when it begins.

    Raises
    ------
    CheckpointError
        If a cell fails or the kernel dies; the message shows the cell and its error. The notebook
        stays as it was; what ran of it is `results/<step>/failed.ipynb`. Also if the notebook was
        changed meanwhile; what ran is `executed.ipynb` there. Also if it saved nothing.
    """
    before = step.path.read_bytes()
    content = notebook.read_whole(step.path)
    if values:
        inject(content, values)
    nb = nbformat.reads(json.dumps(content), as_version=4)
    client = _Client(nb, km=kernel.manager, **_hooks(nb, on_cell))
    client.kc = kernel.client
    folder = project.results_of(step.name)
    failed, saved = folder / FAILED, _saved(folder)
    try:
        await client.async_execute()
    except CellExecutionError as error:
        replace(failed, _written(nb))
        raise CheckpointError(
            f"{project.show(step.path)} failed; with its outputs it is {project.show(failed)}."
            f"\n{error}"
        ) from error
    except UnicodeEncodeError as error:
        raise CheckpointError(
            f"{project.show(step.path)}: a cell has half a character, as cut-off emoji leave it "
            f"({error.object[error.start : error.end]!r}), which no kernel takes. Remove it."
        ) from error
    except DeadKernelError as error:
        replace(failed, _written(nb))
        raise CheckpointError(
            f"{project.show(step.path)}: its kernel died, perhaps for lack of memory; with its "
            f"outputs it is {project.show(failed)}."
        ) from error
    written = _written(nb)  # first, since a large one takes long
    edited = not step.path.exists() or step.path.read_bytes() != before
    place = folder / EXECUTED if edited else step.path
    replace(place, written)
    failed.unlink(missing_ok=True)
    if edited:
        raise CheckpointError(
            f"{project.show(step.path)} was changed while it ran, and is left as it is now. "
            f"What ran, with its outputs, is {project.show(place)}."
        )
    if _saved(folder) == saved:
        raise CheckpointError(
            f"{project.show(step.path)} ran, but saved nothing: its last cell has to call "
            f'save("{step.name}", …).'
        )


def _written(nb: nbformat.NotebookNode) -> bytes:
    return notebook.printable(nbformat.writes(nb) + "\n").encode()


def _saved(folder: Path) -> tuple[int, int] | None:
    """Return what tells one save from the next; None where nothing is saved."""
    try:
        found = locate(folder, RECORD).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


class _Client(NotebookClient):
    @asynccontextmanager
    async def async_setup_kernel(self, **kwargs: Any) -> AsyncIterator[None]:
        """Use the kernel as it is: `run` starts and ends it, and answers signals for all."""
        yield


def _hooks(nb: nbformat.NotebookNode, on_cell: OnCell) -> dict[str, Any]:
    """Return what lets nbclient tell `on_cell` of each code cell."""
    coded = [
        i for i, cell in enumerate(nb.cells) if cell.cell_type == "code" and cell.source.strip()
    ]
    started: dict[int, float] = {}

    def tell(cell: nbformat.NotebookNode, index: int, seconds: float | None) -> None:
        if index in coded:
            number = coded.index(index) + 1
            on_cell(number, len(coded), notebook.first_line(cell.source), seconds)

    def begin(cell: nbformat.NotebookNode, cell_index: int) -> None:
        started[cell_index] = time.monotonic()
        tell(cell, cell_index, None)

    # on_cell_complete would be called as soon as the cell was sent
    def end(cell: nbformat.NotebookNode, cell_index: int, execute_reply: Any) -> None:
        tell(cell, cell_index, time.monotonic() - started[cell_index])

    return {"on_cell_start": begin, "on_cell_executed": end, "record_timing": False}
