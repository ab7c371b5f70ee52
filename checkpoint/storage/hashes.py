"""Hashes, blake3 in each case: of a file, of a JSON value, of the code of a cell or module."""

import ast
import json
import os
import stat
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..files import LEFTOVERS, below
from ..notebooks.magics import parse
from ..notebooks.notebook import language, sources

CELL_DIGITS = 16
CHUNK = 1 << 22  # bytes that are hashed at a time: 4 MB
PARALLEL = 1 << 20  # bytes from which on a file is hashed on all cores
Advance = Callable[[int], object]


def ignored(amount: int) -> None:
    """Ignore how far it is."""


class Content(NamedTuple):
    """The content of a file.

    Attributes
    ----------
    bytes
        Its size.
    mtime_ns
        When it was modified: while size and time are the same, it is not hashed again.
    blake3
        Its hash, 64 hexadecimal digits.
    """

    bytes: int
    mtime_ns: int
    blake3: str

    @property
    def recorded(self) -> tuple[int, str, int]:
        """Size, hash and time, in the order of a record's entries."""
        return self.bytes, self.blake3, self.mtime_ns


class Recorded(Protocol):
    """The content of a file as a record has it."""

    @property
    def bytes(self) -> int | None:
        """Its size."""

    @property
    def mtime_ns(self) -> int | None:
        """When it was modified."""

    @property
    def blake3(self) -> str:
        """Its hash."""


def file_hash(path: Path, advance: Advance = ignored) -> str:
    """Return the blake3 of a file, as 64 hexadecimal digits.

    Parameters
    ----------
    path
        The file.
    advance
        Takes the number of bytes of each chunk after it was hashed; what it raises ends it.
    """
    from blake3 import blake3

    # not by mapping the file into memory, which would count as this process's
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        hasher = blake3(max_threads=blake3.AUTO if size >= PARALLEL else 1)
        buffer = memoryview(bytearray(min(max(size, 1), CHUNK)))
        while count := file.readinto(buffer):
            hasher.update(buffer[:count])
            advance(count)
    return hasher.hexdigest()


def content_of(path: Path, advance: Advance = ignored) -> Content:
    """Return the content of a file, or of a folder that is saved as one."""
    size, mtime_ns = stamp_of(path)
    return Content(size, mtime_ns, path_hash(path, advance))


def stamp_of(path: Path) -> tuple[int, int]:
    """Return the size of a file or folder, and when it was modified.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    status = path.stat()
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size, status.st_mtime_ns
    statuses = [status, *(inner.stat() for inner in below(path))]
    size = sum(status.st_size for status in statuses if not stat.S_ISDIR(status.st_mode))
    # of folders too, in which a file may have been renamed
    return size, max(status.st_mtime_ns for status in statuses)


def path_hash(path: Path, advance: Advance = ignored) -> str:
    """Return the blake3 of a file; of a folder, that of the names and hashes of its files."""
    if not stat.S_ISDIR(path.stat().st_mode):
        return file_hash(path, advance)
    files = [inner for inner in below(path) if inner.is_file()]
    names = (unicodedata.normalize("NFC", file.relative_to(path).as_posix()) for file in files)
    each = (file_hash(file, advance) for file in files)
    return value_hash(dict(zip(names, each, strict=True)))


def files_below(folder: Path) -> list[Path]:
    """Return the files in a folder and below, except what systems and tools leave there.

    Linked folders are entered once each: on a cluster, raw data often lie elsewhere.
    """
    paths: list[Path] = []
    entered: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        folders[:] = [] if real in entered else sorted(set(folders) - LEFTOVERS)
        paths += [Path(parent, name) for name in files if real not in entered]
        entered.add(real)
    return sorted(path for path in paths if path.name not in LEFTOVERS and path.is_file())


def listing_hash(folder: Path) -> str:
    """Return the blake3 of the names of a folder's files, whatever is in them."""
    names = [path.relative_to(folder).as_posix() for path in files_below(folder)]
    # systems differ in how they sort paths and write accents
    return value_hash(sorted(unicodedata.normalize("NFC", name) for name in names))


def has_stamp(path: Path, recorded: Recorded) -> bool:
    """Tell whether there is a file of the recorded size and time, which is as it was then."""
    try:
        return stamp_of(path) == (recorded.bytes, recorded.mtime_ns)
    except OSError:
        return False


def is_unchanged(path: Path, recorded: Recorded) -> bool:
    """Tell whether a file has the recorded content; it is hashed only if its time differs.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    size, mtime_ns = stamp_of(path)
    if size != recorded.bytes:
        return False
    return mtime_ns == recorded.mtime_ns or path_hash(path) == recorded.blake3


def value_hash(value: Any) -> str:
    """Return the blake3 of a JSON value; the order of keys does not count."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return _text_hash(text)


@lru_cache(1 << 12)
def code_hash(source: str) -> str | None:
    """Return a short hash of what a cell's code says.

    Comments, blank lines and formatting do not count: the syntax tree is hashed. Code that is
    not plain Python (magics, shell lines) is hashed as text.

    Parameters
    ----------
    source
        A code cell's source.

    Returns
    -------
    str or None
        16 hexadecimal digits; None for a cell without code.
    """
    try:
        tree = parse(source)
        return _text_hash("tree:" + _outline(tree))[:CELL_DIGITS] if tree.body else None
    except (SyntaxError, ValueError, RecursionError):
        return _text_hash("text:" + source.strip())[:CELL_DIGITS]


def module_hash(path: Path) -> str | None:
    """Return a short hash of a file of code; None where there is no such file, or no code.

    Of Python, it is that of its syntax tree; of a notebook, that of its code cells; of other
    languages, that of the text.
    """
    try:
        if path.suffix not in (".py", ".ipynb"):
            return bytes_hash(path.read_bytes())[:CELL_DIGITS]
        return source_hash(path.read_bytes(), notebook=path.suffix == ".ipynb")
    except FileNotFoundError:
        return None


def source_hash(content: bytes, *, notebook: bool = False) -> str | None:
    """Return a short hash of the code in the content of a module, or of a notebook."""
    import io
    import tokenize

    try:
        if notebook:
            read = json.loads(content)
            in_python = language(read) == "python"
            codes = [code_hash(cell) if in_python else cell.strip() for cell in sources(read)]
            return value_hash(codes)[:CELL_DIGITS]
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return code_hash(content.decode(encoding))
    except (SyntaxError, ValueError, KeyError, TypeError, AttributeError):
        return bytes_hash(content)[:CELL_DIGITS]


def bytes_hash(content: bytes) -> str:
    """Return the blake3 of some bytes, as 64 hexadecimal digits."""
    from blake3 import blake3

    return blake3(content).hexdigest()


def _text_hash(text: str) -> str:
    return bytes_hash(text.encode("utf-8", "surrogatepass"))


def _outline(node: Any) -> str:
    """Write a syntax tree without positions and empty fields.

    Python versions differ in which empty fields they have, so that `ast.dump` would call a cell
    edited after an upgrade.
    """
    if isinstance(node, ast.AST):
        fields = (
            f"{name}={_outline(value)}"
            for name, value in ast.iter_fields(node)
            if value is not None and value != []
        )
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(_outline(item) for item in node)}]"
    return repr(node)
