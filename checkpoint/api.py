"""What the load cell and the save cell of a notebook call."""

import datetime
import warnings
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from msgspec import structs

from . import __version__
from .errors import CheckpointNotFoundError, CheckpointValueError, CheckpointWarning
from .formats import shape_of
from .lineage import states
from .project.project import Project, find_project, imported_from_elsewhere
from .storage import hashes, session, store, writing
from .storage import params as user
from .storage.checkpoint import Checkpoint
from .storage.environment import installed_environment, write_freeze
from .storage.schema import FORMAT_VERSION, RECORD, InputEntry, Record, param_hashes
from .text import json_text


def load(step: str) -> Checkpoint:
    """Open what a notebook saved.

    Parameters
    ----------
    step
        The notebook's name without `.ipynb`, `1_preprocessing`; or a sub-checkpoint of it,
        `2_integration/shared_features`.

    Returns
    -------
    Checkpoint
        A read-only mapping from names to objects, each read when its key is accessed; and the
        saved `.params`.

    Raises
    ------
    CheckpointNotFoundError
        If there is nothing to load; the message names the notebook to run.
    CheckpointDamagedError
        If a file is missing or does not have the recorded size.

    Examples
    --------
    >>> previous = load("1_preprocessing")  # doctest: +SKIP
    >>> rna, protein = previous["rna_adata"], previous["protein_adata"]  # doctest: +SKIP
    """
    project = find_project()
    checkpoint = Checkpoint(project, step)
    session.remember(project, f"results/{step}", InputEntry(checkpoint.content_hash()))
    print(f"Loaded from results/{step}/")
    states.warn_if_outdated(project, step)
    if not checkpoint.record:
        print("Not written by save: integrity and inputs cannot be verified.")
    print(f"Previous run: {checkpoint.timestamp or 'unknown'}")
    if elsewhere := imported_from_elsewhere(project):
        print(elsewhere)
    return checkpoint


def save(
    step: str, objects: Mapping[str, Any], *, params: Mapping[str, Any] | None = None
) -> Checkpoint:
    """Save a notebook's results in `results/<step>/`, atomically.

    Parameters
    ----------
    step
        The notebook's name without `.ipynb`, `2_integration`; or a sub-checkpoint of it,
        `2_integration/shared_features`.
    objects
        The objects by name. A name without a suffix takes the format of its type: AnnData
        `.h5ad`, NumPy array `.npy`, SciPy sparse `.npz`, DataFrame `.parquet`, matplotlib Figure
        `.png`, anything else `.pkl`. A name with a suffix chooses: `matching.csv`,
        `annotations.json`, `figures/umap.pdf`.
    params
        Parameters to keep in `params.json`, by group.

    Returns
    -------
    Checkpoint
        What was saved.

    Raises
    ------
    CheckpointFormatError
        If a format cannot hold its object.
    CheckpointValueError
        If the step, a name or a parameter cannot be saved.

    If anything is raised, the previous checkpoint stays intact.

    Examples
    --------
    >>> save(  # doctest: +SKIP
    ...     "1_preprocessing",
    ...     {"rna_adata": rna, "protein_adata": protein},
    ...     params={"filtering_params": {"min_genes": MIN_GENES}},
    ... )
    """
    project = find_project()
    folder = project.results_of(step)
    session.warn_if_another_notebook(step)
    items = writing.plan(objects)
    groups = user.checked(params)
    writing.refuse_taken(step, items, folder, project.results)
    environment = installed_environment(project)
    inputs = session.inputs_of(project, step)
    notes = _changed_since_read(project, inputs)
    with store.transaction(folder) as staging:
        files = {}
        for item in items:
            files[item.file], changes = writing.write(item, staging)
            notes += changes
        record = Record(
            timestamp=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            params=groups,
            data_shapes={i.key: shape for i in items if (shape := shape_of(i.obj))},
            format=FORMAT_VERSION,
            tool=__version__,
            step=step,
            files=files,
            inputs=inputs,
            param_hashes=param_hashes(groups),
            modules=session.modules_of(project),
            environment=structs.replace(environment, freeze=write_freeze(project, staging)),
            run=session.run(),
        )
        text = json_text(record.to_json())
        (staging / RECORD).write_text(text, encoding="utf-8", newline="\n")

    for note in notes:
        warnings.warn(note, CheckpointWarning, stacklevel=2)
    checkpoint = Checkpoint(project, step)
    print(f"Saved to results/{step}/")
    print(checkpoint.summary())
    if following := project.after(step):
        print(f"Run {following.path.name} next.")
    if elsewhere := imported_from_elsewhere(project):
        print(elsewhere)
    return checkpoint


def data_file(name: str) -> Path:
    """Return the path of a raw file in `data/`, and record it as an input.

    Parameters
    ----------
    name
        Its name in `data/`, with `/` for folders: `rna_counts.h5ad`. A folder, such as
        `filtered_feature_bc_matrix`, is accepted too.

    Returns
    -------
    Path
        Where it is. Read it; files in `data/` are never written.

    Raises
    ------
    CheckpointNotFoundError
        If it does not exist; the message says where to put it.
    CheckpointValueError
        If the name leads out of `data/`.
    """
    project = find_project()
    path = project.data / name if name and isinstance(name, str | PurePath) else None
    # on Windows, a name such as `C:counts.csv` is not absolute, and leads elsewhere too
    if not path or ".." in path.parts or not path.is_relative_to(project.data):
        raise CheckpointValueError(
            f"data_file takes a name below data/ without '..', such as 'counts.csv', got {name!r}",
            found=name,
        )
    if not path.exists():
        raise CheckpointNotFoundError(
            f"Raw file 'data/{name}' not found. Put it at {path}; see data/README.md.",
            file=f"data/{name}",
        )
    if path.is_dir():
        listing = InputEntry(hashes.listing_hash(path))
        session.remember(project, f"{project.show(path)}/", listing)
    for file in hashes.files_below(path) if path.is_dir() else [path]:
        session.remember(project, project.show(file), InputEntry.of(hashes.content_of(file)))
    return path


def figures(step: str) -> Path:
    """Return a step's folder for figures that other libraries write.

    Parameters
    ----------
    step
        The step, `3_visualization`.

    Returns
    -------
    Path
        `results/<step>/figures`, created if it does not exist; for `sc.settings.figdir`.
    """
    folder = find_project().results_of(step) / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _changed_since_read(project: Project, inputs: Mapping[str, InputEntry | None]) -> list[str]:
    """Say which raw files are no longer what this kernel read, as when a cell has written them."""
    notes = []
    for name, entry in inputs.items():
        path = project.root / name
        if not entry or entry.bytes is None:
            continue
        if not path.is_file() or not hashes.is_unchanged(path, entry):
            notes.append(
                f"{name} changed after this notebook read it. Raw files are never written: restore "
                "it, then restart the kernel and run all."
            )
    return notes
