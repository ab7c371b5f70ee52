"""What the load cell and the save cell of a notebook call."""

import unicodedata
import warnings
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from .errors import (
    CheckpointFormatError,
    CheckpointNotFoundError,
    CheckpointValueError,
    CheckpointWarning,
)
from .files import sync
from .formats import Format, choose, refused, shape_of
from .formats.kinds import a_type
from .lineage import states
from .project.names import unportable
from .project.project import find_project
from .storage import hashes, record, session, store
from .storage.background import Background
from .storage.checkpoint import Checkpoint
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
        A read-only mapping of names to objects, and `.params`. An object is read when it is asked
        for.

    Raises
    ------
    CheckpointNotFoundError
        If there is nothing to load; the message names the notebook to run.
    CheckpointDamagedError
        If the files are not as they were saved.

    Examples
    --------
    >>> previous = load("1_preprocessing")  # doctest: +SKIP
    >>> rna, protein = previous["rna_adata"], previous["protein_adata"]  # doctest: +SKIP
    """
    project = find_project()
    checkpoint = Checkpoint(project, step)
    session.remember(project, f"results/{step}", {"blake3": checkpoint.content_hash()})
    print(f"Loaded from results/{step}/")
    states.warn_if_outdated(project, step)
    if not checkpoint.recorded:
        print("Not recorded by save: its files cannot be checked, nor what they were made from.")
    print(f"Previous run: {checkpoint.params.get('timestamp', 'unknown')}")
    return checkpoint


def save(
    step: str, objects: Mapping[str, Any], *, params: Mapping[str, Any] | None = None
) -> Checkpoint:
    """Save a notebook's results in `results/<step>/`, all of them or none.

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
        Parameters to keep in `params.json`, in groups.

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

    Whatever is raised, the checkpoint that was there before stays whole.

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
    items = _plan(objects)
    groups = record.user_groups(params)
    _refuse_sub_checkpoints(items, folder)
    _refuse_files_of_others(step, folder, project.results)
    shapes = {item.key: shape for item in items if (shape := shape_of(item.obj))}
    versions = record.environment(project)
    told: list[str] = []
    with store.transaction(folder) as staging:
        files = {item.file: _write(item, staging, told) for item in items}
        made = record.make(project, step, groups, shapes, files, versions)
        (staging / store.RECORD).write_text(json_text(made), encoding="utf-8", newline="\n")

    for sentence in told:
        warnings.warn(sentence, CheckpointWarning, stacklevel=2)
    checkpoint = Checkpoint(project, step)
    print(f"Saved to results/{step}/")
    print(checkpoint.summary())
    if following := project.after(step):
        print(f"Run {following.path.name} next.")
    return checkpoint


def data_file(name: str) -> Path:
    """Return the path of a raw file in `data/`, and record it as an input.

    Parameters
    ----------
    name
        The file's name in `data/`, with `/` for folders: `rna_counts.h5ad`. A folder of files,
        such as `filtered_feature_bc_matrix`, will do too.

    Returns
    -------
    Path
        Where it is. Read it; nothing in `data/` is ever written.

    Raises
    ------
    CheckpointNotFoundError
        If it is not there; the message says where to put it.
    CheckpointValueError
        If the name leads out of `data/`.
    """
    project = find_project()
    path = project.data / name if name and isinstance(name, str | PurePath) else None
    # on Windows, a name such as `C:counts.csv` is not absolute, and leads elsewhere too
    if not path or ".." in path.parts or not path.is_relative_to(project.data):
        raise CheckpointValueError(f"{name!r} is not a file below data/. Name one, without '..'.")
    if not path.exists():
        raise CheckpointNotFoundError(
            f"Raw file 'data/{name}' not found. Put it at {path}; data/README.md says what goes "
            "there."
        )
    if path.is_dir():
        listing = {"blake3": hashes.listing_hash(path)}
        session.remember(project, f"{project.show(path)}/", listing)
    for file in hashes.files_below(path) if path.is_dir() else [path]:
        session.remember(project, project.show(file), hashes.describe(file))
    return path


def figures(step: str) -> Path:
    """Return a step's folder for figures that are not saved by `save`.

    Parameters
    ----------
    step
        The step, `3_visualization`.

    Returns
    -------
    Path
        `results/<step>/figures`, which is made if it is not there; for `sc.settings.figdir`.
    """
    folder = find_project().results_of(step) / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _Item(NamedTuple):
    key: str
    file: str
    format: Format
    obj: Any


def _plan(objects: Mapping[str, Any]) -> list[_Item]:
    """Choose a file for every object, before anything is written."""
    if not isinstance(objects, Mapping):
        raise CheckpointValueError(
            f"save takes a dict of names and objects, not {a_type(objects)}: "
            'save("1_preprocessing", {"rna_adata": rna})'
        )
    items: dict[str, _Item] = {}
    for key, obj in objects.items():
        _check_key(key)
        file, entry = choose(key, obj)
        # names that differ in case, or in how an accent is written, are one file on macOS
        place = unicodedata.normalize("NFC", file).casefold()
        if place.rpartition("/")[2] == store.RECORD:
            raise CheckpointValueError(f"{key!r}: save writes params.json itself; use params=…")
        if other := items.get(place):
            raise CheckpointValueError(f"{key!r} and {other.key!r} would both be saved as {file}")
        items[place] = _Item(key, file, entry, obj)
    for place, item in items.items():
        folders = [place[:i] for i, char in enumerate(place) if char == "/"]
        if other := next((items[folder] for folder in folders if folder in items), None):
            raise CheckpointValueError(
                f"{item.key!r} and {other.key!r}: {other.file} cannot be a file and a folder"
            )
    return list(items.values())


def _refuse_sub_checkpoints(items: list[_Item], folder: Path) -> None:
    """Refuse names that lie in a sub-checkpoint, which is a save of its own."""
    for item in items:
        for parent in Path(item.file).parents[:-1]:
            if (folder / parent / store.RECORD).exists():
                raise CheckpointValueError(
                    f"{item.key!r} lies in the sub-checkpoint {parent.as_posix()!r}. Choose "
                    "another name, or save it there."
                )


def _refuse_files_of_others(step: str, folder: Path, results: Path) -> None:
    """Refuse a sub-checkpoint whose place is that of objects saved by the step around it."""
    for parent in folder.parents:
        if parent == results:
            return
        place = folder.relative_to(parent).as_posix()
        for file in store.files_in(parent):
            if f"{file}/".startswith(f"{place}/"):
                around = parent.relative_to(results).as_posix()
                raise CheckpointValueError(
                    f"step {step!r}: {around!r} has saved {file!r} there. Choose another name."
                )


def _check_key(key: str) -> None:
    if not isinstance(key, str):
        raise CheckpointValueError(f"an object is named by text, not by {key!r}")
    for part in key.split("/"):
        if reason := unportable(part):
            raise CheckpointValueError(f"{key!r}: as a file name, {part!r} {reason}")


def _write(item: _Item, staging: Path, told: list[str]) -> dict[str, Any]:
    """Write one object into the staging folder; return what the record says of its file."""
    path = staging / item.file
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        details = item.format.write(item.obj, path)
        syncing = Background(lambda: sync(path))
        hashing = Background(lambda: hashes.file_hash(path))
        try:
            changes = item.format.changes(item.obj, path, details)
            told += [f"{item.key}: {change}" for change in changes]
        finally:
            # also after a refusal: Windows does not remove a file that is open
            syncing.join()
            hashing.join()
        syncing.result()
        blake3 = hashing.result()
    except CheckpointFormatError as error:
        raise refused(item.key, item.obj, str(error), item.format) from error
    except Exception as error:
        error.add_note(f"while saving {item.key!r}; the checkpoint before it is untouched")
        raise
    described = {"key": item.key, **hashes.describe(path, blake3)}
    return described if details is None else {**described, "details": details}
