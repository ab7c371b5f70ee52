"""Find the project that `load`, `save` or the command works on.

This is the project of the imported package, unless the caller is in another project that has no
package, or one of the same name, such as a copy: then it is that project. The caller is a notebook
that the front end names, a script, or else the working directory (`caller.places`).
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ..errors import CheckpointError, ProjectError
from .caller import notebook, places, script, working_directory
from .project import Project, is_project, project_above

PROJECT, RESULTS = "CHECKPOINT_PROJECT", "CHECKPOINT_RESULTS"


def project_to_read() -> Project:
    """Return the project that `load` and `data_file` read.

    If `CHECKPOINT_RESULTS` is set, results are searched in that folder first.

    Raises
    ------
    ProjectError
        If neither the caller nor this package is in a project.
    """
    (root, _), results = _root(), _results()
    return Project(root, results, below=root / "results" if results else None)


def project_to_write(step: str) -> Project:
    """Return the project that `save` and `figures` write to.

    Raises
    ------
    CheckpointError
        If the caller is not in a project of this package: it would replace results of another.
    ProjectError
        Like `project_to_read`.
    """
    (root, is_own), results = _root(), _results()
    if not results and not is_own:
        raise _not_its_own(Project(root), step)
    return Project(root, results)


def project_of_command() -> Project:
    """Return the project of the working directory, for the command; raises `ProjectError`."""
    here = working_directory()
    root = _named() or (here and project_above(here))
    if root is None:
        raise _no_project()
    return Project(root)


@cache
def package() -> str:
    """Return the name of the package that contains this code; "" if there is none."""
    folder = _package_folder()
    return folder.name if (folder / "__init__.py").is_file() else ""


def fits(project: Project) -> bool:
    """Tell whether a project matches this code: if either has no package, or both the same."""
    return not package() or not project.packages or package() in project.packages


def imported_from_elsewhere(project: Project) -> str | None:
    """Return a message if this code belongs to a project other than `project`; else None."""
    other = installed_project()
    if other is None or other == project.root.resolve():
        return None
    return (
        f"{package()} was imported from {other}, but this is the project {project.root}. If "
        f"you changed code in src/{package()}, run `pip install -c constraints.txt -e .` in "
        f"{project.root} and restart the kernel."
    )


def cannot_save_here() -> str | None:
    """Return a warning if `project_to_write` will raise, perhaps hours later; else None."""
    if _results() or _named() or _own() is not None:
        return None
    return f"{_caller()} does not belong to this project, so save will refuse here."


def _root() -> tuple[Path, bool]:
    """Return the project, and whether the caller is in it or names it."""
    if root := _named() or _own():
        return root, True
    if root := installed_project():
        return root, False
    raise _no_project()


def _own() -> Path | None:
    """Return the project that the caller is in; None if it has another package."""
    root = next(filter(None, map(project_above, places())), None)
    return root if root and fits(Project(root)) else None


def installed_project() -> Path | None:
    """Return the project that contains this code; None if there is none."""
    root = _package_folder().parents[1]
    return root if is_project(root) else None


def _package_folder() -> Path:
    return Path(__file__).resolve().parents[2]


def _named() -> Path | None:
    """Return the project that `CHECKPOINT_PROJECT` names; None if it is not set."""
    table = "the top folder of a project, which has a pyproject.toml with a [tool.checkpoint] table"
    return _folder_in(PROJECT, is_project, table)


def _results() -> Path | None:
    """Return the folder that `CHECKPOINT_RESULTS` names; `save` creates it. None if not set."""

    def can_be(folder: Path) -> bool:
        return (folder if folder.exists() else folder.parent).is_dir()

    return _folder_in(RESULTS, can_be, "a folder, or a new folder in an existing one")


def _folder_in(variable: str, can_be: Callable[[Path], bool], expected: str) -> Path | None:
    """Return the folder that an environment variable names; None if it is not set."""
    value = os.environ.get(variable)
    if value is None:
        return None
    folder = Path(value).expanduser().absolute()
    if not value or not can_be(folder):
        raise ProjectError(
            f"{variable} is {value!r}; expected {expected}. Correct or unset the variable.",
            key=variable,
            found=value,
        )
    return folder


def _caller() -> str:
    file = notebook()
    file = file if file and file.is_file() else script()
    return str(file) if file else f"the working directory {working_directory()}"


def _not_its_own(project: Project, step: str) -> CheckpointError:
    folder = project.results_of(step)
    would = "replace" if (folder / "params.json").exists() else "write"
    others = [root for root in map(project_above, places()) if root]
    where, todo = "is in no project", ""
    if others:
        names = Project(others[0]).packages
        where = f"belongs to {others[0]}, whose package is {names[0]}, not {package()}"
        todo = f"Import from {names[0]}.checkpoint to save there. "
    return CheckpointError(
        f"Nothing was saved: {_caller()} {where}, so this would {would} {folder}. {todo}To save "
        f"there nevertheless, run in that project (`papermill --cwd {project.notebooks} …`) or "
        f"set {PROJECT}={project.root}; to save elsewhere, set {RESULTS} to a folder.",
        step=step,
        file=str(folder),
        expected=str(project.root),
        found=str(others[0]) if others else None,
    )


def _no_project() -> ProjectError:
    installed = installed_project()
    such_as = f", such as {installed}" if installed else ""
    here = working_directory()
    where = f"neither {here} nor a folder above it has" if here else "the working directory lacks"
    return ProjectError(
        f"No project found: {where} a pyproject.toml with a [tool.checkpoint] table. Run this "
        f"inside the project{such_as}, or set {PROJECT} to its folder; for notebooks elsewhere, "
        "install the project in place with `pip install -c constraints.txt -e .`.",
        found=str(here) if here else None,
    )
