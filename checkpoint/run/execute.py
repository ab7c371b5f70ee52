"""Execute one notebook in a kernel that was started for it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat.sign import NotebookNotary

from ..errors import CheckpointError
from ..files import replace
from ..notebooks import notebook
from ..notebooks.parameters import inject
from ..project.chain import Step
from ..project.project import EXECUTED, FAILED, Project
from ..storage.committed import locate
from ..storage.schema import RECORD
from .kernels import Kernel

OnCell = Callable[[int, int, str, float | None], None]


async def execute(
    project: Project,
    step: Step,
    kernel: Kernel,
    values: Mapping[str, str],
    on_cell: OnCell,
    *,
    saves: bool = True,
) -> None:
    """Run one notebook, and write it back with its outputs if it succeeds.

    Parameters
    ----------
    project, step, kernel
        The notebook, and a kernel in which nothing has run.
    values
        Parameters to set: Python code by name.
    on_cell
        Called when a code cell starts and when it has finished, with its number, the number of
        code cells, its first line, and the seconds that it took (None when it starts).
    saves
        Whether the notebook has to call `save`.

    Raises
    ------
    CheckpointError
        If a cell fails or the kernel dies; the notebook is left unchanged and the executed copy
        is `results/<step>/failed.ipynb`. If the notebook was changed while it ran; the executed
        copy is `results/<step>/executed.ipynb`. If the notebook did not save the step.
    """
    before = step.path.read_bytes()
    content = notebook.read_whole(step.path)
    if values:
        inject(content, values)
    nb = nbformat.reads(json.dumps(content), as_version=4)
    folder = project.results_of(step.name)
    record_before = _identity(folder)
    await _execute_cells(project, step, nb, kernel, on_cell)
    executed = _as_bytes(nb)  # takes long for a large notebook, so do it before comparing
    was_edited = not step.path.exists() or step.path.read_bytes() != before
    target = folder / EXECUTED if was_edited else step.path
    replace(target, executed)
    _trust(nb)
    (folder / FAILED).unlink(missing_ok=True)
    where = project.show(step.path)
    if was_edited:
        raise CheckpointError(
            f"{where} was changed while it ran, so it was not overwritten; executed copy: "
            f"{project.show(target)}.",
            step=step.name,
            file=where,
        )
    if saves and _identity(folder) == record_before:
        raise CheckpointError(
            f"{where} ran without saving {step.name}. Let its last cell call "
            f'save("{step.name}", …).',
            step=step.name,
            file=where,
        )


async def _execute_cells(
    project: Project, step: Step, nb: nbformat.NotebookNode, kernel: Kernel, on_cell: OnCell
) -> None:
    """Run the cells; if one fails, write the executed copy to `failed.ipynb`."""
    client = _Client(nb, km=kernel.manager, **_hooks(nb, on_cell))
    client.kc = kernel.client
    where = project.show(step.path)
    failed = project.results_of(step.name) / FAILED
    try:
        await client.async_execute()
    except UnicodeEncodeError as error:
        raise CheckpointError(
            f"{where}: a cell contains half a character "
            f"({error.object[error.start : error.end]!r}), as a cut-off emoji leaves it, which "
            "cannot be sent to a kernel. Remove it.",
            step=step.name,
            file=where,
            found=error.object[error.start : error.end],
        ) from error
    except (CellExecutionError, DeadKernelError) as error:
        replace(failed, _as_bytes(nb))
        copy = f"executed copy: {project.show(failed)}"
        if isinstance(error, CellExecutionError):
            what = f"{where} failed; {copy}\n{_shown(nb, error)}"
            what += _not_installed(project, kernel, error)
        else:
            what = f"{where}: the kernel died, perhaps because memory ran out; {copy}"
        raise CheckpointError(what, step=step.name, file=where) from error


def _shown(nb: nbformat.NotebookNode, error: Exception) -> str:
    """Return an error as the notebook shows it; nbclient would show the whole cell again."""
    outputs = [output for cell in notebook.code_cells(nb) for output in cell["outputs"]]
    shown = [output.traceback for output in outputs if output.output_type == "error"]
    return "\n".join(shown[-1]).rstrip() if shown else str(error)


def _not_installed(project: Project, kernel: Kernel, error: CellExecutionError) -> str:
    """Return how to install the project in the kernel's environment, if a cell did not find it."""
    name = re.match(r"No module named '([^'.]+)", error.evalue)
    if error.ename != "ModuleNotFoundError" or not name or name[1] not in project.packages:
        return ""
    python = kernel.manager.format_kernel_cmd()[0]
    return (
        f"\nThe kernel {kernel.manager.kernel_name!r} runs {python}, in which {name[1]} is not "
        f"installed. Install it, "
        f"in {project.root}: `{python} -m pip install -c constraints.txt -e .`"
    )


def _trust(nb: nbformat.NotebookNode) -> None:
    """Sign a notebook, as Jupyter does after running all cells: this user made its outputs."""
    # if a home cannot be written or for half a character, Jupyter asks for trust
    with suppress(OSError, UnicodeEncodeError):
        NotebookNotary().sign(nb)


def _as_bytes(nb: nbformat.NotebookNode) -> bytes:
    return notebook.printable(nbformat.writes(nb) + "\n").encode()


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return values that differ for the record of each save; None if there is no record."""
    try:
        record = locate(folder, RECORD).stat()
    except FileNotFoundError:
        return None
    return record.st_ino, record.st_mtime_ns


class _Client(NotebookClient):
    @asynccontextmanager
    async def async_setup_kernel(self, **kwargs: Any) -> AsyncIterator[None]:
        """Use the kernel as it is: `run` starts and ends it, and handles all signals."""
        yield


def _hooks(nb: nbformat.NotebookNode, on_cell: OnCell) -> dict[str, Any]:
    """Return the options by which nbclient calls `on_cell` for each code cell."""
    code_cells = [
        i for i, cell in enumerate(nb.cells) if cell.cell_type == "code" and cell.source.strip()
    ]
    shown = {
        index: (number, len(code_cells), notebook.first_line(nb.cells[index].source))
        for number, index in enumerate(code_cells, start=1)
    }
    started: dict[int, float] = {}

    def start(cell: nbformat.NotebookNode, cell_index: int) -> None:
        started[cell_index] = time.monotonic()
        if cell_index in shown:
            on_cell(*shown[cell_index], None)

    # on_cell_complete would be called as soon as the cell was sent
    def finish(cell: nbformat.NotebookNode, cell_index: int, execute_reply: Any) -> None:
        if cell_index in shown:
            on_cell(*shown[cell_index], time.monotonic() - started[cell_index])

    return {"on_cell_start": start, "on_cell_executed": finish, "record_timing": False}
