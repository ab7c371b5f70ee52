"""A change of several files of a project that happens whole or not at all.

What is to happen is written down in `.checkpoint-change/` together with what was there before;
then it is done by renames. Whatever stops it, the change is undone: at once, or by the next
command if the process was killed.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import ProjectError
from ..files import draft_of, remove, replace, sync
from ..project import git, locks
from ..project.project import Project
from ..storage import store
from ..storage.schema import RECORD

FOLDER = ".checkpoint-change"
JOURNAL = "journal.json"
# beside what is moved or removed, since results/ may be on another disk
ASIDE = ".checkpoint-aside-"
# ends the copy of a file that was edited after a change had been cut short, which is undone
KEPT = ".kept"


class Change:
    """Files and folders of a project to rewrite, remove, move and make, in this order.

    Parameters
    ----------
    project
        The project.

    Attributes
    ----------
    texts
        New contents of files, by where they are before anything is moved; see `rewrite`.
    removals
        Files and folders to remove.
    moves
        Files and folders, and where in the same folder they are to be; one may take the place
        that another leaves.
    creations
        Contents of new files; their folders are made.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.texts: dict[Path, bytes] = {}
        self._read: dict[Path, bytes] = {}
        self._token = os.urandom(4).hex()
        self.removals: list[Path] = []
        self.moves: list[tuple[Path, Path]] = []
        self.creations: dict[Path, bytes] = {}

    def rewrite(self, path: Path, before: bytes, after: bytes) -> None:
        """Give a file another content, which was worked out from the one that it has."""
        self._read[path] = before
        self.texts[path] = after

    def apply(self) -> None:
        """Do it, or leave everything as it was.

        Raises
        ------
        ProjectError
            If a place is taken, or a file is no longer what it was, or notebooks are running, or
            another process is changing the project.
        OSError
            If a file cannot be written or moved; nothing has changed then.
        """
        with locks.unchanging(self.project, timeout=2):
            _settle(self.project)
            locks.refuse(self.project)
            with self._no_saves():
                self._refuse_taken_places()
                self._refuse_changed_files()
                folder = self.project.root / FOLDER
                try:
                    self._prepare(folder)
                    self._do(folder)
                    (folder / "done").touch()  # from here on it has happened
                except BaseException:
                    _settle(self.project)
                    raise
            _settle(self.project)

    @contextmanager
    def _no_saves(self) -> Iterator[None]:
        """Keep kernels from saving in the results that change."""
        from filelock import Timeout

        with ExitStack() as stack:
            for folder in self._saved_in() if os.name != "nt" else ():
                # Windows does not move a folder in which a file, be it a lock, is open
                try:
                    stack.enter_context(store.locked(folder, timeout=0))
                except Timeout:
                    shown = self.project.show(folder)
                    raise ProjectError(f"{shown} is being saved. Try again.") from None
            yield

    def _saved_in(self) -> list[Path]:
        """Return the results folders that change, and those of their sub-checkpoints."""
        results = self.project.results
        changed = [*self.removals, *dict(self.moves), *self.texts]
        below = [path.relative_to(results) for path in changed if path.is_relative_to(results)]
        steps = [results / step for step in {path.parts[0] for path in below if path.parts}]
        records = [path for step in steps for path in step.rglob(RECORD)]
        return sorted({*filter(Path.is_dir, steps), *(path.parent for path in records)})

    def _refuse_taken_places(self) -> None:
        left = {*self.removals, *(old for old, _ in self.moves)}
        for place in [*(new for _, new in self.moves), *self.creations]:
            if place.exists() and not any(_is_same(place, old) for old in left):
                raise ProjectError(
                    f"{self.project.show(place)} is already there. Move it, or choose another name."
                )

    def _refuse_changed_files(self) -> None:
        gone = [path for path in (*self.removals, *dict(self.moves)) if not _is_there(path)]
        now = {path: path.read_bytes() if path.exists() else None for path in self.texts}
        for path in [*gone, *(path for path in now if now[path] != self._read[path])]:
            raise ProjectError(
                f"{self.project.show(path)} was changed by another program meanwhile. Try again."
            )

    def _prepare(self, folder: Path) -> None:
        """Write down what is to happen and what is there now."""
        (folder / "before").mkdir(parents=True)
        for i, path in enumerate(self.texts):
            (folder / "before" / str(i)).write_bytes(path.read_bytes())
        shown = self.project.show
        pairs = [(shown(old), shown(new)) for old, new in self.moves]
        removals = [shown(path) for path in self.removals]
        texts = [shown(path) for path in self.texts]
        named = [*removals, *texts, *(old for old, _ in pairs)]
        journal = {
            "token": self._token,
            "texts": texts,
            "after": [_digest(content) for content in self.texts.values()],
            "created": [_digest(content) for content in self.creations.values()],
            "unmodified": git.unmodified(self.project.root, texts),
            "removals": removals,
            "moves": pairs,
            "creations": [shown(path) for path in self.creations],
            "index": git.entries(self.project.root, list(dict.fromkeys(named))),
        }
        for path in [*(folder / "before").iterdir(), folder / "before"]:
            sync(path)
        replace(folder / JOURNAL, json.dumps(journal).encode())
        sync(folder)

    def _do(self, folder: Path) -> None:
        for path, content in self.texts.items():
            replace(path, content)
        for i, path in enumerate(self.removals):
            path.rename(_aside(path, self._token, f"removed-{i}"))
        for i, (old, _) in enumerate(self.moves):
            old.rename(_aside(old, self._token, i))
        (folder / "half-way").touch()
        for i, (old, new) in enumerate(self.moves):
            _aside(old, self._token, i).rename(new)
        (folder / "moved").touch()
        for path, content in self.creations.items():
            replace(path, content)
        journal = _journal(folder)
        (folder / "indexed").touch()
        contents = {self.project.show(path): content for path, content in self.texts.items()}
        contents = {name: contents[name] for name in journal["unmodified"]}
        git.move(self.project.root, journal["index"], _places(journal), contents)


def recover(project: Project) -> bool:
    """Undo a change that was cut short; tell whether there was one."""
    if not (project.root / FOLDER).exists():
        return False
    with locks.unchanging(project, timeout=2):
        return _settle(project)


def _settle(project: Project) -> bool:
    """Put back what a change has done so far, or clean up behind one that has happened.

    It can be repeated from any point. Returns whether there was something to put back.
    """
    folder = project.root / FOLDER
    if not folder.exists():
        return False
    begun, done = (folder / JOURNAL).exists(), (folder / "done").exists()
    if begun and done:
        for i, name in enumerate(_journal(folder)["removals"]):
            with suppress(OSError):  # what cannot be removed is out of the way
                _remove(_aside(project.root / name, _journal(folder)["token"], f"removed-{i}"))
    elif begun:
        _put_back(project.root, folder)
    (folder / JOURNAL).unlink(missing_ok=True)
    remove(folder)
    return begun and not done


def _put_back(root: Path, folder: Path) -> None:
    journal = _journal(folder)
    token = journal["token"]
    for name in [*journal["texts"], *journal["creations"]]:
        draft_of(root / name).unlink(missing_ok=True)
    moves = [(root / old, root / new) for old, new in journal["moves"]]
    if (folder / "moved").exists():
        for name, digest in zip(journal["creations"], journal["created"], strict=True):
            _keep_edits(root / name, [digest])
            (root / name).unlink(missing_ok=True)
            parent = (root / name).parent
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
    if (folder / "half-way").exists():
        for i, (old, new) in enumerate(moves):
            if not _is_there(_aside(old, token, i)):
                new.rename(_aside(old, token, i))
        (folder / "half-way").unlink()
    for i, (old, _) in enumerate(moves):
        if _is_there(_aside(old, token, i)):
            _aside(old, token, i).rename(old)
    for i, name in enumerate(journal["removals"]):
        if _is_there(_aside(root / name, token, f"removed-{i}")):
            _aside(root / name, token, f"removed-{i}").rename(root / name)
    for i, (name, digest) in enumerate(zip(journal["texts"], journal["after"], strict=True)):
        before = (folder / "before" / str(i)).read_bytes()
        if (root / name).read_bytes() != before:
            _keep_edits(root / name, [digest, _digest(before)])
            replace(root / name, before)
    if (folder / "indexed").exists():
        git.restore(root, journal["index"], _places(journal))


def _places(journal: dict[str, Any]) -> dict[str, str]:
    """Return where what the journal names is to be; what is moved with its folder goes there."""
    moves = dict(journal["moves"])
    stay = [name for name in journal["texts"] if not any(_is_below(name, old) for old in moves)]
    return {**moves, **{name: name for name in stay}}


def _is_same(place: Path, old: Path) -> bool:
    """Tell whether a place is an old one, be it in other letters where case does not count."""
    return place == old or (_is_there(old) and place.samefile(old))


def _is_below(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}/")


def _aside(path: Path, token: str, name: str | int) -> Path:
    return path.with_name(f"{ASIDE}{token}-{name}")


def _keep_edits(path: Path, known: list[str]) -> None:
    """Keep a copy of a file that somebody edited after a change had been cut short."""
    if path.exists() and _digest(path.read_bytes()) not in known:
        replace(path.with_name(f"{path.name}{KEPT}"), path.read_bytes())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _remove(path: Path) -> None:
    if path.is_dir():
        remove(path)
    else:
        path.unlink(missing_ok=True)


def _journal(folder: Path) -> dict[str, Any]:
    try:
        journal: dict[str, Any] = json.loads((folder / JOURNAL).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ProjectError(
            f"{folder / JOURNAL} cannot be read: {error}. A change of the project was cut short; "
            "what was there before is beside it."
        ) from error
    return journal
