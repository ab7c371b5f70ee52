"""What the project's files are to git; nothing where there is no git or no repository."""

import subprocess
from pathlib import Path

from ..errors import ProjectError

# mode, object, stage, and path from the top of the repository
Entry = list[str]


def tracked(root: Path, folder: str) -> list[str]:
    """Return the files of a folder that git tracks, relative to `root`; none without git."""
    listed = _git(root, "ls-files", "-z", "--", folder)
    return list(filter(None, listed.split("\0")))


def entries(root: Path, names: list[str]) -> list[Entry]:
    """Return git's index of some files and folders of a project."""
    if not names:
        return []
    listed = _git(root, "ls-files", "--stage", "--full-name", "-z", "--", *names)
    described = (line.partition("\t") for line in filter(None, listed.split("\0")))
    # what is only meant to be added, by `git add -N`, has an empty file in the index
    meant = _git(root, "diff", "--name-only", "--diff-filter=A", "-z", "--", *names).split("\0")
    return [[*about.split(), path] for about, _, path in described if path not in meant]


def unmodified(root: Path, names: list[str]) -> list[str]:
    """Return which of some files are in git as they are on disk."""
    changed = _git(root, "diff", "--name-only", "--relative", "-z", "--", *names).split("\0")
    prefix = _prefix(root)
    there = {path.removeprefix(prefix) for *_, path in entries(root, names)}
    return [name for name in names if name in there and name not in changed]


def unstaged(root: Path, names: list[str]) -> dict[str, str]:
    """Return the files that differ from what is staged of them, with the text that is staged."""
    changed = _git(root, "diff", "--name-only", "--relative", "-z", "--", *names)
    return {name: _git(root, "show", f":./{name}") for name in filter(None, changed.split("\0"))}


def move(root: Path, known: list[Entry], moves: dict[str, str], contents: dict[str, bytes]) -> None:
    """Let the index follow files that were moved, rewritten or, if not in `moves`, removed.

    What is staged of them moves along, and what was edited besides stays unstaged, as by `git mv`.

    Parameters
    ----------
    root
        The top of the project.
    known
        From `entries`, before anything was moved.
    moves
        New names of files and folders by their old ones, relative to `root`; a file that only is
        rewritten has its own.
    contents
        New contents by old name of files whose staged version is to be the new one, too.

    Raises
    ------
    ProjectError
        If git refuses; its index is then as it was.
    """
    prefix = _prefix(root) if known else ""
    blobs = {prefix + name: _blob(root, name, content) for name, content in contents.items()}
    moved = [
        (mode, blobs.get(path, blob), stage, _moved(path, prefix, moves))
        for mode, blob, stage, path in known
    ]
    _put(root, known, [path for *_, path in known], [entry for entry in moved if entry[-1]])


def restore(root: Path, known: list[Entry], moves: dict[str, str]) -> None:
    """Put the index back to what it was before `move`, where it is not so already."""
    prefix = _prefix(root) if known else ""
    names = [path.removeprefix(prefix) for *_, path in known]
    if entries(root, names) == known:
        return
    moved = (_moved(path, prefix, moves) for *_, path in known)
    _put(root, known, [path for path in moved if path], [tuple(entry) for entry in known])


def _blob(root: Path, name: str, content: bytes) -> str:
    """Give git what a file is to hold; return what git calls it."""
    command = ["git", "hash-object", "-w", "--stdin", "--path", name]
    done = subprocess.run(command, cwd=root, input=content, capture_output=True)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ProjectError(f"git could not follow the change, so nothing was changed: {said}")
    return done.stdout.decode().strip()


def _moved(path: str, prefix: str, moves: dict[str, str]) -> str:
    """Return where a path of the index goes; an empty text if it goes away."""
    name = path.removeprefix(prefix)
    for old, new in moves.items():
        if name == old or name.startswith(f"{old}/"):
            return prefix + new + name.removeprefix(old)
    return ""


def _prefix(root: Path) -> str:
    """Return the project's folder in its repository, with `/`; an empty text at the top."""
    return _git(root, "rev-parse", "--show-prefix").strip("\n")


def _put(root: Path, known: list[Entry], gone: list[str], there: list[tuple[str, ...]]) -> None:
    """Change the index in one go."""
    lines = [f"0 {'0' * len(known[0][1])}\t{path}" for path in gone]
    lines += [f"{mode} {blob} {stage}\t{path}" for mode, blob, stage, path in there]
    if not lines:
        return
    done = subprocess.run(
        ["git", "update-index", "-z", "--index-info"],
        cwd=root,
        input="".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape"),
        capture_output=True,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ProjectError(f"git could not follow the change, so nothing was changed: {said}")


def _git(root: Path, *arguments: str) -> str:
    """Return what git prints; an empty text without git or outside a repository."""
    try:
        done = subprocess.run(
            ["git", "--literal-pathspecs", *arguments], cwd=root, capture_output=True
        )
    except OSError:
        return ""
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else ""
