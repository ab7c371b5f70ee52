"""What the template shows: steps with their figures and notebooks, inputs, meanings of states."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from .. import text
from ..lineage.changes import How
from ..notebooks import notebook
from ..project.project import Project
from ..storage import committed
from . import rendered
from .facts import Facts, Saved, StepFacts, flat, grouped, raw_changes
from .figures import Figure, figures_of
from .ledger import Table
from .pictures import Picture

MOST_LOG = 8_000  # characters shown from the end of a command's output
FIRST_FIGURES = 4  # on the first screen
FIRST_VALUES = 8  # parameters shown for a part
MEANING = {
    "current": "its results are what its notebook or command, as it is now, makes from its inputs",
    "damaged": "a file or parameter is not as it was saved",
    "interrupted": "a save was interrupted; the results before it are here",
    "missing": "nothing was saved yet",
    "unrecorded": "its files were not written by save, so nothing is known of them",
    "absent": "it was saved, but its large files are not where this page was made",
    "edited": "its code changed after it was saved",
    "unclean": "the session did more than run the notebook from top to bottom",
    "stale": "an input has another content than the one it was made from",
    "unverifiable": "a raw file is not on the machine that made this page, so it cannot be checked",
}
CHANGED = {How.CHANGED: "changed since", How.MISSING: "not here", How.NEW: "was not there"}


class StepView:
    """A step as the template shows it."""

    def __init__(self, project: Project, step: StepFacts, number: int) -> None:
        self.facts = step
        self.name = step.name
        self.number = number  # used for its anchors, since its name can be anything
        self.saved = step.saved
        self.state = step.saved.state
        self.holds = step.saved.holds
        self.record = step.saved.record
        self.title, self.lead = ("", "")
        if step.notebook:
            self.title, self.lead = rendered.first_heading(step.notebook)
        self.figures = list(figures_of(project, step))
        self.cells = rendered.cells_of(step.notebook) if step.notebook else []
        self.log = _log(project, step)

    @property
    def command(self) -> str:
        """The command that runs it; empty for a notebook."""
        step = self.facts.step
        return " ".join(step.entry.run) if step and step.entry and step.is_script else ""

    @cached_property
    def groups(self) -> dict[str, dict[str, str]]:
        """Its parameters by group and dotted name."""
        return grouped(self.record.params if self.record else {})

    @cached_property
    def before(self) -> dict[str, str]:
        """The previous values of parameters that changed since the last commit, by dotted name."""
        return {change.name: change.before for change in self.facts.changed or ()}

    @cached_property
    def removed(self) -> list[tuple[str, str]]:
        """The parameters that were removed since the last commit, with their values."""
        return [(c.name, c.before) for c in self.facts.changed or () if not c.now]

    @property
    def pictures(self) -> list[Picture]:
        """The pictures of its figures, then those in its notebook."""
        own = [figure.picture for figure in self.figures if figure.picture]
        return [*own, *rendered.pictures_of(self.cells)]

    @property
    def accepted(self) -> bool:
        """Whether it, or a part of it, was accepted as current despite a change."""
        return any(saved.record.accepted for saved in self.facts.all if saved.record)

    @property
    def amount(self) -> str:
        """The number of saved files and their size, including those of its parts."""
        files = [name for saved in self.facts.all if saved.record for name in saved.record.files]
        return f"{text.files(len(files))}, {text.size(self.state.bytes)}"

    def shape(self, key: str) -> str:
        """Return the shape of an object in words; empty if it has none."""
        return text.shape((self.record.data_shapes if self.record else {}).get(key))

    def values(self, saved: Saved) -> str:
        """Return the first parameters of a part on one line."""
        values = flat(saved.record.params) if saved.record else {}
        some = [f"{name} = {notebook.shortened(value)}" for name, value in values.items()]
        more = [f"{len(some) - FIRST_VALUES} more"] if len(some) > FIRST_VALUES else []
        return ", ".join([*some[:FIRST_VALUES], *more])

    @property
    def inputs(self) -> list[str]:
        """The inputs that it was made from, as its record names them."""
        return list(self.record.inputs) if self.record else []


class InputView(NamedTuple):
    """An input that no step makes."""

    name: str  # the file, relative to the project; a folder ends in `/`
    shape: str  # its cells and features, if known
    size: str  # when it was read, like its hash; empty if it was missing
    blake3: str
    readers: list[str]  # the steps and parts that read it
    now: str  # how it differs from what was read; empty if it does not, or if unknown


def inputs_of(facts: Facts, tables: Mapping[str, Table | None]) -> Iterator[InputView]:
    """Yield the raw files, then the other files that no step makes.

    `tables` are those of raw files that have not changed since they were read.
    """
    readers: dict[str, list[str]] = {}
    entries: dict[str, tuple[str, str]] = {}
    now: dict[str, str] = {}
    for step in facts.steps:
        for saved in step.all:
            changes = raw_changes(saved)
            for name, entry in saved.record.inputs.items() if saved.record else ():
                if name.startswith("results/"):
                    continue
                readers.setdefault(name, []).append(saved.name)
                if entry:
                    size = "" if entry.bytes is None else text.size(entry.bytes)
                    entries[name] = (size, entry.blake3)
                if name in changes:
                    now[name] = CHANGED[changes[name]]
    for name in sorted(readers, key=lambda name: not name.startswith("data/")):
        table = None if name in now else tables.get(name)
        shape = f"{table.rows:,} cells × {table.columns:,} features" if table else ""
        size, blake3 = entries.get(name, ("", ""))
        yield InputView(name, shape, size, blake3, readers[name], now.get(name, ""))


def first_figures(steps: list[StepView]) -> list[tuple[StepView, int, Figure, Picture]]:
    """Return the first figures of the last step that has any, with small copies of them."""
    for step in reversed(steps):
        found = [
            (step, number, figure, small)
            for number, figure in enumerate(step.figures[: 2 * FIRST_FIGURES], 1)
            if figure.picture and (small := figure.picture.thumbnail)
        ]
        if found:
            return found[:FIRST_FIGURES]
    return []


def last_steps(facts: Facts, steps: list[StepView]) -> list[StepView]:
    """Return the saved steps that no other saved step loads."""
    saved = [step for step in steps if step.record]
    loaded = {name for step in saved for name in facts.loads[step.name]}
    return [step for step in saved if step.name not in loaded]


def _log(project: Project, step: StepFacts) -> str:
    """Return the end of a command's output."""
    record = step.saved.record
    if not record or not record.output:
        return ""
    path = committed.locate(project.results_of(step.name), record.output.key)
    printed = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return printed[-MOST_LOG:].strip("\n")
