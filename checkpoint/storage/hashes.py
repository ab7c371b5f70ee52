"""What contents are called: blake3 of a file, of a value, of a cell's code."""

import ast
import json
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import LEFTOVERS
from ..notebooks.syntax import parse

CELL_DIGITS = 16


def file_hash(path: Path) -> str:
    """Return the blake3 of a file, as 64 hexadecimal digits."""
    import hashlib

    from blake3 import blake3

    # not by mapping the file into memory, which would count as this process's
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, blake3).hexdigest()  # type: ignore[arg-type]


def describe(path: Path, blake3: str | None = None) -> dict[str, Any]:
    """Return what tells whether a file is still the same: bytes, time of change, blake3."""
    found = path.stat()
    return {
        "bytes": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "blake3": blake3 or file_hash(path),
    }


def files_below(folder: Path) -> list[Path]:
    """Return the files in a folder and below, but for what systems and tools leave there.

    A folder that is a link is entered, as on a cluster where raw data lie elsewhere, but once.
    """
    found: list[Path] = []
    seen: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        folders[:] = [] if real in seen else sorted(set(folders) - LEFTOVERS)
        found += [Path(parent, name) for name in files if real not in seen]
        seen.add(real)
    return sorted(path for path in found if path.name not in LEFTOVERS and path.is_file())


def listing_hash(folder: Path) -> str:
    """Return the blake3 of the names of a folder's files, whatever is in them."""
    names = [path.relative_to(folder).as_posix() for path in files_below(folder)]
    # systems differ in how they sort paths and write accents
    return value_hash(sorted(unicodedata.normalize("NFC", name) for name in names))


def is_still(path: Path, described: Mapping[str, Any]) -> bool:
    """Tell whether a file is as it was described; it is hashed only if its time has changed.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    found = path.stat()
    if found.st_size != described["bytes"]:
        return False
    return found.st_mtime_ns == described.get("mtime_ns") or (
        file_hash(path) == described["blake3"]
    )


def value_hash(value: Any) -> str:
    """Return the blake3 of a JSON value; the order of keys does not count."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return _text_hash(text)


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
    """Return a short hash of a module's code; None where there is no such file, or no code."""
    import tokenize

    try:
        with tokenize.open(path) as file:  # in the encoding that its first lines name
            return code_hash(file.read())
    except FileNotFoundError:
        return None
    except (SyntaxError, UnicodeDecodeError):
        return file_hash(path)[:CELL_DIGITS]


def _text_hash(text: str) -> str:
    from blake3 import blake3

    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()


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
