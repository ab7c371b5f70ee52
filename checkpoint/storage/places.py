"""Check, before a save is committed, that its files do not collide with other files."""

import os
from pathlib import Path

from ..errors import CheckpointValueError
from ..files import below
from ..project.group import check_writable
from .committed import files_in


def check_places(staging: Path, folder: Path) -> None:
    """Raise before the commit if the path of a file is taken, or not writable."""
    new, old = set(files_in(staging)), set(files_in(folder))
    for place in (folder / around for around in {file.rpartition("/")[0] for file in old}):
        if place.is_dir():
            check_writable(place)
    for parent, folders, files in os.walk(staging):
        around = Path(parent).relative_to(staging)
        names = {name: (around / name).as_posix() for name in sorted([*folders, *files])}
        folders[:] = [name for name in folders if names[name] not in new]  # not into objects
        for name, file in names.items():
            if file not in old:
                _check_place(folder / file, folder, old, name in files, name in folders)


def _check_place(
    place: Path, folder: Path, old: set[str], for_file: bool, for_folder: bool
) -> None:
    """Raise if a path is taken, for a file, a folder around files, or a folder as an object."""
    if not place.exists():
        return
    is_folder = place.is_dir()
    if is_folder and not for_folder and _holds_only(place, folder, old):
        return  # it is removed with its files
    if not (for_folder if is_folder else for_file):
        kind = "folder" if is_folder else "file"
        raise CheckpointValueError(
            f"{place} is a {kind} that save did not write. Move it.", file=str(place)
        )
    if is_folder:
        check_writable(place)
    if is_folder and place.stat().st_dev != folder.stat().st_dev:
        raise CheckpointValueError(
            f"{place} is on another disk, so files cannot be moved into it atomically. Use "
            "figures(step) to write there, or replace the link with a folder.",
            file=str(place),
        )


def _holds_only(place: Path, folder: Path, old: set[str]) -> bool:
    """Tell whether all files in a folder belong to the checkpoint that is being replaced."""
    files = [path for path in below(place) if path.is_file()]
    names = [f"{path.relative_to(folder).as_posix()}/" for path in files]
    return bool(files) and all(any(name.startswith(f"{file}/") for file in old) for name in names)
