"""Writers and readers that `save` and `load` can replace, since the object comes back the same.

Others, such as `to_csv` and `read_csv` with their many options, stay as they are: the file that
they write is given to `save` as a path, and `load(…).path(…)` is what they read.
"""

import ast
from typing import NamedTuple

from checkpoint.notebooks.calls import dotted

from ..scan.uses import Use
from .statements import Code

PICKLES = (".pkl", ".pickle")
COMPRESSION = frozenset(("compression", "compression_opts"))


class Form(NamedTuple):
    """An object that a statement writes, or an expression that reads one.

    Attributes
    ----------
    suffix
        The format.
    node
        Of a writer, the expression of the object; of a reader, the expression that is replaced.
    template
        How the object is given to `save`; `{}` is its code.
    statement
        Of a reader that is a `with` block around one assignment: that block.
    """

    suffix: str
    node: ast.expr
    template: str = "{}"
    statement: ast.stmt | None = None


def writer_form(code: Code, use: Use) -> Form | None:
    """Return which object a statement writes; None if it is not certain to come back the same."""
    call, name = use.call, use.place.name.lower()
    if call is None:
        return None
    words = {keyword.arg for keyword in call.keywords}
    method = call.func if isinstance(call.func, ast.Attribute) else None
    count, owner = len(call.args), method.value if method else None
    if owner and count == 1 and words <= COMPRESSION and _is_object(owner):
        if use.function in ("write_h5ad", "write") and name.endswith(".h5ad"):
            return Form(".h5ad", owner)
        if use.function == "to_pickle" and name.endswith(PICKLES) and not words:
            return Form(".pkl", owner)
    if count == 2 and not words:
        numpy = dotted(owner) if owner else ""
        if use.function == "save" and name.endswith(".npy") and numpy in ("np", "numpy"):
            return Form(".npy", call.args[1], f"{numpy}.asanyarray({{}})")
        if use.function == "save_npz" and name.endswith(".npz"):
            return Form(".npz", call.args[1])
    if use.function == "open" and name.endswith(PICKLES):
        dump = _pickle_call(code, call, "dump")
        if dump and len(dump.args) in (2, 3) and not isinstance(dump.args[0], ast.Starred):
            return Form(".pkl", dump.args[0])
    return None


def reader_form(code: Code, use: Use) -> Form | None:
    """Return which expression reads an object whole; None if it takes options, or a part of it."""
    call, name = use.call, use.place.name.lower()
    if call is None:
        return None
    plain = len(call.args) == 1 and not call.keywords
    if name.endswith(".h5ad") and plain and use.function in ("read_h5ad", "read"):
        return Form(".h5ad", call)
    if name.endswith(".npy") and plain and dotted(call.func) in ("np.load", "numpy.load"):
        return Form(".npy", call)
    if name.endswith(".npz") and plain and use.function == "load_npz":
        return Form(".npz", call)
    if name.endswith((".pkl", ".pickle")):
        if plain and use.function == "read_pickle":
            return Form(".pkl", call)
        load = _pickle_call(code, call, "load") if use.function == "open" else None
        if load and len(load.args) == 1 and not load.keywords:
            block = code.parent(call)
            within = code.parent(block) if isinstance(block, ast.withitem) else None
            return Form(".pkl", load, "{}", within if isinstance(within, ast.With) else None)
    return None


def _is_object(node: ast.expr) -> bool:
    """Tell whether an expression is not the name of a library."""
    return dotted(node) not in ("sc", "scanpy", "ad", "anndata", "mu", "mudata", "h5py")


def _pickle_call(code: Code, opened: ast.Call, function: str) -> ast.Call | None:
    """Return the call of `pickle` that uses an opened file alone.

    It is `pickle.dump(x, open(…))`, or the one statement in `with open(…) as f:`.
    """
    parent = code.parent(opened)
    if isinstance(parent, ast.Call) and _is_pickle(parent, function):
        return parent if not parent.keywords and opened in parent.args else None
    block = code.parent(parent) if isinstance(parent, ast.withitem) else None
    if not isinstance(block, ast.With) or len(block.items) != 1 or len(block.body) != 1:
        return None
    inside, target = block.body[0], block.items[0].optional_vars
    if not isinstance(inside, ast.Assign | ast.Expr) or len(getattr(inside, "targets", "x")) != 1:
        return None
    call = inside.value
    if not isinstance(call, ast.Call) or not _is_pickle(call, function) or call.keywords:
        return None
    if isinstance(inside, ast.Assign) != (function == "load"):
        return None
    given = call.args[0] if function == "load" and call.args else call.args[1:2]
    given = given if isinstance(given, list) else [given]
    names = [node.id for node in given if isinstance(node, ast.Name)]
    return call if isinstance(target, ast.Name) and names == [target.id] else None


def _is_pickle(call: ast.Call, function: str) -> bool:
    return dotted(call.func) in (f"pickle.{function}", f"pkl.{function}")
