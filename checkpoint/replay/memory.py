"""The memory of a simulated kernel: names, objects, and how each was made.

Nothing is computed. A name refers to objects; an object has a *key*, a hash of the statement that
made or last changed it and of the keys that this statement read. Objects with equal keys were made
by the same statements from the same values, so they are equal.
"""

import ast
import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

Code = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# Hidden state of a kernel, besides its names. The dot distinguishes it from names.
NUMPY_RANDOM, PYTHON_RANDOM, TORCH_RANDOM = "·numpy.random", "·random", "·torch.random"
FIGURE, STYLE, OPTIONS, FILES, CLOCK, HISTORY, OTHER = (
    "·figure",  # what pyplot draws on
    "·style",  # rcParams
    "·options",  # of libraries, and what was patched in their modules
    "·files",  # by path
    "·clock",
    "·history",  # Out, _ and In
    "·other",  # names that code bound without naming them, as `import *` does
)
RANDOM = (NUMPY_RANDOM, PYTHON_RANDOM, TORCH_RANDOM)
UNREPEATABLE = (*RANDOM, CLOCK)  # different each time that they are read
HIDDEN = (*RANDOM, FIGURE, STYLE, OPTIONS, FILES, CLOCK, HISTORY, OTHER)
SETTINGS = (STYLE, OPTIONS, FILES)  # have fields, whose last setting counts


def digest(*parts: object) -> str:
    """Return a short hash of some parts."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()


@dataclass(frozen=True)
class Value:
    """What an expression evaluates to, as far as it is known."""

    # the numbers of the objects that it may be; none if it is immutable, as an int is
    objects: frozenset[int] = frozenset()
    # `plain` if it is immutable, `module:numpy` for a module or what was imported from one; empty
    # if the kind is that of the objects
    kind: str = ""
    sure: bool = False  # whether it is exactly the one object


PLAIN = Value(kind="plain")
UNKNOWN = Value()


@dataclass
class Object:
    """A mutable object."""

    # how it was made and changed; empty while the statement that makes it is replayed
    key: str = ""
    # `array` (of NumPy or pandas), `frame` (a DataFrame with rows), `anndata`, `list`, `dict`,
    # `set`, `default` (reading may add), `iterator`, `generator` (of random numbers), `figure`,
    # `model`, `function`, `class`, `instance` (of a class of the notebook), `loaded` (a
    # checkpoint), `blob` (all that there was when something unknown ran), or empty for others
    kind: str = ""
    # keys of the columns, entries or attributes that were set one by one since `key`, in order
    fields: dict[str, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)  # what these fields refer to
    content: set[int] = field(default_factory=set)  # objects that it may hold; a read includes them
    shares: set[int] = field(default_factory=set)  # what may share its memory, as a view does
    code: tuple[Code, ...] = ()  # the functions of the notebook that it may run


@dataclass
class Name:
    """What a name refers to, and the key of how it was bound."""

    value: Value
    key: str


class Memory:
    """The names and objects of a kernel; `again` lists random states that start again."""

    def __init__(self, again: Collection[str]) -> None:
        self.objects: list[Object] = []
        self.names: dict[str, Name] = {}
        self.given: dict[str, set[int]] = {}  # objects that libraries were given and may keep
        self.nested: set[Code] = set()  # functions defined in functions
        # keys that a second run would not make again, as those of unseeded random numbers
        self.tainted: set[str] = set()
        for hidden in HIDDEN:
            number = self.add(Object(key=digest(hidden)))
            self.names[hidden] = Name(Value(frozenset([number]), sure=True), "")
        for hidden in UNREPEATABLE:
            self.begin(hidden, again=hidden in again)

    def add(self, thing: Object) -> int:
        """Add an object and return its number."""
        self.objects.append(thing)
        return len(self.objects) - 1

    def begin(self, hidden: str, *, again: bool) -> str:
        """Start a random state without a seed, in a new kernel or again; return its key."""
        key = self.hidden(hidden).key = digest(hidden, "again" if again else "")
        self.tainted.add(key)
        return key

    def hidden(self, name: str) -> Object:
        """Return the object of a hidden state, such as `·figure`."""
        return self.objects[self.number(name)]

    def number(self, hidden: str) -> int:
        """Return the number of the object of a hidden state."""
        return next(iter(self.names[hidden].value.objects))

    def reach(self, numbers: Iterable[int]) -> set[int]:
        """Return objects and all that they may hold."""
        return _closure(numbers, lambda number: self.objects[number].content)

    def sharing(self, numbers: Iterable[int]) -> set[int]:
        """Return objects and all that may share their memory."""
        return _closure(numbers, lambda number: self.objects[number].shares)

    def code(self, value: Value) -> list[Code]:
        """Return the functions of the notebook that a value may run, in a fixed order."""
        nodes = {
            node: None for n in sorted(self.reach(value.objects)) for node in self.objects[n].code
        }
        return sorted(nodes, key=lambda node: (node.lineno, _dump(node)))

    def kind(self, value: Value) -> str:
        """Return what is known of a value's type."""
        if value.kind or not value.objects:
            return value.kind
        kinds = {self.objects[number].kind for number in value.objects}
        kind = kinds.pop() if len(kinds) == 1 else "array" if kinds <= {"array", "frame"} else ""
        return "array" if kind == "frame" and not value.sure else kind

    def the(self, value: Value, *kinds: str) -> Object | None:
        """Return the object that a value certainly is, if it is of one of these kinds."""
        if not value.sure:
            return None
        thing = self.objects[next(iter(value.objects))]
        return thing if thing.kind in kinds else None

    # ------------------------------------------------------------ keys

    def own_key(self, number: int) -> list[str]:
        """Return the keys of an object without its contents; none if the statement makes it."""
        thing = self.objects[number]
        if not thing.key:
            return []
        order = [digest("order", *thing.fields)] if thing.fields else []
        return [thing.key, *thing.fields.values(), *order]

    def keys(self, value: Value) -> list[str]:
        """Return the keys of all that a value may lead to, sorted."""
        return sorted(key for number in self.reach(value.objects) for key in self.own_key(number))

    def name_keys(self, name: str) -> list[str]:
        """Return the keys of a name: what it refers to, and all that this may lead to."""
        bound = self.names.get(name)
        if bound is None:
            return ["unbound", *self.own_key(self.number(OTHER))]
        return [*([] if bound.value.sure else [bound.key]), *self.keys(bound.value)]

    def field_keys(self, thing: Object, path: str, content: Value) -> list[str]:
        """Return the keys of a field, `obs/batch`, of an object, and of what is above and below."""
        near = {
            where: key
            for where, key in thing.fields.items()
            if where == path or where.startswith(path + "/") or path.startswith(where + "/")
        }
        whole = any(path == where or path.startswith(where + "/") for where in near)
        base = [] if whole or not thing.key else [thing.key]
        return [
            *base,
            *near.values(),
            *(["order", *near] if len(near) > 1 else []),
            *self.keys(content),
        ]


def join(*values: Value) -> Value:
    """Return what is known of a value that may be any of these."""
    values = tuple(dict.fromkeys(values))
    if len(values) == 1:
        return values[0]
    kinds = {value.kind for value in values if value.kind != "plain"}
    objects = frozenset[int]().union(*(value.objects for value in values))
    if not objects and not kinds and values:
        return PLAIN
    return Value(objects, kinds.pop() if len(kinds) == 1 else "")


def unsure(value: Value) -> Value:
    """Return a value that may be this one."""
    return replace(value, sure=False)


@lru_cache(maxsize=4096)
def _dump(node: Code) -> str:
    return ast.dump(node)


def _closure(numbers: Iterable[int], after: Callable[[int], set[int]]) -> set[int]:
    reached = set(numbers)
    todo = list(reached)
    while todo:
        new = after(todo.pop()) - reached
        reached |= new
        todo.extend(new)
    return reached
