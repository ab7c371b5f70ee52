"""Change several files of a project completely or not at all."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..errors import ProjectError
from ..files import below, replace
from ..notebooks.notebook import source_of
from ..project import git, locks, servers
from ..project.project import Project
from ..storage import store
from ..storage.schema import RECORD
from . import journal
from .journal import Journal, checksum, content_of, is_there

# in the folder of what is moved or removed, since results/ may be on another disk
ASIDE = ".checkpoint-aside-"


class Change:
    """Files and folders of a project to write, remove and move, in this order.

    An error undoes the change at once; after a kill, the next command undoes it, using the journal
    and the originals in `.checkpoint-change/`. All paths are relative to the project, with `/`.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        # the content of files before (None for a new file) and after, by path before the moves
        self.writes: dict[str, tuple[bytes | None, bytes]] = {}
        self.removals: list[str] = []
        # new paths by old ones, in the same folder; a new path may be the old path of another file
        self.moves: dict[str, str] = {}
        # new paths by old ones, of files that were moved by hand before, which git may not know
        self.moved: dict[str, str] = {}

    def apply(self) -> None:
        """Carry out the change, or leave everything as it was.

        Raises
        ------
        ProjectError
            If a new path exists, a file has edits that git does not have, another program changed
            a file in the meantime, notebooks are running, or another process is changing the
            project. Nothing has changed then.
        OSError
            If a file cannot be written or moved. Nothing has changed then.
        """
        root = self.project.root
        with locks.unchanging(self.project, timeout=2):
            journal.settle(root)
            locks.refuse(self.project)
            servers.refuse_busy(self.project, [*self.writes, *self.removals, *self.moves])
            with self._no_saves():
                self._refuse_taken_paths()
                self._refuse_changed_files()
                self._refuse_unstaged_edits()
                try:
                    self._carry_out()
                    (root / journal.FOLDER / journal.DONE).touch()
                except BaseException:
                    journal.settle(root)
                    raise
            journal.settle(root)

    def _carry_out(self) -> None:
        root, plan = self.project.root, self._plan()
        journal.write(root, plan, [before for before, _ in self.writes.values()])
        for name, (_, after) in self.writes.items():
            replace(root / name, after)
        journal.rename_all(root, plan)
        git.follow(root, plan.tracked, plan.tracked.values())

    def _plan(self) -> Journal:
        token = os.urandom(4).hex()
        vacated = [*self.removals, *self.moves]
        aside = {
            name: f"{name.rpartition('/')[0]}/{ASIDE}{token}-{number}"
            for number, name in enumerate(vacated)
        }
        return Journal(
            written={name: checksum(after) for name, (_, after) in self.writes.items()},
            renames=[*aside.items(), *((aside[old], new) for old, new in self.moves.items())],
            discarded=[aside[name] for name in self.removals],
            tracked=self._tracked(),
            git_index=git.index_checksum(self.project.root),
        )

    def _tracked(self) -> dict[str, str]:
        """Return the files tracked by git that change, with their new path; "" if removed."""
        new_paths = {name: name for name in self.writes} | self.moves
        new_paths |= dict.fromkeys(self.removals, "")
        new_paths |= {old: self.moves.get(new, new) for old, new in self.moved.items()}
        tracked = {}
        for file in git.tracked(self.project.root, *new_paths):
            # a rewritten file in a folder that moves goes with the folder
            old = min((name for name in new_paths if f"{file}/".startswith(f"{name}/")), key=len)
            tracked[file] = new_paths[old] and new_paths[old] + file.removeprefix(old)
        return tracked

    @contextmanager
    def _no_saves(self) -> Iterator[None]:
        """Keep kernels from saving to the results that change within the `with` block."""
        from filelock import Timeout

        changed = [self.project.root / name for name in (*self.removals, *self.moves, *self.writes)]
        changed = [path for path in changed if path.is_relative_to(self.project.results)]
        folders = {path if path.is_dir() else path.parent for path in changed if path.exists()}
        folders |= {
            record.parent for path in folders for record in below(path) if record.name == RECORD
        }
        with ExitStack() as stack:
            # Windows does not move a folder that contains an open file, such as a lock
            for folder in sorted(folders) if os.name != "nt" else ():
                try:
                    stack.enter_context(store.locked(folder, timeout=0))
                except Timeout:
                    shown = self.project.show(folder)
                    raise ProjectError(f"{shown} is being saved. Try again.", file=shown) from None
            yield

    def _refuse_taken_paths(self) -> None:
        vacated = [self.project.root / name for name in (*self.removals, *self.moves)]
        for name in self.moves.values():
            path = self.project.root / name
            # on a disk that ignores case, the new path may be the old one in another case
            if path.exists() and not any(is_there(old) and path.samefile(old) for old in vacated):
                raise ProjectError(
                    f"{name} already exists. Move it, or choose another name.", file=name
                )

    def _refuse_changed_files(self) -> None:
        for name, (before, _) in self.writes.items():
            if content_of(self.project.root / name) != before:
                raise ProjectError(
                    f"{name} was changed by another program in the meantime. Try again.", file=name
                )

    def _refuse_unstaged_edits(self) -> None:
        """Raise if a file has edits that git does not have; the outputs of cells do not count."""
        changed = {*self.writes, *self.moves, *self.moved}
        names = [name for name in changed if not name.startswith("results/")]
        for old, staged in git.unstaged(self.project.root, names).items():
            name = self.moved.get(old, old)
            now = (self.project.root / name).read_bytes()
            if not name.endswith(".ipynb") or _cells(now) != _cells(staged):
                raise ProjectError(
                    f"{name} would be rewritten, and has edits that git does not have. Nothing was "
                    "changed. Commit or `git add` the edits, then try again.",
                    file=name,
                )


def recover(project: Project) -> bool:
    """Undo a change that was cut short; return whether there was one to undo."""
    if not (project.root / journal.FOLDER).exists():
        return False
    with locks.unchanging(project, timeout=2):
        return journal.settle(project.root)


def _cells(content: bytes | str) -> list[Any]:
    """Return the types and sources of a notebook's cells; of another file, its whole content."""
    try:
        return [(cell["cell_type"], source_of(cell)) for cell in json.loads(content)["cells"]]
    except (ValueError, LookupError, TypeError):
        return [content]
