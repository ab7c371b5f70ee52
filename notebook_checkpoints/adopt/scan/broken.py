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
    found = [
        *_unreadable(chain),
        *_reads(root, chain),
        *_written_twice(chain),
        *_own_inputs(chain),
        *_elsewhere(chain),
        *_order(chain),
    ]
    kinds = list(KINDS)
    return sorted(dict.fromkeys(map(_hashable, found)), key=lambda one: kinds.index(one[0]))


def _hashable(broken: Broken) -> "Broken":
    return broken._replace(where=_Names(broken.where))


class _Names(list):
    """A list that can be compared as a whole, to leave out what is found twice."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))


def _unreadable(chain: Chain) -> Iterator[Broken]:
    for one in chain.scanned:
        for reason in one.unit.wrong:
            yield Broken("unreadable", [one.unit.path], reason)


def _reads(root: Path, chain: Chain) -> Iterator[Broken]:
    """Yield the files that are read and that no code writes, unless they are raw files."""
    written = [(one, place) for one in chain.scanned for use in one.writes for place in use.places]
    other = _unclear_writer(chain)
    results = {place.text.partition("/")[0] for _, place in written if "/" in place.text}
    for one in chain.scanned:
        for use in one.reads:
            if use.function.endswith("glob") or len(use.places) > 1 or not use.place.is_inside:
                continue
            place = use.place
            if place.text.startswith(HOLE) or any(place.matches(there) for _, there in written):
                continue
            if any(there.text.startswith(f"{place.text}/") for _, there in written):
                continue  # the folder of files that are written
            if any(
                place.matches(named)
                for by in chain.scanned
                if by is not one
                for one_use in by.named
                for named in one_use.places
            ):
                continue  # nobody knows
            like = [(by, there) for by, there in written if _is_like(place, there)]
            if exists(root, place):
                if place.text.partition("/")[0] in results - {"data"}:
                    what = f"reads {place.shown}, which is here but which no code is known to write"
                    yield Broken("no-code", [one.unit.path], what + _near(like) + other, use.line)
            elif like:
                what = f"reads {place.shown}, which nothing is known to write"
                yield Broken("differs", [one.unit.path], what + _near(like) + other, use.line)
            else:
                what = f"reads {place.shown}, which nothing is known to write and which is not here"
                yield Broken("never-written", [one.unit.path], what + other, use.line)


def _unclear_writer(chain: Chain) -> str:
    """Say who writes files whose paths are not known, which may be any file but figures."""
    for one in chain.scanned:
        lines = [line for writes, line in one.unclear if writes and not FIGURE.search(line)]
        lines += [
            use.line
            for use in one.writes
            if use.place.text.startswith(HOLE) and not is_figure(use.function, use.place.name)
        ]
        if lines:
            return f"; nobody knows what {one.unit.path} writes in `{lines[0]}`"
    return ""


def _near(like: list[tuple[Scanned, Place]]) -> str:
    if not like:
        return ""
    by, other = like[0]
    return f"; {by.unit.path} writes {other.shown}"


def _is_like(place: Place, other: Place) -> bool:
    """Tell whether two paths differ by a folder or a version alone."""
    bare = place.family.replace(HOLE, "").partition(".")[0]
    return place.text != other.text and bool(bare) and place.family == other.family


def _written_twice(chain: Chain) -> Iterator[Broken]:
    writers: dict[str, list[str]] = {}
    shown = {}
    for one in chain.scanned:
        for use in one.writes:
            for place in use.places if use.function != "drawn" else ():
                if not place.text.startswith(HOLE):
                    shown[place.text] = place.shown
                    writers.setdefault(place.text, []).append(one.unit.path)
    for text, paths in writers.items():
        names = list(dict.fromkeys(paths))
        if len(names) > 1:
            what = f"{shown[text]} is written by {', '.join(names)}"
            yield Broken("written-twice", names, what)


def _own_inputs(chain: Chain) -> Iterator[Broken]:
    for one in chain.scanned:
        for write in one.writes:
            for read in one.reads:
                if read.place.text == write.place.text and _before(read, write):
                    what = f"reads {read.place.shown} and then overwrites it"
                    yield Broken("own-input", [one.unit.path], what, write.line)


def _before(one: Use, other: Use) -> bool:
    lines = (one.call.lineno if one.call else 0, other.call.lineno if other.call else 0)
    return (one.cell, lines[0]) < (other.cell, lines[1])


def _elsewhere(chain: Chain) -> Iterator[Broken]:
    for one in chain.scanned:
        for use in one.uses:
            verb = "writes" if use.writes else "reads"
            for place in use.places:
                if place.is_absolute:
                    tail = _same_end(chain, place)
                    what = (
                        f"{verb} the absolute path {place.shown}, which exists on one machine only"
                    )
                    also = f"; {tail.shown} is written in the project" if tail else ""
                    also += "; it changes its working directory" if _has_moved(one, use) else ""
                    yield Broken("absolute-path", [one.unit.path], what + also, use.line)
                elif not place.is_inside:
                    what = f"{verb} {place.shown}, outside the project"
                    yield Broken("outside", [one.unit.path], what, use.line)


def _has_moved(one: Scanned, use: Use) -> bool:
    """Tell whether a path is absolute only since the notebook went to another folder."""
    own = one.names.places(use.path) if one.names and use.path is not None else []
    return bool(own) and not any(place.is_absolute for place in own)


def _same_end(chain: Chain, place: Place) -> Place | None:
    written = (other for one in chain.scanned for use in one.writes for other in use.places)
    return next(
        (other for other in written if other.is_inside and place.text.endswith(f"/{other.text}")),
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
