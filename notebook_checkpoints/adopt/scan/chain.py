"""The order of notebooks and scripts, from what each reads of what the others write."""

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from checkpoint.project.names import number_of

from .places import HOLE, Place
from .units import Unit
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
        both = [
            (one, two)
            for one in write.places
            for two in read.places
            if one.matches(two) and not (one.is_anything or two.is_anything)
        ]
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
    """Return the units in natural order, each after those that it reads, and what is a circle."""
    units = {one.unit.path: one for one in sorted(scanned, key=lambda one: one.unit.key)}
    needs: dict[str, set[str]] = {path: set() for path in units}
    for link in links:
        if link.is_certain:
            needs[link.reader].add(link.writer)
    circles: list[list[str]] = []
    while circle := _circle(needs):
        first = circle.index(min(circle, key=[*units].index))
        circles.append(circle[first:] + circle[:first])
        for path in circle:
            needs[path] -= {*circle}
    for link in links:  # what is not certain gives way
        writer, reader = units[link.writer].unit, units[link.reader].unit
        fits = writer.key < reader.key or not are_numbered(writer, reader)
        if fits and link.reader not in _all_needs(link.writer, needs):
            needs[link.reader].add(link.writer)
    linked = {path for link in links for path in (link.writer, link.reader)}
    homes = {units[path].unit.folder for path in linked}

    def rank(path: str) -> tuple[bool, bool]:
        unit = units[path].unit
        return path not in linked and unit.folder not in homes, not unit.is_notebook

    order: dict[str, Scanned] = {}
    scripts = [path for path in units if needs[path] and not units[path].unit.is_notebook]
    for start in sorted(units, key=rank):  # what others need comes right before the first of them
        waiting = [start]
        while waiting:
            path = waiting[-1]
            before = next((other for other in units if other in needs[path] - order.keys()), None)
            if before is not None:
                waiting.append(before)
            else:
                order[path] = units[waiting.pop()]
        for path in scripts:  # what nobody needs comes right after what it reads
            if needs[path] <= order.keys():
                order.setdefault(path, units[path])
    return [*order.values()], circles


def are_numbered(one: Unit, other: Unit) -> bool:
    """Tell whether two notebooks of a folder have numbers, which give their order."""
    return (
        one.folder == other.folder
        and one.is_notebook
        and other.is_notebook
        and bool(number_of(one.name) and number_of(other.name))
    )


def _circle(needs: dict[str, set[str]]) -> list[str]:
    """Return units of which each reads what the next one writes, in a circle; empty if none do."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))[:-1]
    return []


def _all_needs(path: str, needs: dict[str, set[str]]) -> set[str]:
    """Return a unit and what has to run before it."""
    found: set[str] = set()
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += needs[one]
    return found
