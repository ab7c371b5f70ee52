"""The steps of a project in running order: its notebooks that have a number, or are in `order`."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from .names import Number, natural, number_of


class Step:
    """A notebook of the chain, and its results.

    Attributes
    ----------
    path
        The notebook.
    place
        Its place in the running order. Notebooks of a folder that have the same number, such as
        a copy, have the same place.
    number
        The number with which its name begins; None if it has none, and `order` lists it.
    """

    def __init__(self, path: Path, place: int) -> None:
        self.path = path
        self.place = place
        self.number: Number | None = number_of(path.stem)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Step) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"Step({self.name!r})"

    @property
    def name(self) -> str:
        """The name that `load` and `save` use: `1_preprocessing`."""
        return self.path.stem

    @property
    def label(self) -> str:
        """Its name without the number: `preprocessing`."""
        return self.number.label if self.number else self.name


def in_natural_order(folder: Path, paths: Sequence[Path]) -> list[Step]:
    """Return the steps of the numbered notebooks among these, which lie below a folder.

    They are sorted folder by folder, by their numbers: `01_x`, `01a_x`, `2_x`, `10_x`.
    """
    numbered = [path for path in paths if number_of(path.stem)]
    numbered.sort(key=lambda path: [natural(part) for part in _parts(folder, path)])
    groups = groupby(numbered, key=lambda path: (path.parent, number_of(path.stem).key))  # type: ignore[union-attr]
    return [Step(path, place) for place, (_, group) in enumerate(groups, 1) for path in group]


def in_given_order(folder: Path, paths: Sequence[Path], order: Sequence[str]) -> list[Step]:
    """Return the steps of the notebooks that a list names, in its order."""
    known = {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}
    return [Step(known[name], place) for place, name in enumerate(order, 1) if name in known]


def namesakes(steps: Sequence[Step]) -> Iterator[tuple[Step, Step]]:
    """Yield the steps whose notebooks have the name of an earlier one, with that one."""
    seen: dict[str, Step] = {}
    for step in steps:
        first = seen.setdefault(step.name.casefold(), step)
        if first != step:
            yield first, step


def step_of(text: str) -> str:
    """Return the step that an argument names, be it a file or folder as the shell completes it."""
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if text.endswith(".ipynb"):
        return parts[-1].removesuffix(".ipynb")
    while "results" in parts:
        parts = parts[parts.index("results") + 1 :]
    return "/".join(parts)


def _parts(folder: Path, path: Path) -> tuple[str, ...]:
    return path.relative_to(folder).with_suffix("").parts
