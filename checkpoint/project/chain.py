"""The steps of a project in running order: its notebooks that have a number, and its scripts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from .names import Number, natural, number_of
from .settings import FILE, Entry


class Step:
    """A notebook or script of the chain, and its results."""

    def __init__(self, path: Path, place: int, entry: Entry | None = None) -> None:
        self.name = path.stem  # that `load` and `save` use: `1_preprocessing`
        self.path = path
        self.folder = path.parent  # for a script, that of all notebooks
        # in the running order; notebooks of a folder that have the same number, such as a copy,
        # have the same place
        self.place = place
        self.entry = entry  # what `[tool.checkpoint.steps]` says of it
        self.number: Number | None = number_of(self.name)  # None for some that `order` lists
        if self.is_script:  # `path` says where its notebook would be
            self.path = path.parents[1] / FILE

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Step) and (self.path, self.name) == (other.path, other.name)

    def __hash__(self) -> int:
        return hash((self.path, self.name))

    def __repr__(self) -> str:
        return f"Step({self.name!r})"

    @property
    def is_script(self) -> bool:
        """Whether a command makes it, and no notebook."""
        return bool(self.entry and self.entry.run)

    @property
    def source(self) -> str:
        """What makes it, in messages: its notebook, or the table of its command."""
        table = f"[tool.checkpoint.steps.{self.name}] of {FILE}"
        return table if self.is_script else self.path.name

    @property
    def label(self) -> str:
        """Its name without the number: `preprocessing`."""
        return self.number.label if self.number else self.name


def in_order(
    folder: Path, notebooks: Sequence[Path], entries: Mapping[str, Entry], order: Sequence[str]
) -> list[Step]:
    """Return the steps: the notebooks and scripts that `order` lists, in its order.

    Where it is empty, the scripts and the notebooks that have a number, sorted folder by folder by
    their numbers: `01_x`, `01a_x`, `2_x`, `10_x`.
    """
    by_name = {"/".join(_parts(folder, path)): path for path in notebooks}
    chosen = [by_name[name] for name in order if name in by_name]
    if not order:
        chosen = [path for path in notebooks if number_of(path.stem)]
    taken = {path.stem for path in chosen}
    scripts = {
        name: folder / f"{name}.ipynb"  # where its notebook would be
        for name, entry in entries.items()
        if entry.run and name not in taken
    }
    if order:
        known = by_name | scripts
        placed = [(place, known[name]) for place, name in enumerate(order, 1) if name in known]
    else:
        paths = [*chosen, *scripts.values()]
        paths.sort(key=lambda path: [natural(part) for part in _parts(folder, path)])
        groups = groupby(paths, key=lambda path: (path.parent, _place(path.stem)))
        placed = [(place, path) for place, (_, group) in enumerate(groups, 1) for path in group]
    return [
        Step(path, place, _entry(entries, path, is_script=path in scripts.values()))
        for place, path in placed
    ]


def _place(stem: str) -> tuple[object, ...]:
    """Return what is the same for names of the same number; what has none has its own place."""
    return natural(stem)[:3] if number_of(stem) else (stem,)


def _entry(entries: Mapping[str, Entry], path: Path, *, is_script: bool) -> Entry | None:
    """Return the settings of a step; those of a notebook without a command."""
    entry = entries.get(path.stem)
    return entry and (entry if is_script else entry._replace(run=[]))


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
