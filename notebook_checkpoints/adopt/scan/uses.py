"""A file that code reads or writes, and all of those of a notebook or script."""

import ast
from collections.abc import Sequence
from typing import NamedTuple

from .places import HOLE, Place
from .resolve import Names
from .units import Unit


class Use(NamedTuple):
    """A file that a notebook or script reads or writes.

    Attributes
    ----------
    writes
        Whether it writes.
    places
        The file, from the top of the project; several if it depends on how the code runs.
    cell
        The index of the code cell.
    line
        The line of code.
    function
        The function that reads or writes.
    call, path
        The call, and the expression of the path in it; None in other languages.
    is_guess
        Whether the function is not known, and only its name says what it does.
    """

    writes: bool
    places: list[Place]
    cell: int
    line: str
    function: str = ""
    call: ast.Call | None = None
    path: ast.expr | None = None
    is_guess: bool = False

    @property
    def is_one(self) -> bool:
        """Whether it is one file, or one for each sample, and not a pattern of files."""
        return (
            len(self.places) == 1
            and not self.places[0].text.startswith(HOLE)
            and not self.function.endswith("glob")
        )

    @property
    def is_certain(self) -> bool:
        """Whether it is one file, its path an expression of Python, and the function known."""
        return self.is_one and self.path is not None and not self.is_guess

    @property
    def as_named(self) -> str:
        """Its path as in the code if that has no folder, since its folder is not known."""
        text = self.path.value if isinstance(self.path, ast.Constant) else ""
        return text if isinstance(text, str) and text and "/" not in text else self.place.shown

    @property
    def place(self) -> Place:
        """The file, or the first that it can be."""
        return self.places[0]


class Scanned(NamedTuple):
    """A notebook or script, and what it reads and writes.

    Attributes
    ----------
    unit
        The notebook or script.
    uses
        What it reads and writes, in the order of the code.
    loads, saves
        The steps that it loads and saves by `load` and `save`.
    names
        What its names stand for; None for other languages than Python.
    base
        The folder that its relative paths start from, from the top of the project.
    named
        The files that its code names without a call that tells whether it reads or writes them.
    unclear
        The lines that read or write a file whose path is not known at all.
    """

    unit: Unit
    uses: list[Use]
    loads: list[str]
    saves: list[str]
    names: Names | None
    base: str
    named: Sequence[Use] = ()
    unclear: Sequence[tuple[bool, str]] = ()

    @property
    def reads(self) -> list[Use]:
        """What it reads."""
        return [use for use in self.uses if not use.writes]

    @property
    def writes(self) -> list[Use]:
        """What it writes."""
        return [use for use in self.uses if use.writes]

    @property
    def unknown(self) -> list[str]:
        """What is not known about it, one sentence each."""
        named = [
            f"names {use.as_named}, and may read or write it (`{use.line}`)" for use in self.named
        ]
        verbs = {True: "writes", False: "reads"}
        return named + [
            f"{verbs[writes]} a file whose path is known only when it runs (`{line}`)"
            for writes, line in self.unclear
        ]

    @property
    def is_adopted(self) -> bool:
        """Whether it saves as its own step."""
        return self.unit.is_notebook and self.unit.name in self.saves
