"""Write what `adopt` changes: all files or none, with a diff before and originals kept."""

import difflib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from checkpoint.errors import ProjectError
from checkpoint.files import replace
from checkpoint.notebooks import notebook
from checkpoint.project import git

ORIGINALS = ".checkpoint-adopt"  # git ignores it, as all `.checkpoint-*`


class Change(NamedTuple):
    """A file that is written, or removed.

    Attributes
    ----------
    path
        The file, from the top of the project.
    content
        What is written; None to remove it.
    """

    path: str
    content: bytes | None


def refuse_unclean(root: Path) -> None:
    """Raise unless git could restore what a change replaces.

    Raises
    ------
    ProjectError
        Outside a repository, if git does not work there, or if there are changes that are not
        committed.
    """
    status, error = git.asked(root, "status", "--porcelain", "--", ".")
    if status is None and "dubious ownership" in error:
        raise ProjectError(
            f"{root} is in a git repository of another user, which git refuses to use. Clone it "
            "and adopt the clone, or pass --no-git.",
            file=str(root),
        )
    if status is None and error and "not a git repository" not in error:
        raise ProjectError(
            f"git does not work in {root}: {error}. Correct it, or pass --no-git.",
            file=str(root),
            found=error,
        )
    if status is None:
        raise ProjectError(
            f"{root} is not in a git repository, so nothing could bring back what adopt changes. "
            "Run `git init`, `git add -A` and `git commit`, or pass --no-git.",
            file=str(root),
        )
    if status:
        lines = status.encode("utf-8", "replace").decode().splitlines()  # names that no text has
        files = ", ".join(line[3:] for line in lines[:5]) + (", …" if lines[5:] else "")
        raise ProjectError(
            f"The git tree of {root} is not clean: {files}. Commit or stash this first, so that "
            "`git checkout .` can bring back what adopt changes; or pass --no-git.",
            file=str(root),
            found=[line[3:] for line in lines],
        )


def apply(root: Path, changes: list[Change], *, git: bool = True) -> str:
    """Write all files, or restore those already written if anything fails.

    Files that git cannot restore are first copied to `.checkpoint-adopt/`, the next time to
    `.checkpoint-adopt-2/`, and so on: those that git does not track, or all without a clean tree.

    Returns
    -------
    str
        The folder in which originals are kept; empty if nothing had to be kept.

    Raises
    ------
    ProjectError
        If a file cannot be written.
    """
    before = {
        change.path: (root / change.path).read_bytes() if (root / change.path).is_file() else None
        for change in changes
    }
    made: list[Path] = []
    done: list[str] = []
    originals = _free_folder(root)
    try:
        _keep(
            root, originals, [path for path, content in before.items() if content is not None], git
        )
        for change in changes:
            made += _make_folders(root, (root / change.path).parent)
            done.append(change.path)
            if change.content is None:
                (root / change.path).unlink()
            else:
                replace(root / change.path, change.content)
    except BaseException as error:
        for path in done:
            _put_back(root / path, before[path])
        shutil.rmtree(root / originals, ignore_errors=True)
        for folder in reversed(made):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        if isinstance(error, OSError):
            raise ProjectError(
                f"{_without_part(error.filename)} cannot be written: {error.strerror}. Nothing was "
                "changed. adopt needs the right to write in the project's folders.",
                file=_without_part(error.filename),
            ) from error
        raise
    return originals if (root / originals).is_dir() else ""


def _free_folder(root: Path) -> str:
    names = [ORIGINALS, *(f"{ORIGINALS}-{number}" for number in range(2, 1000))]
    return next(name for name in names if not (root / name).exists())


def _without_part(path: object) -> str:
    """Return the path of a file, given that of its temporary file."""
    return re.sub(r"([/\\])\.([^/\\]+)\.part$", r"\1\2", str(path))


def _put_back(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


def _make_folders(root: Path, folder: Path) -> list[Path]:
    new = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return list(reversed(new))


def _keep(root: Path, folder: str, paths: list[str], in_git: bool) -> None:
    """Copy the files that git cannot restore into a folder."""
    tracked = git.tracked(root, *paths) if in_git else []
    for path in paths:
        copy = root / folder / path
        if path not in tracked:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, copy)


def difference(before: dict | None, after: dict | None, old: str, new: str) -> str:
    """Return the difference between the cells of two notebooks, as in `git diff`."""
    old_lines, new_lines = (list(_lines(content)) if content else [] for content in (before, after))
    return "".join(difflib.unified_diff(old_lines, new_lines, f"a/{old}", f"b/{new}"))


def text_difference(before: str, after: str, path: str) -> str:
    """Return the difference between two texts."""
    old_lines, new_lines = (text.splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old_lines, new_lines, f"a/{path}", f"b/{path}"))


def _lines(content: dict) -> Iterator[str]:
    for cell in content["cells"]:
        tags = " ".join(map(str, notebook.tags_of(cell)))
        yield f"# %% {cell['cell_type']}{f' [{tags}]' if tags else ''}\n"
        source = notebook.source_of(cell)
        yield from (f"{line}\n" for line in source.split("\n"))
