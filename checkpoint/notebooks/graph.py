"""Find which step loads what, and which code saves it, from the calls of `load` and `save`."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import ProjectError
from ..project.chain import Step
from ..project.project import Project
from . import notebook
from .calls import calls, imported, imported_packages, texts
from .magics import parse_cell
from .recipe import recipe_of

SAVES = ("save", "parts")


class Named(NamedTuple):
    """What the code of a notebook loads and reads."""

    steps: list[str]  # and sub-checkpoints; `1_qc/` if only its step is known
    files: list[str]  # raw files, relative to `data/`
    # whether it loads by a name known only at run time, or in a cell that is not Python
    computed: bool


def named_in(sources: list[str]) -> Named:
    """Return what the code cells of a notebook load and read."""
    names = imported(sources)
    loads: list[str | None] = []
    files: list[str | None] = []
    for source in sources:
        called = calls(source, names)
        if called is None:
            loads += [None] if "load" in source else []
            continue
        loads += [call.known for call in called if call.function == "load"]
        files += [call.argument for call in called if call.function == "data_file"]
    steps, paths = (list(dict.fromkeys(filter(None, named))) for named in (loads, files))
    return Named(steps, paths, None in loads)


def saving_cell(sources: list[str], step: str) -> int | None:
    """Return the index of the last cell that saves a step; None if no cell does.

    A save whose step is known only at run time, or only in part, counts if no cell names the step.
    """
    names = imported(sources)
    saving = [
        (number, call)
        for number, source in enumerate(sources)
        for call in calls(source, names) or []
        if call.function in SAVES
    ]
    saves = [(number, call.known) for number, call in saving]
    saves += [(number, f"{call.argument}/") for number, call in saving if call.function == "parts"]
    for fits in (step.__eq__, lambda known: _is_part(known, step), lambda known: known is None):
        if numbers := [number for number, known in saves if fits(known)]:
            return numbers[-1]
    return None


def saved_in(sources: list[str]) -> list[str | None]:
    """Return the steps that the code cells of a notebook, or a module, save.

    None means a step whose name is known only at run time, or a cell that is not Python and may
    save; `1_qc/` means any sub-checkpoint of `1_qc`.
    """
    names = imported(sources)
    saved: list[str | None] = []
    for source in sources:
        cell_calls = calls(source, names)
        if cell_calls is None:
            saved += [None] if "save" in source else []
        else:
            saved += [call.known for call in cell_calls if call.function in SAVES]
    return saved


def is_foreign(sources: list[str]) -> bool:
    """Tell whether a notebook has code, and does not import or call functions of this package."""
    code = "\n".join(sources)
    if not code.strip() or saved_in(sources) or named_in(sources).steps:
        return False
    return not any(imported_packages(tree, code) for tree in filter(None, map(parse_cell, sources)))


def scripts_that_save(project: Project, step: str | None = None) -> list[Path]:
    """Return the Python files of a project that save a step or sub-checkpoint; any if None.

    Searches `scripts/`, `notebooks/` and `src/`, except the copy of this package. A file counts if
    it calls `save("<step>")`, or calls `save` with a computed name and has the step as a string
    elsewhere.
    """
    scripts = []
    for path in _python_files(project):
        source = path.read_text(encoding="utf-8", errors="replace")
        saved = saved_in([source]) if "save" in source else []
        if saved and (
            step is None
            or step in saved
            or any(_is_part(known, step) for known in saved)
            or (
                None in saved
                and any(text.value == step for text in texts(source, imported([source])) or ())
            )
        ):
            scripts.append(path)
    return scripts


def _is_part(known: str | None, step: str) -> bool:
    """Tell whether a name, known only by its beginning, may be the sub-checkpoint `step`."""
    return known is not None and known.endswith("/") and step.startswith(known)


def _python_files(project: Project) -> Iterator[Path]:
    for folder in (project.root / "scripts", project.root / "src", project.notebooks):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(project.root).parts
            if parts[0] != "src" or parts[2:3] != ("checkpoint",):
                yield path


def _named_by(project: Project, step: Step) -> Named:
    content = None if step.is_script else notebook.read_whole(step.path)
    recipe = recipe_of(project, step, content)
    if content is None or recipe:
        return Named(recipe.loads if recipe else [], [], False)
    return named_in(notebook.sources(content))


class Graph:
    """The steps of a project and their inputs; each notebook is read once, on creation.

    A notebook that cannot be read raises `ProjectError`; if `lenient`, it counts as loading
    nothing.
    """

    def __init__(self, project: Project, *, lenient: bool = False) -> None:
        self.steps = project.steps()
        # the earlier steps that each step loads, in running order; all earlier ones if it loads by
        # a name known only at run time
        self.loads: dict[str, list[str]] = {}
        self.later: dict[str, list[str]] = {}  # steps that it loads although they run after it
        # all names in its calls of `load`, with or without a notebook, including sub-checkpoints;
        # `1_qc/` for any sub-checkpoint of `1_qc`
        self.named: dict[str, list[str]] = {}
        self.computed: set[str] = set()  # the steps that load by a name known only at run time
        self.files: dict[str, list[str]] = {}  # the raw files that it names, relative to `data/`
        for step in self.steps:
            try:
                named = _named_by(project, step)
            except ProjectError:
                if not lenient:
                    raise
                named = Named([], [], False)
            loaded = {name.partition("/")[0] for name in named.steps}
            earlier = [other.name for other in self.steps if other.place < step.place]
            later = [other.name for other in self.steps if other.place >= step.place]
            self.loads[step.name] = [name for name in earlier if named.computed or name in loaded]
            self.later[step.name] = [name for name in later if name in loaded - {step.name}]
            self.named[step.name] = named.steps
            self.files[step.name] = named.files
            if named.computed:
                self.computed.add(step.name)
