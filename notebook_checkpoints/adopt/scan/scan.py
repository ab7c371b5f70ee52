"""What each notebook and script reads and writes, without running or changing anything."""

import ast
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checkpoint.notebooks.calls import calls, imported
from checkpoint.notebooks.notebook import code_cells, shortened, tags_of
from checkpoint.notebooks.parameters import TAG

from .constants import modules_of, own_names
from .other_languages import literal_files
from .places import HOLE, Place
from .python_uses import in_python
from .resolve import Names
from .unclear_paths import are_settings
from .units import Unit, find_units, is_there, read_configs
from .uses import Scanned, Use
from .working_folder import moves_of


def scan(root: Path) -> list[Scanned]:
    """Read all notebooks and scripts of a project."""
    configs = read_configs(root)
    candidates = [_scanned(root, unit, configs) for unit in find_units(root)]
    return [
        scanned
        for scanned in candidates
        if scanned.unit.is_notebook
        or any((scanned.unit.wrong, scanned.uses, scanned.saves, scanned.loads, scanned.unclear))
        or not are_settings(scanned.unit.trees, [use.path for use in scanned.named])
    ]


def _scanned(root: Path, unit: Unit, configs: Mapping[str, Any]) -> Scanned:
    if unit.language != "python":
        known, unknown = _in_other_language(unit)
        base = _base(root, unit, known or unknown, [])
        uses, more = ([_based(use, base, []) for use in group] for group in (known, unknown))
        return Scanned(unit, uses, [], [], None, base, _news(more, uses))
    here = None if unit.is_notebook else unit.folder
    cells = code_cells(unit.content) if unit.content else []
    tagged = [number for number, cell in enumerate(cells) if TAG in tags_of(cell)]
    modules = modules_of(root, unit.folder, unit.trees, configs)
    folder = unit.folder if unit.is_notebook else ""
    names = Names(unit.trees, configs, here, tagged, modules, folder)
    functions = imported(unit.cells) if _imports_ours(unit) else {}
    own = own_names(root, unit.folder, unit.trees)
    uses, more, unclear = in_python(unit, names, functions, own)
    moves = [] if here is not None else list(moves_of(unit, names))
    base = _base(root, unit, uses, moves)
    uses, more = ([_based(use, base, moves) for use in group] for group in (uses, more))
    sources = unit.cells if functions else []
    ours = [call for cell in sources for call in calls(cell, functions) or ()]
    loads = [call.step for call in ours if call.function == "load" and call.step]
    saves = [call.step for call in ours if call.function in ("save", "parts") and call.step]
    return Scanned(unit, uses, loads, saves, names, base, _news(more, uses), unclear)


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


def _news(named: list[Use], uses: list[Use]) -> list[Use]:
    """Return the files that are named and neither read nor written."""
    used_places = [place for use in uses for place in use.places]
    texts = {text for place in used_places for values in place.values for text in values or ()}
    new = {tuple(place.text for place in use.places): use for use in reversed(named)}
    return [
        use
        for use in reversed(new.values())
        if not any(
            place.matches(used) or used.name == place.text
            for place in use.places
            for used in used_places
        )
        and not any(place.name in texts or place.text in texts for place in use.places)
    ]


def _in_other_language(unit: Unit) -> tuple[list[Use], list[Use]]:
    known: list[Use] = []
    unknown: list[Use] = []
    for number, source in enumerate(unit.cells):
        for writes, place, line in literal_files(source, unit.language):
            use = Use(bool(writes), [place], number, shortened(line), unit.language)
            (unknown if writes is None else known).append(use)
    return known, unknown


def _based(use: Use, base: str, moves: list[tuple[int, int, str]]) -> Use:
    """Return a use with its paths from the top of the project."""
    line = use.call.lineno if use.call else 0
    for cell, moved_line, folder in moves:
        if (cell, moved_line) < (use.cell, line):
            base = posixpath.normpath(posixpath.join(base or ".", folder))
    places = [_starred(place) if use.function.endswith("glob") else place for place in use.places]
    return use._replace(places=list(dict.fromkeys(place.below(base) for place in places)))


def _starred(place: Place) -> Place:
    text = re.sub(r"\*\*/|[*?]|\[[^\]]*\]", lambda _: HOLE, place.text)
    more = text.count(HOLE) - len(place.holes)
    return Place(text, (*place.holes, *["*"] * more), (None,) * text.count(HOLE))


def _base(root: Path, unit: Unit, uses: list[Use], moves: list[tuple[int, int, str]]) -> str:
    """Return the folder that relative paths start from: the one where most files exist.

    Jupyter runs a notebook in its own folder, and people run scripts at the top.
    """
    folders = [unit.folder, ""] if unit.is_notebook else ["", unit.folder]
    return max(folders, key=lambda base: sum(_fits(root, _based(use, base, moves)) for use in uses))


def _fits(root: Path, use: Use) -> int:
    score = 0
    for place in use.places:
        if place.is_absolute or place.text.startswith(HOLE):
            continue
        if not place.is_inside:
            score -= 1
            continue
        score += 2 * exists(root, place) + (root / place.text.replace(HOLE, "_")).parent.is_dir()
    return score


def exists(root: Path, place: Place) -> bool:
    """Tell whether a file exists, or any of those that a path with holes can be."""
    if HOLE not in place.text:
        return is_there(root / place.text)
    try:
        return next(root.glob(place.glob), None) is not None
    except (ValueError, NotImplementedError, OSError):
        return False
