"""Check that the notebook that saves is the one whose results it would replace."""

from pathlib import Path
from unicodedata import normalize

from ..errors import CheckpointError, ProjectError
from ..project import caller
from ..project.chain import Step
from ..project.project import Project
from . import notebook
from .graph import saved_in


def refuse_another(project: Project, step: str) -> None:
    """Raise if a copy of a step's notebook saves, or one renamed without `checkpoint rename`.

    Does nothing in a script, or if the front end does not name the notebook. The `CheckpointError`
    names the notebook that saves, and says what to do.
    """
    file = caller.notebook()
    if file is None or not isinstance(step, str):
        return
    name, slash, part = step.partition("/")
    own = project.notebook(name)
    another = _copy(project, own, file) if file.is_file() else _renamed(project, own, file)
    if another is None:
        return
    inside = another.is_relative_to(project.root)
    shown = project.show(another) if inside else str(another)
    other_name = f"save as {another.stem + slash + part!r}"
    if own.is_file():
        what = f"{shown} would replace results/{step}, which {project.show(own)} makes"
        keep = "rename one of them" if another.stem == name else other_name
        todo = (
            f"To keep both, {keep}. If it was renamed since the kernel started, restart the kernel"
        )
    elif project.is_of_a_notebook(name):
        what = f"{shown} saves as {step!r}, but {project.show(own)} does not exist"
        finish = f"close it, run `checkpoint rename {name} {another.stem}`, and open it again"
        if another.parent != own.parent:
            finish = "move it back"
        todo = f"If you renamed that notebook, {finish}. If this is another one, {other_name}"
    else:
        return  # results of a script may have any name
    raise CheckpointError(
        f"Nothing was saved: {what}. {todo}.",
        step=step,
        file=shown,
        expected=own.name,
        found=another.name,
    )


def written_back(project: Project) -> list[tuple[Step, Step]]:
    """Return pairs of a notebook that an editor may have saved under its old name, and the new one.

    Such a notebook was open while it was renamed. It has most of its cell ids, and its number or
    label, in common with another notebook, saves under its own name, and has no results, since
    these were renamed, too.
    """
    steps = [step for step in project.steps() if not step.is_script]
    pairs = [
        (old, new)
        for old in steps
        for new in steps
        if old != new and (_number(old) == _number(new) or old.label == new.label)
    ]
    return [(old, new) for old, new in pairs if _is_left_of(project, old, new)]


def renamed_from(project: Project, name: str) -> Path | None:
    """Return the notebook that saves a step of which the own notebook is gone, if there is one.

    It was probably renamed without `checkpoint rename`.
    """
    if not project.is_of_a_notebook(name) or project.notebook(name).exists():
        return None
    others = (path for path in project.notebook_files() if path.stem != name)
    saving = (path for path in others if saves_as(path, name))
    return next((path for path in saving if not saves_as(path, path.stem)), None)


def saves_as(path: Path, name: str) -> bool:
    """Tell whether a notebook saves a step, or a sub-checkpoint of it."""
    try:
        saved = saved_in(notebook.sources(notebook.read_whole(path)))
    except ProjectError:
        return False
    return any(step.partition("/")[0] == name for step in saved if step)


def _number(step: Step) -> str:
    return step.number.text if step.number else step.name


def _is_left_of(project: Project, old: Step, new: Step) -> bool:
    if _has_saved(project, old) or not _has_saved(project, new):
        return False
    try:
        ids = [
            {cell.get("id") for cell in notebook.code_cells(notebook.read_whole(step.path))}
            for step in (old, new)
        ]
    except ProjectError:
        return False
    common = ids[0] & ids[1] - {None}
    return len(common) * 2 > len(ids[0]) and saves_as(old.path, old.name)


def _has_saved(project: Project, step: Step) -> bool:
    return (project.results_of(step.name) / "params.json").exists()


def _copy(project: Project, own: Path, file: Path) -> Path | None:
    """Return the notebook that saves, unless it is the step's own, or the only one of its name."""
    if _same_name(own, file):
        # CHECKPOINT_PROJECT permits saves from a notebook outside the project
        inside = file.is_relative_to(project.root)
        return file if inside and own.is_file() and not own.samefile(file) else None
    return file


def _renamed(project: Project, own: Path, file: Path) -> Path | None:
    """Return the notebook that a file, missing since the kernel started, may be called now."""
    if own.is_file() and _same_name(own, file):
        return None  # the kernel is on another machine, or a folder was renamed
    others = [path for path in project.notebook_files() if not _same_name(path, own)]
    return next((path for path in others if saves_as(path, own.stem)), None)


def _same_name(path: Path, other: Path) -> bool:
    return normalize("NFC", path.name) == normalize("NFC", other.name)
