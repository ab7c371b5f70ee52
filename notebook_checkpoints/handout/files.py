"""Which files of a project students get."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from checkpoint.files import LEFTOVERS
from checkpoint.project import git
from checkpoint.project.project import Project, is_project
from checkpoint.project.settings import LOCAL, PLACES
from checkpoint.share.reset import HANDED_OUT

HIDDEN = (".gitignore", ".gitattributes", ".github", ".pre-commit-config.yaml", ".gitkeep")
NOT_OURS = ("build", "dist", "node_modules", LOCAL)  # made by tools, or only for this machine
SOLUTION = re.compile(r"(?i)(?:^|[\W_])(?:solutions?|answers?)(?:[\W_]|$)")  # in a file's name
# of nbgrader: what other students submitted, and their grades
GRADED = ("submitted", "autograded", "feedback", "gradebook.db", "nbgrader_config.py")


def copy_files(project: Project, target: Path, raw: Iterable[str]) -> dict[str, str]:
    """Copy a project without its notebooks and results, with only the raw data that is named.

    In a git repository, only tracked files are copied, as they are in the working directory.

    Parameters
    ----------
    project
        The project.
    target
        The copy.
    raw
        The raw files and folders that the notebooks of the copy read, relative to `data/`.

    Returns
    -------
    dict
        The files that were left out although they belong to the project's code or texts, each with
        the reason.
    """
    names = git.tracked(project.root, ".") or list(_below(project.root))
    stems = {path.stem for path in project.notebook_files()}
    candidates = [name for name in names if _is_for_students(name)]
    left_out = {
        name: "a notebook in another form" for name in candidates if _is_form_of(name, stems)
    }
    left_out |= {name: "a solution by its name" for name in candidates if SOLUTION.search(name)}
    for name in candidates:
        if name not in left_out and (project.root / name).is_file():
            _copy(project.root / name, target / name)
    for name in raw:
        source = project.data / name
        if source.is_dir():
            shutil.copytree(source, target / "data" / name, dirs_exist_ok=True)
        elif source.is_file():
            _copy(source, target / "data" / name)
    return left_out


def restrict(settings: Path, steps: list[str], sources: list[str]) -> None:
    """Remove other steps than those of the copy from its `pyproject.toml`, and add sources.

    Parameters
    ----------
    settings
        The file.
    steps
        The steps of the copy.
    sources
        The lines of `[tool.checkpoint.sources]`.
    """
    import tomlkit

    document: Any = tomlkit.parse(settings.read_text(encoding="utf-8"))
    table = document["tool"]["checkpoint"]
    for name in ("steps", "resources", "kernels"):
        for step in [step for step in table.get(name, {}) if step not in steps]:
            del table[name][step]
    if "order" in table:
        order = [entry for entry in table["order"] if entry.rpartition("/")[2] in steps]
        table["order"] = order
    for name in ("sources", *PLACES):  # disks of the teacher's machine
        table.pop(name, None)
    text = tomlkit.dumps(document).rstrip() + "\n"
    if sources:
        title = "# where the results of earlier lessons are\n[tool.checkpoint.sources]"
        text += "\n".join(["", title, *sources, ""])
    settings.write_text(text, encoding="utf-8", newline="\n")


def _is_for_students(name: str) -> bool:
    parts = name.split("/")
    if parts[0] in ("results", HANDED_OUT, *GRADED) or name == LOCAL:
        return False
    if LEFTOVERS.intersection(parts):
        return False
    if parts[0] == "data":
        return parts[-1] in ("README.md", ".gitkeep")
    return not name.endswith(".ipynb") and not parts[-1].startswith(".env")


def _is_form_of(name: str, stems: set[str]) -> bool:
    """Tell whether a file is a notebook in another form, such as `2_a.py` or `2_a.slides.html`."""
    folder, _, file = name.rpartition("/")
    is_there = folder.partition("/")[0] == "notebooks" and not name.endswith(".ipynb")
    return is_there and file.partition(".")[0] in stems


def _below(root: Path) -> Iterator[str]:
    """Yield the files of a project that is not in git."""
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = [
            name
            for name in folders
            if _is_kept(name)
            and not (here / name / "pyvenv.cfg").exists()
            and not (here / name).is_symlink()
            and not is_project(here / name)
        ]
        for name in files:
            if _is_kept(name):
                yield (here / name).relative_to(root).as_posix()


def _is_kept(name: str) -> bool:
    hidden = name[0] == "." and name not in HIDDEN
    return not (hidden or name in LEFTOVERS or name in NOT_OURS or name.endswith(".egg-info"))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
