"""The functions that notebooks call: `load`, `save`, `parts`, `data_file` and `figures`.

They import most of this package when called: importing this module loads no other library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from .errors import CheckpointNotFoundError, CheckpointValueError
from .project.chain import step_of
from .project.find import (
    cannot_save_here,
    imported_from_elsewhere,
    project_to_read,
    project_to_write,
)

if TYPE_CHECKING:
    from .loop.parts import Part
    from .project.project import Project
    from .storage.checkpoint import Checkpoint


def load(step: str, *, fetch: bool = False) -> Checkpoint:
    """Open a checkpoint that a notebook saved.

    Parameters
    ----------
    step
        The notebook's name, `1_preprocessing`; or a sub-checkpoint of it,
        `2_integration/shared_features`.
    fetch
        Whether to fetch prepared results if the checkpoint does not exist, from the address in
        `[tool.checkpoint.sources]` of `pyproject.toml`.

    Returns
    -------
    Checkpoint
        A read-only mapping from names to objects, each read when its key is accessed; `.params`
        are the saved parameters. As the last line of a cell, it shows its contents.

    Raises
    ------
    CheckpointNotFoundError
        If there is nothing to load; the message names the notebook to run.
    CheckpointDamagedError
        If a file is missing or does not have the recorded size.
    ProjectError
        If there is no project, or its results are on a disk that is not mounted.
    ArchiveError
        If prepared results cannot be fetched or may not be unpacked.

    Examples
    --------
    >>> previous = load("1_preprocessing")  # doctest: +ELLIPSIS
    Loaded from results/1_preprocessing/ (previous run: ...)
    >>> previous["genes"]["gene"].tolist()
    ['CD3E', 'CD19']
    >>> previous.params
    {'filtering': {'min_genes': 200}}
    """
    from .lineage.outdated import outdated
    from .storage import session
    from .storage.checkpoint import Checkpoint
    from .storage.schema import InputEntry
    from .storage.shown import Message
    from .watch.files import unwatched

    if isinstance(step, str) and step.endswith(".ipynb"):  # Tab completes a file name
        step = step_of(step)
    with unwatched():
        project = project_to_read()
        try:
            checkpoint = _fetched(project, step) if fetch else Checkpoint(project, step)
        except CheckpointNotFoundError:
            session.remember(project, f"results/{step}", None)  # the notebook may catch the error
            raise
        session.remember(project, f"results/{step}", InputEntry(checkpoint.content_hash()))
        checkpoint.state, note = outdated(project, step)
        notes = [note, *checkpoint.notes(), imported_from_elsewhere(project), cannot_save_here()]
        where = project.address(project.results_of(step))
        head = f"Loaded from {where}/ (previous run: {checkpoint.timestamp or 'unknown'})"
        Message(project, head, notes=[*filter(None, notes)]).show()
    return checkpoint


def save(
    step: str,
    objects: Mapping[str, Any] | None = None,
    *,
    params: Mapping[str, Any] | None = None,
) -> None:
    """Save a notebook's results in `results/<step>/`, atomically.

    Parameters
    ----------
    step
        The notebook's name without `.ipynb`, `2_integration`; or a sub-checkpoint of it,
        `2_integration/shared_features`.
    objects
        The objects by name. Without a suffix in the name, the type selects the format: AnnData
        `.h5ad`, MuData `.h5mu`, SpatialData and dask or zarr arrays `.zarr`, NumPy array `.npy`,
        SciPy sparse `.npz`, DataFrame `.parquet`, plots `.png`, charts `.html`, anything else
        `.pkl`. A suffix selects another: `.csv`, `.tsv`, `.csv.gz`, `.xlsx`, `.json`, `.pdf`,
        `.svg`, or one of the above. A `Path` is copied into the checkpoint, file or folder. None
        if the notebook makes only figures or nothing; its run and inputs are still recorded.
    params
        Parameters to store in `params.json`, by group.

    Raises
    ------
    CheckpointFormatError
        If a format cannot hold its object.
    CheckpointValueError
        If the step, a name or a parameter cannot be saved.
    CheckpointError
        If the notebook is in another project or in none; if it is a copy of the notebook that
        makes the step; or if the folder belongs to another user.

    If an error is raised, the previous checkpoint stays intact.

    Examples
    --------
    >>> import pandas as pd
    >>> genes = pd.DataFrame({"gene": ["CD3E", "CD19"], "cells": [310, 95]})
    >>> save(
    ...     "1_preprocessing",
    ...     {"genes": genes, "top_genes.csv": genes.head(1), "colors.json": {"T": "red"}},
    ...     params={"filtering": {"min_genes": 200}},
    ... )  # doctest: +ELLIPSIS
    Saved to results/1_preprocessing/
      genes.parquet  2 rows x 2 columns  ... kB
      top_genes.csv  1 rows x 2 columns  20 B
      colors.json                        17 B
    Run 2_integration.ipynb next.
    """
    from .notebooks.copies import refuse_another
    from .storage.checkpoint import Checkpoint
    from .storage.interrupts import Interrupts
    from .storage.saving import save_objects
    from .storage.shown import Message
    from .watch.files import unwatched

    with unwatched():
        project = project_to_write(step)
        refuse_another(project, step)
    with Interrupts() as interrupts:
        notes = save_objects(project, step, {} if objects is None else objects, params, interrupts)
    with unwatched():
        checkpoint = Checkpoint(project, step)
        head = f"Saved to {project.address(project.results_of(step))}/"
        following = project.after(step)
        if not checkpoint.record or not checkpoint.record.elsewhere:  # otherwise `notes` say so
            notes += filter(None, [imported_from_elsewhere(project)])
        Message(project, head, checkpoint.rows(), notes, following).show()
    if interrupts.came:
        raise KeyboardInterrupt("Interrupted after the results were saved.")


def parts(step: str, names: Iterable[str]) -> Iterator[Part]:
    """Loop over the parts of a step, such as samples, to save a checkpoint for each.

    Parts that are current are skipped. When the loop has finished, the step is saved and parts
    that are no longer listed are removed.

    Parameters
    ----------
    step
        The notebook's name without `.ipynb`: `1_qc`.
    names
        The names of the parts.

    Yields
    ------
    Part
        The part to process, with `name`, `data_file`, `load` and `save`.

    Examples
    --------
    >>> for part in parts("1_qc", ["donor_1", "donor_2"]):  # doctest: +SKIP
    ...     adata = sc.read_10x_h5(part.data_file(f"{part.name}.h5"))
    ...     part.save({"adata": adata}, params={"n_cells": adata.n_obs})
    """
    from .loop.parts import Loop
    from .notebooks.copies import refuse_another
    from .watch.files import unwatched

    with unwatched():
        project = project_to_write(step)
        refuse_another(project, step)
    yield from Loop(project, step, names, load, data_file, print)


def data_file(name: str) -> Path:
    """Return the path of a raw file in `data/`, and record it as an input.

    Parameters
    ----------
    name
        The path in `data/`, with `/` for folders: `rna_counts.h5ad`. It may also be that of a
        folder, such as `filtered_feature_bc_matrix`.

    Returns
    -------
    Path
        The path of the file, for reading only.

    Raises
    ------
    CheckpointNotFoundError
        If it does not exist; the message says where to put it.
    CheckpointValueError
        If the name points outside `data/`.
    """
    from .project.places import refuse_missing_data, script_that_makes
    from .storage.session import remember_raw
    from .watch.files import unwatched

    with unwatched():
        project = project_to_read()
    path = project.data / name if name and isinstance(name, str | PurePath) else None
    # on Windows, a name such as `C:counts.csv` is not absolute but also points elsewhere
    if not path or ".." in path.parts or not path.is_relative_to(project.data):
        raise CheckpointValueError(
            f"data_file takes a name below data/ without '..', such as 'counts.csv', got {name!r}",
            found=name,
        )
    if not path.exists():
        refuse_missing_data(project)
        project.refuse_broken_link(path)
        with unwatched():
            script = script_that_makes(project, path)
        made = f", or make it with `python {script}`" if script else ""
        raise CheckpointNotFoundError(
            f"Raw file 'data/{name}' not found. Put it at {path}{made}; see data/README.md.",
            file=f"data/{name}",
        )
    with unwatched():
        remember_raw(project, path)
    return path


def figures(step: str) -> Path:
    """Return the folder of a step for figures that other libraries write.

    Parameters
    ----------
    step
        The step, `3_visualization`.

    Returns
    -------
    Path
        `results/<step>/figures`, created if it does not exist; for `sc.settings.figdir`.
    """
    from .project.group import explained, make_folder
    from .watch.files import unwatched

    with unwatched(), explained():
        folder = project_to_write(step).results_of(step) / "figures"
        make_folder(folder)
    return folder


def _fetched(project: Project, step: str) -> Checkpoint:
    """Open a checkpoint; if it does not exist, fetch it from its source first."""
    from .share.unpack import fetch
    from .storage.checkpoint import Checkpoint

    try:
        return Checkpoint(project, step)
    except CheckpointNotFoundError as error:
        whole = step_of(step).partition("/")[0]
        unpacked = fetch(project_to_write(step), whole)
        if unpacked is None:
            raise CheckpointNotFoundError(
                f"{error} There is nothing to fetch: [tool.checkpoint.sources] in pyproject.toml "
                f"does not list {whole}.",
                step=error.step,
            ) from None
        print(f"Fetched {unpacked.described}")
    return Checkpoint(project, step)
