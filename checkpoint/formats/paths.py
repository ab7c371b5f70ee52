"""Files and folders that are passed to `save` as a `Path` and copied unchanged."""

import shutil
from pathlib import Path
from typing import Any

from ..files import below, make_writable
from ..progress import advance
from .registry import Format

# parts of double suffixes: the last in `.tar.gz`, the first in `.ome.tiff`
OUTER = (".gz", ".bz2", ".xz", ".zst", ".zip")
INNER = (".ome",)
BLOCK = 1 << 24  # bytes copied at a time


def file_name(key: str, path: Path) -> str:
    """Return the file's name in the checkpoint: the key, plus the file's suffix if it has none.

    Parameters
    ----------
    key
        The name given to `save`.
    path
        The file or folder.
    """
    own = Path(key).suffix
    if own and not own[1:].isdecimal():
        return key
    suffixes = path.suffixes
    double = len(suffixes) > 1 and (suffixes[-1] in OUTER or suffixes[-2] in INNER)
    return key + "".join(suffixes[-2:] if double else suffixes[-1:])


def unfit(path: Path) -> str | None:
    """Return why a path cannot be saved, or None."""
    if path.exists():
        return None
    return f"is a Path, and {str(path)!r} does not exist; to save the path as text, use str(…)"


def write(path: Path, target: Path) -> None:
    """Copy a file or a folder, following symbolic links."""
    if path.is_dir():
        if target.resolve().is_relative_to(path.resolve()):
            raise ValueError(f"the folder {str(path)!r} contains the checkpoint that it goes into")
        try:
            shutil.copytree(path, target, copy_function=_copy)
        except shutil.Error as error:  # lists all files that could not be copied
            source, _, why = error.args[0][0]
            raise ValueError(f"{source}: {why}") from error
        make_writable(target)
    else:
        _copy(path, target)


def _copy(source: str | Path, target: str | Path) -> None:
    if Path(source).exists() and not Path(source).is_file():  # reading a pipe would block
        raise ValueError(f"{str(source)!r} is neither a file nor a folder")
    with Path(source).open("rb") as old, Path(target).open("wb") as new:
        while block := old.read(BLOCK):
            new.write(block)
            advance(len(block))


def size(path: Path) -> int:
    """Return the size of a file, or of all files in a folder, in bytes."""
    paths = below(path) if path.is_dir() else [path]
    return sum(each.stat().st_size for each in paths if each.is_file())


def read(path: Path, details: dict[str, Any] | None) -> Path:
    """Return the path of the copy."""
    return path


PATH = Format(
    suffix="",
    holds="file or folder",
    comes_back="the path of the copy",
    writer=write,
    reader=read,
    types=(("pathlib", "Path"),),
    unfit=unfit,
    size=size,
)
