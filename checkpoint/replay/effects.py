"""What a statement reads, binds and may change, collected during its replay."""

import ast
import builtins
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import tables
from .memory import (
    FILES,
    HISTORY,
    PLAIN,
    UNKNOWN,
    Code,
    Memory,
    Name,
    Object,
    Value,
    digest,
    join,
    unsure,
)

HISTORY_NAMES = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|In|Out|_[io]h|_dh|exit|quit")

DATA = ("array", "frame", "anndata", "loaded")
CHECKPOINT = "checkpoint:"  # begins the path of a checkpoint


class StopError(Exception):
    """The statement stopped here, at the name that it did not find."""


@dataclass(frozen=True)
class FieldSet:
    """A column, entry or attribute that a statement sets."""

    number: int
    path: str
    may: bool  # whether it may also leave it unset


class Effects:
    """What a statement does, as far as it has been replayed."""

    def __init__(self, memory: Memory, draws: frozenset[str] | None, missing: str) -> None:
        # names and objects are updated at once; keys are not, and describe the state before
        self.memory = memory
        self.draws = draws  # random states that its cell was seen to move; None if unknown
        self.missing = missing  # the name that a `NameError` or `AttributeError` was about
        self.alone: ast.AST | None = None  # the call that is the whole statement
        self.reads: dict[str, list[str]] = {}  # the keys of what it reads, by a label
        self.objects_read: dict[str, set[int]] = {}  # objects to which each label leads
        self.bound: set[str] = set()  # names that it binds
        self.maybe: set[str] = set()  # names that it may bind
        self.touched: set[int] = set()  # objects that it may change, with all that share memory
        self.views: set[int] = set()  # objects that it may change, without those that share memory
        self.fields: list[FieldSet] = []  # fields set in objects whose other fields do not change
        self.fresh: set[str] = set()  # set whatever was there before, as a seed does
        self.made: list[int] = []  # objects that it makes, in order
        self.saves: list[str | None] = []  # steps; None for a name that is computed
        self.anything = False  # whether it may do anything, as `exec` does
        self.exhausted = False  # whether it calls more functions than can be followed
        self.inlined = 0  # how many functions of the notebook were replayed
        self.run_with: dict[Code, list[tuple[frozenset[int], Value]]] = {}  # with which objects
        self.branches = 0  # how many loops and branches it is in
        self.branch_binds: list[set[str]] = [set()]  # names bound in each of these
        self.scopes: list[dict[str, Value]] = []  # of functions that are being called
        self.globals: list[set[str]] = []
        self.class_bodies: list[dict[str, Value]] = []  # scopes that functions do not see
        self.calling: list[Code] = []
        self.returned: list[Value] = []

    # ------------------------------------------------------------ objects

    def new(
        self,
        *held: Value,
        kind: str = "",
        code: tuple[Code, ...] = (),
        shares: Iterable[int] = (),
    ) -> Value:
        """Make an object that holds others."""
        content = set[int]().union(*(value.objects for value in held))
        number = self.memory.add(Object(kind=kind, content=content, code=code))
        for other in shares:
            self.memory.objects[number].shares.add(other)
            self.memory.objects[other].shares.add(number)
        self.made.append(number)
        return Value(frozenset([number]), sure=not self.branches)

    def new_or_part(self, *values: Value, kind: str = "") -> Value:
        """Return a new object, or one of these, or a part of one."""
        return join(unsure(self.new(*values, kind=kind)), *map(self.anywhere, values))

    def anywhere(self, value: Value) -> Value:
        """Return a value or whatever it may lead to."""
        return Value(frozenset(self.memory.reach(value.objects)), value.kind)

    def piece(self, value: Value) -> Value:
        """Return what an index, an attribute or a loop may take out of a value."""
        kind, inside = self.memory.kind(value), self.inside(value)
        if kind in ("array", "frame"):
            part = self.new(inside, kind="array", shares=value.objects)
            return join(unsure(part), inside) if inside.objects else part
        if kind in ("list", "dict", "set", "iterator"):
            return inside if inside.objects else PLAIN
        if kind == "plain" or not value.objects:
            return value if value.kind else UNKNOWN
        return self.anywhere(value)

    def inside(self, value: Value) -> Value:
        """Return what a list, a dict or an array of objects may hold."""
        held = set[int]().union(*(self.memory.objects[n].content for n in value.objects))
        return Value(frozenset(held))

    def touch(self, numbers: Iterable[int], *stored: Value) -> None:
        """Note that these objects may change, and may now hold what is stored in them."""
        numbers = set(numbers)
        self.touched |= numbers
        held = set[int]().union(*(value.objects for value in stored))
        for number in numbers:
            self.memory.objects[number].content |= held
            self.memory.objects[number].values.clear()

    def touch_deep(self, *values: Value) -> None:
        """Note that everything to which these values lead may change, and may hold any of it."""
        value = join(*values) if values else PLAIN
        kinds = {n: self.memory.objects[n].kind for n in self.memory.reach(value.objects)}
        data = {n for n, kind in kinds.items() if kind in DATA}
        self.touch(kinds.keys() - data, value)
        # no call puts a function of the notebook, or what runs one, into a table
        code = {n: self.memory.code(Value(frozenset((n,)))) for n in value.objects}
        self.touch(data, Value(frozenset(n for n in code if n in data or not code[n])))

    # ------------------------------------------------------------ names

    def peek(self, name: str) -> Value | None:
        """Return what a name refers to; None if it is not bound."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        bound = self.memory.names.get(name)
        return bound.value if bound else None

    def load(self, name: str) -> Value:
        """Read a name, and so all that it leads to."""
        if name == self.missing:
            raise StopError
        value = self.peek(name)
        if not any(name in names for names in (self.bound, *self.branch_binds, *self.scopes)):
            self._read_global(name)
        if value is None:
            return UNKNOWN
        reach = self.memory.reach(value.objects)
        # reading an iterator may use it up, and a generator of numbers may be drawn from
        used = ("iterator", "generator")
        self.touch(n for n in reach if self.memory.objects[n].kind in used)
        return value

    def _read_global(self, name: str) -> None:
        if name in self.memory.names:
            value = self.memory.names[name].value
            self.note(name, self.memory.name_keys(name), self.memory.reach(value.objects))
        elif HISTORY_NAMES.fullmatch(name):
            self.read(HISTORY)
        elif not hasattr(builtins, name):
            self.note(name, self.memory.name_keys(name), set())

    def note(self, label: str, keys: list[str], objects: set[int]) -> None:
        """Note that the statement reads something that has these keys."""
        known = self.reads.setdefault(label, [])
        known.extend(key for key in keys if key not in known)
        self.objects_read.setdefault(label, set()).update(objects)

    def read(self, *hidden: str) -> None:
        """Note that the statement depends on hidden state of the kernel."""
        for name in hidden:
            self.note(name, self.memory.name_keys(name), set())

    def change(self, *hidden: str) -> None:
        """Note that the statement changes hidden state of the kernel."""
        for name in hidden:
            self.read(name)
            self.touched |= self.memory.names[name].value.objects

    def set_hidden(self, hidden: str, path: str) -> None:
        """Note that the statement sets one option or file."""
        self.fields.append(FieldSet(self.memory.number(hidden), path, bool(self.branches)))

    def read_file(self, path: str | None) -> None:
        """Note that a file is read; with None, for a computed path, any file may be."""
        if path is None:
            # without checkpoints: those that are read by path are recorded as inputs
            files = self.memory.hidden(FILES)
            others = {where: key for where, key in files.fields.items() if CHECKPOINT not in where}
            order = [digest("order", *others)] if others else []
            self.note(FILES, [files.key, *others.values(), *order], set())
        else:
            keys = self.memory.field_keys(self.memory.hidden(FILES), path, PLAIN)
            self.note(f"{FILES} {path}", keys, set())

    def write_file(self, path: str | None) -> None:
        """Note that a file is written; with None, for a computed path, any file may be."""
        if path is None:
            self.change(FILES)
        else:
            self.set_hidden(FILES, path)

    def bind(self, name: str, value: Value) -> None:
        """Bind a name to a value; inside a function, this is a local name unless it is global."""
        if self.scopes and name not in self.globals[-1]:
            scope = self.scopes[-1]
            scope[name] = join(scope[name], value) if name in scope and self.branches else value
            return
        old = self.memory.names.get(name)
        sure = not self.branches and not self.scopes
        now = value if not self.scopes or old is None else join(old.value, value)
        self.memory.names[name] = Name(now, old.key if old else "")
        (self.bound if sure else self.maybe).add(name)
        self.branch_binds[-1].add(name)

    def delete(self, name: str) -> None:
        """Unbind a name, or note that it may be unbound."""
        if self.scopes and name in self.scopes[-1]:
            return
        if self.branches or self.scopes:
            self.maybe.add(name)
        else:
            self.memory.names.pop(name, None)
            self.bound.add(name)

    def branch(self, *bodies: Iterable[Callable[[], Any]], all_ways: bool = False) -> None:
        """Replay alternatives; a name that only some of them bind may be bound.

        Parameters
        ----------
        *bodies
            The alternatives, as the parts of each.
        all_ways
            Whether one of them certainly runs.
        """
        names, branches = self.memory.names, self.branches
        before, bound, maybe = dict(names), set(self.bound), set(self.maybe)
        ends: list[dict[str, Name | None]] = []
        for body in bodies:
            self.branches = branches + 1
            self.branch_binds.append(set())
            for part in body:
                part()
            ends.append({name: names.get(name) for name in self.branch_binds.pop()})
            for name in ends[-1]:
                self.restore(name, before.get(name))
            self.bound = set(bound)
        self.branches = branches
        both = set.intersection(*map(set, ends)) if all_ways else set[str]()
        for name in sorted(set[str]().union(*ends)):
            old = before.get(name)
            ways = [end[name] for end in ends if name in end] + ([] if name in both else [old])
            values = [way.value for way in ways if way]
            self.restore(name, Name(join(*values), old.key if old else "") if values else None)
        self.branch_binds[-1] |= both
        if not self.branches and not self.scopes:
            self.bound |= both
            self.maybe -= both - maybe

    def restore(self, name: str, bound: Name | None) -> None:
        """Restore the earlier binding of a name; None if it was not bound."""
        if bound:
            self.memory.names[name] = bound
        else:
            self.memory.names.pop(name, None)

    # ------------------------------------------------------------ columns, entries, attributes

    def place(self, node: ast.expr) -> tuple[Value, Object, str, str] | None:
        """Return the value, object, path and label of a field; None for another expression.

        `df["a"]` and `df.a` of a DataFrame, `d["k"]` of a dict, `adata.obs["batch"]`.
        """
        parts: list[tuple[str, object]] = []
        while isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node, ast.Attribute):
                parts.insert(0, ("attribute", node.attr))
            elif isinstance(node.slice, ast.Constant):
                parts.insert(0, ("item", node.slice.value))
            else:
                return None
            node = node.value
        value = self.peek(node.id) if isinstance(node, ast.Name) and parts else None
        if value is None or not isinstance(node, ast.Name) or node.id == self.missing:
            return None
        thing = self.memory.the(value, "frame", "dict", "anndata", "instance", "loaded")
        if thing and thing.kind in ("frame", "dict") and self._anndata_of(thing):
            return None  # for example adata.obs: what is set in it is set in adata
        path = _path(thing.kind, parts) if thing else None
        if thing and path and thing.kind == "instance" and self._computed(value, path):
            return None
        return (value, thing, path, f"{node.id}/{path}") if thing and path else None

    def _anndata_of(self, thing: Object) -> set[int]:
        """Return the AnnData objects that something may be a part of."""
        return {n for n in thing.shares if self.memory.objects[n].kind == "anndata"}

    def _computed(self, instance: Value, attribute: str) -> bool:
        """Tell whether a class defines how this attribute is found or set."""
        names = {getattr(code, "name", "") for code in self.memory.code(instance)}
        special = ("__getattr__", "__getattribute__", "__setattr__", "__slots__")
        return attribute in names or not names.isdisjoint(special)

    def load_field(self, place: tuple[Value, Object, str, str]) -> Value:
        """Read only one field of an object."""
        value, thing, path, label = place
        inside = thing.values.get(path, PLAIN)
        keys = self.memory.field_keys(thing, path, inside)
        self.note(label, keys, set(value.objects) | self.memory.reach(inside.objects))
        if thing.kind == "loaded":
            return self.new()
        if thing.kind in ("frame", "anndata"):
            return self.new(kind="array", shares=value.objects)
        if path in thing.values:
            return inside
        every = Value(frozenset(thing.content))
        self.note(label, self.memory.keys(every), self.memory.reach(every.objects))
        return every if thing.content else PLAIN

    def store_field(self, place: tuple[Value, Object, str, str], stored: Value) -> None:
        """Set only one field of an object."""
        value, thing, path, label = place
        number = next(iter(value.objects))
        if thing.kind in ("frame", "anndata"):  # the values are aligned with its rows
            self.note(f"{label}/·rows", [thing.key] if thing.key else [], {number})
            others = self._anndata_of(thing)
            if thing.kind == "anndata":
                self.views |= thing.shares - others  # `obs = adata.obs`, which sees it
                if not path.startswith(("obs/", "var/")):
                    self.touched |= others  # a view sees it, or may write into its original
        may = bool(self.branches)
        self.fields.append(FieldSet(number, path, may))
        if thing.kind == "frame":  # a column is a copy
            return
        thing.content |= stored.objects
        if not may:
            thing.values[path] = stored
        elif path in thing.values:
            thing.values[path] = join(thing.values[path], stored)


def _path(kind: str, parts: list[tuple[str, object]]) -> str | None:
    """Return the path of a field, `obs/batch`; None if these parts do not name a field."""
    (how, first), *more = parts
    if more and kind != "anndata":
        return None
    if kind in ("dict", "loaded"):
        return repr(first) if how == "item" else None
    if not isinstance(first, str) or "/" in first:
        return None
    if kind == "frame":
        return first if _is_column(how, first) else None
    if how != "attribute":
        return None
    if kind == "instance":
        return first
    if first not in tables.ANNDATA_FIELDS or len(more) > 1:
        return None
    if not more:
        return first
    how, column = more[0]
    named = how == "item" or (first in ("obs", "var") and _is_column(how, column))
    inside = isinstance(column, str) and "/" not in column and first not in ("X", "raw")
    return f"{first}/{column}" if named and inside else None


def _is_column(how: str, name: object) -> bool:
    return isinstance(name, str) and (how == "item" or name not in tables.FRAME_ATTRIBUTES)
