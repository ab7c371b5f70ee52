"""How `adopt` shows a chain: text, JSON, Mermaid."""

from collections.abc import Iterator, Sequence
from typing import Any

from .broken import KINDS, Broken
from .chain import Chain
from .uses import Scanned, Use


def as_text(chain: Chain, broken: Sequence[Broken]) -> str:
    """Return the order, the map and what is broken."""
    lines = ["Order"]
    for number, scanned in enumerate(chain.scanned, start=1):
        adopted = "  (adopted)" if scanned.is_adopted else ""
        lines.append(f"  {number:>2}  {scanned.unit.path}{adopted}")
        lines += [f"        {line}" for line in _about(chain, scanned)]
    lines += ["", f"Broken: {len(broken)}" if broken else "Broken: nothing found"]
    for kind, title in KINDS.items():
        of_kind = [problem for problem in broken if problem.kind == kind]
        lines += [f"  {title}"] if of_kind else []
        for problem in of_kind:
            where = "" if kind in ("written-twice", "circle") else f"{problem.where[0]}: "
            lines.append(f"    {where}{problem.what}")
            lines += [f"      `{problem.line}`"] if problem.line else []
    return "\n".join(lines)


def _about(chain: Chain, scanned: Scanned) -> Iterator[str]:
    path = scanned.unit.path
    for link in chain.links:
        if link.reader == path:
            doubt = "" if link.is_certain else "  (not certain)"
            yield f"reads {link.shown}  from {link.writer}{doubt}"
    linked = [link.shown for link in chain.links if link.reader == path]
    for shown in dict.fromkeys(_alternatives(use) for use in scanned.reads):
        if shown not in linked and not _is_linked(chain, scanned, shown):
            yield f"reads {shown}"
    for shown in dict.fromkeys(_alternatives(use) for use in scanned.writes):
        yield f"writes {shown}"
    yield from scanned.unknown
    for step in dict.fromkeys(scanned.saves):
        yield f"saves {step}"


def _alternatives(use: Use) -> str:
    """Return the files that a use can be, and whether only the function's name suggests it."""
    text = " or ".join(place.shown for place in use.places)
    return f"{text}  (as `{use.function}` says)" if use.is_guess else text


def _is_linked(chain: Chain, scanned: Scanned, shown: str) -> bool:
    reads = (link.read for link in chain.links if link.reader == scanned.unit.path)
    return any(read and _alternatives(read) == shown for read in reads)


def as_data(chain: Chain, broken: Sequence[Broken]) -> dict[str, Any]:
    """Return the chain and what is broken, as data for JSON."""
    return {
        "order": [
            {
                "path": scanned.unit.path,
                "step": scanned.unit.name,
                "language": scanned.unit.language,
                "adopted": scanned.is_adopted,
                "reads": _uses(scanned, False),
                "writes": _uses(scanned, True),
                "names": [
                    {"path": use.as_named, "cell": use.cell, "line": use.line}
                    for use in scanned.named
                ],
                "unclear": [{"writes": writes, "line": line} for writes, line in scanned.unclear],
                "loads": list(dict.fromkeys(scanned.loads)),
                "saves": list(dict.fromkeys(scanned.saves)),
            }
            for scanned in chain.scanned
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
        "broken": [problem._asdict() for problem in broken],
    }


def _uses(scanned: Scanned, writes: bool) -> list[dict[str, Any]]:
    return [
        {"paths": [place.shown for place in use.places], "cell": use.cell, "line": use.line}
        for use in scanned.uses
        if use.writes is writes
    ]


def as_mermaid(chain: Chain) -> str:
    """Return the map as a Mermaid flowchart, which GitHub renders."""
    ids = {scanned.unit.path: f"n{number}" for number, scanned in enumerate(chain.scanned, start=1)}
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
