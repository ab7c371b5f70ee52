"""Format sizes, shapes, tables and JSON as text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def json_text(value: Any) -> str:
    """Return a value as JSON, indented by two spaces as in `params.json`."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def strings(value: Any) -> Iterator[str]:
    """Yield all strings in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (key, *strings(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def unfinished_merge(content: str) -> str | None:
    """Return where git left conflict markers, in words that complete "<file> …"; else None."""
    lines = content.splitlines()
    first = next((n for n, line in enumerate(lines) if line.startswith("<<<<<<< ")), len(lines))
    if not any(line.startswith(">>>>>>> ") for line in lines[first:]):
        return None
    return (
        f"has an unfinished merge in line {first + 1}: choose between both versions and remove "
        "the lines that begin with <<<<<<<, ======= and >>>>>>>"
    )


def size(n_bytes: int) -> str:
    """Return a file's size: `812 B`, `24.1 kB`, `1.3 GB`."""
    amount = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def exact_size(n_bytes: int) -> str:
    """Return a file's size to the byte: `1 byte`, `1,204 bytes`."""
    return "1 byte" if n_bytes == 1 else f"{n_bytes:,} bytes"


def files(count: int) -> str:
    """Return a number of files in words: `1 file`, `3 files`."""
    return "1 file" if count == 1 else f"{count:,} files"


def shape(entry: Mapping | None) -> str:
    """Return an entry of `data_shapes` in words: `591 cells x 900 features`."""
    if not isinstance(entry, Mapping):
        return ""
    try:
        if "n_cells" in entry:
            return f"{entry['n_cells']:,} cells x {entry['n_features']:,} features"
        if "rows" in entry:
            return f"{entry['rows']:,} rows x {entry['columns']:,} columns"
        sides = " x ".join(f"{side:,}" for side in entry["shape"]) or "scalar"
        return f"{sides} {entry['dtype']}"
    except (KeyError, TypeError, ValueError):
        return ""  # edited by hand


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows of text as aligned columns, indented by two spaces."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
