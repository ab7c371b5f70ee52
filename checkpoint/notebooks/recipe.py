"""Find the code and inputs of steps that do not call `save`: commands and non-Python notebooks.

They write into the folder that the environment variable `CHECKPOINT_OUTPUT` names.
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
# calls that run other files, which may write results
INCLUDES = re.compile(r"\b(?:source|include|system2?|run|Rscript)\s*\(")
PATH = re.compile(r"[\w.+-]+(?:/[\w.+-]+)+|[\w+-]+\.\w+")


class Recipe(NamedTuple):
    """The code and inputs of such a step; files are relative to the project."""

    entry: Entry  # its settings in `[tool.checkpoint.steps]`
    code: list[str]  # its code files, including its notebook
    loads: list[str]  # the steps in its settings, and those whose results its code names
    reads: list[str]  # the other files in its settings or named in its code


def makes_nothing(project: Project, step: Step, sources: Iterable[str]) -> bool:
    """Tell whether a non-Python notebook neither mentions checkpoints nor runs other files."""
    texts = _texts(project, (step.entry or NOTHING).code)
    known = ("checkpoint" in text.lower() or INCLUDES.search(text) for text in (*sources, *texts))
    return not any(known)


def recipe_of(project: Project, step: Step, content: dict[str, Any] | None = None) -> Recipe | None:
    """Return the recipe of a step; None for a Python notebook, which calls `save`.

    `content` is the content of its notebook, if already read. Raises `ProjectError` if the notebook
    cannot be read.
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
    # paths may be relative to the project or to its notebooks
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
    """Return the code files of a step; folders are replaced by the files below them."""
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
    """Tell whether a path in code is a file of the project that no step makes."""
    if not parts or ".." in parts or parts[0] in ("results", "notebooks"):
        return False
    return project.root.joinpath(*parts).is_file()
