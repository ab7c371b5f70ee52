"""Code that is no longer needed without a writer: the folder for its file, and messages."""

import ast
import re
from collections.abc import Collection, Iterator, Sequence

from ..scan.places import HOLE
from ..scan.uses import Scanned
from .move import Move
from .outputs import Output
from .statements import Code, Edit, is_neutral, makes_folder

MESSAGE = re.compile(r"sav|wrote|writ|export|done|dump", re.IGNORECASE)


def edits_of_needless(
    scanned: Scanned,
    codes: Sequence[Code],
    gone: Sequence[Output],
    replaced: Collection[int],
    move: Move,
) -> Iterator[Edit]:
    """Yield the edits that remove folders and messages that are no longer needed.

    Parameters
    ----------
    scanned, codes
        The notebook, and its cells.
    gone
        The files that it no longer writes itself.
    replaced
        The ids of the paths that are no longer read or written there.
    move
        Where the notebook is moved to.
    """
    anchors = {id(output.block) for output in gone}
    if not gone:
        return
    for cell, code in enumerate(codes):
        after = False
        for statement in code.tree.body:
            after = after or id(statement) in anchors
            whole = code.whole_lines(statement)
            if whole is None or id(statement) in anchors:
                continue
            call = _call(statement)
            is_message = after and is_neutral(statement) and _is_message(call, scanned)
            folder = move.folder_of(scanned, call) if call and makes_folder(statement) else ""
            if is_message or _is_unused(folder, scanned, replaced):
                yield Edit(cell, *whole, "")


def _call(statement: ast.stmt) -> ast.Call | None:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return call if isinstance(call, ast.Call) else None


def _is_message(call: ast.Call | None, scanned: Scanned) -> bool:
    """Tell whether a statement prints that something was saved, and nothing else."""
    if call is None or getattr(call.func, "id", "") != "print":
        return False
    nodes = [node for argument in [*call.args, *call.keywords] for node in ast.walk(argument)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    assert scanned.names
    are_paths = all(
        scanned.names.places(ast.Name(name, ast.Load())) and scanned.names.values(name)
        for name in names
    )
    calls = any(isinstance(node, ast.Call) for node in nodes)
    said = any(isinstance(text, str) and MESSAGE.search(text) for text in texts)
    return are_paths and said and not calls


def _is_unused(folder: str, scanned: Scanned, replaced: Collection[int]) -> bool:
    """Tell whether nothing is written into a folder any more."""
    if not folder or HOLE in folder:
        return False
    staying = [use for use in scanned.uses if id(use.path) not in replaced]
    return not any(
        place.text.startswith((f"{folder}/", HOLE)) or place.text == folder
        for use in staying
        for place in use.places
    ) and any(use.place.text.startswith(f"{folder}/") for use in scanned.writes)
