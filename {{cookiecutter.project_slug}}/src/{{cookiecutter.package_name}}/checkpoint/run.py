"""Execute notebooks in order, as `checkpoint run` does."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .errors import CheckpointError, ProjectError
from .lineage import CURRENT, Lineage
from .notebook import read
from .project import Notebook, Project


def run(project: Project, steps: list[str], *, everything: bool, out: Console) -> None:
    """Execute notebooks; one that succeeds is written back with its outputs.

    Parameters
    ----------
    project
        The project.
    steps
        The steps to run; when empty, those that are not current when their turn comes. They run
        in the order of their numbers.
    everything
        Whether to run also what is current.
    out
        Where progress is shown: a bar on a terminal, lines elsewhere.

    Raises
    ------
    ProjectError
        If a step has no notebook.
    CheckpointError
        If a cell fails; the message shows the cell and its error. Later notebooks do not run, and
        the failed one stays as it was; what ran of it is `results/<step>/failed.ipynb`.
    """
    notebooks = _chosen(project, steps)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cells"),
        TimeElapsedColumn(),
        console=out,
        disable=not out.is_terminal,
    )
    ran = False
    with bar:
        for notebook in notebooks:
            if not (steps or everything) and Lineage(project).state(notebook.step).state == CURRENT:
                continue
            ran = True
            seconds = _execute(project, notebook, bar)
            if not out.is_terminal:
                out.print(f"{notebook.step}: done in {seconds:.0f} s")
    if not ran:
        out.print("Nothing to run: everything is current.")


def _chosen(project: Project, steps: list[str]) -> list[Notebook]:
    known = project.steps()
    names = [notebook.step for notebook in known]
    # the shell completes file names
    chosen = [Path(step).name.removesuffix(".ipynb") for step in steps]
    for step in chosen:
        if step not in names:
            raise ProjectError(f"No notebook {step!r}; there are {', '.join(names) or 'none'}.")
    return [notebook for notebook in known if not chosen or notebook.step in chosen]


def _execute(project: Project, notebook: Notebook, bar: Progress) -> float:
    """Run one notebook in a kernel of its own; return how many seconds it took."""
    import time

    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    start = time.monotonic()
    before = notebook.path.read_bytes()
    read(notebook.path)  # its error says where the file is broken
    content = nbformat.reads(before.decode("utf-8"), as_version=4)
    task = bar.add_task(notebook.step, total=len(content.cells))

    def advance(cell: Any, cell_index: int) -> None:
        bar.update(task, completed=cell_index + 1)

    client = NotebookClient(
        content,
        kernel_name="python3",
        resources={"metadata": {"path": str(project.notebooks)}},
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        on_cell_complete=advance,
    )
    failed = project.results_of(notebook.step) / "failed.ipynb"
    try:
        client.execute()
    except CellExecutionError as error:
        _replace(failed, nbformat.writes(content) + "\n")
        raise CheckpointError(
            f"{project.show(notebook.path)} failed; with its outputs it is {project.show(failed)}."
            f"\n{error}"
        ) from error
    except AssertionError:
        if client.km is not None:
            raise
        # a signal: nbclient has ended the kernel, and then misses it
        raise KeyboardInterrupt from None
    except DeadKernelError as error:
        raise CheckpointError(
            f"{project.show(notebook.path)}: its kernel died, perhaps for lack of memory."
        ) from error
    bar.update(task, completed=len(content.cells))
    failed.unlink(missing_ok=True)
    _write_back(project, notebook, before, nbformat.writes(content) + "\n")
    return time.monotonic() - start


def _write_back(project: Project, notebook: Notebook, before: bytes, text: str) -> None:
    """Put the outputs into the notebook, unless somebody has changed it meanwhile."""
    edited = notebook.path.read_bytes() != before
    place = project.results_of(notebook.step) / "executed.ipynb" if edited else notebook.path
    _replace(place, text)
    if edited:
        raise CheckpointError(
            f"{project.show(notebook.path)} was changed while it ran, and is left as it is now. "
            f"What ran, with its outputs, is {project.show(place)}."
        )


def _replace(path: Path, text: str) -> None:
    """Write a file whole or, on a full disk, not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
