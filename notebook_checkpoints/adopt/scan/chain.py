"""The order of notebooks and scripts: each runs after those whose files it reads."""

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
        The files that one unit writes and another one reads.
    circles
        The units that cannot be ordered, since each reads what the other writes.
    """

    scanned: list[Scanned]
    links: list[Link]
    circles: list[list[str]]

    def unit(self, path: str) -> Scanned:
        """Return a notebook or script by its path."""
        return next(scanned for scanned in self.scanned if scanned.unit.path == path)

    def writers(self, place: Place) -> list[tuple[Scanned, Use]]:
        """Return the units that write a file, or may write it, each with the place in its code."""
        return [
            (scanned, use)
            for scanned in self.scanned
            for use in scanned.writes
            if any(written.matches(place) for written in use.places)
        ]


def chain_of(scanned: Sequence[Scanned]) -> Chain:
    """Return notebooks and scripts in running order, and how they are linked."""
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
    links: dict[str, Link] = {}
    for read, write, is_known in _pairs(writer, reader):
        same_files = [
            (written, needed)
            for written in write.places
            for needed in read.places
            if written.matches(needed) and not (written.is_anything or needed.is_anything)
        ]
        if not same_files or same_files[0][0].is_absolute != same_files[0][1].is_absolute:
            continue
        certain = (
            is_known
            and read.is_one
            and write.is_one
            and same_files[0][0].text == same_files[0][1].text
        )
        written, needed = same_files[0]
        shown = written.shown if HOLE in needed.text else needed.shown
        link = Link(writer.unit.path, reader.unit.path, write, read, shown, certain)
        if link.shown not in links or certain:
            links[link.shown] = link
    for step in dict.fromkeys(reader.loads):
        if step == writer.unit.name and step in writer.saves:
            links[step] = Link(
                writer.unit.path, reader.unit.path, None, None, f"results/{step}/", True
            )
    return list(links.values())


def _pairs(writer: Scanned, reader: Scanned) -> Iterator[tuple[Use, Use, bool]]:
    """Yield each pair of a read and a write, and whether the code surely reads and writes."""
    yield from ((read, write, True) for read in reader.reads for write in writer.writes)
    yield from ((read, write, False) for read in reader.named for write in writer.writes)
    if writer.unit.key < reader.unit.key:
        for write in writer.named:
            if not write.place.text.startswith("data/"):
                yield from ((read, write, False) for read in reader.reads)


def _ordered(
    scanned: Sequence[Scanned], links: Sequence[Link]
) -> tuple[list[Scanned], list[list[str]]]:
    """Return the units in natural order, each after those that it reads, and the circles."""
    units = {entry.unit.path: entry for entry in sorted(scanned, key=lambda entry: entry.unit.key)}
    needs, circles = _needs(units, links)
    linked = {path for link in links for path in (link.writer, link.reader)}
    homes = {units[path].unit.folder for path in linked}

    def rank(path: str) -> tuple[bool, bool]:
        unit = units[path].unit
        return path not in linked and unit.folder not in homes, not unit.is_notebook

    return _in_running_order(units, needs, sorted(units, key=rank)), circles


def _needs(
    units: dict[str, Scanned], links: Sequence[Link]
) -> tuple[dict[str, set[str]], list[list[str]]]:
    """Return which units have to run before each unit, without circles, and the circles."""
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
    for link in links:  # a link that is not certain counts only if it fits the others
        writer, reader = units[link.writer].unit, units[link.reader].unit
        fits = writer.key < reader.key or not are_numbered(writer, reader)
        if fits and link.reader not in _all_needs(link.writer, needs):
            needs[link.reader].add(link.writer)
    return needs, circles


def _in_running_order(
    units: dict[str, Scanned], needs: dict[str, set[str]], starts: Sequence[str]
) -> list[Scanned]:
    """Return all units in the order of `starts`, each right after what it needs."""
    order: dict[str, Scanned] = {}
    scripts = [path for path in units if needs[path] and not units[path].unit.is_notebook]
    for start in starts:  # what a unit needs comes right before it
        waiting = [start]
        while waiting:
            path = waiting[-1]
            before = next((need for need in units if need in needs[path] - order.keys()), None)
            if before is not None:
                waiting.append(before)
            else:
                order[path] = units[waiting.pop()]
        for path in scripts:  # a script comes right after what it reads
            if needs[path] <= order.keys():
                order.setdefault(path, units[path])
    return [*order.values()]


def are_numbered(first: Unit, second: Unit) -> bool:
    """Tell whether two notebooks of a folder have numbers, which give their order."""
    return (
        first.folder == second.folder
        and first.is_notebook
        and second.is_notebook
        and bool(number_of(first.name) and number_of(second.name))
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
    needed: set[str] = set()
    waiting = [path]
    while waiting:
        current = waiting.pop()
        if current not in needed:
            needed.add(current)
            waiting += needs[current]
    return needed
