"""A simulated kernel: it replays cells, and gives each statement a key of what it did."""

import ast
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from .cells import Ending, Step, lines_of, statements_of, stops_at_name
from .effects import FieldSet, StopError
from .harmless import cannot_fail
from .memory import (
    FIGURE,
    FILES,
    HIDDEN,
    HISTORY,
    OPTIONS,
    OTHER,
    PLAIN,
    RANDOM,
    SETTINGS,
    STYLE,
    UNREPEATABLE,
    Memory,
    Name,
    Object,
    Value,
    digest,
    join,
    unsure,
)
from .statement import Statement

INTERACTIVE = re.compile(r"^\s*%matplotlib\s+(?!inline)\w", re.MULTILINE)
Keys = tuple[str, str]  # of a statement: its key, and the loose one
IGNORED = (FIGURE, STYLE)  # neither the figure nor its style makes a statement fail


class Kernel:
    """A simulated kernel, which replays cells."""

    def __init__(self, facts: dict[str, str], again: Collection[str] = ()) -> None:
        self.facts = facts  # the types that values were seen to have, by a hash of their keys
        self.memory = Memory(again)
        self.loose: dict[str, str] = dict.fromkeys(self.memory.tainted, "random")
        self.interactive = False
        self.cells = 0
        self.mentioned: set[str] = set()
        self.tainted = False  # whether the statement being replayed is
        self.harmless = False

    # ------------------------------------------------------------ cells

    def run(
        self,
        source: str,
        draws: frozenset[str] | None,
        ending: Ending,
        kinds: Mapping[str, str] | None = None,
        again: Mapping[str, str] | None = None,
    ) -> list[Step]:
        """Replay a cell.

        Parameters
        ----------
        source, ending
            Its code, and how it ended.
        draws, kinds
            As `Execution` has them.
        again
            By random state, the text of the statement before which the state, if it is unseeded,
            counts as starting again.
        """
        self._begin(source)
        steps: list[Step] = []
        statements = statements_of(source)
        failing = [n for n, _ in statements if lines_of(n)[0] <= ending.line <= lines_of(n)[1]]
        for node, text in statements:
            first, last = lines_of(node)
            if ending.error and 0 < ending.line < first:
                break
            self._restart(text, again or {})
            failure = None
            if ending.error and not 0 < last < ending.line:
                at_name = len(failing) == 1 and stops_at_name(node, ending)
                failure = ending if at_name else replace(ending, missing="")
            steps.append(self._step(node, text, draws, failure))
        for name, kind in (kinds or {}).items():
            if name in self.memory.names and kind:
                self.facts[digest(*self.memory.name_keys(name))] = kind
        for name in sorted(self.mentioned):
            self._learn(name)
        return steps

    def _begin(self, source: str) -> None:
        self.cells += 1
        self.mentioned = set()
        self.memory.hidden(HISTORY).key = digest(HISTORY, self.cells)
        self.interactive |= bool(INTERACTIVE.search(source))
        if not self.interactive:  # the inline backend closes figures at the end of a cell
            figure = self.memory.hidden(FIGURE)
            figure.key, figure.content = digest(FIGURE), set()

    def _restart(self, text: str, again: Mapping[str, str]) -> None:
        for name, before in again.items():
            if text == before and self.memory.hidden(name).key in self.memory.tainted:
                key = self.memory.begin(name, again=True)
                self.loose[key] = "random"

    def _learn(self, name: str) -> None:
        """Use the type that was seen of a value that was made in the same way."""
        bound = self.memory.names.get(name)
        if bound is None or bound.value.kind:
            return
        keys = self.memory.name_keys(name)
        kind = self.facts.get(digest(*keys), "")
        if kind == "plain":
            self.memory.names[name] = Name(PLAIN, self._together(keys))
        elif kind == "iterator":  # whatever else it may be, reading it may use it up
            for number in bound.value.objects:
                if not self.memory.objects[number].kind:
                    self.memory.objects[number].kind = kind
        elif kind and bound.value.sure:
            self._know(self.memory.objects[next(iter(bound.value.objects))], kind, keys)

    def _know(self, thing: Object, kind: str, keys: list[str]) -> None:
        """Note the type of an object, and what it can hold."""
        flat = kind.startswith("flat ")
        kind = kind.removeprefix("flat ")
        if thing.kind not in ("", "array", "frame") and not flat:
            return
        thing.kind = kind
        if flat or kind in ("array", "frame"):
            thing.code = ()  # data run no code
            if thing.content:  # nothing in it can change, so one key for all is enough
                thing.key = self._together(keys)
                thing.fields.clear()
                thing.content.clear()
                thing.values.clear()
        elif kind in ("list", "dict", "set") and not thing.content:
            inside = self.memory.add(Object(key=self._together([thing.key, "inside"])))
            self.memory.objects[inside].content.add(inside)
            thing.content.add(inside)

    def _together(self, keys: list[str]) -> str:
        """Return one key for several; it is tainted if any of them is."""
        key = digest(*keys)
        if not self.memory.tainted.isdisjoint(keys):
            self.memory.tainted.add(key)
        self.loose[key] = digest(*self._loosely(keys))
        return key

    def _loosely(self, keys: Iterable[str]) -> list[str]:
        return sorted(self.loose.get(key, key) for key in keys)

    # ------------------------------------------------------------ statements

    def _step(
        self,
        node: ast.stmt | None,
        text: str,
        draws: frozenset[str] | None,
        failure: Ending | None,
    ) -> Step:
        before = dict(self.memory.names)
        self.harmless = cannot_fail(node, self.memory)
        statement = Statement(self.memory, draws, failure.missing if failure else "")
        try:
            if node is None:
                statement.magic(text.splitlines())
            else:
                statement.statement(node)
        except StopError:
            statement.scopes.clear()
        if statement.anything or statement.exhausted:
            self._anything(statement)
        if failure:
            self._failed(statement, node, before)
        return self._commit(statement, node, text, failure, before)

    def _anything(self, statement: Statement) -> None:
        """Note that a statement may change everything in the kernel."""
        memory = self.memory
        everything: set[int] = set()
        for name in sorted(memory.names):
            reach = memory.reach(memory.names[name].value.objects)
            statement.note(name, memory.name_keys(name), reach)
            everything |= reach
        data = sorted(everything - {memory.number(hidden) for hidden in HIDDEN})
        # one object for all: any name may lead to any of them from here on
        keys = [key for number in data for key in memory.own_key(number)]
        code = tuple(memory.code(Value(frozenset(data))))
        one = memory.add(Object(key=self._together(keys), kind="blob", code=code))
        memory.objects[one].content.add(one)
        statement.touch({one})
        for name, bound in memory.names.items():
            kept = not statement.anything and self._is_code(bound.value)
            if name not in HIDDEN and not kept:
                memory.names[name] = Name(unsure(Value(frozenset((one,)))), bound.key)
                statement.maybe.add(name)
        statement.change(OTHER, FILES, OPTIONS, STYLE, *RANDOM)

    def _is_code(self, value: Value) -> bool:
        """Tell whether a value is a module, function or class, whose name keeps its binding."""
        kinds = {self.memory.objects[number].kind for number in value.objects}
        return value.kind.startswith("module:") or (bool(kinds) and kinds <= {"function", "class"})

    def _failed(self, statement: Statement, node: ast.stmt | None, before: dict[str, Name]) -> None:
        """Note that a statement failed and may have done only a part of what it does."""
        names = isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) for t in node.targets)
        for name in sorted(statement.bound):
            old, now = before.get(name), self.memory.names.get(name)
            if names:  # it failed before it bound them
                statement.restore(name, old)
            else:
                values = [bound.value for bound in (old, now) if bound]
                self.memory.names[name] = Name(join(*values), old.key if old else "")
                statement.maybe.add(name)
        statement.bound.clear()
        statement.fields = [replace(field, may=True) for field in statement.fields]
        for hidden in sorted(statement.fresh):
            statement.change(hidden)
        statement.fresh.clear()

    def _commit(
        self,
        statement: Statement,
        node: ast.stmt | None,
        text: str,
        failure: Ending | None,
        before: dict[str, Name],
    ) -> Step:
        """Give keys to everything that a statement made or changed, and return its record."""
        memory = self.memory
        labels = sorted(statement.reads)
        done, salt = failure is None, failure.salt if failure else ""
        together = self._aliases(statement)
        key = digest(text, [(n, statement.reads[n]) for n in labels], together, salt, done)
        loosely = [(n, self._loosely(statement.reads[n])) for n in labels if n not in IGNORED]
        loose = digest(text, loosely, together, salt, done)
        self.tainted = any(k in memory.tainted for keys in statement.reads.values() for k in keys)
        self._renew(statement, (key, loose))
        changed = set(statement.bound | statement.maybe)
        self._rename(statement, node, (key, loose), before)
        moved = statement.touched | {field.number for field in statement.fields}
        for name, bound in memory.names.items() if moved else ():
            if name not in changed and not moved.isdisjoint(memory.reach(bound.value.objects)):
                changed.add(name)
        roots = {label.partition("/")[0] for label in labels}
        self.mentioned |= {n for n in roots | changed if n not in HIDDEN}
        reads = {label: digest(*statement.reads[label]) for label in labels}
        return Step(
            text,
            key,
            loose,
            done,
            tuple(statement.saves),
            reads,
            frozenset(changed),
            self.tainted,
            self.harmless,
            self.cells - 1,
        )

    def _aliases(self, statement: Statement) -> list[tuple[str, str]]:
        """Return which of the things that a statement reads may be the same or share memory."""
        behind = {
            label: self.memory.sharing(numbers)
            for label, numbers in sorted(statement.objects_read.items())
            if numbers
        }
        return [
            (one, other)
            for one in behind
            for other in behind
            if one < other and not behind[one].isdisjoint(behind[other])
        ]

    def _key(self, kind: str, by: Keys, *parts: object, old: list[str] | None = None) -> str:
        """Return a key for what a statement made, or changed if it had `old` keys."""
        key, loose = by
        made = digest(key, kind, parts, old)
        self.loose[made] = digest(loose, kind, parts, self._loosely(old or ()))
        if self.tainted or any(k in self.memory.tainted for k in old or ()):
            self.memory.tainted.add(made)
        return made

    def _renew(self, statement: Statement, by: Keys) -> None:
        """Give new keys to the objects that a statement made or changed."""
        memory = self.memory
        changed = memory.sharing(statement.touched) | statement.views
        for field in statement.fields:
            if field.number not in changed:
                self._set_field(field, by)
        for number in sorted(changed):
            thing = memory.objects[number]
            if thing.key:
                read = sorted(statement.objects_read.items())
                roles = [label for label, numbers in read if number in numbers]
                thing.key = self._key("changed", by, roles, old=memory.own_key(number))
                thing.kind = "array" if thing.kind == "frame" else thing.kind
                thing.fields.clear()
                thing.values.clear()
        for hidden in sorted(statement.fresh):
            memory.hidden(hidden).key = self._key("fresh", by, hidden)
        for index, number in enumerate(statement.made):
            memory.objects[number].key = self._key("made", by, index)
        for hidden in UNREPEATABLE:
            if memory.hidden(hidden).key in memory.tainted:
                self.loose[memory.hidden(hidden).key] = "random"

    def _set_field(self, field: FieldSet, by: Keys) -> None:
        thing, path = self.memory.objects[field.number], field.path
        if not thing.key:
            return
        old = self.memory.field_keys(thing, path, PLAIN) if field.may else None
        made = self._key("field", by, path, old=old)
        settings = any(self.memory.hidden(hidden) is thing for hidden in SETTINGS)
        for inner in [where for where in thing.fields if where.startswith(path + "/")]:
            del thing.fields[inner]
        if settings and not (
            thing.fields.get(path) == made and all("[" in p for p in thing.fields)
        ):
            thing.fields.pop(path, None)  # the last setting counts
        thing.fields[path] = made

    def _rename(
        self, statement: Statement, node: ast.stmt | None, by: Keys, before: dict[str, Name]
    ) -> None:
        """Give new keys to the names that a statement bound."""
        names = self.memory.names
        constant = ""
        match node:
            case ast.Assign(targets=[ast.Name()], value=ast.Constant(value=value)):
                constant = digest("constant", repr(value))
        for name in statement.bound & names.keys():
            bound = names[name].value
            module = digest(bound.kind) if bound.kind.startswith("module:") else ""
            names[name] = Name(bound, module or constant or self._key("bound", by, name))
        for name in statement.maybe & names.keys():
            old = [before[name].key] if name in before else []
            names[name] = Name(names[name].value, self._key("maybe", by, name, old=old))
