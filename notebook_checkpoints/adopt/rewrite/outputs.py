"""What a notebook writes, and where `save` puts it: into its checkpoint, or into a part of it."""

import ast
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from checkpoint.notebooks.calls import dotted
from checkpoint.project.names import unportable

from ..scan.functions import COPIERS, OPENERS, is_figure
from ..scan.places import HOLE
from ..scan.uses import Scanned, Use
from ..scan.working_folder import moves_of
from .holes import holes_fit
from .keys import key_of, part_name, stems_of
from .replaceable import Form, writer_form
from .statements import Code, guarded_names, is_neutral, surely_assigned

PARALLEL = frozenset(
    "Parallel Pool ProcessPoolExecutor ThreadPoolExecutor ThreadPool Process delayed Client "
    "process_map map_async".split()
)


class Output(NamedTuple):
    """A file that a notebook writes, and what becomes of it.

    Attributes
    ----------
    use
        The place in the code.
    anchor
        The statement that writes it; the `with` block, if that opens it.
    block
        The statement at the top of the cell that the anchor is in, or the anchor itself.
    statement
        What is replaced: the anchor; or the block, if that is a guard that is always true.
    form
        The object that `save` takes instead; None if it takes the file.
    key
        The name in the checkpoint.
    kept
        Who still reads the file itself, or may read it, as in `plot.py may read`, so that the code
        that writes it stays; empty if nobody.
    """

    use: Use
    anchor: ast.stmt
    block: ast.stmt
    statement: ast.stmt
    form: Form | None
    key: str
    kept: str = ""

    @property
    def stays(self) -> bool:
        """Whether the code that writes the file stays."""
        return self.form is None or bool(self.kept)


class Stored(NamedTuple):
    """Where a file is in the checkpoints.

    Attributes
    ----------
    step
        The step.
    part
        The sub-checkpoint, with holes; empty for the step's own.
    key, name
        The file in the checkpoint's folder, and the name by which `load` gives it.
    suffix
        The format of the object; empty if it is the file as it was written.
    stays
        Whether the code goes on writing the file to where it was.
    """

    step: str
    part: str
    key: str
    name: str
    suffix: str
    stays: bool = False

    @property
    def checkpoint(self) -> str:
        """The step or sub-checkpoint."""
        return f"{self.step}/{self.part}" if self.part else self.step


class Outputs(NamedTuple):
    """What a notebook writes.

    Attributes
    ----------
    last
        Its last group of writers, which becomes the save cell.
    parts
        The others, by the name of the sub-checkpoint.
    left
        What stays as it is, and why.
    figures
        The figures, which stay too.
    """

    last: list[Output]
    parts: dict[str, list[Output]]
    left: list[tuple[Use, str]]
    figures: list[Use]

    def stored(self, step: str) -> dict[str, Stored]:
        """Return where each file is, by its path with holes."""
        stored = {}
        for part, outputs in {"": self.last, **self.parts}.items():
            stems = Counter(stem for output in outputs for stem in stems_of(output.key))
            for output in outputs:
                stem = stems_of(output.key)[0]
                name = stem if output.form and stems[stem] == 1 else output.key
                suffix = output.form.suffix if output.form else ""
                where = Stored(step, part, output.key, name, suffix, output.stays)
                stored[output.use.place.text] = where
        return stored


def plan(
    scanned: Scanned,
    codes: list[Code],
    unclear: Callable[[Use], str],
    still_read: Callable[[Use], str],
) -> Outputs:
    """Return what becomes of each file that a notebook writes.

    Parameters
    ----------
    scanned
        The notebook.
    codes
        Its cells.
    unclear
        Returns why a file must stay as it is, given what others do with it; else empty.
    still_read
        Returns who else will go on reading a file; empty if nobody.
    """
    top: list[Output] = []
    inside: list[Output] = []
    left: list[tuple[Use, str]] = []
    figures: list[Use] = []
    for use in scanned.writes:
        if is_figure(use.function, use.place.name):
            figures.append(use)
            continue
        output = _output(scanned, codes, use, unclear, still_read)
        if isinstance(output, str):
            left.append((use, output))
        elif HOLE not in use.place.text and _is_at_top(scanned, codes, output):
            top.append(output._replace(statement=output.block))
        elif _is_in_function(codes[use.cell], output.anchor) and _is_parallel(codes):
            left.append((use, "another process may run it"))
        else:
            inside.append(output)
    groups = _groups(codes, top)
    moves = moves_of(scanned.unit, scanned.names) if scanned.names else ()
    if len(groups) > 1 and not any(True for _ in moves):
        groups = _joined(groups)
    last = groups.pop() if groups else []
    parts, same_name = _parts([*groups, *([output] for output in inside)])
    last, twice = _distinct(last)
    left += [(output.use, "two files would have the same name") for output in [*same_name, *twice]]
    return Outputs(last, parts, left, figures)


def _output(
    scanned: Scanned,
    codes: list[Code],
    use: Use,
    unclear: Callable[[Use], str],
    still_read: Callable[[Use], str],
) -> Output | str:
    """Return what becomes of a file, or why the code that writes it stays as it is."""
    code = codes[use.cell]
    if reason := _unfit(use) or unclear(use):
        return reason
    statements = _anchored(code, use)
    if statements is None:
        return "it is not a statement of its own"
    anchor, block = statements
    if any(_is_inside(codes, read, use.cell, anchor) for read in scanned.reads):
        return "the same statement reads a file"
    form = writer_form(code, use)
    output = Output(use, anchor, block, anchor, form, key_of(use.place, form), still_read(use))
    if HOLE in use.place.text and not holes_fit(code, use):
        return "what varies in its path is not the variable of its loop"
    return output


def _parts(groups: list[list[Output]]) -> tuple[dict[str, list[Output]], list[Output]]:
    """Return groups of outputs by the name of their sub-checkpoint, and those without a name."""
    parts: dict[str, list[Output]] = {}
    same_name: list[Output] = []
    for group in groups:
        name = part_name(group[0].use.place)
        if name in parts or unportable(name.replace(HOLE, "x")) or name == "figures":
            same_name += group
        else:
            parts[name], twice = _distinct(group)
            same_name += twice
    return parts, same_name


def _unfit(use: Use) -> str:
    """Say why a file cannot go into a checkpoint; empty if it can."""
    place = use.place
    if len(use.places) > 1:
        return "its path depends on how the code runs"
    if not use.is_certain or use.call is None:
        return "its path is known only when the code runs"
    if not place.is_inside:
        return "it is outside the project"
    if place.is_raw:
        return "it is raw data, by its folder"
    if use.function in COPIERS:
        return "it is copied or moved"
    if use.is_guess:
        return f"it is unknown whether `{use.function}` writes it"
    if use.function in OPENERS and _appends(use.call):
        return "it is appended to"
    name = place.name.replace(HOLE, "x")
    if "." not in name or unportable(name):
        return "it is a folder, or has no name that is valid on every system"
    return ""


def _appends(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    return any(isinstance(mode, ast.Constant) and "a" in str(mode.value) for mode in modes)


def _anchored(code: Code, use: Use) -> tuple[ast.stmt, ast.stmt] | None:
    """Return the statement that writes a file, and the one at the top of the cell around it."""
    assert use.call is not None
    statement = code.statement(use.call)
    if isinstance(statement, ast.Expr):
        call = statement.value
        dumps = isinstance(call, ast.Call) and dotted(call.func).endswith(".dump")
        alone = call is use.call or (dumps and code.parent(use.call) is call)
        if not alone:
            return None
    elif not isinstance(statement, ast.With) or len(statement.items) != 1:
        return None
    if code.whole_lines(statement) is None:
        return None
    outer = [node for node in code.around(statement) if isinstance(node, ast.stmt)]
    if any(isinstance(node, ast.With | ast.ClassDef | ast.Match) for node in outer):
        return None
    return statement, (outer[-1] if outer else statement)


def _is_inside(codes: list[Code], use: Use, cell: int, statement: ast.stmt) -> bool:
    if use.cell != cell or use.call is None:
        return False
    return any(node is statement for node in codes[cell].around(use.call))


def _is_at_top(scanned: Scanned, codes: list[Code], output: Output) -> bool:
    """Tell whether a file is always written: at a cell's top level, or in an `if` that holds."""
    if output.block is output.anchor:
        return True
    names = guarded_names(output.block)
    if not names or not isinstance(output.block, ast.If):
        return False
    cell, code = output.use.cell, codes[output.use.cell]
    plain = all(
        is_neutral(statement) or statement is output.anchor for statement in output.block.body
    )
    return (
        plain
        and output.form is not None
        and not output.kept
        and code.whole_lines(output.block) is not None
        and all(surely_assigned(scanned.unit.trees, name, cell) for name in names)
    )


def _groups(codes: list[Code], outputs: list[Output]) -> list[list[Output]]:
    """Return outputs in groups between which nothing happens that could change an object."""
    blocks: dict[int, list[Output]] = {id(output.block): [] for output in outputs}
    for output in outputs:
        blocks[id(output.block)].append(output)
    groups: list[list[Output]] = []
    is_open = False
    for code in codes:
        for statement in code.tree.body:
            if id(statement) in blocks:
                if not is_open:
                    groups.append([])
                groups[-1] += blocks[id(statement)]
                is_open = True
            elif not is_neutral(statement):
                is_open = False
        if "%" in code.source or "!" in code.source:
            is_open = is_open and not _has_magics(code)
    return groups


def _joined(groups: list[list[Output]]) -> list[list[Output]]:
    """Return groups after moving the files that are saved as they are into the last one."""
    last = groups[-1]
    early: list[Output] = []
    rest: list[list[Output]] = []
    for group in groups[:-1]:
        keys = [output.key.casefold() for output in [*early, *last]]
        files = [
            output for output in group if output.form is None and output.key.casefold() not in keys
        ]
        early += files
        rest.append([output for output in group if output not in files])
    return [*(group for group in rest if group), [*early, *last]]


def _has_magics(code: Code) -> bool:
    try:
        ast.parse(code.source)
    except (SyntaxError, ValueError):
        return True
    return False


def _is_in_function(code: Code, statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.Lambda) for node in code.around(statement))


def _is_parallel(codes: list[Code]) -> bool:
    """Tell whether a notebook runs functions in other processes."""
    names = {
        getattr(node, "id", getattr(node, "attr", ""))
        for code in codes
        for node in ast.walk(code.tree)
    }
    return not names.isdisjoint(PARALLEL)


def _distinct(group: list[Output]) -> tuple[list[Output], list[Output]]:
    seen: set[str] = set()
    first: list[Output] = []
    twice: list[Output] = []
    for output in group:
        (twice if output.key.casefold() in seen else first).append(output)
        seen.add(output.key.casefold())
    return first, twice
