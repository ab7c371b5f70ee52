"""The statements of a cell, and what the replay of each recorded."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..notebooks.magics import has_cell_magic, magics, parse_cell, without_magics

PLAIN = re.compile(r"%%(?:capture|time)\b")


@dataclass(frozen=True)
class Step:
    """A statement that was replayed."""

    text: str  # without comments and formatting
    key: str  # a hash of the statement and all that it read: equal keys mean equal effects
    # as `key`, but without what cannot make the statement fail: how figures look, and the values
    # of random numbers without a seed
    loose: str
    done: bool  # whether it ran to its end
    saves: tuple[str | None, ...]  # the steps that it saves; None for a name that is computed
    reads: Mapping[str, str]  # names and hidden state that it read, with a hash of each
    changed: frozenset[str]  # the names that it bound, or whose objects it may have changed
    tainted: bool  # whether it depends on random numbers without a seed, or on the clock
    harmless: bool  # whether it changes nothing but a name and cannot fail
    cell: int  # the number of the execution or cell


@dataclass(frozen=True)
class Ending:
    """How an execution ended."""

    error: bool = False
    line: int = 0  # line of the cell that raised the error; 0 if unknown
    missing: str = ""  # the name that was not found
    salt: str = ""  # makes a statement that failed unlike any other


@lru_cache(maxsize=1024)
def statements_of(source: str) -> tuple[tuple[ast.stmt | None, str], ...]:
    """Return the statements of a cell with their texts; None for one that is not Python."""
    return tuple(_parsed(source))


def _parsed(source: str) -> Iterator[tuple[ast.stmt | None, str]]:
    source = source.rstrip()
    lines = list(magics(source))
    tree = parse_cell(source)
    whole = has_cell_magic(source) and not without_magics(source)
    first = lines.pop(0) if PLAIN.match(source.lstrip()) and not whole else ""
    nested = sum(isinstance(n, ast.Pass) for n in tree.body) < len(lines) if tree else True
    if whole or (lines and nested) or tree is None:
        yield None, source if whole else f"%cell\n{source}"
        return
    todo = iter(lines)
    for node in tree.body:
        if isinstance(node, ast.Pass):
            line = next(todo, "")
            if line:
                yield None, line.strip()
        else:
            yield node, ast.unparse(node)
    if captured := [word for word in first.split()[1:] if word.isidentifier()]:
        # the captured output is a text that depends on what the cell reads
        names = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})
        text = f"{captured[0]} = f'{''.join(f'{{{name}}}' for name in names)}'"
        yield ast.parse(text).body[0], first


def lines_of(node: ast.stmt | None) -> tuple[int, int]:
    """Return the lines of a statement, decorators included; (0, 0) if unknown."""
    if node is None:
        return 0, 0
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    return first, node.end_lineno or 0


def stops_at_name(node: ast.stmt | None, ending: Ending) -> bool:
    """Tell whether a statement surely stopped where it first reads the name that was missing."""
    if not isinstance(node, ast.Expr | ast.Assign | ast.AugAssign):
        return False
    inner = list(ast.walk(node))
    if any(isinstance(n, ast.comprehension | ast.Lambda | ast.IfExp | ast.BoolOp) for n in inner):
        return False
    names = [n.id for n in inner if isinstance(n, ast.Name)]
    names += [n.attr for n in inner if isinstance(n, ast.Attribute)]
    return names.count(ending.missing) == 1
