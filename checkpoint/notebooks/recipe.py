"""Steps that do not call `save`: commands, and notebooks in other languages than Python.

They write into a folder that the environment variable `CHECKPOINT_OUTPUT` names.
"""

import re
from collections.abc import Iterable
from itertools import dropwhile
from pathlib import Path
from typing import Any, NamedTuple

from ..files import LEFTOVERS, below
from ..project.chain import Step
from ..project.project import Project
from ..project.settings import FILE, Entry
from .notebook import language, read_whole, sources

OUTPUT = "CHECKPOINT_OUTPUT"
NOTHING = Entry([], [], [], [])
# what lets other files run, which may write
INCLUDES = re.compile(r"\b(?:source|include|system2?|run|Rscript)\s*\(")
PATH = re.compile(r"[\w.+-]+(?:/[\w.+-]+)+|[\w+-]+\.\w+")


class Recipe(NamedTuple):
    """What such a step is made with; files are relative to the project."""

    entry: Entry  # what `[tool.checkpoint.steps]` says of it
    code: list[str]  # the files of its code, its notebook among them
    loads: list[str]  # of the setting, and the steps whose results its code spells out
    reads: list[str]  # other files, likewise


def makes_nothing(project: Project, step: Step, sources: Iterable[str]) -> bool:
    """Tell whether the code of a notebook in another language knows nothing of checkpoints."""
    texts = _texts(project, (step.entry or NOTHING).code)
    known = ("checkpoint" in text.lower() or INCLUDES.search(text) for text in (*sources, *texts))
    return not any(known)


def recipe_of(project: Project, step: Step, content: dict[str, Any] | None = None) -> Recipe | None:
    """Return what a step is made with; None for a notebook that calls `save`.

    `content` is that of its notebook, if it was read already. Raises `ProjectError` if it cannot
    be read.
    """
    entry = step.entry or NOTHING
    texts, code = [" ".join(entry.run)], code_files(project, entry)
    other_texts = _texts(project, code)
    if not step.is_script:
        content = read_whole(step.path) if content is None else content
        if language(content) == "python":
            return None
        texts += sources(content)
        code.insert(0, project.show(step.path))
    texts += other_texts
    # from the project's top or from its notebooks
    paths_in_code = (Path(word).parts for text in texts for word in PATH.findall(text))
    places = [tuple(dropwhile("..".__eq__, parts)) for parts in paths_in_code]
    steps = {known.name for known in project.steps()} - {step.name}
    loads = [parts[1] for parts in places if parts[:1] == ("results",) and parts[1:2]]
    known = [name for name in dict.fromkeys(loads) if name in steps]
    named = {loaded.partition("/")[0] for loaded in entry.loads}
    reads = {Path(*parts).as_posix() for parts in places if _is_input(project, parts)}
    return Recipe(
        entry,
        code,
        [*entry.loads, *(name for name in known if name not in named)],
        sorted({*entry.reads, *reads} - {*code, FILE}),
    )


def code_files(project: Project, entry: Entry) -> list[str]:
    """Return the files of the code of a step, in place of a folder those that are below it."""
    names: list[str] = []
    for name in entry.code:
        path = project.root / name
        inside = (file.relative_to(path) for file in below(path) if file.is_file())
        names += [
            project.show(path / file)
            for file in inside
            if not any(part[0] == "." or part in LEFTOVERS for part in file.parts)
        ] or [name]
    return list(dict.fromkeys(names))


def _texts(project: Project, names: Iterable[str]) -> list[str]:
    paths = (project.root / name for name in names)
    return [path.read_text(encoding="utf-8", errors="replace") for path in paths if path.is_file()]


def _is_input(project: Project, parts: tuple[str, ...]) -> bool:
    """Tell whether a path in some code is a file of the project that no step makes."""
    if not parts or ".." in parts or parts[0] in ("results", "notebooks"):
        return False
    return project.root.joinpath(*parts).is_file()
