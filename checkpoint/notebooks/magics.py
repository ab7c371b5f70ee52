"""Parse code of cells and modules: Python, and IPython's magics, shell lines and `?` help."""

import ast
import io
import re
import textwrap
import warnings
from collections.abc import Iterator

# line magics that are followed by Python code, and cell magics with Python code
TIMING = ("lprun", "memit", "mprun", "prun", "time", "timeit")
PYTHON_MAGICS = ("capture", *TIMING)
# strings and comments, whose brackets do not count
QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|#.*")
# magics that IPython accepts without %, looked for only if a cell is not valid Python
AUTOMAGIC = re.compile(r"(?:pip|conda|mamba|cd|ls|cp|mv|rm|mkdir|cat)\s+[^\s=(]")
# `%time x = load("1_a")`, `%timeit -n 1 f(x)`: Python follows the magic and its options
OPTION = r"(?:-[DTflms]\s*\S+|--?[\w-]+(?:\s+\d+)?)\s+"
TIMED = re.compile(rf"(\s*)(%(?:{'|'.join(TIMING)})\s+(?:{OPTION})*)(?=[^\s-])")


def parse(source: str) -> ast.Module:
    """Return the syntax tree of a cell or module, without showing Python's syntax warnings.

    Raises `SyntaxError` or `ValueError` if it is not valid Python, or nested too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (RecursionError, MemoryError) as error:
            raise ValueError("the code is nested too deeply") from error


def lines_of(source: str) -> list[str]:
    """Return the lines with their ends, split like Python; `splitlines` has more separators."""
    return list(io.StringIO(source, newline=""))


def parse_cell(source: str) -> ast.Module | None:
    """Return a cell's syntax tree, without magics and shell lines; None if it is not Python."""
    try:
        return _parsed(source)
    except (SyntaxError, ValueError):
        pass  # few cells have magics, and finding them is slow
    try:
        return _parsed(without_magics(source))
    except (SyntaxError, ValueError):
        return None


def has_cell_magic(source: str) -> bool:
    """Tell whether a cell begins with `%%`; IPython skips empty lines before it."""
    return source.lstrip().startswith("%%")


def magics(source: str) -> Iterator[str]:
    """Yield the lines of a cell that are not Python: `!ls`, `%cd`, all of a `%%bash` cell."""
    lines = [line.rstrip("\r\n") for line in lines_of(source)]
    if has_cell_magic(source) and not without_magics(source):
        yield from (line.rstrip("\r\n") for line in lines_of(source.lstrip()))
        return
    try:
        _parsed(source)  # a line of a string may look like a magic
    except (SyntaxError, ValueError):
        yield from (lines[i] for i in sorted(_magical(lines)) if not TIMED.match(lines[i]))


def without_magics(source: str) -> str:
    """Return a cell's code with `pass` for magics, shell lines and help, line by line."""
    lines = [line.rstrip("\r\n") for line in lines_of(source)]
    if has_cell_magic(source):
        first = next(i for i, line in enumerate(lines) if line.strip())
        if lines[first].strip()[2:].partition(" ")[0] not in PYTHON_MAGICS:
            return ""
        lines[first] = ""
    magical = _magical(lines)
    return "\n".join(_as_python(line, i in magical) for i, line in enumerate(lines))


def _parsed(source: str) -> ast.Module:
    """Return the syntax tree of a cell; like IPython, ignore indentation that all lines share."""
    bare = textwrap.dedent(source) if source[:1].isspace() else source
    tree = parse(bare)
    if bare != source:
        pairs = zip(bare.split("\n"), source.split("\n"), strict=True)
        removed = next((len(line) - len(rest) for rest, line in pairs if rest.strip()), 0)
        for node in ast.walk(tree):  # positions refer to the original cell
            for name in ("col_offset", "end_col_offset"):
                if hasattr(node, name):
                    setattr(node, name, getattr(node, name) + removed)
    return tree


def _magical(lines: list[str]) -> set[int]:
    """Return the indices of magics, shell and help lines, with their continuation lines."""
    magical: set[int] = set()
    depth = 0
    for i, line in enumerate(lines):
        continues = i - 1 in magical and lines[i - 1].rstrip().endswith("\\")
        if continues or (depth <= 0 and _is_magic(line.strip())):
            magical.add(i)
        else:  # inside brackets, % is an operator
            code = QUOTED.sub("", line)
            depth += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
    return magical


def _as_python(line: str, magical: bool) -> str:
    if timed := TIMED.match(line) if magical else None:
        # as long as the magic, so that columns stay the same
        return f"{timed[1]}0;{' ' * (len(timed[2]) - 2)}{line[timed.end() :]}"
    return line[: len(line) - len(line.lstrip())] + "pass" if magical else line


def _is_magic(line: str) -> bool:
    name, equals, value = line.partition("=")
    assigned = equals and name.strip().isidentifier() and value.lstrip()[:1] in ("%", "!")
    help_ = line[-1:] == "?" and "#" not in line
    return line[:1] in ("%", "!", "?") or help_ or bool(assigned) or bool(AUTOMAGIC.match(line))
