"""A call whose function and arguments have been replayed, and what they may change."""

import ast
import re
from dataclasses import dataclass

from . import tables
from .memory import PLAIN, Code, Value, join, unsure

IN_PLACE = re.compile(r"inplace|overwrite\w*|out")


@dataclass
class Call:
    """A call whose function and arguments have been replayed."""

    node: ast.Call
    name: str  # the last part of the function's name
    path: str  # the whole name of a library's function, `numpy.random.seed`; otherwise empty
    # what it is a method of, or the function itself; None for a built-in function or a library's
    receiver: Value | None
    given: list[Value]

    @property
    def arguments(self) -> Value:
        """A value that may be any of the arguments."""
        return join(*self.given) if self.given else PLAIN

    @property
    def everything(self) -> Value:
        """A value that may be any of the arguments or the receiver."""
        return join(self.arguments, self.receiver) if self.receiver else self.arguments

    @property
    def top(self) -> str:
        """The name of the library; empty if the function is not from a library."""
        return self.path.partition(".")[0]

    @property
    def method(self) -> bool:
        """Whether it is written `a.b()`."""
        return isinstance(self.node.func, ast.Attribute)

    def keyword(self, name: str) -> ast.expr | None:
        """Return the value of a keyword argument."""
        return next((k.value for k in self.node.keywords if k.arg == name), None)

    def in_place(self) -> bool:
        """Tell whether a keyword may ask to change an argument in place."""
        for keyword in self.node.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else ...
            if keyword.arg and IN_PLACE.fullmatch(keyword.arg) and value not in (False, None):
                return True
            if keyword.arg == "copy" and value is not True:
                return True
        return any(keyword.arg is None for keyword in self.node.keywords)

    def text(self) -> str | None:
        """Return the path or step that it is given, if that is a literal."""
        named = next((k.value for k in self.node.keywords if k.arg in tables.NAMES_A_FILE), None)
        match self.node.args[0] if self.node.args else named:
            case ast.Constant(value=str() as text):
                return text
            case ast.Call(func=ast.Name(id="data_file"), args=[ast.Constant(value=str() as text)]):
                return f"data/{text}"
        return None


def parameters(function: Code) -> list[str]:
    """Return the names of a function's parameters."""
    a = function.args
    extra = [part for part in (a.vararg, a.kwarg) if part]
    return [part.arg for part in (*a.posonlyargs, *a.args, *a.kwonlyargs, *extra)]


def bound_arguments(function: Code, call: Call, itself: Value | None = None) -> dict[str, Value]:
    """Return the values of a function's parameters in a call, by name."""
    a, node = function.args, call.node
    positional = [part.arg for part in (*a.posonlyargs, *a.args)]
    given = [*([itself] if itself else []), *call.given[: len(node.args)]]
    named = dict(zip([k.arg for k in node.keywords], call.given[len(node.args) :], strict=True))
    known = set(positional) | {part.arg for part in a.kwonlyargs}
    odd = any(isinstance(n, ast.Starred) for n in node.args) or None in named
    odd = odd or len(given) > len(positional) or not named.keys() <= known
    if odd:
        anything = join(*given, *named.values()) if given or named else PLAIN
        return dict.fromkeys(parameters(function), unsure(anything))
    return dict(zip(positional, given, strict=False)) | {k: v for k, v in named.items() if k}


def writes_positional(call: Call) -> bool:
    """Tell whether a NumPy function may get its output array as a positional argument."""
    if call.top != "numpy":
        return False
    count = len(call.node.args)
    limit = 1 if call.name in tables.UNARY else 2 if call.name in tables.BINARY else 3
    starred = any(isinstance(node, ast.Starred) for node in call.node.args)
    return count > limit or (starred and call.name in tables.UNARY | tables.BINARY)


def only_keyword(call: Call, name: str) -> bool:
    """Tell whether no other keyword asks to change something in place."""
    return all(k.arg == name for k in call.node.keywords if k.arg and IN_PLACE.fullmatch(k.arg))
