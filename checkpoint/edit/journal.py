"""The journal of a change, kept on disk so that the change can be undone after a kill."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..errors import ProjectError
from ..files import draft_of, remove, replace, sync
from ..project import git

FOLDER = ".checkpoint-change"
JOURNAL, ORIGINALS = "journal.json", "originals"
BEGUN = "begun"  # file with the number of renames that have begun
DONE = "done"  # flag file: the change is complete
# suffix of the copy of a file that was edited between a kill and the undoing of the change
KEPT = ".kept"


class Journal(NamedTuple):
    """What a change does to a project; all paths are relative to it, with `/`."""

    written: dict[str, str]  # checksum of the new content, by path before the renames
    renames: list[tuple[str, str]]  # old and new path, in order
    discarded: list[str]  # paths after the renames, to remove once the change is complete
    tracked: dict[str, str]  # files tracked by git that change, with their new path; "" if removed
    git_index: str  # checksum of git's index before the change


def checksum(content: bytes | None) -> str:
    """Return the SHA-256 of a file's content; "" for a file that does not exist."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def content_of(path: Path) -> bytes | None:
    """Return a file's content; None if there is no such file."""
    return path.read_bytes() if path.exists() else None


def is_there(path: Path) -> bool:
    """Tell whether a path is a file, a folder or a link, even a broken one."""
    return path.is_symlink() or path.exists()


def write(root: Path, journal: Journal, originals: list[bytes | None]) -> None:
    """Write the originals, then the journal; nothing is changed before the journal exists."""
    folder = root / FOLDER
    for number, original in enumerate(originals):
        if original is not None:
            replace(folder / ORIGINALS / str(number), original)
    replace(folder / JOURNAL, json.dumps(journal._asdict()).encode())
    sync(folder)


def rename_all(root: Path, journal: Journal) -> None:
    """Carry out the renames; each is counted before it begins."""
    for number, (old, new) in enumerate(journal.renames, start=1):
        replace(root / FOLDER / BEGUN, str(number).encode())
        (root / old).rename(root / new)


def settle(root: Path) -> bool:
    """Undo an incomplete change, or clean up after a complete one.

    This can be killed at any point and repeated. Returns whether a change was undone; raises
    `ProjectError` if the journal cannot be read.
    """
    folder = root / FOLDER
    if not folder.exists():
        return False
    journal, is_done = _read(folder / JOURNAL), (folder / DONE).exists()
    if journal and is_done:
        for name in journal.discarded:
            with suppress(OSError):  # not permitted; under this name it does no harm
                remove(root / name)
    elif journal:
        _undo(root, journal)
    (folder / JOURNAL).unlink(missing_ok=True)
    remove(folder)
    return journal is not None and not is_done


def _undo(root: Path, journal: Journal) -> None:
    begun = root / FOLDER / BEGUN
    for number in range(int(content_of(begun) or 0), 0, -1):
        old, new = (root / name for name in journal.renames[number - 1])
        if not is_there(old):  # the last rename may have begun without happening
            new.rename(old)
        replace(begun, str(number - 1).encode())
    for number, (name, written) in enumerate(journal.written.items()):
        original = content_of(root / FOLDER / ORIGINALS / str(number))
        _restore(root / name, original, written)
    if git.index_checksum(root) != journal.git_index:
        git.follow(root, journal.tracked.values(), journal.tracked)


def _restore(path: Path, original: bytes | None, written: str) -> None:
    draft_of(path).unlink(missing_ok=True)
    now = content_of(path)
    if now is not None and checksum(now) not in (written, checksum(original)):
        replace(path.with_name(f"{path.name}{KEPT}"), now)
    if original is not None and now != original:
        replace(path, original)
    elif original is None:
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _read(path: Path) -> Journal | None:
    """Return the journal; None if the process was killed before it was written."""
    content = content_of(path)
    try:
        return None if content is None else Journal(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise ProjectError(
            f"{path} cannot be read: {error}. A change of the project was cut short; the original "
            f"files are in {FOLDER}/{ORIGINALS}/.",
            file=f"{FOLDER}/{JOURNAL}",
        ) from error
