"""The rule about merges that nobody finished, after `git merge` or an update of the template."""

from collections.abc import Iterator
from pathlib import Path

from ..project.project import Project
from ..text import unfinished_merge
from .rules import Finding, rule

LARGEST = 1_000_000  # bytes; a larger file was not written by hand


@rule(
    "merge",
    Project,
    finds="a file in which git left both versions of a merge",
    why="programs that read it fail, or take one of the two",
)
def _merge(project: Project) -> Iterator[Finding]:
    for path in _texts(project.root):
        if path.is_file() and path.stat().st_size < LARGEST:
            text = path.read_text(encoding="utf-8", errors="replace")
            if merge := unfinished_merge(text):
                what, _, todo = merge.partition(": ")
                yield Finding(what, todo.capitalize(), project.show(path))


def _texts(root: Path) -> Iterator[Path]:
    """Yield what people and the template write; notebooks are read by another rule."""
    yield from root.glob("*")
    yield from root.glob("data/README.md")
    for folder in (".github", "profiles", "scripts", "src"):
        yield from (path for path in (root / folder).rglob("*") if path.suffix != ".pyc")
