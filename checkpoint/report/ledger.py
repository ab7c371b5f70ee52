"""Numbers of cells and features along the chain: what each step read and saved."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..project.project import Project
from ..watch.files import unwatched
from .facts import Facts, Saved, StepFacts, grouped, raw_changes

MOST_PARTS = 8  # parts of a step that are shown; the page says if there are more
MANY = 12  # parameters shown below the differences


class Table(NamedTuple):
    """An object with rows and columns, or with cells and features."""

    name: str  # the key, or the raw file
    source: str  # the step that has it; `data` for a raw file
    rows: int
    columns: int
    of_cells: bool  # whether rows are cells and columns are features

    @property
    def sides(self) -> str:
        """Its size: `595 × 836`."""
        return f"{self.rows:,} × {self.columns:,}"


class Line(NamedTuple):
    """How a step changed a table."""

    before: Table | None  # what it was made from; None if unknown
    after: Table  # what the step saved

    @property
    def kept(self) -> float:
        """The fraction of cells, or rows, that remain; at most 1."""
        if not self.before or not self.before.rows:
            return 1.0
        return min(1.0, self.after.rows / self.before.rows)

    @property
    def difference(self) -> str:
        """The change in the numbers of cells and features, or rows and columns, as text."""
        if not self.before:
            return ""
        names = ("cells", "features") if self.after.of_cells else ("rows", "columns")
        rows = self.after.rows - self.before.rows
        columns = self.after.columns - self.before.columns
        differences = [
            f"{'+' if change > 0 else '−'}{abs(change):,} {name}"
            for change, name in zip((rows, columns), names, strict=True)
            if change
        ]
        return ", ".join(differences) or "none"


class Entry(NamedTuple):
    """How a step or sub-checkpoint changed cells and features."""

    saved: Saved
    lines: list[Line]  # one for each object
    params: dict[str, dict[str, str]]  # its first parameters by name, by group
    more: int  # the number of further parameters


def ledger(facts: Facts) -> tuple[list[Entry], dict[str, Table | None]]:
    """Return an entry for each step or sub-checkpoint that saved tables, and the raw tables.

    The raw tables are those of the raw files that were read, by name; None for other formats.
    """
    tables = {part.name: tables_of(part) for step in facts.steps for part in step.all}
    raw: dict[str, Table | None] = {}
    entries: list[Entry] = []
    for step in facts.steps:
        for each in [*step.parts[:MOST_PARTS], step.saved]:
            together = tables[each.name]
            given = list(_given(facts, step, each, tables, raw))
            lines = [Line(_before(after, given, together), after) for after in together]
            if lines:
                entries.append(Entry(each, lines, *_params(each)))
    return entries, raw


def _params(saved: Saved) -> tuple[dict[str, dict[str, str]], int]:
    """Return the first parameters by group, and how many more there are."""
    groups = grouped(saved.record.params if saved.record else {})
    every = [(group, *item) for group, values in groups.items() for item in values.items()]
    some: dict[str, dict[str, str]] = {}
    for group, name, value in every[:MANY]:
        some.setdefault(group, {})[name] = value
    return some, max(0, len(every) - MANY)


def tables_of(saved: Saved) -> list[Table]:
    """Return the objects of a step with rows and columns, from its `data_shapes`."""
    shapes = saved.record.data_shapes if saved.record else {}
    tables = (_table(key, saved.name, shape) for key, shape in shapes.items())
    return [table for table in tables if table]


def _table(key: str, source: str, shape: Any) -> Table | None:
    if not isinstance(shape, Mapping):
        return None
    for rows, columns in (("n_cells", "n_features"), ("rows", "columns")):
        sides = shape.get(rows), shape.get(columns)
        if all(isinstance(side, int) for side in sides):
            return Table(key, source, int(sides[0]), int(sides[1]), rows == "n_cells")  # type: ignore[arg-type]
    return None


def _given(
    facts: Facts,
    step: StepFacts,
    saved: Saved,
    tables: Mapping[str, list[Table]],
    raw: dict[str, Table | None],
) -> Iterator[Table]:
    """Yield the tables that a step could read: from the steps that it loads, and from raw files."""
    loaded = saved.state.loads
    for name in [*reversed(loaded), *(p.name for p in step.parts if p.name not in loaded)]:
        if name != saved.name and (name in loaded or saved is step.saved):
            yield from tables.get(name, ())
    changed = raw_changes(saved)
    for name in saved.record.inputs if saved.record else ():
        if not name.startswith("results/") and name not in changed:
            if name not in raw:
                raw[name] = _of_file(facts.project, name)
            if table := raw[name]:
                yield table


def _before(after: Table, given: list[Table], together: list[Table]) -> Table | None:
    """Return the table that another was made from: by name, or by a word that no other one has."""
    alike = [table for table in given if table.of_cells == after.of_cells]
    same = [table for table in alike if table.name == after.name]
    if same:
        return same[0]
    words = _words(after.name) - {
        word for t in together if t.name != after.name for word in _words(t.name)
    }
    sharing = [table for table in alike if words & _words(table.name)]
    return sharing[0] if len({table.name for table in sharing}) == 1 else None


def _words(name: str) -> set[str]:
    stem = PurePosixPath(name).name.partition(".")[0].lower()
    return {word for word in stem.replace("-", "_").split("_") if word and not word.isdecimal()}


def _of_file(project: Project, name: str) -> Table | None:
    """Return the cells and features of a raw .h5ad; None for other files or without h5py."""
    path = project.place(name)
    if path.suffix != ".h5ad" or not path.is_file():
        return None
    try:
        import h5py
    except ImportError:
        return None
    with unwatched():
        return _of_h5ad(h5py, path, name)


def _of_h5ad(h5py: Any, path: Path, name: str) -> Table | None:
    try:
        with h5py.File(path, "r") as file:
            sides = [file[axis][file[axis].attrs["_index"]].shape[0] for axis in ("obs", "var")]
    except (OSError, KeyError, AttributeError, TypeError, IndexError):
        return None  # an older layout, or not an AnnData at all
    return Table(name, "data", int(sides[0]), int(sides[1]), True)
