"""The order of notebooks and scripts, from what each reads of what the others write."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .places import HOLE, Place
from .uses import Scanned, Use


class Link(NamedTuple):
    """A file that one notebook or script writes and another one reads.

    Attributes
    ----------
    writer, reader
        Both, by their paths.
    write, read
        The two places in code; None for a checkpoint, which `save` writes and `load` reads.
    shown
        The file.
    is_certain
        Whether the code spells out the same file in both.
    """

    writer: str
    reader: str
    write: Use | None
    read: Use | None
    shown: str
    is_certain: bool


class Chain(NamedTuple):
    """Notebooks and scripts in running order.

    Attributes
    ----------
    scanned
        What each reads and writes, in running order.
    links
        Which reads what which writes.
    circles
        Those that could not be ordered, since each reads what the other writes.
    """

    scanned: list[Scanned]
    links: list[Link]
    circles: list[list[str]]

    def unit(self, path: str) -> Scanned:
        """Return a notebook or script by its path."""
        return next(one for one in self.scanned if one.unit.path == path)

    def writers(self, place: Place) -> list[tuple[Scanned, Use]]:
        """Return which write a file, or may do so."""
        return [
            (one, use)
            for one in self.scanned
            for use in one.writes
            if any(written.matches(place) for written in use.places)
        ]


def chain_of(scanned: Sequence[Scanned]) -> Chain:
    """Order what was scanned."""
    links = [
        link
        for reader in scanned
        for writer in scanned
        if writer is not reader
        for link in _links(writer, reader)
    ]
    # a checkpoint has one writer: the notebook of its name
    order, circles = _ordered(scanned, links)
    return Chain(order, links, circles)


def _links(writer: Scanned, reader: Scanned) -> list[Link]:
    found: dict[str, Link] = {}
    for read, write, known in _pairs(writer, reader):
        both = [(one, two) for one in write.places for two in read.places if one.matches(two)]
        if not both or both[0][0].is_absolute != both[0][1].is_absolute:
            continue
        certain = known and read.is_one and write.is_one and both[0][0].text == both[0][1].text
        one, two = both[0]
        shown = one.shown if HOLE in two.text else two.shown
        link = Link(writer.unit.path, reader.unit.path, write, read, shown, certain)
        if link.shown not in found or certain:
            found[link.shown] = link
    for step in dict.fromkeys(reader.loads):
        if step == writer.unit.name and step in writer.saves:
            found[step] = Link(
                writer.unit.path, reader.unit.path, None, None, f"results/{step}/", True
            )
    return list(found.values())


def _pairs(writer: Scanned, reader: Scanned) -> Iterator[tuple[Use, Use, bool]]:
    """Yield what one reads and what another one writes, and whether it is known that they do."""
    yield from ((read, write, True) for read in reader.reads for write in writer.writes)
    yield from ((read, write, False) for read in reader.named for write in writer.writes)
    if writer.unit.key < reader.unit.key:
        for write in writer.named:
            if not write.place.text.startswith("data/"):
                yield from ((read, write, False) for read in reader.reads)


def _ordered(
    scanned: Sequence[Scanned], links: Sequence[Link]
) -> tuple[list[Scanned], list[list[str]]]:
    """Return the units, each after those that it reads; names decide what links leave open."""
    waiting = {one.unit.path: one for one in sorted(scanned, key=lambda one: one.unit.key)}
    needs = {path: {link.writer for link in links if link.reader == path} for path in waiting}
    certain = {
        path: {link.writer for link in links if link.reader == path and link.is_certain}
        for path in waiting
    }
    homes = {waiting[path].unit.folder for path in waiting if needs[path] or _feeds(path, links)}
    order: list[Scanned] = []
    circles: list[list[str]] = []
    while waiting:
        free = [path for path in waiting if not needs[path] & waiting.keys()]
        if not free:  # what is not certain gives way first
            free = [path for path in waiting if not certain[path] & waiting.keys()]
        if not free:
            circle = _circle(waiting, certain)
            circles.append(circle)
            free = [path for path in waiting if path in circle]
        # what is linked with nothing comes last: scripts, which are tools, and notebooks elsewhere
        linked = [
            path
            for path in free
            if needs[path]
            or _feeds(path, links)
            or (waiting[path].unit.is_notebook and waiting[path].unit.folder in homes)
        ]
        notebooks = [path for path in free if waiting[path].unit.is_notebook]
        first = min(linked or notebooks or free, key=lambda path: waiting[path].unit.key)
        if notebooks and first not in notebooks:
            # a notebook with a lower number goes first; a script before those that read it
            numbered = min(notebooks, key=lambda path: waiting[path].unit.key)
            if waiting[numbered].unit.key[-1] < waiting[first].unit.key[-1]:
                first = numbered
        order.append(waiting.pop(first))
    return order, circles


def _feeds(path: str, links: Sequence[Link]) -> bool:
    return any(link.writer == path for link in links)


def _circle(waiting: dict[str, Scanned], needs: dict[str, set[str]]) -> list[str]:
    """Return units of which each reads what the next one writes, in a circle."""
    path = next(iter(waiting))
    way: list[str] = []
    while path not in way:
        way.append(path)
        path = min(needs[path] & waiting.keys(), key=lambda other: waiting[other].unit.key)
    return way[way.index(path) :]
