"""Gather the facts for the page: the project, its steps, and their results and states."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ProjectError
from ..lineage.changes import CURRENT, Change, How, Kind, is_raw
from ..lineage.states import Lineage, State
from ..notebooks import notebook
from ..project import git
from ..project.chain import Step
from ..project.project import Project
from ..project.settings import read_toml
from ..storage.params import user_params
from ..storage.parts import part_names
from ..storage.schema import RECORD, Record
from .rendered import plain

EPOCH = "SOURCE_DATE_EPOCH"  # of reproducible builds: the time that replaces the current one


class Saved(NamedTuple):
    """What a step or sub-checkpoint has saved."""

    name: str
    state: State
    # whether it is current; None if it is empty, or if it cannot be checked only because files are
    # not on this machine
    holds: bool | None
    record: Record | None  # None if there is none that can be read
    changes: list[Change]  # the differences from the record


class ParamChange(NamedTuple):
    """A parameter that differs from the last commit; a value that does not exist is empty."""

    name: str
    before: str
    now: str


class StepFacts(NamedTuple):
    """The facts about a step."""

    name: str
    saved: Saved
    parts: list[Saved]  # its sub-checkpoints
    step: Step | None  # None for results that no notebook makes
    path: str  # its notebook, relative to the project; for a command, the file that defines it
    notebook: dict[str, Any] | None  # its content; None if there is none or it cannot be read
    changed: list[ParamChange] | None  # None if the last commit does not have the step

    @property
    def all(self) -> list[Saved]:
        """Its results and those of its sub-checkpoints."""
        return [self.saved, *self.parts]


class Facts(NamedTuple):
    """The facts that a page shows."""

    project: Project
    title: str  # from its README
    description: str
    commit: str  # the hash of the last commit, and its date; empty if there is none
    committed: str
    modified: bool  # whether tracked files differ from that commit
    checked: str  # when the states were compared, in UTC
    steps: list[StepFacts]  # in running order, then results that no notebook makes
    loads: dict[str, list[str]]  # the steps that each step is made from


def gather(project: Project) -> Facts:
    """Read the facts of a project. Raises `ProjectError` if its settings are not valid."""
    lineage = Lineage(project)
    steps = {step.name: step for step in project.steps()}
    states = lineage.states()
    changes = _ParamChanges(project)
    read = [_step(project, lineage, state, steps.get(state.step), changes) for state in states]
    commit, committed = git.last_commit(project.root)
    names = [step.name for step in read]
    metadata = read_toml(project).get("project", {})
    return Facts(
        project,
        _title(project.root) or str(metadata.get("name", project.root.name)),
        str(metadata.get("description", "")),
        commit,
        committed,
        bool(commit and git.changed_since_commit(project.root, ".")),
        _now(),
        read,
        {s.name: _loads(s, names) for s in read},
    )


def raw_changes(saved: Saved) -> dict[str, How]:
    """Return the inputs that no step makes and that changed since they were read, and how."""
    return {change.name: change.how for change in saved.changes if is_raw(change)}


def flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return parameters by their dotted names, each value as one line of text."""
    rows: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            rows |= flat(value, f"{prefix}{name}.")
        else:
            rows[f"{prefix}{name}"] = value_text(value)
    return rows


def grouped(params: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return parameters by group and dotted name, which is empty for a value without a group."""
    return {
        name: flat(group) if isinstance(group, Mapping) and group else {"": value_text(group)}
        for name, group in params.items()
    }


def value_text(value: object) -> str:
    """Return a parameter as one line: most text as it is, other values as JSON."""
    if isinstance(value, str):
        return value if value.strip() == value != "" and value.isprintable() else repr(value)
    return json.dumps(value, ensure_ascii=False)


def _step(
    project: Project, lineage: Lineage, state: State, step: Step | None, changes: "_ParamChanges"
) -> StepFacts:
    content = None
    if step and not step.is_script:
        try:
            content = notebook.read_whole(step.path)
        except ProjectError:
            content = None  # the reasons of its state say why
    names = part_names(project, state.step)
    saved = _saved(lineage, state)
    return StepFacts(
        state.step,
        saved,
        [_saved(lineage, lineage.state(name)) for name in names],
        step,
        project.show(step.path) if step else "",
        content,
        changes.of(state.step, saved.record),
    )


def _saved(lineage: Lineage, state: State) -> Saved:
    changes = lineage.changes(state.step)
    holds: bool | None = state.state == CURRENT
    if not holds and changes and all(map(_not_here, changes)):
        holds = None
    if lineage.is_empty(state.step):
        holds = None
    return Saved(state.step, state, holds, lineage.record(state.step), changes)


def _not_here(change: Change) -> bool:
    """Return whether a change only says that a file is not on this machine."""
    return change.kind is Kind.LARGE or (is_raw(change) and change.how is How.MISSING)


def _loads(step: StepFacts, names: list[str]) -> list[str]:
    loaded = {name.partition("/")[0] for each in step.all for name in each.state.loads}
    return [name for name in names if name in loaded - {step.name}]


class _ParamChanges:
    """A comparison of the parameters of steps with those in the last commit."""

    def __init__(self, project: Project) -> None:
        self._root = project.root
        self._committed = set(git.in_last_commit(project.root, "results"))
        self._changed = git.changed_since_commit(project.root, "results") if self._committed else []

    def of(self, step: str, record: Record | None) -> list[ParamChange] | None:
        """Return how a step's parameters differ; None if there is nothing to compare them with."""
        name = f"results/{step}/{RECORD}"
        if record is None or name not in self._committed:
            return None
        if name not in self._changed:
            return []
        try:
            before = json.loads(git.committed_text(self._root, name))
            old = flat(user_params(before))
        except (ValueError, AttributeError):
            return None  # not a record
        new = flat(record.params)
        names = [*new, *(name for name in old if name not in new)]
        return [
            ParamChange(name, old.get(name, ""), new.get(name, ""))
            for name in names
            if old.get(name) != new.get(name)
        ]


def _title(root: Path) -> str:
    """Return the first heading of the README."""
    path = root / "README.md"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    first = next((line for line in text.splitlines() if line.startswith("# ")), "")
    return plain(first.removeprefix("# "))


def _now() -> str:
    epoch = os.environ.get(EPOCH, "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return now.strftime("%Y-%m-%d %H:%M UTC")
