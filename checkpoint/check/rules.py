"""The registry of rules.

A rule is a function that judges a project, a notebook's file, a notebook or a code cell, and yields
a `Finding` for each place that breaks the rule. The decorator `rule` registers it::

    @rule(
        "chdir",
        Cell,
        finds="changing the working directory with `os.chdir` or `%cd`",
        why="relative paths then depend on which cells ran before",
    )
    def _chdir(cell: Cell) -> Iterator[Finding]:
        ...

`ignore` in `[tool.checkpoint]`, `checkpoint check --rules` and `--json` use the registry; the table
in `docs/command.md` is tested against it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ..project.project import Project
from .subjects import Cell, Notebook, NotebookFile, subjects

Subject = type[Project] | type[NotebookFile] | type[Notebook] | type[Cell]


class Finding(NamedTuple):
    """A place that breaks a rule."""

    what: str  # what is wrong, with the value found; it completes "<file> …"
    todo: str
    file: str | None = None  # or folder, in the project; by default the notebook that is judged
    cell: str | None = None  # its first line; by default that of the cell that is judged


Judge = Callable[..., Iterator[Finding]]


class Problem(NamedTuple):
    """Something in a project that breaks a rule: a finding, with the rule's name and its place."""

    rule: str
    file: str
    cell: str | None
    what: str
    todo: str

    @property
    def where(self) -> str:
        """The file, and the first line of the cell."""
        return f"{self.file}, cell `{self.cell}`" if self.cell is not None else self.file

    @property
    def advice(self) -> str:
        """What is wrong, what to do, and the name of the rule."""
        return f"{self.what}. {self.todo}. [{self.rule}]"

    def __str__(self) -> str:
        return f"{self.where}: {self.advice}"


class Rule(NamedTuple):
    """A rule that projects have to follow."""

    name: str  # as in `ignore`
    subject: Subject  # what it judges
    judge: Judge
    finds: str  # what breaks it, as a sentence without its full stop
    why: str  # why that matters, likewise
    new: bool = False  # whether the post-gen hook checks it, too: its module then imports little


RULES: dict[str, Rule] = {}


def rule(
    name: str, subject: Subject, *, finds: str, why: str, new: bool = False
) -> Callable[[Judge], Judge]:
    """Return a decorator that registers a function as a rule; parameters as those of `Rule`."""

    def register(judge: Judge) -> Judge:
        RULES[name] = Rule(name, subject, judge, finds, why, new)
        return judge

    return register


def problems(project: Project, rules: Iterable[Rule], *, whole: bool = False) -> Iterator[Problem]:
    """Yield the problems of a project: those of the project first, then notebook by notebook.

    If `whole`, the notebooks are left out.
    """
    rules = list(rules)
    for subject, file, line in [(project, "", None)] if whole else subjects(project):
        for rule in rules:
            if isinstance(subject, rule.subject):
                # the same mistake twice in a cell is reported once
                for what, todo, other_file, cell in dict.fromkeys(rule.judge(subject)):
                    yield Problem(rule.name, other_file or file, cell or line, what, todo)
