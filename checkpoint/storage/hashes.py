"""Compute blake3 hashes of files, folders, JSON values, and the code of cells and modules."""

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
CHUNK = 1 << 22  # bytes hashed at a time (4 MB)
PARALLEL = 1 << 20  # files of at least this many bytes are hashed on all cores
Advance = Callable[[int], object]


def ignored(amount: int) -> None:
    """Ignore the progress of hashing."""


class Content(NamedTuple):
    """The size, modification time and hash of a file.

    Attributes
    ----------
    bytes
        Its size.
    mtime_ns
        Its modification time: while size and time are unchanged, it is not hashed again.
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
    """The size, modification time and hash of a file in a record."""

    @property
    def bytes(self) -> int | None:
        """Its size."""

    @property
    def mtime_ns(self) -> int | None:
        """Its modification time."""

    @property
    def blake3(self) -> str:
        """Its hash."""


def file_hash(path: Path, advance: Advance = ignored) -> str:
    """Return the blake3 hash of a file, as 64 hexadecimal digits.

    Parameters
    ----------
    path
        The file.
    advance
        Called with the number of bytes after each chunk; an exception that it raises stops hashing.
    """
    from blake3 import blake3

    # not memory-mapped, which would count towards this process's memory
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        hasher = blake3(max_threads=blake3.AUTO if size >= PARALLEL else 1)
        buffer = memoryview(bytearray(min(max(size, 1), CHUNK)))
        while count := file.readinto(buffer):
            hasher.update(buffer[:count])
            advance(count)
    return hasher.hexdigest()


def content_of(path: Path, advance: Advance = ignored) -> Content:
    """Return the size, time and hash of a file, or of a folder that is saved as one object."""
    size, mtime_ns = stamp_of(path)
    return Content(size, mtime_ns, path_hash(path, advance))


def stamp_of(path: Path) -> tuple[int, int]:
    """Return the size of a file or folder in bytes, and its modification time in nanoseconds.

    Raises
    ------
    FileNotFoundError
        If it does not exist.
    """
    status = path.stat()
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size, status.st_mtime_ns
    statuses = [status, *(inner.stat() for inner in below(path))]
    size = sum(status.st_size for status in statuses if not stat.S_ISDIR(status.st_mode))
    # folders count too: renaming a file changes only the time of its folder
    return size, max(status.st_mtime_ns for status in statuses)


def path_hash(path: Path, advance: Advance = ignored) -> str:
    """Return the blake3 hash of a file, or of the names and hashes of a folder's files."""
    if not stat.S_ISDIR(path.stat().st_mode):
        return file_hash(path, advance)
    files = [inner for inner in below(path) if inner.is_file()]
    names = (unicodedata.normalize("NFC", file.relative_to(path).as_posix()) for file in files)
    each = (file_hash(file, advance) for file in files)
    return value_hash(dict(zip(names, each, strict=True)))


def files_below(folder: Path) -> list[Path]:
    """Return all files below a folder, except those that operating systems and tools create.

    Linked folders are followed, each once: on a cluster, raw data are often stored elsewhere.
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
    """Return the blake3 hash of the names of a folder's files, regardless of their content."""
    names = [path.relative_to(folder).as_posix() for path in files_below(folder)]
    # operating systems differ in how they sort paths and encode accents
    return value_hash(sorted(unicodedata.normalize("NFC", name) for name in names))


def has_stamp(path: Path, recorded: Recorded) -> bool:
    """Tell whether a file has the recorded size and time, and thus counts as unchanged."""
    try:
        return stamp_of(path) == (recorded.bytes, recorded.mtime_ns)
    except OSError:
        return False


def is_unchanged(path: Path, recorded: Recorded) -> bool:
    """Tell whether a file has the recorded content; it is hashed only if its time differs.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    """
    size, mtime_ns = stamp_of(path)
    if size != recorded.bytes:
        return False
    return mtime_ns == recorded.mtime_ns or path_hash(path) == recorded.blake3


def value_hash(value: Any) -> str:
    """Return the blake3 hash of a JSON value, regardless of the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return _text_hash(text)


@lru_cache(1 << 12)
def code_hash(source: str) -> str | None:
    """Return a short hash of a cell's code.

    The syntax tree is hashed, without comments, blank lines and formatting. Code that is not
    plain Python (magics, shell lines) is hashed as text.

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
    """Return a short hash of a code file; None if it does not exist or has no code.

    Python files are hashed by syntax tree, notebooks by code cells, other languages by content.
    """
    try:
        if path.suffix not in (".py", ".ipynb"):
            return bytes_hash(path.read_bytes())[:CELL_DIGITS]
        return source_hash(path.read_bytes(), notebook=path.suffix == ".ipynb")
    except FileNotFoundError:
        return None


def source_hash(content: bytes, *, notebook: bool = False) -> str | None:
    """Return a short hash of the code in a module or notebook, from the content of its file."""
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
    """Return the blake3 hash of some bytes, as 64 hexadecimal digits."""
    from blake3 import blake3

    return blake3(content).hexdigest()


def _text_hash(text: str) -> str:
    return bytes_hash(text.encode("utf-8", "surrogatepass"))


def _outline(node: Any) -> str:
    """Return a syntax tree as text, without positions and empty fields.

    Python versions differ in their empty fields: with `ast.dump`, cells would count as edited
    after an upgrade of Python.
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
