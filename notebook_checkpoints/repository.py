"""What git knows about a project and its template."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path


def git(folder: Path, *arguments: str, ok: bool = False) -> str:
    """Return what git prints.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails, unless that is `ok`.
    """
    done = subprocess.run(
        ["git", "-c", "core.quotePath=false", *arguments],
        cwd=folder,
        check=not ok,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
    )
    return done.stdout


def refuse_unfit(root: Path) -> None:
    """Raise if git could not restore a project.

    Raises
    ------
    ValueError
        If it is not in a repository, or has uncommitted changes, which an update would mix with.
    """
    if not git(root, "rev-parse", "--show-toplevel", ok=True):
        raise ValueError("is in no git repository; make one and commit, to be able to go back")
    changed = [line[3:] for line in git(root, "status", "--porcelain", "-uno").splitlines()]
    if changed:
        more = f" and {len(changed) - 1} more" if changed[1:] else ""
        raise ValueError(f"has changes without a commit: {changed[0]}{more}; commit or stash them")


def files_of(root: Path, kind: str, *patterns: str) -> list[str]:
    """Return the files of a project that `git ls-files` lists, such as `--unmerged` ones."""
    listed = git(root, "ls-files", "-z", "--exclude-standard", kind, "--", *(patterns or ["."]))
    names = (line.rpartition("\t")[2] for line in listed.split("\0"))
    return list(dict.fromkeys(filter(None, names)))


def has_commit(clone: Path, commit: str) -> bool:
    """Tell whether a repository has a commit."""
    commit_id = git(clone, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", ok=True)
    return bool(commit_id.strip())


def ids(clone: Path, names: list[str]) -> list[str]:
    """Return the ids of objects such as `HEAD:folder`; an empty text for what is not there."""
    command = ["git", "cat-file", "--batch-check=%(objectname)"]
    asked = "".join(f"{name}\n" for name in names)
    done = subprocess.run(
        command, cwd=clone, input=asked, check=True, capture_output=True, encoding="utf-8"
    )
    return ["" if " " in line else line for line in done.stdout.splitlines()]


def written_tree(clone: Path, folder: Path, skipped: Iterable[str]) -> str:
    """Return the id that a folder has in git, without files of some names."""
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**os.environ, "GIT_INDEX_FILE": str(Path(temporary, "index"))}
        settings = ("-c", "core.autocrlf=false", "-c", "core.fileMode=false")
        here = ("git", *settings, f"--git-dir={clone / '.git'}", f"--work-tree={folder}")
        excluded = [f":(exclude,glob)**/{name}/**" for name in skipped]
        excluded += [f":(exclude,glob)**/{name}" for name in skipped]
        add = [*here, "add", "--all", "--force", "--", ".", *excluded]
        subprocess.run(add, cwd=folder, env=environment, check=True, capture_output=True)
        tree = [*here, "write-tree"]
        done = subprocess.run(tree, cwd=folder, env=environment, check=True, capture_output=True)
    return done.stdout.decode().strip()


def blob(path: Path) -> str:
    """Return the id that a file has in git; an empty text if it is not there."""
    if not path.is_file():
        return ""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
