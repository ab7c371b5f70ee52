"""The rules of a project's layout, for the post-gen hook, pre-commit, CI and the command line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from . import notebook
from .errors import ProjectError
from .project import Notebook, Project, is_project

FOLDERS = ("data", "notebooks", "results", "src")
FILES = ("pyproject.toml", "README.md", ".gitignore", "data/README.md")
IGNORED = (
    *(f"*.{suffix}" for suffix in ("h5ad", "h5mu", "h5", "npy", "npz", "pkl", "parquet")),
    *("*.zarr/", "*.joblib", "*.loom", "*.feather", "/data/**", "!/data/**/README.md"),
    *(".ipynb_checkpoints/", "__pycache__/", ".venv/", ".env", ".staging-*/", ".commit/", ".lock"),
)


class Problem(NamedTuple):
    """Something in a project that breaks a rule.

    Attributes
    ----------
    rule
        The rule's name.
    where
        The file, and the cell by its first line.
    what
        What is wrong.
    todo
        What to do.
    """

    rule: str
    where: str
    what: str
    todo: str

    @property
    def advice(self) -> str:
        """What is wrong, what to do, and the rule that says so."""
        return f"{self.what}. {self.todo}. [{self.rule}]"

    def __str__(self) -> str:
        return f"{self.where}: {self.advice}"


def check(root: Path) -> list[Problem]:
    """Hold a project against the rules.

    Parameters
    ----------
    root
        The top of the project.

    Returns
    -------
    list of Problem
        In the order of the tree; empty for a project that follows the rules.
    """
    project = Project(root)
    problems = [*_tree(project), *_gitignore(root)]
    if project.notebooks.is_dir():
        problems += _numbers(project)
        for step in project.steps():
            problems += _notebook(project, step)
    return problems


def check_new(root: Path) -> list[Problem]:
    """Hold a project that was just generated against the rules, which are stricter then."""
    project = Project(root)
    problems = check(root)
    for step in project.steps():
        if not project.results_of(step.step).is_dir():
            where = f"results/{step.step}"
            problems.append(Problem("tree", where, "is not there", "Make it"))
        problems += _uncleared(project, step)
    return problems


def _tree(project: Project) -> Iterator[Problem]:
    missing = [name for name in FOLDERS if not (project.root / name).is_dir()]
    missing += [name for name in FILES if not (project.root / name).is_file()]
    for name in missing:
        yield Problem("tree", name, "is not there", "Every project has it")
    if "pyproject.toml" not in missing and not is_project(project.root):
        yield Problem("tree", "pyproject.toml", "has no [tool.checkpoint] table", "Add it, empty")
    if not list(project.root.glob("src/*/checkpoint/__init__.py")):
        yield Problem("tree", "src", "has no package with checkpoint/ in it", "Put it back")
    if "notebooks" not in missing and not project.steps():
        yield Problem("tree", "notebooks", "has no numbered notebook", "Add 1_<name>.ipynb")


def _gitignore(root: Path) -> Iterator[Problem]:
    path = root / ".gitignore"
    if not path.is_file():
        return  # `_tree` has said so
    lines = set(path.read_text(encoding="utf-8", errors="replace").splitlines())
    for rule in IGNORED:
        if rule not in lines:
            yield Problem("gitignore", ".gitignore", f"lacks the line {rule}", "Put it back")


def _numbers(project: Project) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for step in project.steps():
        if step.number in seen:
            yield Problem(
                "number",
                project.show(step.path),
                f"has the number of {seen[step.number]}",
                "Give each notebook a number of its own",
            )
        seen[step.number] = step.path.name


def _notebook(project: Project, step: Notebook) -> Iterator[Problem]:
    where = project.show(step.path)
    try:
        content = notebook.read(step.path)
    except ProjectError as error:
        yield Problem("nbformat", where, f"cannot be read: {error}", "Restore the file")
        return
    reasons = list(notebook.invalid(content))
    for reason in reasons:
        yield Problem("nbformat", where, reason, "Open and save it in JupyterLab")
    if reasons:
        return
    kernel = (content["metadata"].get("kernelspec") or {}).get("name")
    if kernel != "python3":
        yield Problem("kernel", where, f"asks for the kernel {kernel!r}", "Choose Python 3")
    names = notebook.imported(content)
    yield from _load_cell(project, step, content, names)
    yield from _save_cell(project, step, content, names)


def _load_cell(
    project: Project, step: Notebook, content: dict[str, Any], names: dict[str, str]
) -> Iterator[Problem]:
    where = project.show(step.path)
    cells = notebook.tagged(content, notebook.LOAD_TAG)
    if len(cells) != 1:
        yield Problem(
            "load-cell",
            where,
            f"has {len(cells)} cells tagged {notebook.LOAD_TAG}",
            "Tag the one cell that loads",
        )
    earlier = [other.step for other in project.steps() if other.number < step.number]
    for cell in cells:
        for call in notebook.calls(notebook.source_of(cell), names) or ():
            if call.function != "load" or call.argument is None:
                continue
            loaded = call.argument.partition("/")[0]
            if loaded not in (*earlier, step.step):
                yield Problem(
                    "load-step",
                    f"{where}, cell `{notebook.first_line(cell)}`",
                    f"loads {call.argument!r}, which no earlier notebook makes",
                    f"Load one of {', '.join(earlier)}" if earlier else "Read data/ instead",
                )


def _save_cell(
    project: Project, step: Notebook, content: dict[str, Any], names: dict[str, str]
) -> Iterator[Problem]:
    where = project.show(step.path)
    cells = notebook.tagged(content, notebook.SAVE_TAG)
    if len(cells) != 1:
        yield Problem(
            "save-cell",
            where,
            f"has {len(cells)} cells tagged {notebook.SAVE_TAG}",
            "Tag the one cell that saves",
        )
    for cell in cells:
        calls = notebook.calls(notebook.source_of(cell), names)
        saved = [call.argument for call in calls or () if call.function == "save"]
        if calls is None:
            yield Problem("save-cell", where, "has a save cell that is not Python", "Mend it")
        elif not saved:
            yield Problem("save-cell", where, "has a save cell without save(…)", "Put it back")
        for argument in saved:
            if argument is not None and argument.partition("/")[0] != step.step:
                yield Problem(
                    "save-step",
                    f"{where}, cell `{notebook.first_line(cell)}`",
                    f"saves as {argument!r}",
                    f'Save as "{step.step}", the notebook\'s own name',
                )


def _uncleared(project: Project, step: Notebook) -> Iterator[Problem]:
    try:
        content = notebook.read(step.path)
    except ProjectError:
        return  # `check` has said so
    for cell in content.get("cells", []):
        if cell.get("outputs") or cell.get("execution_count"):
            yield Problem("outputs", project.show(step.path), "has outputs", "Clear them")
            return
