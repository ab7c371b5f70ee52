"""Read, write and validate notebook files, and list their cells.

This module does not use nbformat: the post-gen hook runs where nbformat may be missing, and
importing it takes seconds in an environment with JupyterLab, several times as long as a whole
`checkpoint check`. The tests compare `invalid` with nbformat's schema.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError
from ..text import unfinished_merge

LOAD_TAG, SAVE_TAG = "checkpoint-load", "checkpoint-save"
CELL_TYPES = ("code", "markdown", "raw")
TOP_KEYS = frozenset(("cells", "metadata", "nbformat", "nbformat_minor"))
CELL_KEYS = frozenset(("cell_type", "id", "metadata", "source"))
KEYS_OF = {
    "code": {"execution_count", "outputs"},
    "markdown": {"attachments"},
    "raw": {"attachments"},
}
ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def read(path: Path) -> dict:
    """Return a notebook's JSON.

    Raises
    ------
    ProjectError
        If the file is not a JSON object. For a syntax error, the message has the line and column.
    """
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        reason = f"is not valid JSON: {error.msg}, {place}"
        raise _unreadable(path, unfinished_merge(text) or reason) from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, "is not valid JSON: it is not UTF-8 text") from error
    if not isinstance(notebook, dict):
        kind = type(notebook).__name__
        raise _unreadable(path, f"is not a notebook: expected a JSON object, got a {kind}")
    return notebook


def read_whole(path: Path) -> dict:
    """Return a notebook of any version whose cells are valid; raises like `read`."""
    notebook = read(path)
    if reason := next(broken(notebook), None):
        raise _unreadable(path, f"is not a valid notebook: it {reason}")
    return notebook


def _unreadable(path: Path, reason: str) -> ProjectError:
    return ProjectError(f"{path} {reason}", file=str(path), expected="a notebook", found=reason)


def dumps(notebook: dict) -> str:
    """Return the text of a notebook file, formatted like Jupyter does."""
    return printable(json.dumps(notebook, indent=1, ensure_ascii=False)) + "\n"


def printable(text: str) -> str:
    """Return JSON with unpaired surrogates, such as half an emoji, escaped."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def code_cell(cell_id: str, source: str, *tags: str) -> dict:
    """Return a new code cell, without outputs."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": {"tags": list(tags)} if tags else {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def source_of(cell: dict) -> str:
    """Return a cell's source as one string."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def first_line(source: str) -> str:
    """Return the first non-empty line, shortened, by which messages name a cell."""
    lines = (line.partition("  #")[0].strip() for line in source.splitlines())
    return shortened(next(filter(None, lines), ""))


def shortened(text: str, longest: int = 60) -> str:
    """Return the first line of a text, truncated to `longest` characters."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= longest else line[: longest - 1] + "…"


def code_cells(notebook: dict) -> list[dict]:
    """Return the code cells in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def sources(notebook: dict) -> list[str]:
    """Return the sources of the code cells in order."""
    return [source_of(cell) for cell in code_cells(notebook)]


def tagged(notebook: dict, tag: str) -> list[dict]:
    """Return the code cells with a tag, in order."""
    return [cell for cell in code_cells(notebook) if tag in tags_of(cell)]


def tags_of(cell: dict) -> list:
    """Return a cell's tags; none if they are invalid."""
    tags = cell.get("metadata", {}).get("tags")
    return tags if isinstance(tags, list) else []


def kernel(notebook: dict) -> str | None:
    """Return the kernel that a notebook names; None if it names none."""
    spec = notebook["metadata"].get("kernelspec")
    name = spec.get("name") if isinstance(spec, dict) else None
    return name if isinstance(name, str) and name else None


def language(notebook: dict) -> str:
    """Return the language of a notebook in lower case.

    If the notebook names only a kernel, this is the kernel's language, or the kernel's name if it
    is not installed.
    """
    spec, info = (notebook["metadata"].get(key) for key in ("kernelspec", "language_info"))
    named = [spec.get("language") if isinstance(spec, dict) else None]
    named += [info.get("name") if isinstance(info, dict) else None]
    name = str(next(filter(None, named), "") or _language_of(kernel(notebook))).lower()
    return "python" if name in ("python", "ipython") else name


def _language_of(name: str | None) -> str:
    if not name or name.startswith("python"):
        return "python"
    from jupyter_client.kernelspec import NoSuchKernel, get_kernel_spec

    try:
        return str(get_kernel_spec(name).language or "python")
    except NoSuchKernel:
        return name


def invalid(notebook: dict) -> Iterator[str]:
    """Yield each violation of nbformat 4.5 in a notebook; the content of outputs is not checked."""
    if reason := other_version(notebook):
        yield reason
    missing = list(broken(notebook))
    yield from (other for other in missing if other != reason)
    if missing:
        return
    if unknown := sorted(notebook.keys() - TOP_KEYS):
        yield f"has the unknown key {unknown[0]!r}"
    kernelspec = notebook["metadata"].get("kernelspec")
    if isinstance(kernelspec, dict) and "display_name" not in kernelspec:
        yield "has a kernelspec without display_name"
    seen: set[str] = set()
    for number, cell in enumerate(notebook["cells"], start=1):
        yield from (f"has an invalid cell {number}: {reason}" for reason in _invalid_cell(cell))
        cell_id = cell.get("id")
        if cell_id is None and notebook.get("nbformat_minor") != 5:
            continue  # older versions have no ids
        if not isinstance(cell_id, str) or not ID.fullmatch(cell_id):
            expected = "1 to 64 letters, digits, - and _"
            yield f"has an invalid cell {number}: expected an id of {expected}, got {cell_id!r}"
        elif cell_id in seen:
            yield f"has two cells with the id {cell_id!r}"
        else:
            seen.add(cell_id)


def other_version(notebook: dict) -> str | None:
    """Return the nbformat version of a notebook as a reason, as in `invalid`; None for 4.5."""
    version = (notebook.get("nbformat"), notebook.get("nbformat_minor"))
    if version == (4, 5):
        return None
    major, minor = ("?" if number is None else number for number in version)
    return f"is nbformat {major}.{minor}; expected 4.5"


def broken(notebook: dict) -> Iterator[str]:
    """Yield what makes the cells of a notebook unusable, whatever its nbformat version."""
    if not isinstance(notebook.get("metadata"), dict):
        yield "has no metadata"
    if not isinstance(notebook.get("cells"), list):
        # before version 4, cells were in worksheets
        older = notebook.get("nbformat") in (1, 2, 3)
        yield (other_version(notebook) if older else None) or "has no cells"
        return
    for number, cell in enumerate(notebook["cells"], start=1):
        yield from (f"has an invalid cell {number}: {reason}" for reason in _broken_cell(cell))


def _invalid_cell(cell: dict) -> Iterator[str]:
    kind = cell["cell_type"]
    if unknown := sorted(cell.keys() - CELL_KEYS - KEYS_OF[kind]):
        yield f"unknown key {unknown[0]!r} in a {kind} cell"
    tags = cell["metadata"].get("tags", [])
    if not isinstance(tags, list) or len(tags) != len(set(map(str, tags))):
        yield f"expected a list of different tags, got {tags!r}"


def _broken_cell(cell: object) -> Iterator[str]:
    if not isinstance(cell, dict) or cell.get("cell_type") not in CELL_TYPES:
        kind = cell.get("cell_type") if isinstance(cell, dict) else cell
        yield f"expected a code, markdown or raw cell, got {kind!r}"
        return
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        yield "no source"
    if not isinstance(cell.get("metadata"), dict):
        yield "no metadata"
    if cell["cell_type"] == "code":
        if not isinstance(cell.get("outputs"), list):
            yield "no outputs"
        count = cell.get("execution_count", "missing")
        if count is not None and not isinstance(count, int):
            yield "no execution_count"
