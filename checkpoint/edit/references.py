"""Rewrite everything that names a step: notebooks, modules, settings, records."""

import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import structs

from ..errors import CheckpointError, ProjectError
from ..files import below
from ..notebooks import notebook
from ..notebooks.calls import imported
from ..notebooks.recipe import code_files
from ..project.names import number_of
from ..project.project import Project
from ..project.settings import check_settings, read_entries, read_toml
from ..storage import hashes
from ..storage.json_record import parse, to_json
from ..storage.outputs import entry_hash
from ..storage.renaming import renamed
from ..storage.schema import RECORD, SESSION, FileEntry
from ..text import json_text
from .change import Change
from .source import NewNames, mentions, rename_code, rename_paths
from .tables import UNUSUAL, named_in, rename_in, renamed_entry

FOLDERS = ("src", "scripts", "notebooks", "tests")
NOT_MODULES = frozenset((".ipynb_checkpoints", "__pycache__", "checkpoint"))
OTHER_TEXTS = (
    *("*.md", "*.rst", "*.txt", "*.sh", "*.yml", "*.yaml", "*.toml", "*.smk", "Makefile"),
    *("docs/**/*.md", "data/*.md", "scripts/**/*", "profiles/**/*.yaml", ".github/**/*.yml"),
)


def rename_references(project: Project, change: Change, new_names: NewNames) -> None:
    """Add to a change that moves notebooks and results the rewriting of everything that names them.

    Raises `ProjectError`, with a list of all that cannot be renamed safely.
    """
    kept = {old: new for old, new in new_names.items() if new is not None}
    code = _Code(project, change, new_names)
    for path in project.notebook_files():
        if path.stem in kept or path.stem not in new_names:
            code.rename_in_notebook(path)
    by_recipe = _code_of_recipes(project)
    for path in [path for path in _modules(project) if path not in by_recipe]:
        code.rename_in_module(path)
    for path in by_recipe:
        code.rename_in_other_code(path)
    code.note_entries(kept)
    unsafe = [*code.unsafe, *_rename_settings(project, change, kept)]
    if unsafe:
        listed = "\n".join(f"  {reason}" for reason in unsafe)
        raise ProjectError(
            "Nothing was changed, since this cannot be renamed safely:\n"
            f"{listed}\nWrite the step's name as plain text in load(…), save(…) or figures(…).",
            found=unsafe,
        )
    for folder in project.results.glob("*/"):  # `below` would not enter a link
        for path in (path for path in below(folder) if path.name == RECORD):
            _rewrite_record(path, change, kept, code.new_hashes)


def still_mentioned(project: Project, step: str) -> Iterator[str]:
    """Yield the lines of texts and comments, which are not rewritten, that mention a step."""
    for path in project.notebook_files():
        try:
            cells = notebook.read_whole(path)["cells"]
        except ProjectError:
            continue  # nothing was renamed in it, either
        for line in (line for cell in cells for line in notebook.source_of(cell).splitlines()):
            if mentions(line, step):
                yield f"{project.show(path)}: `{notebook.shortened(line)}`"
    others = {path for kind in OTHER_TEXTS for path in project.root.glob(kind) if path.is_file()}
    for path in sorted(others):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if mentions(line, step):
                yield f"{project.show(path)}, line {number}: `{notebook.shortened(line)}`"


class _Code:
    """Renames steps in the notebooks and modules of a project."""

    def __init__(self, project: Project, change: Change, new_names: NewNames) -> None:
        self.new_hashes: dict[str, str] = {}  # hashes of rewritten cells and modules, by old ones
        self.unsafe: list[str] = []  # what cannot be renamed safely, and where
        self._project = project
        self._change = change
        self._new_names = new_names

    def rename_in_notebook(self, path: Path) -> None:
        shown, before = self._project.show(path), path.read_bytes()
        try:
            content = notebook.read_whole(path)
        except ProjectError as error:
            text = before.decode("utf-8", "replace")
            named = [step for step in self._new_names if mentions(text, step)]
            self.unsafe += [f"{shown} names {step}, but cannot be read: {error}" for step in named]
            return
        sources, in_python = notebook.sources(content), notebook.language(content) == "python"
        functions = imported(sources)
        for cell, source in zip(notebook.code_cells(content), sources, strict=True):
            if in_python:
                where = f"{shown}, cell `{notebook.first_line(source)}`"
                renamed = self._rename(source, functions, where)
            else:
                renamed = rename_paths(source, self._new_names)
            if renamed != source:
                as_lines = isinstance(cell["source"], list)
                cell["source"] = renamed.splitlines(keepends=True) if as_lines else renamed
        if not in_python:
            self._write(path, before, notebook.dumps(content).encode(), whole=True)
        elif self._renumber_heading(path.stem, content) or notebook.sources(content) != sources:
            self._change.writes[shown] = before, notebook.dumps(content).encode()

    def _renumber_heading(self, step: str, content: dict) -> bool:
        """Update the number in the first heading, such as `# 2 · Integration`."""
        numbers = [number_of(step), number_of(self._new_names.get(step) or "")]
        old, new = (number.text.lstrip("0") if number else "" for number in numbers)
        first = next((cell for cell in content["cells"] if cell["cell_type"] == "markdown"), None)
        if not old or not new or new == old or first is None:
            return False
        before = notebook.source_of(first)
        heading = rf"\A(\s*#+\s*0*){re.escape(old)}(?=\s*[·.:)])"
        after = re.sub(heading, lambda match: match[1] + new, before)
        first["source"] = after.splitlines(keepends=True)
        return after != before

    def rename_in_module(self, path: Path) -> None:
        shown, before = self._project.show(path), path.read_bytes()
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(before).readline)
            source = before.decode(encoding)
        except (SyntaxError, UnicodeDecodeError) as error:
            self.unsafe.append(f"{shown} cannot be read: {error}")
            return
        if "checkpoint" not in source:
            return  # without an import of `checkpoint` it cannot call `load` or `save`
        renamed = self._rename(source, imported([source]), shown)
        if renamed != source:
            self._change.writes[shown] = before, renamed.encode(encoding)

    def rename_in_other_code(self, path: Path) -> None:
        """Rename in the code of a command, which names steps by the paths of their results."""
        before = path.read_bytes()
        if path.suffix == ".py" and b"checkpoint" in before:
            self.rename_in_module(path)
            return
        try:
            renamed = rename_paths(before.decode("utf-8"), self._new_names).encode()
        except UnicodeDecodeError as error:
            if any(step.encode() in before for step in self._new_names):
                self.unsafe.append(f"{self._project.show(path)} cannot be read: {error}")
            return
        if renamed != before:
            self._write(path, before, renamed, whole=False)

    def note_entries(self, kept: Mapping[str, str]) -> None:
        """Note the hashes of the settings of steps that load renamed ones."""
        for entry in read_entries(self._project).values():
            new = renamed_entry(entry, kept)
            self.new_hashes[entry_hash(entry)] = entry_hash(new)

    def _write(self, path: Path, before: bytes, after: bytes, *, whole: bool) -> None:
        old, new = (
            hashes.source_hash(content, notebook=whole)
            if path.suffix in (".py", ".ipynb")
            else hashes.bytes_hash(content)[: hashes.CELL_DIGITS]
            for content in (before, after)
        )
        if old != new:
            self._change.writes[self._project.show(path)] = before, after
            self.new_hashes |= {old: new} if old and new else {}

    def _rename(self, source: str, functions: Mapping[str, str], where: str) -> str:
        renamed = rename_code(source, functions, self._new_names)
        self.unsafe += [f"{where}: {reason}" for reason in renamed.unsafe]
        old, new = hashes.code_hash(source), hashes.code_hash(renamed.source)
        if old and new and old != new:
            self.new_hashes[old] = new
        return renamed.source


def _code_of_recipes(project: Project) -> list[Path]:
    """Return the code files, except notebooks, of the steps that do not call `save`."""
    entries = read_entries(project).values()
    names = {name for entry in entries for name in code_files(project, entry)}
    paths = (project.root / name for name in sorted(names) if not name.endswith(".ipynb"))
    return [path for path in paths if path.is_file()]


def _modules(project: Project) -> list[Path]:
    """Return the project's own Python files, without those of `checkpoint`."""
    paths = [*project.root.glob("*.py")]
    paths += [path for folder in FOLDERS for path in (project.root / folder).rglob("*.py")]
    return sorted(
        path
        for path in paths
        if path.is_file()
        and path.name[0] != "."
        and NOT_MODULES.isdisjoint(path.relative_to(project.root).parts[:-1])
    )


def _rename_settings(
    project: Project, change: Change, new_names: Mapping[str, str]
) -> Iterator[str]:
    """Rename steps in `[tool.checkpoint]`; yield what cannot be renamed."""
    check_settings(project)
    settings = read_toml(project)["tool"]["checkpoint"]
    taken = named_in(settings) & set(new_names.values()) - new_names.keys()
    yield from (f"pyproject.toml already has settings of {step}" for step in sorted(taken))
    path = project.root / "pyproject.toml"
    before = path.read_bytes()
    after = rename_in(before.decode("utf-8"), new_names)
    if after is None:
        yield UNUSUAL
    elif after.encode() != before:
        change.writes[path.name] = before, after.encode()


def _rewrite_record(
    path: Path, change: Change, new_names: Mapping[str, str], new_hashes: Mapping[str, str]
) -> None:
    try:
        before = path.read_bytes()
        raw = json.loads(before)
        record = parse(raw)
    except (ValueError, OSError, CheckpointError):
        return  # not written by `save`, or damaged; `status` reports what is wrong with it
    if record is None:
        return
    new = renamed(record, new_names, new_hashes)
    if new.run and new.run.log:
        log = _rewrite_log(path.with_name(SESSION), change, new_names)
        new = structs.replace(new, run=structs.replace(new.run, log=log))
    if new != record:
        after = json_text(to_json(new, raw)).encode()
        change.writes[change.project.show(path)] = before, after


def _rewrite_log(path: Path, change: Change, new_names: NewNames) -> FileEntry | None:
    """Rename steps in the executions that made a checkpoint; return their file's new entry."""
    try:
        before = path.read_bytes()
        log = json.loads(before)
        functions = imported(log["sources"])
        sources = [rename_code(source, functions, new_names).source for source in log["sources"]]
    except (ValueError, OSError, KeyError, TypeError, AttributeError):
        return None  # missing or changed by hand; without it, changed code counts as an edit
    after = (json.dumps({**log, "sources": sources}, ensure_ascii=True) + "\n").encode()
    if after != before:
        change.writes[change.project.show(path)] = before, after
    return FileEntry(SESSION, len(after), hashes.bytes_hash(after))
