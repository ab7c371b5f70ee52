"""Turn scripts between notebooks into steps: commands that write into `CHECKPOINT_OUTPUT`."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from checkpoint.notebooks.calls import dotted
from checkpoint.notebooks.recipe import OUTPUT
from checkpoint.project.names import unportable

from ..scan.functions import is_figure
from ..scan.other_languages import FILE_PATH, STRING, one_string, spelled_out, without_comment
from ..scan.places import HOLE, quoted
from ..scan.uses import Scanned, Use
from .keys import RESERVED
from .outputs import Stored
from .statements import Code, Edit, bound_names

PROGRAMS = {"python": "python", "r": "Rscript"}
ARGUMENTS = re.compile(r"sys\.argv|argparse|click\.|typer\.|commandArgs|optparse|snakemake[.@]")


class Script(NamedTuple):
    """A script that becomes a step.

    Attributes
    ----------
    scanned
        The script as it was.
    source
        Its code as it was.
    stored
        Where each file is that it writes.
    """

    scanned: Scanned
    source: str
    stored: dict[str, Stored]

    @property
    def step(self) -> str:
        """Its step."""
        return self.scanned.unit.name

    @property
    def command(self) -> str:
        """The command that runs it."""
        path = self.scanned.unit.path
        program = PROGRAMS[self.scanned.unit.language]
        return f"{program} '{path}'" if " " in path else f"{program} {path}"


def why_no_step(scanned: Scanned) -> str:
    """Say why a script cannot become a step; empty if it can."""
    unit = scanned.unit
    if unit.wrong:
        return unit.wrong[0]
    if unit.language not in PROGRAMS or not unit.path.endswith((".py", ".R", ".r")):
        return "docs/steps.md says how such a script becomes a step"
    if reason := unportable(unit.name):
        return f"its name {reason}"
    if scanned.saves or scanned.loads:
        return "it calls load and save already"
    if encoding := _encoding(unit.cells[0]):
        return f"it is written in {encoding}; save it as UTF-8"
    if ARGUMENTS.search(unit.cells[0]):
        return "it takes arguments"
    if _is_module(scanned):
        return "it only defines functions, which others call"
    for use in scanned.named:
        return f"it is unknown whether `{use.line}` reads or writes {use.place.shown}"
    for _, line in scanned.unclear:
        return f"the path in `{line}` is known only when it runs"
    if scanned.base:
        return f"its paths begin in {scanned.base}/, and steps run at the top of the project"
    if not any(not is_figure(use.function, use.place.name) for use in scanned.writes):
        return "it writes no files that others could read"
    if (
        unit.language == "python"
        and "os" in bound_names(unit.trees)
        and not _imports_os(unit.trees)
    ):
        return "it uses the name os for something else"
    read = {place.text for use in scanned.reads for place in use.places}
    names: set[str] = set()
    literal = spelled_out(unit.cells[0]) if unit.language == "r" else set()
    for use in scanned.uses:
        certain = use.is_certain if unit.language == "python" else use.place.text in literal
        if not certain or HOLE in use.place.text:
            return f"the path in `{use.line}` is known only when it runs"
        if use.writes and (not use.place.is_inside or use.place.is_raw):
            return f"`{use.line}` writes outside the results"
        if use.writes and use.place.text in read:
            return f"it reads what it writes, {use.place.shown}"
        if use.writes and _key(use) in names:
            return f"it writes two files of the name {_key(use)}"
        names |= {_key(use)} if use.writes else set()
    return ""


def _encoding(source: str) -> str:
    """Return the encoding that the first lines of a script name; empty for UTF-8."""
    matches = (
        re.match(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", line) for line in source.split("\n")[:2]
    )
    name = next((match[1] for match in matches if match), "utf-8")
    return "" if name.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else name


def _is_module(scanned: Scanned) -> bool:
    """Tell whether a script only defines functions, and runs none of those that use files."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    top = [statement for tree in scanned.unit.trees for statement in tree.body]
    own = {statement.name for statement in top if isinstance(statement, functions)}
    uses = {id(use.call) for use in scanned.uses}

    def runs(statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Import | ast.ImportFrom | functions):
            return False
        if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
            return True
        calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
        return any(id(call) in uses or dotted(call.func) in own for call in calls)

    return bool(own) and not any(map(runs, top))


def script_of(scanned: Scanned) -> Script:
    """Return a script that becomes a step, and where its files are then."""
    stored = {
        use.place.text: Stored(scanned.unit.name, "", _key(use), _key(use), "")
        for use in scanned.writes
    }
    return Script(scanned, scanned.unit.cells[0], stored)


def rewritten_script(script: Script, stored: Mapping[str, Stored]) -> str:
    """Return the code of a script that reads checkpoints and writes into `CHECKPOINT_OUTPUT`.

    Parameters
    ----------
    script
        The script.
    stored
        Where each file of the chain is.
    """
    paths: dict[str, str | None] = {}  # for each path, where it is read; None for what is written
    for use in script.scanned.uses:
        text = use.place.text
        if use.writes:
            paths[text] = None
        elif (file := stored.get(text)) and not file.part.count(HOLE):
            paths[text] = f"results/{file.checkpoint}/{file.key}"
    if script.scanned.unit.language == "python":
        return _python(script, paths)
    return _r(script, paths)


def loads_of(script: Script, stored: Mapping[str, Stored]) -> list[str]:
    """Return the checkpoints that a script reads."""
    files = (stored.get(use.place.text) for use in script.scanned.reads)
    return list(dict.fromkeys(file.checkpoint for file in files if file))


def code_of(root: Path, script: Script) -> list[str]:
    """Return the files of a script's code: itself, and modules beside it that it imports."""
    unit = script.scanned.unit
    files = [unit.path]
    for tree in unit.trees:
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                beside = f"{unit.folder}/{name.partition('.')[0]}.py".lstrip("/")
                if (root / beside).is_file():
                    files.append(beside)
    return list(dict.fromkeys(files))


def _key(use: Use) -> str:
    return RESERVED.get(use.place.name, use.place.name)


def _python(script: Script, paths: Mapping[str, str | None]) -> str:
    unit = script.scanned.unit
    code = Code(script.source, unit.trees[0])
    edits = []
    for use in script.scanned.uses:
        if use.place.text not in paths or use.path is None:
            continue
        target = paths[use.place.text]
        text = quoted(target or "")
        if target is None:
            text = f'os.path.join(os.environ["{OUTPUT}"], {quoted(_key(use))})'
        edits.append(Edit(0, *code.span(use.path), text))
    source = script.source
    for edit in sorted(dict.fromkeys(edits), key=lambda edit: edit.start, reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    if _imports_os(unit.trees):
        return source
    line = _line_for_imports(unit.trees[0])
    lines = source.splitlines(keepends=True)
    return "".join([*lines[:line], "import os\n", *lines[line:]])


def _line_for_imports(tree: ast.Module) -> int:
    """Return the number of lines before the first statement after docstring and `__future__`."""
    for statement in tree.body:
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not is_text and not future:
            decorators = getattr(statement, "decorator_list", [])
            first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
            return int(first) - 1
    return 0


def _imports_os(trees: list[ast.Module]) -> bool:
    """Tell whether the top of a script imports os, and nothing else has that name."""
    imports = any(
        isinstance(statement, ast.Import)
        and any(alias.name == "os" and alias.asname is None for alias in statement.names)
        for tree in trees
        for statement in tree.body
    )
    rebound = any(
        isinstance(node, ast.Name) and node.id == "os" and not isinstance(node.ctx, ast.Load)
        for tree in trees
        for node in ast.walk(tree)
    )
    return imports and not rebound


def _r(script: Script, paths: Mapping[str, str | None]) -> str:
    lines = []
    for line in script.source.splitlines(keepends=True):
        code = without_comment(line)
        comment = line[len(code) :]
        code = FILE_PATH.sub(lambda match: _place(one_string(match), match[0], paths), code)
        code = STRING.sub(lambda match: _place(match[0], match[0], paths), code)
        lines.append(code + comment)
    return "".join(lines)


def _place(string: str, code: str, paths: Mapping[str, str | None]) -> str:
    """Return the code for a path in R; the code as it is, if it is another text."""
    text = Path(string[1:-1]).as_posix()
    if text not in paths:
        return code
    target = paths[text]
    if target is not None:
        return f'"{target}"'
    name = RESERVED.get(Path(text).name, Path(text).name)
    return f'file.path(Sys.getenv("{OUTPUT}"), "{name}")'
