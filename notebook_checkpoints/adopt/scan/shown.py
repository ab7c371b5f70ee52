"""How `adopt` shows a chain: text, JSON, Mermaid."""

from collections.abc import Iterator, Sequence
from typing import Any

from .broken import KINDS, Broken
from .chain import Chain
from .uses import Scanned, Use


def as_text(chain: Chain, broken: Sequence[Broken]) -> str:
    """Return the order, the map and what is broken."""
    lines = ["Order"]
    for number, one in enumerate(chain.scanned, start=1):
        adopted = "  (adopted)" if one.is_adopted else ""
        lines.append(f"  {number:>2}  {one.unit.path}{adopted}")
        lines += [f"        {line}" for line in _about(chain, one)]
    lines += ["", f"Broken: {len(broken)}" if broken else "Broken: nothing found"]
    for kind, title in KINDS.items():
        of_kind = [one for one in broken if one.kind == kind]
        lines += [f"  {title}"] if of_kind else []
        for wrong in of_kind:
            where = "" if kind in ("written-twice", "circle") else f"{wrong.where[0]}: "
            lines.append(f"    {where}{wrong.what}")
            lines += [f"      `{wrong.line}`"] if wrong.line else []
    return "\n".join(lines)


def _about(chain: Chain, one: Scanned) -> Iterator[str]:
    path = one.unit.path
    for link in chain.links:
        if link.reader == path:
            doubt = "" if link.is_certain else "  (not certain)"
            yield f"reads {link.shown}  from {link.writer}{doubt}"
    linked = [link.shown for link in chain.links if link.reader == path]
    for shown in dict.fromkeys(_alternatives(use) for use in one.reads):
        if not any(shown == other for other in linked) and not _is_linked(chain, one, shown):
            yield f"reads {shown}"
    for shown in dict.fromkeys(_alternatives(use) for use in one.writes):
        yield f"writes {shown}"
    yield from one.unknown
    for step in dict.fromkeys(one.saves):
        yield f"saves {step}"


def _alternatives(use: Use) -> str:
    """Return what a use may be of, and whether only the name of its function says so."""
    text = " or ".join(place.shown for place in use.places)
    return f"{text}  (as `{use.function}` says)" if use.is_guess else text


def _is_linked(chain: Chain, one: Scanned, shown: str) -> bool:
    reads = (link.read for link in chain.links if link.reader == one.unit.path)
    return any(read and _alternatives(read) == shown for read in reads)


def as_data(chain: Chain, broken: Sequence[Broken]) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "order": [
            {
                "path": one.unit.path,
                "step": one.unit.name,
                "language": one.unit.language,
                "adopted": one.is_adopted,
                "reads": _uses(one, False),
                "writes": _uses(one, True),
                "names": [
                    {"path": use.as_named, "cell": use.cell, "line": use.line} for use in one.named
                ],
                "unclear": [{"writes": writes, "line": line} for writes, line in one.unclear],
                "loads": list(dict.fromkeys(one.loads)),
                "saves": list(dict.fromkeys(one.saves)),
            }
            for one in chain.scanned
        ],
        "links": [
            {
                "writer": link.writer,
                "reader": link.reader,
                "file": link.shown,
                "certain": link.is_certain,
            }
            for link in chain.links
        ],
        "broken": [one._asdict() for one in broken],
    }


def _uses(one: Scanned, writes: bool) -> list[dict[str, Any]]:
    return [
        {"paths": [place.shown for place in use.places], "cell": use.cell, "line": use.line}
        for use in one.uses
        if use.writes is writes
    ]


def as_mermaid(chain: Chain) -> str:
    """Return the map for Mermaid, which GitHub draws."""
    ids = {one.unit.path: f"n{number}" for number, one in enumerate(chain.scanned, start=1)}
    lines = ["flowchart TD"]
    lines += [f'    {ids[path]}["{_escaped(path)}"]' for path in ids]
    files: dict[tuple[str, str], list[str]] = {}
    for link in chain.links:
        files.setdefault((link.writer, link.reader), []).append(link.shown)
    for (writer, reader), shown in files.items():
        label = ", ".join(dict.fromkeys(shown))
        lines.append(f'    {ids[writer]} -->|"{_escaped(label)}"| {ids[reader]}')
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
