"""Copying, removing, replacing and flushing whole files and folders."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

# files and folders that tools and operating systems leave behind
LEFTOVERS = frozenset(
    (
        *("__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache", ".git"),
        *(".DS_Store", "Thumbs.db", "desktop.ini"),
    )
)


def below(folder: Path) -> Iterator[Path]:
    """Yield all files and folders below a folder, sorted by name within each folder.

    Folders that another process removes meanwhile are skipped; before Python 3.13, `Path.rglob`
    raises.
    """
    for parent, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted([*folders, *files]))


def make_writable(folder: Path) -> None:
    """Make a folder, copied from a read-only one, and its contents writable for the owner."""
    for parent, _, files in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in files)):
            mode = os.stat(path).st_mode
            if not mode & stat.S_IWUSR:
                os.chmod(path, mode | stat.S_IWUSR)


def remove(folder: Path) -> None:
    """Remove a file, a folder with its contents, or a link (but not its target).

    Raises
    ------
    OSError
        If something cannot be removed; `filename` says what.
    """
    if os.path.islink(folder) or os.path.isfile(folder):
        os.remove(folder)
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in [*files, *links]:
            os.remove(os.path.join(parent, name))
        os.rmdir(parent)


def replace(path: Path, content: bytes) -> None:
    """Replace a file atomically; if that fails, as on a full disk, the old file stays intact.

    Permissions are preserved. If the path is a link, its target is replaced.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    try:
        draft.write_bytes(content)
        sync(draft)
        if path.exists():
            draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """Return the temporary path to write a file to before replacing it; a kill may leave it."""
    path = path.resolve()
    return path.with_name(f".{path.name}.part")


def sync(path: Path) -> None:
    """Flush one file or folder to disk."""
    if os.name == "nt":
        if path.is_dir():
            return  # Windows cannot open a folder; it flushes renames itself
        descriptor = os.open(path, os.O_RDWR)
    else:
        descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # some shared file systems cannot flush a folder
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(descriptor)
