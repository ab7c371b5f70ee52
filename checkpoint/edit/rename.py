"""Let the code, settings and records of a project call steps by other names.

Names are found in the syntax tree, as arguments of `load`, `save` and `figures`. What cannot be
found so, because it is computed or stands in a text or a shell line, is listed, and then nothing
is changed.
"""

import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.calls import Call, calls, imported, texts
from ..notebooks.magics import magics
from ..project.project import Project
from ..project.settings import parse_toml, read_settings, read_toml
from ..storage import hashes, store
from ..text import json_text
from .change import Change

FUNCTIONS = ("load", "save", "figures")
FOLDERS = ("src", "scripts", "notebooks", "tests")
OTHER_TEXTS = (
    *("*.md", "*.rst", "*.txt", "*.sh", "*.yml", "*.yaml", "*.toml", "*.smk", "Makefile"),
    *("docs/**/*.md", "data/*.md", "scripts/**/*", "profiles/**/*.yaml", ".github/**/*.yml"),
)


class Renamed(NamedTuple):
    """A piece of code after a renaming.

    Attributes
    ----------
    source
        The code.
    unsafe
        What in it cannot be renamed safely, in words.
    """

    source: str
    unsafe: list[str]


# a step that is to be no more, and that nothing may name, has None
NewNames = Mapping[str, str | None]


def rename_steps(project: Project, change: Change, new_names: NewNames) -> None:
    """Add to a change all that has to be rewritten when steps get other names.

    Parameters
    ----------
    project
        The project.
    change
        What else is to happen: the moves of the notebooks and results.
    new_names
        New names of steps by their old ones; None for a step that will be no more.

    Raises
    ------
    ProjectError
        If something cannot be renamed safely; the message lists it all.
    """
    kept = {old: new for old, new in new_names.items() if new is not None}
    rewritten = _Rewritten(project, new_names, change)
    for path in project.notebook_files():
        if path.stem in kept or path.stem not in new_names:
            rewritten.add_notebook(path)
    for path in _modules(project):
        rewritten.add_module(path)
    unsafe = [*rewritten.unsafe, *_rename_settings(project, kept, change)]
    if unsafe:
        listed = "\n".join(f"  {what}" for what in unsafe)
        raise ProjectError(
            "Nothing was changed, since this cannot be renamed safely:\n"
            f"{listed}\nWrite the step's name as plain text in load(…), save(…) or figures(…)."
        )
    for folder in project.results.glob("*/"):  # rglob would not enter one that is a link
        for path in sorted(folder.rglob(store.RECORD)):
            _rename_record(path, kept, rewritten.codes, change)


def rename_code(source: str, names: Mapping[str, str], new_names: NewNames) -> Renamed:
    """Rename steps in one cell or module.

    Parameters
    ----------
    source
        The code.
    names
        What our functions are called there, from `imported`.
    new_names
        New names of steps by their old ones; None for a step that nothing may name.
    """
    unsafe = [
        f"`{notebook.shortened(line)}` names {step}"
        for line in magics(source)
        for step in new_names
        if mentions(line, step)
    ]
    found = calls(source, names)
    if found is None:
        named = [step for step in new_names if mentions(source, step)]
        return Renamed(source, [f"{step} is named in a cell that is not Python" for step in named])
    for call in reversed(found):
        if call.function not in FUNCTIONS:
            continue
        if call.argument is None:
            unsafe.append(f"`{call.line}` names a step that is known only when it runs")
            continue
        step, slash, part = call.argument.partition("/")
        new = new_names.get(step)
        if new is not None:
            source = _replace(source, call, f"{new}{slash}{part}")
        elif step in new_names:
            unsafe.append(f"`{call.line}` names {step}")
    for text in texts(source, names) or ():
        parts = re.split(r"[/\\]", text.value)
        named = [step for step in new_names if {step, f"{step}.ipynb"}.intersection(parts)]
        unsafe += [f"`{text.line}` names {step} in a text" for step in named]
    return Renamed(source, unsafe)


def mentions(text: str, step: str) -> bool:
    """Tell whether a text has the name of a step as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(step)}(?![\w-])", text) is not None


def still_mentioned(project: Project, step: str) -> Iterator[str]:
    """Tell where texts and comments, which are not code, have the name of a step."""
    for path in project.notebook_files():
        try:
            cells = notebook.read_whole(path)["cells"]
        except ProjectError:
            continue  # nothing in it was renamed either
        for line in (line for cell in cells for line in notebook.source_of(cell).splitlines()):
            if mentions(line, step):
                yield f"{project.show(path)}: `{notebook.shortened(line)}`"
    others = {path for kind in OTHER_TEXTS for path in project.root.glob(kind) if path.is_file()}
    for path in sorted(others):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if mentions(line, step):
                yield f"{project.show(path)}, line {number}: `{notebook.shortened(line)}`"


class _Rewritten:
    """The notebooks and modules that a renaming rewrites.

    Attributes
    ----------
    codes
        The hashes of rewritten cells and modules, by what they were.
    unsafe
        What cannot be renamed safely, with its place.
    """

    def __init__(self, project: Project, new_names: NewNames, change: Change) -> None:
        self.codes: dict[str, str] = {}
        self.unsafe: list[str] = []
        self._project = project
        self._new_names = new_names
        self._change = change

    def add_notebook(self, path: Path) -> None:
        shown, there = self._project.show(path), path.read_bytes()
        try:
            content = notebook.read_whole(path)
        except ProjectError as error:
            text = there.decode("utf-8", "replace")
            named = [step for step in self._new_names if mentions(text, step)]
            self.unsafe += [f"{shown} names {step}, and cannot be read: {error}" for step in named]
            return
        before = notebook.sources(content)
        names = imported(before)
        for cell in notebook.code_cells(content):
            source = notebook.source_of(cell)
            where = f"{shown}, cell `{notebook.first_line(source)}`"
            renamed = self._rename(source, names, where)
            if renamed != source:
                lines = renamed.splitlines(keepends=True)
                cell["source"] = lines if isinstance(cell["source"], list) else renamed
        if notebook.sources(content) != before:
            self._change.rewrite(path, there, notebook.dumps(content).encode())

    def add_module(self, path: Path) -> None:
        shown, content = self._project.show(path), path.read_bytes()
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            source = content.decode(encoding)
        except (SyntaxError, UnicodeDecodeError) as error:
            self.unsafe.append(f"{shown} cannot be read: {error}")
            return
        if "checkpoint" not in source:
            return  # what does not import us cannot call us
        renamed = self._rename(source, imported([source]), shown)
        if renamed != source:
            self._change.rewrite(path, content, renamed.encode(encoding))

    def _rename(self, source: str, names: Mapping[str, str], where: str) -> str:
        renamed = rename_code(source, names, self._new_names)
        self.unsafe += [f"{where}: {what}" for what in renamed.unsafe]
        old, new = hashes.code_hash(source), hashes.code_hash(renamed.source)
        if old and new and renamed.source != source:
            self.codes[old] = new
        return renamed.source


def _modules(project: Project) -> list[Path]:
    """Return the Python files of a project, but for this package."""
    found = [*project.root.glob("*.py")]
    found += [path for folder in FOLDERS for path in (project.root / folder).rglob("*.py")]
    hidden = (".ipynb_checkpoints", "__pycache__", "checkpoint")
    return sorted(
        path
        for path in found
        if path.is_file()
        and path.name[0] != "."
        and not set(path.relative_to(project.root).parts[:-1]).intersection(hidden)
    )


def _replace(source: str, call: Call, argument: str) -> str:
    start, end = call.span
    quote = '"' if source[start:end].endswith('"') else "'"
    plain = argument.isprintable() and quote not in argument and "\\" not in argument
    text = f"{quote}{argument}{quote}" if plain else repr(argument)
    return source[:start] + text + source[end:]


def _rename_settings(project: Project, new_names: Mapping[str, str], change: Change) -> list[str]:
    """Rename the steps in `[tool.checkpoint.resources]`."""
    resources = read_settings(project).resources
    if taken := resources.keys() & set(new_names.values()) - new_names.keys():
        return [f"pyproject.toml: resources of {step} are there already" for step in taken]
    if not new_names.keys() & resources:
        return []
    wanted = read_toml(project)
    path = project.root / "pyproject.toml"
    before = path.read_bytes()
    text = before.decode("utf-8")

    def renamed(found: re.Match[str]) -> str:
        return found[1] + new_names.get(found[2], found[2]) + found[3]

    # a table of its own, or a line of the table of all; quotes may stand around
    text = re.sub(r'(?m)^(\s*\[tool\.checkpoint\.resources\."?)([\w-]+)("?\s*\])', renamed, text)
    text = re.sub(r'(?m)^(\s*(?:resources\.)?"?)([\w-]+)("?\s*[.=])', renamed, text)
    renamed_steps = {new_names.get(step, step): asked for step, asked in resources.items()}
    wanted["tool"]["checkpoint"]["resources"] = renamed_steps
    if parse_toml(text) != wanted:
        return ["pyproject.toml: the resources of steps are written in a way not understood"]
    change.rewrite(path, before, text.encode())
    return []


def _rename_record(
    path: Path, new_names: Mapping[str, str], codes: dict[str, str], change: Change
) -> None:
    """Let a record name other steps, and know the cells and modules that were rewritten."""
    try:
        there = path.read_bytes()
        record = json.loads(there)
    except (ValueError, OSError):
        return  # written by hand; `status` says what is wrong with it
    if not store.is_recorded(record):
        return
    ours = record["checkpoint"]
    before = json.dumps(ours)
    ours["step"] = _name(ours.get("step", ""), new_names)
    if "cells" in ours.get("run", {}):
        ours["run"]["cells"] = [codes.get(code, code) for code in ours["run"]["cells"]]
    for known in [ours, *(one["fits"] for one in ours.get("accepted", []))]:
        known["inputs"] = {
            _input(name, new_names): entry for name, entry in known.get("inputs", {}).items()
        }
        known["modules"] = {
            module: codes.get(code, code) for module, code in known.get("modules", {}).items()
        }
        if known.get("cells"):
            known["cells"] = [codes.get(code, code) for code in known["cells"]]
    if json.dumps(ours) != before:
        change.rewrite(path, there, json_text(record).encode())


def _input(name: str, new_names: Mapping[str, str]) -> str:
    kind, slash, step = name.partition("/")
    return f"results/{_name(step, new_names)}" if kind == "results" and slash else name


def _name(step: str, new_names: Mapping[str, str]) -> str:
    name, slash, part = step.partition("/")
    return f"{new_names.get(name, name)}{slash}{part}"
