"""Where things are: the project, its data, its notebooks in running order, its results."""

from pathlib import Path

from ..errors import CheckpointValueError, ProjectError
from .chain import Step, numbered, step_of
from .names import unportable

MARK = "[tool.checkpoint]"
# what `run` leaves in a step's results when a notebook failed, or was edited while it ran
FAILED, EXECUTED = "failed.ipynb", "executed.ipynb"
KEEP = ".gitkeep"  # keeps an empty folder in git


class Project:
    """A folder whose `pyproject.toml` has a `[tool.checkpoint]` table.

    Parameters
    ----------
    root
        That folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.notebooks = root / "notebooks"
        self.results = root / "results"

    def __repr__(self) -> str:
        return f"Project({str(self.root)!r})"

    def steps(self) -> list[Step]:
        """List the numbered notebooks in running order."""
        steps = filter(None, map(numbered, self.notebook_files()))
        return sorted(steps, key=lambda step: (step.number, step.label, step.path))

    def notebook_files(self) -> list[Path]:
        """Return all notebooks, also those without a number; no hidden files or broken links."""
        paths = self.notebooks.glob("*.ipynb")
        return sorted(path for path in paths if path.is_file() and path.name[0] != ".")

    def select(self, steps: list[str]) -> list[Step]:
        """Return the notebooks of these steps in running order; all if none is named.

        Raises
        ------
        ProjectError
            If a step has no notebook.
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
        """The name of the package that the notebooks import.

        Raises
        ------
        ProjectError
            If there is none.
        """
        found = sorted(self.root.glob("src/*/checkpoint/__init__.py"))
        if not found:
            raise ProjectError("src/ has no package with a checkpoint/ folder. Restore it.")
        return found[0].parent.parent.name

    def after(self, step: str) -> Step | None:
        """Return the notebook that runs after `step`; None after the last and for others."""
        steps = self.steps()
        number = next((one.number for one in steps if one.name == step), None)
        # a copy such as `1_preprocessing-Copy1` has the number of the original and is not next
        later = [one for one in steps if number is not None and one.number > number]
        return later[0] if later else None

    def results_of(self, step: str) -> Path:
        """Return the folder of a step's results.

        Parameters
        ----------
        step
            `2_integration`, or a sub-checkpoint below it, `2_integration/shared_features`.

        Raises
        ------
        CheckpointValueError
            If the step is not such a name.
        """
        if not isinstance(step, str):
            raise CheckpointValueError(
                f"step must be a str such as '1_preprocessing', got {type(step).__name__}"
            )
        parts = step.split("/")
        wrong = next((f"{part!r} {reason}" for part in parts if (reason := unportable(part))), "")
        if parts[0] == "results" or step.endswith(".ipynb"):
            wrong = "it must be the notebook's name, without folder and .ipynb"
        elif "figures" in parts[1:]:
            wrong = "figures/ below a step is reserved for figures"
        if wrong:
            raise CheckpointValueError(
                f"step {step!r}: {wrong}. Name the step after its notebook, such as "
                "'1_preprocessing'.",
                step=step,
            )
        return self.results.joinpath(*parts)

    def show(self, path: Path) -> str:
        """Return a path as messages show it: relative to the project, with `/`."""
        return path.relative_to(self.root).as_posix()


def find_project() -> Project:
    """Find the project that a notebook or script works in.

    It is the nearest folder at or above the working directory whose `pyproject.toml` has a
    `[tool.checkpoint]` table: a copy of a project uses the copy's folders. Elsewhere it is the
    project that this package is part of.

    Returns
    -------
    Project

    Raises
    ------
    ProjectError
        If there is neither.
    """
    try:
        here = Path.cwd()
    except FileNotFoundError:  # a folder that was removed meanwhile
        here = Path(__file__).parent
    installed = Path(__file__).resolve().parents[4]
    for folder in (here, *here.parents, installed):
        if is_project(folder):
            return Project(folder)
    raise ProjectError(
        f"No project found: neither {here} nor a folder above it has a pyproject.toml with a "
        "[tool.checkpoint] table. Run this inside the project, or install the project in place "
        "with `pip install -c constraints.txt -e .`."
    )


def imported_from_elsewhere(project: Project) -> str | None:
    """Describe which other project this code belongs to; None if to `project`, or to none."""
    code = Path(__file__).resolve()
    package, other = code.parents[2].name, code.parents[4]
    if not is_project(other) or other == project.root.resolve():
        return None
    return (
        f"Note: {package} was imported from {other}, but this is the project {project.root}. If "
        f"you changed code in src/{package}, run `pip install -c constraints.txt -e .` in "
        f"{project.root} and restart the kernel."
    )


def is_project(folder: Path) -> bool:
    """Tell whether `folder` is the top of a project.

    Looks for the table's line and does not parse TOML: every load and save asks, and an unrelated
    `pyproject.toml` further up may be invalid.
    """
    try:
        lines = (folder / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(line.partition("#")[0].strip() == MARK for line in lines)
