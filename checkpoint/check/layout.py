"""Rules about a project's files and its load and save cells; most also apply to new projects."""

from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.calls import imported_packages
from ..notebooks.copies import renamed_from, written_back
from ..notebooks.graph import SAVES, scripts_that_save
from ..project.chain import Step
from ..project.project import Project, is_project
from ..project.settings import read_entries, read_kernels, read_sources
from .rules import RULES, Finding, Problem, Rule, problems, rule
from .subjects import Cell, Notebook, NotebookFile

FOLDERS = ("data", "notebooks", "results", "src")
FILES = ("pyproject.toml", "README.md", ".gitignore", "data/README.md")
# JupyterLab would keep the old version of a notebook
UPGRADE = (
    "Upgrade it: "
    "python -c \"import nbformat as n; p = '{}'; n.write(n.v4.upgrade(n.read(p, 4)), p)\""
)
IGNORED = (
    *(f"*.{suffix}" for suffix in ("h5ad", "h5mu", "h5", "npy", "npz", "pkl", "parquet")),
    *("*.csv.gz", "*.xlsx", "*.zarr/", "*.joblib", "*.loom", "*.feather"),
    *("/data/**", "!/data/**/README.md"),
    *(".ipynb_checkpoints/", "__pycache__/", ".venv/", ".env", ".staging-*/", ".commit/", ".lock"),
)


def check_new(root: Path) -> list[Problem]:
    """Check a new project, which must have no outputs and all results folders."""
    project = Project(root)
    rules = [*(rule for rule in RULES.values() if rule.new), OUTPUTS]
    folders = [project.results_of(step.name) for step in project.steps()]
    missing = [project.show(folder) for folder in folders if not folder.is_dir()]
    return [
        *problems(project, rules),
        *(Problem("tree", name, None, "is missing", "Create this folder") for name in missing),
    ]


@rule(
    "tree",
    Project,
    finds="a missing folder or file that every project has",
    why="`load`, `save` and the command rely on it",
    new=True,
)
def _tree(project: Project) -> Iterator[Finding]:
    root = project.root
    for name in FOLDERS:
        if not (root / name).is_dir():
            yield Finding("is missing", "Create this folder", name)
    for name in FILES:
        if not (root / name).is_file():
            yield Finding("is missing", "Restore this file", name)
    if (root / "pyproject.toml").is_file() and not is_project(root):
        what = "has no [tool.checkpoint] table"
        yield Finding(what, "Add the table; it may be empty", "pyproject.toml")
    if not list(root.glob("src/*/checkpoint/__init__.py")):
        what = "has no package with a checkpoint/ folder"
        yield Finding(what, "Restore src/<package>/checkpoint/", "src")
    if project.notebooks.is_dir() and not project.steps():
        what = "has no notebook with a number"
        yield Finding(what, "Add one, such as 1_preprocessing.ipynb", "notebooks")


@rule(
    "gitignore",
    Project,
    finds="a missing line of `.gitignore`",
    why="it keeps raw data, large results and temporary files out of git",
    new=True,
)
def _gitignore(project: Project) -> Iterator[Finding]:
    path = project.root / ".gitignore"
    if not path.is_file():
        return  # the rule `tree` reports it
    lines = set(path.read_text(encoding="utf-8", errors="replace").splitlines())
    for line in IGNORED:
        if line not in lines:
            yield Finding(f"lacks the line `{line}`", "Restore it", ".gitignore")


@rule(
    "number",
    Project,
    finds="two notebooks with the same number",
    why="the numbers define the running order",
    new=True,
)
def _number(project: Project) -> Iterator[Finding]:
    seen: dict[int, str] = {}
    for step in project.steps():
        if step.place in seen:
            what = f"has the same number as {seen[step.place]}"
            yield Finding(what, "Give each notebook its own number", project.show(step.path))
        seen[step.place] = step.source


@rule(
    "not-a-step",
    Project,
    finds="a notebook that belongs to no step, and an entry of `order` without a notebook",
    why="`run` and `status` do not know it",
    new=True,
)
def _not_a_step(project: Project) -> Iterator[Finding]:
    for path, reason in project.others():
        todo = "Give it a number of its own, as in 4_umap.ipynb"
        if reason.startswith("is not listed"):
            todo = "List it in pyproject.toml"
        yield Finding(f"{reason}, so it is not a step", todo, project.show(path))
    for name in project.not_there():
        what = f"[tool.checkpoint] order lists {name!r}, which does not exist"
        todo = or_rename(project, name.rpartition("/")[2], "Correct the list")
        yield Finding(what, todo, "pyproject.toml")


@rule(
    "written-back",
    Project,
    finds="a notebook that an editor wrote back under its old name after a rename",
    why="it would run and save beside the renamed one",
)
def _written_back(project: Project) -> Iterator[Finding]:
    for old, new in written_back(project):
        yield Finding(
            f"has the cells of {new.path.name} and no results; an editor that had it open may have "
            "written it back after a rename",
            f"Close its tab without saving and delete it, after taking over what is new in it. If "
            f"it is a copy that you need, rename it with `checkpoint rename {old.name} NAME`",
            project.show(old.path),
        )


@rule(
    "nbformat",
    NotebookFile,
    finds="a notebook that is not valid nbformat 4.5",
    why="other tools may reject it, and older versions have no cell ids",
    new=True,
)
def _nbformat(file: NotebookFile) -> Iterator[Finding]:
    if file.content is None:
        yield Finding(file.error, "Restore the file")
        return
    old = notebook.other_version(file.content)
    for reason in notebook.invalid(file.content):
        todo = UPGRADE.format(file.where) if reason == old else "Open it in JupyterLab and save it"
        yield Finding(reason, todo)


@rule(
    "kernel",
    Notebook,
    finds="a notebook whose kernel is neither `python3` nor set in `[tool.checkpoint.kernels]`",
    why="a kernel with another name may be missing on other machines",
    new=True,
)
def _kernel(judged: Notebook) -> Iterator[Finding]:
    name = notebook.kernel(judged.content)
    try:
        expected = read_kernels(judged.project).get(judged.step.name, "python3")
    except ProjectError:
        return  # the rule `settings` reports it
    if name != "python3" and name != expected:
        what = f"has the kernel {name!r}; expected {expected!r}"
        yield Finding(
            what,
            "Choose the kernel Python 3 (ipykernel) and save the notebook, or set its kernel in "
            f"pyproject.toml: [tool.checkpoint.kernels] {judged.step.name} = …",
        )


@rule(
    "step-settings",
    Project,
    finds="settings of a step that does not exist, or that name files or steps that do not",
    why="the step could not be made",
    new=True,
)
def _step_settings(project: Project) -> Iterator[Finding]:
    steps = project.steps()
    names = [step.name for step in steps]
    try:
        entries, kernels = read_entries(project), read_kernels(project)
    except ProjectError:
        return  # the rule `settings` reports it
    for name in [name for name in (*entries, *kernels) if name not in names]:
        what = f"has settings of {name}, which is not a step"
        yield Finding(what, "Correct its name, or remove them", "pyproject.toml")
    for step in steps:
        entry = entries.get(step.name)
        if entry is None:
            continue
        where = f"[tool.checkpoint.steps.{step.name}]"
        if entry.run and not step.is_script:
            what = f"{where}: `run` makes what {project.show(step.path)} makes"
            yield Finding(what, "Remove `run`, or rename the notebook", "pyproject.toml")
        elif not step.is_script and _is_in_python(step):
            what = f"{where} has no effect: the notebook itself tells what it loads and reads"
            yield Finding(what, "Remove it", "pyproject.toml")
        for file in entry.code:
            if not (project.root / file).exists():
                yield Finding(f"{where}: {file} does not exist", "Correct it", "pyproject.toml")
        earlier = [other.name for other in steps if other.place < step.place]
        for loaded in entry.loads:
            if loaded.partition("/")[0] not in earlier:
                what = f"{where}: loads {loaded}, which is not an earlier step"
                yield Finding(what, "Correct it", "pyproject.toml")


def _is_in_python(step: Step) -> bool:
    try:
        return notebook.language(notebook.read_whole(step.path)) == "python"
    except ProjectError:
        return False  # another rule reports it


@rule(
    "load-cell",
    Notebook,
    finds="not exactly one cell tagged `checkpoint-load`",
    why="it shows readers what the notebook needs",
    new=True,
)
def _load_cell(judged: Notebook) -> Iterator[Finding]:
    yield from _tag_count(judged, notebook.LOAD_TAG, "loads")


@rule(
    "save-cell",
    Notebook,
    finds="not exactly one cell tagged `checkpoint-save`, or one that does not call `save`",
    why="it shows readers what the notebook passes on",
    new=True,
)
def _save_cell(judged: Notebook) -> Iterator[Finding]:
    yield from _tag_count(judged, notebook.SAVE_TAG, "saves")
    for cell in judged.tagged(notebook.SAVE_TAG):
        if cell.tree is None:
            yield Finding("is not valid Python", "Fix the syntax error", cell=cell.line)
        elif not any(call.function in SAVES for call in cell.own_calls):
            yield Finding("does not call save(…)", "Restore the call", cell=cell.line)


def _tag_count(judged: Notebook, tag: str, verb: str) -> Iterator[Finding]:
    count = len(judged.tagged(tag))
    if count != 1:
        what = f"has {count} cells tagged `{tag}`; expected 1"
        yield Finding(what, f"Add this tag to the cell that {verb} and to no other")


@rule(
    "load-later",
    Cell,
    finds="loading a step that runs later",
    why="notebooks run in the order of their numbers",
    new=True,
)
def _load_later(cell: Cell) -> Iterator[Finding]:
    for argument, known in _not_earlier(cell):
        if known:
            yield Finding(f"loads {argument!r}, which runs later", _load_instead(cell))


@rule(
    "load-unknown",
    Cell,
    finds="loading a step that has no notebook, script or entry in `sources`",
    why="its results cannot be regenerated",
    new=True,
)
def _load_unknown(cell: Cell) -> Iterator[Finding]:
    for argument, known in _not_earlier(cell):
        project, step = cell.notebook.project, argument.partition("/")[0]
        if not (known or step in with_sources(project) or scripts_that_save(project, argument)):
            todo = or_rename(project, step, _load_instead(cell))
            yield Finding(f"loads {argument!r}, which has no notebook", todo)


def or_rename(project: Project, step: str, todo: str) -> str:
    """Return what to do about a step without a notebook, which may have been renamed."""
    if new := renamed_from(project, step):
        how = f"`checkpoint rename {step} {new.stem}`"
        otherwise = f"Otherwise, {todo[0].lower()}{todo[1:]}"
        return f"If you renamed {step}.ipynb to {new.name}, run {how}. {otherwise}"
    return todo


def with_sources(project: Project) -> list[str]:
    """Return the steps whose results can be fetched; none if the settings cannot be read."""
    try:
        return list(read_sources(project))
    except ProjectError:
        return []  # the rule `settings` reports it


def _not_earlier(cell: Cell) -> Iterator[tuple[str, bool]]:
    """Yield what a cell loads that no earlier notebook saves, and whether a later one does."""
    this, steps = cell.notebook.step, cell.notebook.steps
    for call in cell.own_calls:
        name = call.step
        if call.function == "load" and name is not None and call.known is not None:
            loaded = [step for step in steps if step.name == name]
            if name != this.name and not any(step.place < this.place for step in loaded):
                yield call.known, bool(loaded)


def _load_instead(cell: Cell) -> str:
    this, steps = cell.notebook.step, cell.notebook.steps
    earlier = [step.name for step in steps if step.place < this.place]
    return f"Load one of {', '.join(earlier)}" if earlier else "Read data/ with data_file(…)"


@rule(
    "save-step",
    Cell,
    finds="saving under the name of another notebook",
    why="it overwrites the results of that notebook",
    new=True,
)
def _save_step(cell: Cell) -> Iterator[Finding]:
    own = cell.notebook.step.name
    for call in cell.own_calls:
        if call.function in SAVES and call.step not in (None, own):
            what = f"saves as {call.known!r}; expected {own!r}"
            todo = f'Write save("{own}", …), the name of the notebook'
            yield Finding(what, or_rename(cell.notebook.project, call.step, todo))


@rule(
    "other-project",
    Cell,
    finds="importing `load` or `save` from the package of another project",
    why="it would read that project's results; `save` is refused",
    new=True,
)
def _other_project(cell: Cell) -> Iterator[Finding]:
    if not cell.tree or "checkpoint" not in cell.source:
        return
    packages = cell.notebook.project.packages
    code = "\n".join(other.source for other in cell.notebook.cells)
    for package in imported_packages(cell.tree, code) if packages else ():
        if package not in packages:
            what = f"imports {package}.checkpoint, which belongs to another project"
            yield Finding(what, f"Import from {packages[0]}.checkpoint")


def _outputs(judged: Notebook) -> Iterator[Finding]:
    if any(cell.json["outputs"] or cell.json["execution_count"] for cell in judged.cells):
        yield Finding("has outputs", "Clear them")


# not registered: people's notebooks have outputs
OUTPUTS = Rule("outputs", Notebook, _outputs, "outputs", "they are not of this project", new=True)
