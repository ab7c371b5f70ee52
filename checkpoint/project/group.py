"""Create folders and locks that all members of a group can use.

If a folder is group-writable, so are the folders and lock files created in it, whatever the umask
of the process.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import CheckpointError


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, group-writable if the folder above them is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    share(folder)


def share(path: Path) -> None:
    """Make a folder or lock file group-writable if its parent folder is."""
    mode, around = path.stat().st_mode, path.parent.stat().st_mode
    if os.name != "nt" and around & ~mode & stat.S_IWGRP:
        with suppress(PermissionError):  # another member created it
            path.chmod(stat.S_IMODE(mode) | stat.S_IWGRP)


@contextmanager
def locked(path: Path, timeout: float = -1) -> Iterator[None]:
    """Hold a lock file; raises `filelock.Timeout` after `timeout` seconds."""
    from filelock import FileLock

    with FileLock(path, timeout=timeout):
        share(path)
        yield


@contextmanager
def explained() -> Iterator[None]:
    """Turn a `PermissionError` into an error that names the owner and says what to do.

    Raises
    ------
    CheckpointError
        Instead of a `PermissionError` within the `with` block.
    """
    try:
        yield
    except PermissionError as error:
        if not error.filename:
            raise
        raise _not_permitted(Path(error.filename)) from error


def check_writable(folder: Path) -> None:
    """Raise, like `explained`, if files in a folder cannot be replaced."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _not_permitted(folder)


def _not_permitted(path: Path) -> CheckpointError:
    while path != path.parent and (not path.exists() or os.access(path, os.W_OK)):
        path = path.parent  # the folder in which it could not be created
    owner = _owner(path)
    if os.name != "nt" and os.statvfs(path).f_flag & os.ST_RDONLY:
        what, todo = "is on a read-only file system", "Work in a copy of the project"
    elif owner is None:
        what, todo = "is yours, but read-only", f"Run `chmod -R u+w {path}`"
    elif os.name != "nt" and path.stat().st_gid in (os.getegid(), *os.getgroups()):
        what = f"belongs to {owner}, and its group cannot write there"
        todo = f"Ask {owner} to run `chmod -R g+w {path}`"
    else:
        what = f"belongs to {owner}, and you cannot write there"
        todo = f"Ask {owner}, or work in a copy of the project"
    return CheckpointError(
        f"{path} {what}, so nothing was changed. {todo}.", file=str(path), found=owner
    )


def _owner(path: Path) -> str | None:
    """Return who owns a path; None if it is the user of this process."""
    if os.name == "nt":
        return "another user"
    uid = path.stat().st_uid
    if uid == os.geteuid():
        return None
    try:
        return path.owner()
    except KeyError:  # a user id without an account
        return f"user {uid}"
