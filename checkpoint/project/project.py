"""The project: its folders, its steps in running order, and the folders of their results."""

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ..errors import CheckpointValueError, ProjectError
from ..files import LEFTOVERS
from .caller import working_directory
from .chain import Step, in_order, namesakes, step_of
from .names import DATE, is_reserved, number_of, unportable
from .places import data_of
from .settings import read_entries, read_order

# the header of the table, or of one inside it
TABLE = re.compile(r"(?m)^\s*\[\s*tool\s*\.\s*checkpoint\s*(?:\]|\.)")
# files that `run` writes to a step's results if a notebook failed, or was edited while it ran
FAILED, EXECUTED = "failed.ipynb", "executed.ipynb"
FAILED_LOG = "failed.log"  # the output of a command that failed, or is running
VERSION = re.compile(r'^__version__ = "(.+)"', re.MULTILINE)
KEEP = ".gitkeep"  # keeps an empty folder in git


class Project:
    """A folder whose `pyproject.toml` has a `[tool.checkpoint]` table.

    Parameters
    ----------
    root
        That folder.
    results
        The folder of the results, if it is not the project's own.
    below
        The folder in which to look for a step's results if `results` has none.
    """

    def __init__(self, root: Path, results: Path | None = None, below: Path | None = None) -> None:
        self.root = root
        self.notebooks = root / "notebooks"
        self.results = results or root / "results"
        self._below = below

    def __repr__(self) -> str:
        return f"Project({str(self.root)!r})"

    @cached_property
    def data(self) -> Path:
        """The folder of the raw files: `data/`, or the setting `data`."""
        return data_of(self)

    def steps(self) -> list[Step]:
        """Return the steps in running order: by the setting `order`, or else by their numbers.

        Of notebooks with the same name, only the first is included; `refuse_unclear` raises.
        """
        steps = self._steps()
        later = [step for _, step in namesakes(steps)]
        return [step for step in steps if step not in later]

    def notebook_files(self) -> list[Path]:
        """Return all notebooks, steps or not, except hidden files and broken links."""
        paths = []
        for folder, folders, files in os.walk(self.notebooks):
            folders[:] = [name for name in folders if name[0] != "." and name not in LEFTOVERS]
            paths += [
                Path(folder, name)
                for name in files
                if name.endswith(".ipynb") and name[0] != "." and Path(folder, name).is_file()
            ]
        return sorted(paths)

    def notebook(self, step: str) -> Path:
        """Return the path of a step's or sub-checkpoint's notebook, even if it does not exist."""
        name = step.partition("/")[0]
        known = (step for step in self.steps() if not step.is_script)
        paths = (step.path for step in known if step.name == name)
        return next(paths, self.notebooks / f"{name}.ipynb")

    def is_of_a_notebook(self, step: str) -> bool:
        """Tell whether a step can only be that of a notebook: it is numbered, or listed in `order`.

        The results of a script may have any other name.
        """
        listed = {name.rpartition("/")[2] for name in read_order(self)}
        return number_of(step) is not None or step in listed

    def others(self) -> Iterator[tuple[Path, str]]:
        """Yield the notebooks that are not steps, with the reason, which completes "it …"."""
        steps, order = self._steps(), read_order(self)
        for first, step in namesakes(steps):
            yield step.path, f"has the name of {self._source(first)}"
        paths = {step.path for step in steps}
        for path in self.notebook_files():
            if path not in paths:
                yield path, "is not listed in `order`" if order else _why_no_number(path.stem)

    def refuse_unclear(self) -> None:
        """Raise `ProjectError` if it is not clear which notebooks are the steps.

        This is so if two notebooks, or a notebook and a command, have the same name, or if `order`
        lists a notebook that does not exist.
        """
        steps, entries = self._steps(), read_entries(self)
        for step in steps:
            if step.is_script or not step.entry or not entries[step.name].run:
                continue
            raise ProjectError(
                f"{self.show(step.path)} and the command of [tool.checkpoint.steps.{step.name}] in "
                f"pyproject.toml both make {step.name}. Remove its `run`, or rename the notebook.",
                step=step.name,
                file=self.show(step.path),
            )
        for first, step in namesakes(steps):
            raise ProjectError(
                f"{self._source(first)} and {self._source(step)} have the same name, by which "
                "a step is called. Rename one of them, or list the notebooks of the chain in "
                "pyproject.toml: [tool.checkpoint] order = […].",
                step=step.name,
                file=self.show(step.path),
            )
        for name in self.not_there():
            raise ProjectError(
                f"pyproject.toml: [tool.checkpoint] order lists {name!r}, but "
                f"notebooks/{name}.ipynb does not exist. If you renamed it, run `checkpoint rename "
                f"{name.rpartition('/')[2]} NAME` with its new name; otherwise, correct the list.",
                file="pyproject.toml",
                key="order",
                found=name,
            )

    def _source(self, step: Step) -> str:
        return step.source if step.is_script else self.show(step.path)

    def not_there(self) -> list[str]:
        """Return the names in the setting `order` that do not exist."""
        scripts = [name for name, entry in read_entries(self).items() if entry.run]
        # not `is_file`, which ignores case on case-insensitive disks
        paths = (path.relative_to(self.notebooks) for path in self.notebook_files())
        known = {*scripts, *(path.with_suffix("").as_posix() for path in paths)}
        return [name for name in read_order(self) if name not in known]

    def _steps(self) -> list[Step]:
        paths = self.notebook_files()
        return in_order(self.notebooks, paths, read_entries(self), read_order(self))

    def select(self, steps: list[str]) -> list[Step]:
        """Return the given steps in running order, or all if none is given.

        Raises `ProjectError` if one does not exist.
        """
        known = self.steps()
        names = [notebook.name for notebook in known]
        wanted = [step_of(step) for step in steps]
        for step in wanted:
            if step not in names:
                raise ProjectError(
                    f"No notebook {step!r}; there are {', '.join(names) or 'none'}.",
                    step=step,
                    expected=names,
                )
        return [notebook for notebook in known if not wanted or notebook.name in wanted]

    @property
    def package(self) -> str:
        """The name of the package that the notebooks import; raises `ProjectError` without one."""
        if not self.packages:
            raise ProjectError(
                "src/ has no package with a checkpoint/ folder. Restore it.",
                file="src",
                expected="src/*/checkpoint/__init__.py",
            )
        return self.packages[0]

    @property
    def packages(self) -> list[str]:
        """The names of its packages with a `checkpoint/` folder; normally one."""
        return [path.parents[1].name for path in self._code()]

    @property
    def version(self) -> str:
        """The version of its `checkpoint/` folder; empty if it has none."""
        for code in self._code():
            match = VERSION.search(code.read_text(encoding="utf-8", errors="replace"))
            return match[1] if match else ""
        return ""

    def _code(self) -> list[Path]:
        return sorted(self.root.glob("src/*/checkpoint/__init__.py"))

    def after(self, step: str) -> Step | None:
        """Return the step that runs after `step`; None for the last step and unknown ones."""
        steps = self.steps()
        place = next((other.place for other in steps if other.name == step), None)
        # a copy such as `1_preprocessing-Copy1` has the place of the original and is not next
        later = [other for other in steps if place is not None and other.place > place]
        return later[0] if later else None

    def results_of(self, step: str) -> Path:
        """Return the folder of a step's results.

        Parameters
        ----------
        step
            Such as `2_integration`, or for a sub-checkpoint `2_integration/shared_features`.

        Raises
        ------
        CheckpointValueError
            If the name is not valid.
        ProjectError
            If the folder is on a disk that is not mounted.
        """
        if not isinstance(step, str):
            raise CheckpointValueError(
                f"step must be a str such as '1_preprocessing', got {type(step).__name__}",
                expected=str,
                found=step,
            )
        parts = step.split("/")
        wrong = next((f"{part!r} {reason}" for part in parts if (reason := unportable(part))), "")
        if parts[0] == "results" or step.endswith(".ipynb"):
            wrong = "it must be the notebook's name, without folder and .ipynb"
        elif taken := next(filter(is_reserved, parts[1:]), ""):
            wrong = f"{taken} in the folder of a step is reserved"
        if wrong:
            raise CheckpointValueError(
                f"step {step!r}: {wrong}. Name the step after its notebook, such as "
                "'1_preprocessing'.",
                step=step,
            )
        folder = self.results.joinpath(*parts)
        if self._below and not _has_results(folder):
            folder = self._below.joinpath(*parts)
        self.refuse_broken_link(folder)
        return folder

    def refuse_broken_link(self, path: Path) -> None:
        """Raise `ProjectError` if a path contains a broken link, such as to an unmounted disk."""
        if path.exists():
            return
        links = [at for at in (path, *path.parents) if at.is_symlink() and not at.exists()]
        if links:
            link = links[-1]
            raise ProjectError(
                f"{self.address(link)} is a link to {link.readlink()}, which is not there. Mount "
                "the disk that it is on, or make the link anew.",
                file=str(link),
                found=str(link.readlink()),
            )

    def show(self, path: Path) -> str:
        """Return a path as messages show it: relative to the project, with `/`."""
        if not path.is_relative_to(self.root) and path.is_relative_to(self.data):
            return ("data" / path.relative_to(self.data)).as_posix()
        return path.relative_to(self.root).as_posix()

    def place(self, name: str) -> Path:
        """Return the path for a name from `show`; `data/…` may be outside the project."""
        top, _, rest = name.partition("/")
        return self.data / rest if top == "data" else self.root / name

    def address(self, path: Path) -> str:
        """Return a path as notebooks show it: absolute, unless they run in the project."""
        here = working_directory()
        inside = here and here.resolve().is_relative_to(self.root.resolve())
        return self.show(path) if inside and path.is_relative_to(self.root) else str(path)


def _why_no_number(stem: str) -> str:
    """Return why a notebook without a number is not a step, in words that complete "it …"."""
    if DATE.match(stem):
        return "begins with a date, not with a number"
    if stem[:1].isdecimal() and not stem[0].isascii():
        return f"begins with {stem[0]!r}, and only the digits 0 to 9 count as a number"
    digits = stem[: len(stem) - len(stem.lstrip("0123456789"))]
    if digits:
        return f"has no `_` after its number {digits}"
    return "does not begin with a number"


def project_above(place: Path) -> Path | None:
    """Return the top of the project that contains a folder; None if there is none."""
    return next((folder for folder in (place, *place.parents) if is_project(folder)), None)


def is_project(folder: Path) -> bool:
    """Tell whether `folder` is the top of a project.

    Searches for the table's header instead of parsing TOML: every load and save does this, and an
    unrelated `pyproject.toml` further up may be invalid.
    """
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return TABLE.search(text) is not None


def _has_results(folder: Path) -> bool:
    """Tell whether a results folder has files, saved by a step or added by hand."""
    files = (path for path in folder.glob("*") if path.is_file() and path.name[0] != ".")
    return (folder / ".commit").exists() or any(files)
