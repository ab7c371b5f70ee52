"""What git knows of the project's files; nothing where there is no git or no repository."""

import hashlib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ..errors import ProjectError


def asked(root: Path, *arguments: str) -> tuple[str | None, str]:
    """Return what git prints, None if it fails or is not here; and its error, on one line."""
    try:
        done = subprocess.run(
            ["git", "--literal-pathspecs", "-c", "core.quotePath=false", *arguments],
            cwd=root,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},  # errors in English, which callers compare
        )
    except OSError:
        return None, ""
    error = done.stderr.decode("utf-8", "replace").partition("\n")[0].removeprefix("fatal: ")
    return (None if done.returncode else done.stdout.decode("utf-8", "surrogateescape")), error


def tracked(root: Path, *names: str) -> list[str]:
    """Return the files in git at or below some paths, but not beyond a link; relative to `root`."""
    files = _paths(root, "ls-files", "-z", "--", *names) if names else []
    top = root.resolve()
    return [file for file in files if (top / file).parent.resolve() == (top / file).parent]


def unstaged(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the tracked files among `names` that differ from git's index, with its text."""
    named = list(names)
    if not named:
        return {}
    changed = _paths(root, "diff", "--name-only", "--relative", "-z", "--", *named)
    return {name: _git(root, "show", f":./{name}") for name in changed}


def last_commit(root: Path) -> tuple[str, str]:
    """Return the hash and the date of the last commit that has the project; empty without one.

    A repository may lie around a project that it does not track: its commits say nothing.
    """
    if not _git(root, "ls-tree", "HEAD"):
        return "", ""
    commit, _, date = _git(root, "log", "-1", "--format=%H %cI").strip().partition(" ")
    return commit, date


def in_last_commit(root: Path, *names: str) -> list[str]:
    """Return the files of the last commit at or below some paths; relative to `root`."""
    return _paths(root, "ls-tree", "-r", "--name-only", "-z", "HEAD", "--", *names)


def changed_since_commit(root: Path, *names: str) -> list[str]:
    """Return the tracked files at or below some paths that differ from the last commit."""
    return _paths(root, "diff", "--name-only", "--relative", "-z", "HEAD", "--", *names)


def committed_text(root: Path, name: str) -> str:
    """Return the text of a file in the last commit; empty if it is not there."""
    return _git(root, "show", f"HEAD:./{name}")


def index_checksum(root: Path) -> str:
    """Return a checksum of git's index of the project."""
    listed = _git(root, "ls-files", "--stage", "-z")
    return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()


def follow(root: Path, before: Iterable[str], after: Iterable[str]) -> None:
    """Let the index follow files that were moved, rewritten or removed; raises `ProjectError`.

    `before` and `after` are their paths until now, and from now on; empty ones are ignored.
    """
    stay = set(filter(None, after))
    # forced, since on a disk that ignores case the old path may still lead to the file
    _update_index(root, {*filter(None, before)} - stay, "--force-remove")
    _update_index(root, stay, "--add", "--remove")


def _update_index(root: Path, names: set[str], *options: str) -> None:
    if not names:
        return
    done = subprocess.run(
        ["git", "update-index", *options, "-z", "--stdin"],
        cwd=root,
        input="\0".join(sorted(names)).encode("utf-8", "surrogateescape"),
        capture_output=True,
    )
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise ProjectError(
            f"git could not stage the change, so nothing was changed: {reason}", found=reason
        )


def _paths(root: Path, *arguments: str) -> list[str]:
    return list(filter(None, _git(root, *arguments).split("\0")))


def _git(root: Path, *arguments: str) -> str:
    return asked(root, *arguments)[0] or ""
