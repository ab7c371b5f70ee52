"""What to do about open notebooks that a command has renamed or rewritten on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .shared import out

if TYPE_CHECKING:
    from ..project.project import Project


@contextmanager
def told(project: Project) -> Iterator[None]:
    """Say, after the `with` block, which notebooks to close and which to reload."""
    from ..project.servers import CLOSE, RELOAD, advice

    before = _stamps(project)
    yield
    after = _stamps(project)
    gone = [name for name in before if name not in after]
    rewritten = [name for name in after if before.get(name, after[name]) != after[name]]
    for names, todo in ((gone, CLOSE), (rewritten, RELOAD)):
        if names:
            out.print(advice(project, names, todo))


def _stamps(project: Project) -> dict[str, tuple[int, int]]:
    paths = {path.name: path.stat() for path in project.notebook_files()}
    return {name: (status.st_mtime_ns, status.st_size) for name, status in paths.items()}
