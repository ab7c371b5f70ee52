"""Which notebook and script reads and writes what, without running or changing anything."""

import ast
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from checkpoint.notebooks.calls import calls, dotted, imported
from checkpoint.notebooks.magics import magics
from checkpoint.notebooks.notebook import code_cells, shortened, tags_of
from checkpoint.notebooks.parameters import TAG

from .constants import modules_of
from .functions import Access, accesses
from .other_languages import literal_files
from .places import HOLE, Place
from .resolve import Names
from .units import Unit, find_units, read_configs

LONGEST = 300  # characters of a path
# what objects with a method `write` write: AnnData, MuData, tables
WRITTEN = (".h5ad", ".h5mu", ".zarr", ".loom", ".h5", ".hdf5", ".parquet", ".csv", ".tsv", ".fits")


class Use(NamedTuple):
    """A file that a notebook or script reads or writes.

    Attributes
    ----------
    writes
        Whether it writes.
    places
        The file, from the top of the project; several if it depends on how the code runs.
    cell
        The index of the code cell.
    line
        The line of code.
    function
        The function that reads or writes.
    call, path
        The call, and the expression of the path in it; None in other languages.
    """

    writes: bool
    places: list[Place]
    cell: int
    line: str
    function: str = ""
    call: ast.Call | None = None
    path: ast.expr | None = None

    @property
    def is_one(self) -> bool:
        """Whether it is one file, or one for each sample, and no pattern of files."""
        return (
            len(self.places) == 1
            and not self.places[0].text.startswith(HOLE)
            and not self.function.endswith("glob")
        )

    @property
    def is_certain(self) -> bool:
        """Whether it is one file, and its path an expression of Python."""
        return self.is_one and self.path is not None

    @property
    def place(self) -> Place:
        """The file, or the first that it can be."""
        return self.places[0]


class Scanned(NamedTuple):
    """A notebook or script, and what it reads and writes.

    Attributes
    ----------
    unit
        The notebook or script.
    uses
        What it reads and writes, in the order of the code.
    loads, saves
        The steps that it loads and saves by `load` and `save`.
    names
        What its names stand for; None for other languages than Python.
    base
        The folder that its relative paths begin at, from the top of the project.
    """

    unit: Unit
    uses: list[Use]
    loads: list[str]
    saves: list[str]
    names: Names | None
    base: str

    @property
    def reads(self) -> list[Use]:
        """What it reads."""
        return [use for use in self.uses if not use.writes]

    @property
    def writes(self) -> list[Use]:
        """What it writes."""
        return [use for use in self.uses if use.writes]

    @property
    def is_adopted(self) -> bool:
        """Whether it saves as its own step."""
        return self.unit.is_notebook and self.unit.name in self.saves


def scan(root: Path) -> list[Scanned]:
    """Read all notebooks and scripts of a project."""
    configs = read_configs(root)
    scanned = [_scanned(root, unit, configs) for unit in find_units(root)]
    return [
        one
        for one in scanned
        if one.unit.is_notebook or one.unit.wrong or one.uses or one.saves or one.loads
    ]


def _scanned(root: Path, unit: Unit, configs: Mapping[str, Any]) -> Scanned:
    if unit.language != "python":
        found = list(_in_other_language(unit))
        base = _base(root, unit, found)
        return Scanned(unit, [_based(use, base, []) for use in found], [], [], None, base)
    here = None if unit.is_notebook else unit.folder
    cells = code_cells(unit.content) if unit.content else []
    tagged = [number for number, cell in enumerate(cells) if TAG in tags_of(cell)]
    modules = modules_of(root, unit.folder, unit.trees, configs)
    names = Names(unit.trees, configs, here, tagged, modules)
    uses = list(_in_python(unit, names))
    base = _base(root, unit, uses)
    moves = [] if here is not None else list(_moves(unit))
    uses = [_based(use, base, moves) for use in uses]
    functions = imported(unit.cells) if _imports_ours(unit) else {}
    sources = unit.cells if functions else []
    ours = [call for cell in sources for call in calls(cell, functions) or ()]
    loads = [call.step for call in ours if call.function == "load" and call.step]
    saves = [call.step for call in ours if call.function in ("save", "parts") and call.step]
    return Scanned(unit, uses, loads, saves, names, base)


def _imports_ours(unit: Unit) -> bool:
    return any("checkpoint" in cell for cell in unit.cells) and any(
        isinstance(node, ast.ImportFrom)
        and (
            (node.module or "").endswith(".checkpoint")
            or any(alias.name == "checkpoint" for alias in node.names)
        )
        for tree in unit.trees
        for node in ast.walk(tree)
    )


def _in_python(unit: Unit, names: Names) -> Iterator[Use]:
    functions = imported(unit.cells) if _imports_ours(unit) else {}
    for number, tree in enumerate(unit.trees):
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
            if functions.get(dotted(node.func)):
                continue
            for access in [*accesses(node), *_globs(node)]:
                places = [p for p in names.places(access.path) if _is_file(p, access.function)]
                if places:
                    line = shortened(_line(unit.cells[number], node))
                    yield Use(
                        access.writes, places, number, line, access.function, node, access.path
                    )
        for line in magics(unit.cells[number]):
            for writes, path, code in literal_files(line.lstrip("!%"), "shell"):
                yield Use(writes, [Place(path)], number, shortened(code))


def _globs(node: ast.Call) -> list[Access]:
    """Return the files that `glob` finds, as reads of a pattern."""
    function = dotted(node.func).rpartition(".")[2] or getattr(node.func, "attr", "")
    if function in ("listdir", "scandir", "walk", "iterdir"):
        folder = node.args[0] if node.args else getattr(node.func, "value", None)
        pattern = ast.BinOp(folder, ast.Div(), ast.Constant("*")) if folder is not None else None
        return [Access(False, pattern, f"{function}:glob")] if pattern else []
    if function not in ("glob", "iglob", "rglob") or not node.args:
        return []
    path: ast.expr = node.args[0]
    if isinstance(node.func, ast.Attribute) and not dotted(node.func).startswith("glob."):
        path = ast.BinOp(node.func.value, ast.Div(), path)
    return [Access(False, path, f"{function}:glob")]


def _in_other_language(unit: Unit) -> Iterator[Use]:
    for number, source in enumerate(unit.cells):
        for writes, path, line in literal_files(source, unit.language):
            yield Use(writes, [Place(path)], number, shortened(line))


def _line(source: str, node: ast.expr) -> str:
    lines = source.split("\n")
    return lines[node.lineno - 1].strip() if node.lineno <= len(lines) else ""


def _based(use: Use, base: str, moves: list[tuple[int, int, str]]) -> Use:
    """Return a use with its paths from the top of the project."""
    line = use.call.lineno if use.call else 0
    for cell, moved_line, folder in moves:
        if (cell, moved_line) < (use.cell, line):
            base = posixpath.normpath(posixpath.join(base or ".", folder))
    places = [_starred(place) if use.function.endswith("glob") else place for place in use.places]
    return use._replace(places=list(dict.fromkeys(place.below(base) for place in places)))


def _is_file(place: Place, function: str) -> bool:
    """Tell whether a text can be the path of a file; `write` takes any text elsewhere."""
    if "\n" in place.text or len(place.text) > LONGEST or re.match("[a-z0-9]+://", place.text):
        return False
    return function != "write" or place.text.lower().endswith(WRITTEN)


def _starred(place: Place) -> Place:
    text = re.sub(r"\*\*/|[*?]|\[[^\]]*\]", lambda found: HOLE, place.text)
    more = text.count(HOLE) - len(place.holes)
    return Place(text, (*place.holes, *["*"] * more), (None,) * text.count(HOLE))


def _moves(unit: Unit) -> Iterator[tuple[int, int, str]]:
    """Yield where a notebook changes its working directory, and to what."""
    for number, tree in enumerate(unit.trees):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and dotted(node.func) == "os.chdir" and node.args:
                target = node.args[0]
                if isinstance(target, ast.Constant) and isinstance(target.value, str):
                    yield number, node.lineno, target.value
        for line in magics(unit.cells[number]):
            words = line.strip().lstrip("%").split()
            if words[:1] == ["cd"] and len(words) == 2:
                yield number, 0, words[1].strip("\"'")


def _base(root: Path, unit: Unit, uses: list[Use]) -> str:
    """Return the folder that relative paths begin at: where most of the files are.

    Jupyter runs a notebook in its own folder, and people run scripts at the top.
    """
    own = [unit.folder, ""] if unit.is_notebook else ["", unit.folder]
    return max(own, key=lambda base: sum(_fits(root, use, base) for use in uses))


def _fits(root: Path, use: Use, base: str) -> int:
    score = 0
    for place in use.places:
        here = place.below(base)
        if place.is_absolute or here.text.startswith(("..", HOLE)):
            continue
        score += 2 * exists(root, here) + (root / here.text.replace(HOLE, "_")).parent.is_dir()
    return score


def exists(root: Path, place: Place) -> bool:
    """Tell whether a file is here, or one of those that a path with holes can be."""
    if HOLE not in place.text:
        return (root / place.text).exists()
    try:
        return next(root.glob(place.glob), None) is not None
    except (ValueError, NotImplementedError, OSError):
        return False
