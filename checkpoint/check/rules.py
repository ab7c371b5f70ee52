"""The registry of rules.

A rule is a function that judges a project, a notebook's file, a notebook or a code cell, and yields
a `Finding` for each place that breaks the rule. The decorator `rule` registers it::

    @rule(
        "chdir",
        Cell,
        finds="changing the working directory with `os.chdir` or `%cd`",
        why="relative paths in later cells then depend on which cells ran before",
    )
    def _chdir(cell: Cell) -> Iterator[Finding]:
        ...

`ignore` in `[tool.checkpoint]`, `checkpoint check --rules` and `--json` use the registry; the table
in `docs/command.md` is tested against it. `typing` is not imported, since the post-gen hook imports
this module.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator

from ..project.project import Project
from .problem import Problem
from .subjects import Cell, Notebook, NotebookFile, subjects

Subject = type[Project] | type[NotebookFile] | type[Notebook] | type[Cell]


class Finding(namedtuple("Finding", "what todo file cell", defaults=(None, None))):
    """A place that breaks a rule.

    Attributes
    ----------
    what
        What is wrong, with the value found. It completes "<file> …".
    todo
        What to do.
    file
        File or folder, relative to the project; by default the notebook that is judged.
    cell
        First line of the cell; by default that of the cell that is judged.
    """

    __slots__ = ()


Judge = Callable[..., Iterator[Finding]]


class Rule:
    """A rule that projects have to follow.

    Attributes
    ----------
    name
        Name, as in `ignore`.
    subject
        What it judges: `Project`, `NotebookFile` (which may be damaged), `Notebook` or `Cell`.
    judge
        Function that takes the subject and yields findings.
    finds
        What breaks the rule, as a sentence without its full stop.
    why
        Why that matters, likewise.
    new
        Whether the post-gen hook checks it, too. Its module then has to import little.
    """

    def __init__(
        self, name: str, subject: Subject, judge: Judge, finds: str, why: str, new: bool = False
    ) -> None:
        self.name = name
        self.subject = subject
        self.judge = judge
        self.finds = finds
        self.why = why
        self.new = new


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

    `whole` leaves out the notebooks.
    """
    rules = list(rules)
    for subject, file, line in [(project, "", None)] if whole else subjects(project):
        for rule in rules:
            if isinstance(subject, rule.subject):
                # the same mistake twice in a cell is reported once
                for what, todo, other_file, cell in dict.fromkeys(rule.judge(subject)):
                    yield Problem(rule.name, other_file or file, cell or line, what, todo)
