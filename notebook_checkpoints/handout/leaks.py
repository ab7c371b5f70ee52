"""Lines of solutions that are still somewhere in the students' copy."""

import re
import tokenize
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from checkpoint.files import below

from .texts import Texts

SHORTEST = 8  # characters without spaces; a shorter line is too common
INSIDE = 12  # characters from which a line is also searched for inside others
TOGETHER = 20  # as SHORTEST, for three common lines in a row
CUT = 55  # messages and records keep at least so many characters of a line
IMPORT = re.compile(r"(import|from) ")
# an import, or no more than one name
COMMON = re.compile(r"(import|from) .*|(return|raise|yield|del|global)?\s*[\w.]*[\W_]*")
SKIPPED = str.maketrans({'"': "'", "\\": None, **dict.fromkeys(" \t\r\n\f\v\u00a0", None)})
BEGINS = re.compile(r"(>>>|\.\.\.|[#>*/$%-]+)\s+")  # a doctest, a comment, a quotation, a list
MARKED = re.compile(
    r"^[^\w\n]*BEGIN\s+(?:SOLUTION|HIDDEN\s+TESTS?|MARK\s+SCHEME)\b.*|^.*\S\s*#\s*SOLUTION\b.*",
    re.M,
)
CODE = (".py", ".r", ".jl", ".rmd", ".qmd", ".m", ".sh")


class Leak(NamedTuple):
    """A line of a solution, and the file of the copy that has it."""

    file: str
    line: str


def telling(removed: Iterable[str], kept: Iterable[str]) -> set[str]:
    """Return the lines that only the solutions have.

    Common lines do not count: imports, single names, brackets; but three of them in a
    row do, joined by spaces.

    Parameters
    ----------
    removed
        The lines of solutions and hidden tests.
    kept
        The code cells that students get. What is in their comments and docstrings does not count.
    """
    removed, sources = list(removed), list(kept)
    code, all_of_it = (
        _squeezed("\n".join(texts)) for texts in (map(_code_alone, sources), sources)
    )
    forms = {
        form
        for line in removed
        for form in _forms(line)
        # a comment of the exercise may be repeated in its solution
        if _squeezed(form) not in (all_of_it if line.lstrip().startswith("#") else code)
    }
    lines = [line.strip() for line in removed if line.strip()]
    threes = (
        " ".join(three)
        for three in zip(lines, lines[1:], lines[2:], strict=False)
        if not any(map(_tells, three)) and sum(not IMPORT.match(line) for line in three) > 1
    )
    chained = {
        three
        for three in threes
        if len(_squeezed(three)) >= TOGETHER and _squeezed(three) not in code
    }
    return {form for form in forms if _tells(form)} | chained


def _tells(form: str) -> bool:
    return not COMMON.fullmatch(form) and len(_squeezed(form)) >= SHORTEST


def leaks(
    copy: Path, lines: set[str], ours: Iterable[str], texts: Texts, allowed: Iterable[str] = ()
) -> Iterator[Leak]:
    """Yield the lines that a file of the copy has, also in packs, in JSON and as markup.

    Spaces, line breaks and kinds of quotation marks do not count.

    Parameters
    ----------
    copy
        The students' copy.
    lines
        What `telling` returned.
    ours
        The files that are known to have none, relative to `copy`.
    texts
        Reads the files.
    allowed
        Lines that may be there although they look like markers.
    """
    parts = {part: line for line in sorted(lines) for part in _parts(line)}
    short = {_squeezed(line): line for line in lines}
    skipped = set(ours)
    for path in below(copy):
        name = path.relative_to(copy).as_posix()
        if not path.is_file() or name in skipped:
            continue
        leaked = set[str]()
        for text in texts.of(path, name):
            squeezed = _squeezed(text)
            leaked |= {line for part, line in parts.items() if part in squeezed}
            if near := {form for form in short if form in squeezed}:
                squeezed_lines = {
                    _squeezed(form) for line in text.split("\n") for form in _forms(line)
                }
                leaked |= {short[form] for form in near & squeezed_lines}
            if path.suffix.lower() in CODE:
                leaked |= {match[0].strip() for match in MARKED.finditer(text)}
        yield from (Leak(name, line) for line in sorted(leaked.difference(allowed)))


def _forms(line: str) -> set[str]:
    """Return a line without indentation, also without what begins a comment or ends in one."""
    line = line.strip()
    bare = line
    while begun := BEGINS.match(bare):
        bare = bare[begun.end() :]
    return {form for text in (line, bare) for form in (text, re.sub(r"\s+#.*$", "", text))}


def _parts(line: str) -> Iterator[str]:
    """Yield the parts of a line to search for inside others, also where it was shortened."""
    for part in (line, line[:CUT]):
        if len(squeezed := _squeezed(part)) >= INSIDE:
            yield squeezed


def _squeezed(text: str) -> str:
    return text.translate(SKIPPED)


def _code_alone(source: str) -> str:
    """Return code without comments, docstrings and strings of several lines."""
    lines = source.split("\n")
    try:
        tokens = list(tokenize.generate_tokens(StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):  # magics, another language
        return "\n".join(line for line in lines if not line.lstrip().startswith(("#", '"', "'")))
    dropped, starts = [], True
    for token in tokens:
        text = token.type == tokenize.STRING and (starts or token.start[0] < token.end[0])
        if text or token.type == tokenize.COMMENT:
            dropped.append((token.start, token.end))
        starts = token.type in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
    for (row, begin), (last, end) in reversed(dropped):
        lines[row - 1 : last] = [lines[row - 1][:begin] + lines[last - 1][end:]]
    return "\n".join(lines)
