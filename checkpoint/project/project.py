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
        """Return all notebooks, those without a number too; no hidden files, nor links to none."""
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
                raise ProjectError(f"No notebook {step!r}; there are {', '.join(names) or 'none'}.")
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
            raise ProjectError("src/ has no package with checkpoint/ in it; put it back.")
        return found[0].parent.parent.name

    def after(self, step: str) -> Step | None:
        """Return the notebook that runs after `step`; None after the last and for others."""
        steps = self.steps()
        number = next((one.number for one in steps if one.name == step), None)
        # a copy, as `1_preprocessing-Copy1`, has the number of the original and is not next
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
                f"a step is named by text, as in '1_preprocessing', not by {step!r}"
            )
        for part in step.split("/"):
            if reason := unportable(part):
                raise CheckpointValueError(
                    f"step {step!r}: {part!r} {reason}. Name the step after its notebook, "
                    "as in '1_preprocessing'."
                )
        name, *below = step.split("/")
        if name == "results" or step.endswith(".ipynb") or "figures" in below:
            raise CheckpointValueError(
                f"step {step!r}: name the step as its notebook, without folder and .ipynb, as in "
                "'1_preprocessing'; figures/ below it is for figures."
            )
        return self.results.joinpath(name, *below)

    def show(self, path: Path) -> str:
        """Return a path as messages show it: relative to the project, with `/`."""
        return path.relative_to(self.root).as_posix()


def find_project() -> Project:
    """Find the project that a notebook or script works in.

    It is the nearest folder at or above the working directory whose `pyproject.toml` has a
    `[tool.checkpoint]` table, so that a copy of a project uses the copy's folders; else the
    project that this package lies in, so that any working directory will do.

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
        "with `pip install -e .`."
    )


def is_project(folder: Path) -> bool:
    """Tell whether `folder` is the top of a project.

    A look for the table's line, not a TOML parser: a `pyproject.toml` somewhere above that has
    nothing to do with this one may be broken, and this is asked at every load and save.
    """
    try:
        lines = (folder / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(line.partition("#")[0].strip() == MARK for line in lines)
