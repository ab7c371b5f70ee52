"""Writing the objects of a save: which file each goes into, and its entry in the record."""

import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CheckpointFormatError, CheckpointValueError, missing_package
from ..files import sync
from ..formats import PATH, Format, beside, choose, refused
from ..formats.kinds import a_type
from ..project.group import make_folder
from ..project.names import unportable
from . import hashes, store
from .environment import FREEZE
from .schema import RECORD, FileEntry


class Item(NamedTuple):
    """An object to save.

    Attributes
    ----------
    key
        The name given to `save`.
    file
        Its file, below the step's folder.
    format
        The format of that file.
    obj
        The object.
    rest
        The file for what the format cannot hold of it.
    """

    key: str
    file: str
    format: Format
    obj: Any
    rest: str = ""


def plan(objects: Mapping[str, Any]) -> list[Item]:
    """Choose a file for every object, before anything is written.

    Raises
    ------
    CheckpointFormatError
        If a format cannot hold its object.
    CheckpointValueError
        If a name cannot be a file's, or two would be the same file.
    """
    if not isinstance(objects, Mapping):
        raise CheckpointValueError(
            f"save takes a dict of names and objects, got {a_type(objects)}: "
            'save("1_preprocessing", {"rna_adata": rna})'
        )
    items: dict[str, Item] = {}
    for key, obj in objects.items():
        _check_key(key)
        file, file_format = choose(key, obj)
        place = place_of(file)
        if place.rpartition("/")[2] == RECORD:
            raise CheckpointValueError(
                f"{key!r}: save writes params.json itself; use params=…", key=key
            )
        if place == FREEZE:
            raise CheckpointValueError(f"{key!r}: save writes {FREEZE} itself", key=key)
        if other := items.get(place):
            raise CheckpointValueError(
                f"{key!r} and {other.key!r} would both be saved as {file}", key=key, file=file
            )
        items[place] = Item(key, file, file_format, obj)
    _refuse_files_as_folders(items)
    return [item._replace(rest=_rest_name(item, items)) for item in items.values()]


def place_of(file: str) -> str:
    """Return what is the same for names that are one file on macOS or Windows."""
    return unicodedata.normalize("NFC", file).casefold()


def refuse_taken(step: str, items: list[Item], folder: Path, results: Path) -> None:
    """Refuse names that lie in a sub-checkpoint, or a sub-checkpoint in place of saved files.

    Raises
    ------
    CheckpointValueError
        Naming both.
    """
    for item in items:
        for parent in Path(item.file).parents[:-1]:
            if (folder / parent / RECORD).exists():
                raise CheckpointValueError(
                    f"{item.key!r} lies in the sub-checkpoint {parent.as_posix()!r}. Choose "
                    "another name, or save it there.",
                    step=step,
                    key=item.key,
                )
    for parent in folder.parents:
        if parent == results:
            return
        place = folder.relative_to(parent).as_posix()
        for file in store.files_in(parent):
            if f"{file}/".startswith(f"{place}/"):
                around = parent.relative_to(results).as_posix()
                raise CheckpointValueError(
                    f"step {step!r}: {around!r} has saved {file!r} there. Choose another name.",
                    step=step,
                    file=file,
                )


def write(item: Item, staging: Path) -> tuple[dict[str, FileEntry], list[str]]:
    """Write one object into the staging folder.

    Returns
    -------
    entries
        The entries for the record: of its file, and of what is kept beside it.
    notes
        What the file does not hold as it was, a sentence each.

    Raises
    ------
    CheckpointFormatError
        If the object cannot be kept after all.
    """
    path = staging / item.file
    make_folder(path.parent)
    try:
        details = item.format.write(item.obj, path)
        # the pool is left only when both are done: Windows does not remove a file that is open
        with ThreadPoolExecutor(2) as pool:
            syncing, hashing = pool.submit(sync, path), pool.submit(hashes.content_of, path)
            differences = item.format.changes(item.obj, path, details)
            syncing.result()
            content = hashing.result()
        entry = FileEntry(item.key, *content.recorded, details, is_path=item.format is PATH)
        entries = {item.file: entry}
        if beside.write_rest(differences, staging / item.rest):
            content = hashes.content_of(staging / item.rest)
            entries[item.rest] = FileEntry(item.key, *content.recorded, beside=item.file)
    except CheckpointFormatError as error:
        if missing := missing_package(error, item.format.extra):
            raise missing from error
        raise refused(item.key, item.obj, str(error), item.format) from error
    except Exception as error:
        error.add_note(f"while saving {item.key!r}; the previous checkpoint stays intact")
        raise
    return entries, [f"{item.key}: {beside.note(one, item.rest)}" for one in differences]


def _rest_name(item: Item, items: Mapping[str, Item]) -> str:
    """Return `rna_adata.rest.pkl`; or the name of the file with it, where that is taken."""
    stem = item.file.removesuffix(item.format.suffix)
    others = [other for other in items.values() if other is not item]
    alone = all(other.file.removesuffix(other.format.suffix) != stem for other in others)
    short = f"{stem}{beside.SUFFIX}"
    free = alone and place_of(short) not in items
    return short if free else f"{item.file}{beside.SUFFIX}"


def _check_key(key: str) -> None:
    if not isinstance(key, str):
        raise CheckpointValueError(f"the name of an object must be a str, got {key!r}")
    for part in key.split("/"):
        if reason := unportable(part):
            raise CheckpointValueError(f"{key!r}: as a file name, {part!r} {reason}", key=key)


def _refuse_files_as_folders(items: dict[str, Item]) -> None:
    for place, item in items.items():
        folders = [place[:i] for i, char in enumerate(place) if char == "/"]
        if other := next((items[folder] for folder in folders if folder in items), None):
            raise CheckpointValueError(
                f"{item.key!r} and {other.key!r}: {other.file} cannot be a file and a folder",
                key=item.key,
                file=other.file,
            )
