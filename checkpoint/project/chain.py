"""List the steps of a project in running order: numbered or listed notebooks, and scripts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from .names import Number, natural, number_of
from .settings import FILE, Entry


class Step:
    """A notebook or script of the chain."""

    def __init__(self, path: Path, place: int, entry: Entry | None = None) -> None:
        self.name = path.stem  # as in `load` and `save`: `1_preprocessing`
        self.path = path
        self.folder = path.parent  # for a script, that of all notebooks
        # position in the running order; notebooks in a folder with the same number, such as a copy,
        # have the same place
        self.place = place
        self.entry = entry  # its settings in `[tool.checkpoint.steps]`
        self.number: Number | None = number_of(self.name)  # None for some names in `order`
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
        """Whether a command makes the step, instead of a notebook."""
        return bool(self.entry and self.entry.run)

    @property
    def source(self) -> str:
        """Its notebook, or the table of its command, as messages name it."""
        table = f"[tool.checkpoint.steps.{self.name}] of {FILE}"
        return table if self.is_script else self.path.name

    @property
    def label(self) -> str:
        """The name without the number: `preprocessing`."""
        return self.number.label if self.number else self.name


def in_order(
    folder: Path, notebooks: Sequence[Path], entries: Mapping[str, Entry], order: Sequence[str]
) -> list[Step]:
    """Return the notebooks and scripts listed in `order` as steps, in this order.

    If `order` is empty, return the scripts and the numbered notebooks, sorted by their numbers
    folder by folder: `01_x`, `01a_x`, `2_x`, `10_x`.
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
    """Return a key that is the same for names with the same number; others have their own."""
    return natural(stem)[:3] if number_of(stem) else (stem,)


def _entry(entries: Mapping[str, Entry], path: Path, *, is_script: bool) -> Entry | None:
    """Return the settings of a step; for a notebook, without the command."""
    entry = entries.get(path.stem)
    return entry and (entry if is_script else entry._replace(run=[]))


def namesakes(steps: Sequence[Step]) -> Iterator[tuple[Step, Step]]:
    """Yield pairs of steps with the same name: the first one, and each later one."""
    seen: dict[str, Step] = {}
    for step in steps:
        first = seen.setdefault(step.name.casefold(), step)
        if first != step:
            yield first, step


def step_of(text: str) -> str:
    """Return the step that an argument names; a path, as completed by the shell, works too."""
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if text.endswith(".ipynb"):
        return parts[-1].removesuffix(".ipynb")
    while "results" in parts:
        parts = parts[parts.index("results") + 1 :]
    return "/".join(parts)


def _parts(folder: Path, path: Path) -> tuple[str, ...]:
    return path.relative_to(folder).with_suffix("").parts
