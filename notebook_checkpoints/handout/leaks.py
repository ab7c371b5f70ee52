"""Lines of solutions that are still somewhere in the students' copy."""

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from checkpoint.files import below

SHORTEST = 8  # characters besides spaces, below which a line tells nothing
INSIDE = 16  # from which on a line counts also within another
# an import, or no more than one name
COMMON = re.compile(r"(import|from) .*|(return|raise|yield|del|global)?\s*[\w.]*[\W_]*")


class Leak(NamedTuple):
    """A line of a solution, and the file of the copy that has it."""

    file: str
    line: str


def telling(removed: Iterable[str], kept: Iterable[str]) -> set[str]:
    """Return the lines that solutions alone have.

    Lines that tell nothing do not count: imports, single names, brackets.

    Parameters
    ----------
    removed
        The lines of solutions and hidden tests.
    kept
        The lines of code that students get in their notebooks.
    """
    known = "\n".join(line for line in kept if not line.lstrip().startswith("#"))
    forms = {form for line in removed for form in _forms(line) if form not in known}
    return {form for form in forms if not COMMON.fullmatch(form) and _length(form) >= SHORTEST}


def leaks(copy: Path, lines: set[str]) -> Iterator[Leak]:
    """Yield the lines that a file of the copy has, also in packs and inside JSON."""
    long = sorted(line for line in lines if len(line) >= INSIDE)
    short = lines.difference(long)
    for path in below(copy):
        if not path.is_file():
            continue
        texts = list(_texts(path.name, path.read_bytes()))
        every = {form for text in texts for line in text.split("\n") for form in _forms(line)}
        found = {line for line in long if any(line in text for text in texts)} | (short & every)
        yield from (Leak(path.relative_to(copy).as_posix(), line) for line in sorted(found))


def _forms(line: str) -> set[str]:
    """Return a line without indentation, also without the comment at its end."""
    line = line.strip()
    return {line, re.sub(r"\s+#.*$", "", line)}


def _length(line: str) -> int:
    return len("".join(line.split()))


def _texts(name: str, content: bytes) -> Iterator[str]:
    """Yield the text of a file, what is in its JSON, and that of the files in an archive."""
    text = content.decode("utf-8", "replace").replace("\r", "\n")
    yield text
    if name.endswith((".ipynb", ".json")):
        try:
            yield "\n".join(_strings(json.loads(text)))
        except ValueError:
            return  # not JSON; its text was searched
    if name.endswith(".gz"):
        try:
            yield from _texts(name.removesuffix(".gz"), gzip.decompress(content))
        except (OSError, EOFError, zlib.error):
            return  # not compressed; its bytes were searched
    if name.endswith((".zip", ".npz", ".xlsx")) and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from _texts(member, archive.read(member))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *_strings(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
