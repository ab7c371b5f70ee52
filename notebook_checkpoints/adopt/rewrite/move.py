"""Where a notebook is moved to, and whether its paths and imports mean the same there."""

import ast
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from checkpoint.notebooks.calls import dotted
from checkpoint.notebooks.magics import magics
from checkpoint.notebooks.notebook import shortened
from checkpoint.project.names import unportable

from ..scan.functions import drawn_by, folder_made
from ..scan.places import HOLE, Place
from ..scan.python_uses import figure_folders
from ..scan.uses import Scanned

FOLDER = "notebooks"
# functions that may be given the folder "."
TAKE_FOLDERS = frozenset(
    "Path PurePath join listdir scandir walk glob iglob rglob chdir abspath realpath relpath "
    "exists isdir makedirs mkdir iterdir joinpath".split()
)


class Move(NamedTuple):
    """Where a notebook is moved to.

    Attributes
    ----------
    path
        Its new path, from the top of the project.
    base, folder
        The folders that its relative paths start from, before and after.
    refusal
        Why it cannot be moved there; empty if it can, or stays.
    """

    path: str
    base: str
    folder: str
    refusal: str = ""

    def changes(self, place: Place) -> bool:
        """Tell whether a relative path has to be rewritten."""
        return place.is_inside and self._differs(place.text)

    def _differs(self, text: str) -> bool:
        return posixpath.relpath(text, self.base or ".") != self.relative(text)

    def relative(self, text: str) -> str:
        """Return a path of the project from the notebook's folder."""
        return posixpath.relpath(text, self.folder or ".")

    def folder_of(self, scanned: Scanned, call: ast.Call) -> str:
        """Return the folder that a call makes, from the top of the project; empty if unknown."""
        path = folder_made(call)
        if path is None or scanned.names is None:
            return ""
        places = scanned.names.places(path)
        if len(places) != 1:
            return ""
        place = places[0].below(self.base)
        return place.text if place.is_inside and not place.text.startswith(HOLE) else ""

    def folders(self, scanned: Scanned) -> Iterator[tuple[int, ast.Call, ast.expr, str]]:
        """Yield the calls that make folders and whose paths have to be rewritten."""
        if self.base == self.folder:
            return
        for cell, tree in enumerate(scanned.unit.trees):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and (path := folder_made(node)) is not None:
                    folder = self.folder_of(scanned, node)
                    if folder and HOLE not in folder and self._differs(folder):
                        yield cell, node, path, folder

    def figure_folders(self, scanned: Scanned) -> Iterator[tuple[int, ast.expr, str]]:
        """Yield the folders of scanpy's figures that have to be rewritten."""
        for cell, path in figure_folders(scanned.unit.trees):
            places = scanned.names.places(path) if scanned.names else []
            folder = places[0].below(self.base) if len(places) == 1 else None
            if folder and HOLE not in folder.text and self.changes(folder):
                yield cell, path, folder.text


def move_of(root: Path, scanned: Scanned) -> Move:
    """Return where a notebook is moved to: below `notebooks/`, where the steps are."""
    unit = scanned.unit
    stays = f"{unit.path}".startswith(f"{FOLDER}/")
    path = unit.path if stays else f"{FOLDER}/{posixpath.basename(unit.path)}"
    folder = posixpath.dirname(path)
    if reason := unportable(unit.name):
        return Move(path, scanned.base, folder, f"its name {reason}; rename it")
    if not stays and (root / path).exists():
        return Move(path, scanned.base, folder, f"{path} is there already; rename one of them")
    reason = _refusal(root, scanned, folder) if scanned.base != folder else ""
    return Move(path, scanned.base, folder, reason)


def _refusal(root: Path, scanned: Scanned, folder: str) -> str:
    """Say why a notebook would not compute the same in another folder."""
    where = f"in {folder}/"
    for use in scanned.uses:
        if use.is_certain or use.place.is_absolute or use.function == "drawn":
            continue
        return f"`{use.line}` may mean another file {where}"
    for use in scanned.named:
        if not use.place.is_absolute and not use.place.text.startswith(HOLE):
            return f"`{use.line}` may mean another file {where}"
    figures = [path for _, path in figure_folders(scanned.unit.trees)]
    for path in figures:
        places = scanned.names.places(path) if scanned.names else []
        if len(places) != 1 or HOLE in places[0].text:
            return f"the figdir `{ast.unparse(path)}` may mean another folder {where}"
    here = root / scanned.base
    for cell, tree in enumerate(scanned.unit.trees):
        if any(True for _ in magics(scanned.unit.cells[cell])):
            line = next(iter(magics(scanned.unit.cells[cell]))).strip()
            if not line.startswith(
                (
                    "%matplotlib",
                    "%load_ext",
                    "%autoreload",
                    "%time",
                    "%config",
                    "%pip",
                    "!pip",
                    "%%time",
                )
            ):
                return f"`{line}` may do something else {where}"
        folders = _folders(tree)
        for node in ast.walk(tree):
            if not figures and _draws_below(node):
                line = shortened(ast.unparse(node))
                return f"`{line}` writes a figure below the notebook's folder; set figdir for it"
            if module := _imported_here(here, node):
                return f"it imports {module}, which is in {scanned.base or 'the top folder'}"
            if not isinstance(node, ast.Constant):
                continue
            if node.value in (".", "..") and id(node) not in folders:
                continue  # as in `name.split(".")`
            if _means_another(here, root / folder, scanned, node):
                return f"the path {node.value!r} may mean another file {where}"
    return ""


def _folders(tree: ast.Module) -> set[int]:
    """Return the ids of the values that are assigned, or given to functions that take folders."""
    ids = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            ids.add(id(node.value))
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            takes_folders = name.rpartition(".")[2] in TAKE_FOLDERS or name.startswith("sys.path.")
            if takes_folders or isinstance(node.func, ast.Name):
                ids |= {
                    id(argument)
                    for argument in [*node.args, *(word.value for word in node.keywords)]
                }
    return ids


def _draws_below(node: ast.AST) -> bool:
    """Tell whether scanpy, or a library like it, writes a figure into `figures/`."""
    return isinstance(node, ast.Call) and drawn_by(node) is not None


def _imported_here(here: Path, node: ast.AST) -> str:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [node.module]
    for name in names:
        first = name.partition(".")[0]
        if (here / f"{first}.py").is_file() or (here / first).is_dir():
            return first
    return ""


def _means_another(here: Path, there: Path, scanned: Scanned, node: ast.Constant) -> bool:
    """Tell whether a text is a relative path that leads elsewhere from another folder."""
    text = node.value
    if not isinstance(text, str) or scanned.names is None or id(node) in scanned.names.used:
        return False
    if text.startswith("/") or not text.strip() or {"\0", "\n"} & set(text) or len(text) > 255:
        return False
    is_path = "/" in text or text in (".", "..") or "." in text.strip(".")
    if not is_path or not (here / text).exists():
        return False
    return (here / text).resolve() != (there / text).resolve()
