"""Rules about leftovers: unfinished merges, results without a step, large files in git."""

from collections.abc import Iterator
from pathlib import Path

from .. import text
from ..notebooks.graph import scripts_that_save
from ..project import git
from ..project.project import Project
from .layout import or_rename, with_sources
from .rules import Finding, rule

LARGEST_WRITTEN = 1_000_000  # bytes; a larger file was not written by hand
LARGEST_TRACKED = 5_000_000  # bytes; the limit of the project's pre-commit hook


@rule(
    "merge",
    Project,
    finds="a file in which git left both versions of a merge",
    why="programs that read it fail, or take one of the two",
)
def _merge(project: Project) -> Iterator[Finding]:
    for path in _texts(project.root):
        if path.is_file() and path.stat().st_size < LARGEST_WRITTEN:
            content = path.read_text(encoding="utf-8", errors="replace")
            if merge := text.unfinished_merge(content):
                what, _, todo = merge.partition(": ")
                yield Finding(what, todo.capitalize(), project.show(path))


def _texts(root: Path) -> Iterator[Path]:
    """Yield the files that people and the template write; another rule reads notebooks."""
    yield from root.glob("*")
    yield from root.glob("data/README.md")
    for folder in (".github", "profiles", "scripts", "src"):
        yield from (path for path in (root / folder).rglob("*") if path.suffix != ".pyc")


@rule(
    "orphan-results",
    Project,
    finds="a results folder without a notebook, script or entry in `sources`",
    why="it cannot be regenerated",
)
def _orphan_results(project: Project) -> Iterator[Finding]:
    steps = {path.stem for path in project.notebook_files()}
    steps |= {*(step.name for step in project.steps()), *with_sources(project)}
    if not steps:
        return
    for folder in sorted(project.results.glob("*/")):
        named = not folder.is_dir() or folder.name[0] == "." or folder.name in steps
        if not (named or scripts_that_save(project, folder.name)):
            todo = (
                f"Remove the folder, or restore notebooks/{folder.name}.ipynb, or say in "
                "[tool.checkpoint.sources] where the results are from"
            )
            todo = or_rename(project, folder.name, todo)
            yield Finding("has no notebook", todo, f"results/{folder.name}")


@rule(
    "large-tracked",
    Project,
    finds=f"a result over {LARGEST_TRACKED // 1_000_000} MB that git tracks",
    why="every clone has to download all its versions",
)
def _large_tracked(project: Project) -> Iterator[Finding]:
    for name in git.tracked(project.root, "results"):
        path = project.root / name
        size = path.stat().st_size if path.is_file() else 0
        if size > LARGEST_TRACKED:
            what = f"is tracked by git at {text.size(size)}; the limit is "
            todo = f'Run `git rm --cached "{name}"` and add a line for such files to .gitignore'
            yield Finding(what + text.size(LARGEST_TRACKED), todo, name)
