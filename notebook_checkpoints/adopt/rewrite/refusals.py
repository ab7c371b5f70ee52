"""Which notebooks and scripts cannot be rewritten, and why."""

import ast
import posixpath
from pathlib import Path

from checkpoint.notebooks.calls import dotted
from checkpoint.notebooks.magics import magics

from ..scan.chain import Chain
from ..scan.resolve import Names
from ..scan.uses import Scanned
from ..scan.working_folder import plain_moves, skipped_moves
from .inputs import why_not
from .keys import RESERVED
from .move import move_of
from .scripts import why_no_step
from .statements import bound_names, codes_of

FUNCTIONS = ("data_file", "load", "save")


def refusal(root: Path, chain: Chain, path: str) -> str:
    """Say why a notebook or script cannot be rewritten as a whole; empty if it can."""
    scanned = chain.unit(path)
    return (
        _unfit(scanned)
        or _shared(chain, scanned)
        or (move_of(root, scanned).refusal if scanned.unit.is_notebook else "")
    )


def left_alone(chain: Chain, path: str, targets: list[str]) -> str:
    """Say who reads the files of a script and would no longer find them; empty if nobody."""
    script = chain.unit(path)
    if script.unit.is_notebook:
        return ""
    for use in script.writes:
        for other in chain.scanned:
            name = other.unit.path
            reads = [read for read in other.reads if any(p.matches(use.place) for p in read.places)]
            codes = (
                codes_of(other.unit.cells, other.unit.trees)
                if other.unit.is_notebook and other.unit.trees
                else []
            )
            follows = name in targets and all(
                read.place.text == use.place.text
                and not (codes and why_not(codes[read.cell], read))
                for read in reads
            )
            named = any(use.place.name in cell for cell in other.unit.cells)
            if other is not script and (reads or named) and not follows:
                return f"{name} reads {use.place.shown} and does not follow"
    return ""


def _unfit(scanned: Scanned) -> str:
    if not scanned.unit.is_notebook:
        return why_no_step(scanned)
    if scanned.unit.wrong:
        return scanned.unit.wrong[0]
    if scanned.unit.language != "python":
        return f"its language is {scanned.unit.language}; docs/steps.md says how it becomes a step"
    if scanned.is_adopted:
        return "it is adopted already"
    if scanned.saves or scanned.loads:
        return "it calls load and save already, but does not save as its own step"
    names = bound_names(scanned.unit.trees)
    if "checkpoint" in names and names & {*FUNCTIONS}:
        return f"it uses the names checkpoint and {', '.join(sorted(names & {*FUNCTIONS}))} itself"
    own = [f"results/{scanned.unit.name}/{name}" for name in RESERVED]
    if taken := [use for use in scanned.writes if use.place.text in own]:
        return (
            f"it writes {taken[0].place.shown}, where save keeps its record; let it write another"
        )
    lines = [line.split() for source in scanned.unit.cells for line in magics(source)]
    if any(words[:1] == ["%run"] for words in lines):
        return "it runs another file with %run"
    cells = zip(scanned.unit.cells, scanned.unit.trees, strict=True)
    if scanned.names and any(_moves_somewhere(*cell, scanned.names) for cell in cells):
        return "it changes its working directory in a way that is known only when it runs"
    if "pathlib" in names and not _is_module(scanned, "pathlib"):
        return "it uses the name pathlib for something else"
    return ""


def _moves_somewhere(source: str, tree: ast.Module, names: Names) -> bool:
    """Tell whether a cell changes the working directory in a way that is not known."""
    plain = {id(node) for node in [*plain_moves(tree, names), *skipped_moves(tree, names)]}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    moves = [call for call in calls if dotted(call.func).rpartition(".")[2] == "chdir"]
    lines = [line.strip() for line in magics(source)]
    magic = [
        line for line in lines if line.lstrip("%").split()[:1] in (["cd"], ["pushd"], ["popd"])
    ]
    first = source.lstrip().partition("\n")[0].strip()
    unclear = [line for line in magic if line != first or set(line) & set("${}-~")]
    return bool(unclear) or any(id(call) not in plain for call in moves)


def _shared(chain: Chain, scanned: Scanned) -> str:
    """Say what a notebook or script shares with another one that only one can have."""
    path = scanned.unit.path
    for circle in chain.circles:
        if path in circle:
            return f"{' and '.join(circle)} read what the other writes"
    name = posixpath.basename(path)
    for other in chain.scanned:
        if any(
            "%run" in line and name in line
            for cell in other.unit.cells
            if "%run" in cell
            for line in magics(cell)
        ):
            return f"{other.unit.path} runs it with %run"
    same = [
        other
        for other in chain.scanned
        if other.unit.name.casefold() == scanned.unit.name.casefold()
        and (other.unit.is_notebook or not why_no_step(other))
    ]
    if len(same) > 1:
        others = [other.unit.path for other in same if other is not scanned]
        return f"{others[0]} has the same name, by which a step is called; rename one of them"
    return ""


def _is_module(scanned: Scanned, name: str) -> bool:
    """Tell whether a name is bound by `import name` alone."""
    for tree in scanned.unit.trees:
        for node in ast.walk(tree):
            stored = isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
            if stored and getattr(node, "id", "") == name:
                return False
            aliases = node.names if isinstance(node, ast.ImportFrom) else []
            if any((alias.asname or alias.name) == name for alias in aliases):
                return False
    return True
