"""What is broken in a chain: read and never written, written twice, and more."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .chain import Chain, are_numbered
from .functions import FIGURES, is_figure
from .places import HOLE, Place
from .scan import exists
from .uses import Scanned, Use

KINDS = {
    "unreadable": "cannot be read",
    "never-written": "read and never written",
    "differs": "differs from a file that is written only by its folder or version",
    "no-code": "read and here, among results, but no code is known to write it",
    "written-twice": "written by more than one",
    "own-input": "overwrites its own input",
    "absolute-path": "absolute path",
    "outside": "outside the project",
    "order": "reads what a later one writes",
    "circle": "each reads what the other writes",
}
FIGURE = re.compile(rf"\.(?:{'|'.join(sorted(FIGURES))})\(")  # a line that writes a figure


class Broken(NamedTuple):
    """Something that breaks the chain.

    Attributes
    ----------
    kind
        One of `KINDS`.
    where
        The notebooks and scripts.
    what
        What is wrong, as a sentence without its full stop.
    line
        The line of code; empty if it is not one.
    """

    kind: str
    where: list[str]
    what: str
    line: str = ""


def broken_in(root: Path, chain: Chain) -> list[Broken]:
    """Return what is broken, by kind and in running order."""
    broken = [
        *_unreadable(chain),
        *_reads(root, chain),
        *_written_twice(chain),
        *_own_inputs(chain),
        *_elsewhere(chain),
        *_order(chain),
    ]
    kinds = list(KINDS)
    return sorted(
        dict.fromkeys(map(_hashable, broken)), key=lambda problem: kinds.index(problem.kind)
    )


def _hashable(broken: Broken) -> "Broken":
    return broken._replace(where=_Names(broken.where))


class _Names(list):
    """A list that can be hashed, so that duplicates can be removed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))


def _unreadable(chain: Chain) -> Iterator[Broken]:
    for scanned in chain.scanned:
        for reason in scanned.unit.wrong:
            yield Broken("unreadable", [scanned.unit.path], reason)


def _reads(root: Path, chain: Chain) -> Iterator[Broken]:
    """Yield the files that are read and that no code writes, unless they are raw files."""
    written = [
        (scanned, place)
        for scanned in chain.scanned
        for use in scanned.writes
        for place in use.places
    ]
    doubt = _unclear_writer(chain)
    results = {place.text.partition("/")[0] for _, place in written if "/" in place.text}
    for scanned in chain.scanned:
        for use in scanned.reads:
            if use.function.endswith("glob") or len(use.places) > 1 or not use.place.is_inside:
                continue
            place = use.place
            if place.text.startswith(HOLE) or any(place.matches(there) for _, there in written):
                continue
            if any(there.text.startswith(f"{place.text}/") for _, there in written):
                continue  # the folder of files that are written
            if any(
                place.matches(named)
                for writer in chain.scanned
                if writer is not scanned
                for mention in writer.named
                for named in mention.places
            ):
                continue  # another notebook names it, and may write it
            like = [(writer, there) for writer, there in written if _is_like(place, there)]
            if exists(root, place):
                if place.text.partition("/")[0] in results - {"data"}:
                    what = f"reads {place.shown}, which is here but which no code is known to write"
                    yield Broken(
                        "no-code", [scanned.unit.path], what + _near(like) + doubt, use.line
                    )
            elif like:
                what = f"reads {place.shown}, which nothing is known to write"
                yield Broken("differs", [scanned.unit.path], what + _near(like) + doubt, use.line)
            else:
                what = f"reads {place.shown}, which nothing is known to write and which is not here"
                yield Broken("never-written", [scanned.unit.path], what + doubt, use.line)


def _unclear_writer(chain: Chain) -> str:
    """Say who writes a file, other than a figure, whose path is not known; empty if nobody."""
    for scanned in chain.scanned:
        lines = [line for writes, line in scanned.unclear if writes and not FIGURE.search(line)]
        lines += [
            use.line
            for use in scanned.writes
            if use.place.text.startswith(HOLE) and not is_figure(use.function, use.place.name)
        ]
        if lines:
            return f"; it is unknown what {scanned.unit.path} writes in `{lines[0]}`"
    return ""


def _near(like: list[tuple[Scanned, Place]]) -> str:
    if not like:
        return ""
    writer, place = like[0]
    return f"; {writer.unit.path} writes {place.shown}"


def _is_like(place: Place, other: Place) -> bool:
    """Tell whether two paths differ only in a folder or a version."""
    bare = place.family.replace(HOLE, "").partition(".")[0]
    return place.text != other.text and bool(bare) and place.family == other.family


def _written_twice(chain: Chain) -> Iterator[Broken]:
    writers: dict[str, list[str]] = {}
    shown = {}
    for scanned in chain.scanned:
        for use in scanned.writes:
            for place in use.places if use.function != "drawn" else ():
                if not place.text.startswith(HOLE):
                    shown[place.text] = place.shown
                    writers.setdefault(place.text, []).append(scanned.unit.path)
    for text, paths in writers.items():
        names = list(dict.fromkeys(paths))
        if len(names) > 1:
            what = f"{shown[text]} is written by {', '.join(names)}"
            yield Broken("written-twice", names, what)


def _own_inputs(chain: Chain) -> Iterator[Broken]:
    for scanned in chain.scanned:
        for write in scanned.writes:
            for read in scanned.reads:
                if read.place.text == write.place.text and _before(read, write):
                    what = f"reads {read.place.shown} and then overwrites it"
                    yield Broken("own-input", [scanned.unit.path], what, write.line)


def _before(read: Use, write: Use) -> bool:
    lines = (read.call.lineno if read.call else 0, write.call.lineno if write.call else 0)
    return (read.cell, lines[0]) < (write.cell, lines[1])


def _elsewhere(chain: Chain) -> Iterator[Broken]:
    for scanned in chain.scanned:
        for use in scanned.uses:
            verb = "writes" if use.writes else "reads"
            for place in use.places:
                if place.is_absolute:
                    tail = _same_end(chain, place)
                    what = (
                        f"{verb} the absolute path {place.shown}, which exists on one machine only"
                    )
                    also = f"; {tail.shown} is written in the project" if tail else ""
                    also += "; it changes its working directory" if _has_moved(scanned, use) else ""
                    yield Broken("absolute-path", [scanned.unit.path], what + also, use.line)
                elif not place.is_inside:
                    what = f"{verb} {place.shown}, outside the project"
                    yield Broken("outside", [scanned.unit.path], what, use.line)


def _has_moved(scanned: Scanned, use: Use) -> bool:
    """Tell whether a path is absolute only because the notebook changed its directory."""
    places = scanned.names.places(use.path) if scanned.names and use.path is not None else []
    return bool(places) and not any(place.is_absolute for place in places)


def _same_end(chain: Chain, place: Place) -> Place | None:
    written = (
        candidate for scanned in chain.scanned for use in scanned.writes for candidate in use.places
    )
    return next(
        (
            candidate
            for candidate in written
            if candidate.is_inside and place.text.endswith(f"/{candidate.text}")
        ),
        None,
    )


def _order(chain: Chain) -> Iterator[Broken]:
    for circle in chain.circles:
        yield Broken("circle", circle, f"{', '.join(circle)} read what the others write")
    for link in chain.links:
        writer, reader = chain.unit(link.writer).unit, chain.unit(link.reader).unit
        if are_numbered(writer, reader) and writer.key > reader.key and link.is_certain:
            what = f"reads {link.shown}, which {writer.path} writes"
            yield Broken("order", [reader.path], what, link.read.line if link.read else "")
