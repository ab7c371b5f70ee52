"""A change of several files of a project that happens whole or not at all.

What is to happen is written down in `.checkpoint-change/` together with what was there before;
then it is done by renames. Whatever stops it, the change is undone: at once, or by the next
command if the process was killed.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import git
from .errors import ProjectError
from .folders import remove
from .project import Project

FOLDER = ".checkpoint-change"
JOURNAL = "journal.json"


class Change:
    """Files and folders of a project to rewrite, remove, move and make, in this order.

    Parameters
    ----------
    project
        The project.

    Attributes
    ----------
    texts
        New contents of files, by where they are before anything is moved.
    removals
        Files and folders to remove.
    moves
        Files and folders, and where they are to be; one may take the place that another leaves.
    creations
        Contents of new files; their folders are made.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.texts: dict[Path, str] = {}
        self.removals: list[Path] = []
        self.moves: list[tuple[Path, Path]] = []
        self.creations: dict[Path, str] = {}

    def apply(self) -> None:
        """Do it, or leave everything as it was.

        Raises
        ------
        ProjectError
            If a place is taken, or another process is changing the project.
        OSError
            If a file cannot be written or moved; nothing has changed then.
        """
        with _lock(self.project):
            _undo(self.project)
            self._refuse_taken_places()
            folder = self.project.root / FOLDER
            try:
                self._prepare(folder)
                self._do(folder)
                (folder / JOURNAL).unlink()  # from here on it has happened
            except BaseException:
                _undo(self.project)
                raise
            remove(folder)

    def _refuse_taken_places(self) -> None:
        left = {*self.removals, *(old for old, _ in self.moves)}
        for place in [*(new for _, new in self.moves), *self.creations]:
            if place not in left and place.exists():
                raise ProjectError(
                    f"{self.project.show(place)} is already there. Move it, or choose another name."
                )

    def _prepare(self, folder: Path) -> None:
        """Write down what is to happen and what is there now."""
        for name in ("before", "after", "moving", "removed"):
            (folder / name).mkdir(parents=True)
        for i, (path, text) in enumerate(self.texts.items()):
            (folder / "before" / str(i)).write_bytes(path.read_bytes())
            # an edited file keeps its permissions
            (folder / "after" / str(i)).touch(mode=path.stat().st_mode & 0o777)
            (folder / "after" / str(i)).write_text(text, encoding="utf-8", newline="")
        shown = self.project.show
        pairs = [(shown(old), shown(new)) for old, new in self.moves]
        removals = [shown(path) for path in self.removals]
        journal = {
            "texts": [shown(path) for path in self.texts],
            "removals": removals,
            "moves": pairs,
            "creations": [shown(path) for path in self.creations],
            "index": git.entries(self.project.root, [*removals, *(old for old, _ in pairs)]),
        }
        draft = folder / f"{JOURNAL}.part"
        draft.write_text(json.dumps(journal), encoding="utf-8")
        draft.replace(folder / JOURNAL)

    def _do(self, folder: Path) -> None:
        for i, path in enumerate(self.texts):
            (folder / "after" / str(i)).replace(path)
        for i, path in enumerate(self.removals):
            path.rename(folder / "removed" / str(i))
        for i, (old, _) in enumerate(self.moves):
            old.rename(folder / "moving" / str(i))
        (folder / "half-way").touch()
        for i, (_, new) in enumerate(self.moves):
            new.parent.mkdir(parents=True, exist_ok=True)
            (folder / "moving" / str(i)).rename(new)
        (folder / "moved").touch()
        for path, text in self.creations.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        journal = _journal(folder)
        (folder / "indexed").touch()
        git.move(self.project.root, journal["index"], dict(journal["moves"]))


def recover(project: Project) -> bool:
    """Undo a change that was cut short; tell whether there was one."""
    if not (project.root / FOLDER).exists():
        return False
    with _lock(project):
        return _undo(project)


def _undo(project: Project) -> bool:
    """Put back what a change has done so far. It can be repeated from any point."""
    folder = project.root / FOLDER
    if not folder.exists():
        return False
    begun = (folder / JOURNAL).exists()
    if begun:
        _put_back(project.root, folder)
        (folder / JOURNAL).unlink()
    remove(folder)
    return begun


def _put_back(root: Path, folder: Path) -> None:
    journal = _journal(folder)
    if (folder / "moved").exists():
        for name in journal["creations"]:
            (root / name).unlink(missing_ok=True)
            if not any((root / name).parent.iterdir()):
                (root / name).parent.rmdir()
    if (folder / "half-way").exists():
        for i, (_, new) in enumerate(journal["moves"]):
            if not (folder / "moving" / str(i)).exists():
                (root / new).rename(folder / "moving" / str(i))
        (folder / "half-way").unlink()
    for i, (old, _) in enumerate(journal["moves"]):
        if (folder / "moving" / str(i)).exists():
            (folder / "moving" / str(i)).rename(root / old)
    for i, name in enumerate(journal["removals"]):
        if (folder / "removed" / str(i)).exists():
            (folder / "removed" / str(i)).rename(root / name)
    for i, name in enumerate(journal["texts"]):
        (root / name).write_bytes((folder / "before" / str(i)).read_bytes())
    if (folder / "indexed").exists():
        git.restore(root, journal["index"], dict(journal["moves"]))


def _journal(folder: Path) -> dict[str, Any]:
    journal: dict[str, Any] = json.loads((folder / JOURNAL).read_text(encoding="utf-8"))
    return journal


@contextmanager
def _lock(project: Project) -> Iterator[None]:
    from filelock import FileLock, Timeout

    project.results.mkdir(exist_ok=True)
    try:
        with FileLock(project.results / ".lock", timeout=2):
            yield
    except Timeout:
        raise ProjectError("Another process is changing this project. Try again.") from None
