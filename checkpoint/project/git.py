"""Ask git about the project's files; answers are empty without git or a repository."""

import hashlib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ..errors import ProjectError


def asked(root: Path, *arguments: str) -> tuple[str | None, str]:
    """Run git; return its output, None if it fails or is missing, and its error's first line."""
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
    """Return the tracked files at or below some paths, relative to `root`; do not follow links."""
    files = _paths(root, "ls-files", "-z", "--", *names) if names else []
    top = root.resolve()
    return [file for file in files if (top / file).parent.resolve() == (top / file).parent]


def unstaged(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the tracked files in `names` that differ from git's index, with the index's text."""
    named = list(names)
    if not named:
        return {}
    changed = _paths(root, "diff", "--name-only", "--relative", "-z", "--", *named)
    return {name: _git(root, "show", f":./{name}") for name in changed}


def last_commit(root: Path) -> tuple[str, str]:
    """Return the hash and date of the last commit, if it contains the project; else empty.

    The project may be inside a repository that does not track it: then its commits do not count.
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
    """Return the text of a file in the last commit; empty if the commit does not contain it."""
    return _git(root, "show", f"HEAD:./{name}")


def index_checksum(root: Path) -> str:
    """Return a checksum of git's index of the project."""
    listed = _git(root, "ls-files", "--stage", "-z")
    return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()


def follow(root: Path, before: Iterable[str], after: Iterable[str]) -> None:
    """Stage files that were moved, rewritten or removed; raises `ProjectError` if git fails.

    `before` and `after` are their old and new paths; empty ones are ignored.
    """
    stay = set(filter(None, after))
    # forced, since on a case-insensitive disk the old path may still exist
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
