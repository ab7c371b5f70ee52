"""The rules of a project, for the post-gen hook, pre-commit, CI and the command line.

Here are those of the layout, which a new project is held against. `habits` has those that matter
once people have worked in it.
"""

from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError
from ..notebooks import calls, notebook
from ..project.chain import Step
from ..project.project import Project, is_project
from .problem import Problem

FOLDERS = ("data", "notebooks", "results", "src")
FILES = ("pyproject.toml", "README.md", ".gitignore", "data/README.md")
# JupyterLab leaves the version of a notebook as it is
UPGRADE = (
    "Upgrade it: "
    "python -c \"import nbformat as n; p = '{}'; n.write(n.v4.upgrade(n.read(p, 4)), p)\""
)
IGNORED = (
    *(f"*.{suffix}" for suffix in ("h5ad", "h5mu", "h5", "npy", "npz", "pkl", "parquet")),
    *("*.zarr/", "*.joblib", "*.loom", "*.feather", "/data/**", "!/data/**/README.md"),
    *(".ipynb_checkpoints/", "__pycache__/", ".venv/", ".env", ".staging-*/", ".commit/", ".lock"),
)


def check(root: Path) -> list[Problem]:
    """Hold a project against the rules.

    Parameters
    ----------
    root
        The top of the project.

    Returns
    -------
    list of Problem
        Empty for a project that follows the rules, but for those that it switches off in
        `[tool.checkpoint]`.
    """
    from ..project.settings import read_settings
    from . import habits  # with what it needs, nothing for the post-gen hook

    if not is_project(root) and not (root / "notebooks").is_dir():
        what = "is no project: it has no pyproject.toml with a [tool.checkpoint] table"
        return [Problem("tree", ".", None, what, "Name the top folder of one")]
    problems = layout_problems(root)
    ignored: list[str] = []
    if (root / "pyproject.toml").is_file():
        try:
            ignored = read_settings(Project(root)).ignore
        except ProjectError as error:
            text = str(error).removeprefix("pyproject.toml: ").rstrip(".")
            problems.append(Problem("settings", "pyproject.toml", None, text, "Mend it"))
    problems += habits.problems(Project(root), ignored)
    return [problem for problem in problems if problem.rule not in ignored]


def check_new(root: Path) -> list[Problem]:
    """Hold a project that was just generated against the rules, which are stricter then."""
    problems = layout_problems(root, new=True)
    project = Project(root)
    for step in project.steps():
        if not project.results_of(step.name).is_dir():
            where = f"results/{step.name}"
            problems.append(Problem("tree", where, None, "is not there", "Make it"))
    return problems


def layout_problems(root: Path, *, new: bool = False) -> list[Problem]:
    """Hold a project against the rules of the layout; in a new one no notebook has outputs."""
    project = Project(root)
    problems = [*_tree(project), *_gitignore(root)]
    if project.notebooks.is_dir():
        problems += _numbers(project)
        for step in project.steps():
            problems += _notebook(project, step, new)
    return problems


def _tree(project: Project) -> Iterator[Problem]:
    missing = [name for name in FOLDERS if not (project.root / name).is_dir()]
    missing += [name for name in FILES if not (project.root / name).is_file()]
    for name in missing:
        yield Problem("tree", name, None, "is not there", "Every project has it")
    if "pyproject.toml" not in missing and not is_project(project.root):
        what = "has no [tool.checkpoint] table"
        yield Problem("tree", "pyproject.toml", None, what, "Add it, empty")
    if not list(project.root.glob("src/*/checkpoint/__init__.py")):
        yield Problem("tree", "src", None, "has no package with checkpoint/ in it", "Put it back")
    if "notebooks" not in missing and not project.steps():
        yield Problem("tree", "notebooks", None, "has no numbered notebook", "Add 1_<name>.ipynb")


def _gitignore(root: Path) -> Iterator[Problem]:
    path = root / ".gitignore"
    if not path.is_file():
        return  # `_tree` has said so
    lines = set(path.read_text(encoding="utf-8", errors="replace").splitlines())
    for rule in IGNORED:
        if rule not in lines:
            yield Problem("gitignore", ".gitignore", None, f"lacks the line {rule}", "Put it back")


def _numbers(project: Project) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for step in project.steps():
        if step.number in seen:
            yield Problem(
                "number",
                project.show(step.path),
                None,
                f"has the number of {seen[step.number]}",
                "Give each notebook a number of its own",
            )
        seen[step.number] = step.path.name


def _notebook(project: Project, step: Step, new: bool) -> Iterator[Problem]:
    where = project.show(step.path)
    try:
        content = notebook.read(step.path)
    except ProjectError as error:
        yield Problem("nbformat", where, None, f"cannot be read: {error}", "Restore the file")
        return
    for reason in notebook.invalid(content):
        old = reason == notebook.other_version(content)
        todo = UPGRADE.format(where) if old else "Open and save it in JupyterLab"
        yield Problem("nbformat", where, None, reason, todo)
    if any(notebook.broken(content)):
        return
    kernelspec = content["metadata"].get("kernelspec")
    kernel = kernelspec.get("name") if isinstance(kernelspec, dict) else None
    if kernel != "python3":
        yield Problem("kernel", where, None, f"asks for the kernel {kernel!r}", "Choose Python 3")
    yield from _tagged_cells(where, content)
    yield from _calls(project, step, content)
    if new and any(
        cell["outputs"] or cell["execution_count"] for cell in notebook.code_cells(content)
    ):
        yield Problem("outputs", where, None, "has outputs", "Clear them")


def _tagged_cells(where: str, content: dict) -> Iterator[Problem]:
    for tag, verb in ((notebook.LOAD_TAG, "loads"), (notebook.SAVE_TAG, "saves")):
        cells = notebook.tagged(content, tag)
        if len(cells) != 1:
            rule = f"{tag.partition('-')[2]}-cell"
            what = f"has {len(cells)} cells tagged {tag}"
            yield Problem(rule, where, None, what, f"Tag the one cell that {verb}")


def _calls(project: Project, step: Step, content: dict) -> Iterator[Problem]:
    """Tell which cells load or save under a name that does not fit."""
    where = project.show(step.path)
    names = calls.imported(notebook.sources(content))
    saving = notebook.tagged(content, notebook.SAVE_TAG)
    for cell in notebook.code_cells(content):
        source = notebook.source_of(cell)
        if cell not in saving and not any(name in source for name in names):
            continue  # most cells, and parsing takes time
        line = notebook.first_line(source)
        found = calls.calls(source, names)
        if cell in saving and found is None:
            yield Problem("save-cell", where, line, "is not Python", "Mend it")
        elif cell in saving and not any(call.function == "save" for call in found or ()):
            yield Problem("save-cell", where, line, "has no save(…)", "Put it back")
        for call in found or ():
            yield from _misnamed(project, step, line, call)


def _misnamed(project: Project, step: Step, line: str, call: calls.Call) -> Iterator[Problem]:
    where = project.show(step.path)
    named = (call.argument or "").partition("/")[0]
    if call.argument is None or named == step.name:
        return
    if call.function == "save":
        todo = f'Save as "{step.name}", the notebook\'s own name'
        yield Problem("save-step", where, line, f"saves as {call.argument!r}", todo)
    elif call.function == "load":
        steps = project.steps()
        earlier = [other.name for other in steps if other.number < step.number]
        if named in earlier:
            return
        known = named in (other.name for other in steps)
        rule, which = ("load-later", "which runs later") if known else ("load-unknown", "")
        what = f"loads {call.argument!r}, {which or 'which no notebook makes'}"
        todo = f"Load one of {', '.join(earlier)}" if earlier else "Read data/ instead"
        yield Problem(rule, where, line, what, todo)
