"""Replay of calls of built-in functions and of methods."""

import ast
from collections.abc import Callable

from . import tables
from .call import Call, only_keyword
from .libraries import Libraries
from .memory import OPTIONS, PLAIN, STYLE, UNKNOWN, Value, join


class Methods(Libraries):
    """Adds built-in functions and methods to `Libraries`."""

    _called: Callable[[Call], Value]  # defined in `Calls`

    # ------------------------------------------------------------ built-in functions

    def _builtin(self, call: Call) -> Value:
        name, given = call.name, call.arguments
        if name == "open":
            return self.new(kind="iterator")
        if name == "exec" and self._literal(call) is not None:
            return PLAIN
        if name not in tables.BUILTIN_PURE:
            return self._unknown(call, given)
        if name == "next":
            self.touch(given.objects)
        if name in ("getattr", "super", "type", "next"):
            self.iterated(given)
            return self.anywhere(given)
        if name not in ("isinstance", "callable", "hasattr", "id"):
            for value in call.given:
                self.iterated(value)
        if name in tables.GIVES_SCALAR:
            return PLAIN
        code = tuple(self.memory.code(given))
        if name in tables.GIVES_ITERATOR:
            return self.new(given, self.piece(given), kind="iterator", code=code)
        if name in tables.GIVES_LIST:
            kind = "set" if name in ("set", "frozenset") else "list"
            return self.new(self._elements(call), kind=kind)
        if name == "dict":
            return self.new(self._elements(call), kind="dict")
        if self.memory.kind(given) in ("array", "frame") and name in ("abs", "sum", "pow", "round"):
            return self.new(kind="array")
        if name in ("all", "any", "bytes", "complex", "range", "slice", "divmod"):
            return PLAIN
        if name in ("min", "max"):
            arrays = self.memory.kind(given) in ("array", "frame")
            return PLAIN if arrays else join(given, self._elements(call))
        if name in ("sum", "abs", "pow") and not self._elements(call).objects:
            return PLAIN
        return self.new_or_part(given)

    def _elements(self, call: Call) -> Value:
        """Return what the elements of the arguments may be."""
        taken = [self.piece(value) for value in call.given]
        nodes = [*call.node.args, *call.node.keywords]
        named = [
            value
            for value, node in zip(call.given, nodes, strict=True)
            if isinstance(node, ast.keyword) and node.arg not in ("key", "reverse")
        ]
        return join(*taken, *named) if taken else PLAIN

    # ------------------------------------------------------------ methods

    def _method(self, call: Call) -> Value:
        receiver = call.receiver or UNKNOWN
        kind, name = self.memory.kind(receiver), call.name
        self.read(OPTIONS)
        if self.memory.code(receiver):
            return self._called(call)
        if kind == "plain":
            iterates = name in tables.GIVES_ITERATORS
            return self.new(kind="iterator") if iterates else PLAIN
        if kind == "generator":
            self.touch(receiver.objects)
            self.touch(call.arguments.objects if name == "shuffle" else ())
            choice = name in ("choice", "choices", "sample", "permutation")
            return self.new_or_part(call.arguments) if choice else self.new(kind="array")
        if kind in ("array", "frame"):
            return self._array_method(call, receiver)
        if kind in ("list", "set", "dict", "default"):
            return self._container_method(call, receiver)
        if kind == "figure" or (name in tables.PLOTS and not receiver.objects):
            self.read(STYLE)
            self.touch_deep(receiver)
            return receiver
        if kind == "model":
            self.touch(self.memory.reach(receiver.objects), call.arguments)
            return join(self.new_or_part(receiver), self.new(kind="array"))
        if kind == "anndata" and name in tables.ANNDATA_READS and not call.in_place():
            if name == "copy":
                return self.new(kind="anndata")
            return self.new(kind="array", shares=receiver.objects)  # `to_df` shows X
        if name == "copy" and not call.given:
            return self.new(self.anywhere(receiver))
        return self._unknown(call, call.everything)

    def _array_method(self, call: Call, receiver: Value) -> Value:
        name = call.name
        if name in tables.PLOTS:
            self._plot(call)
            return self.new(kind="figure")
        if call.in_place() or name not in tables.ARRAY_READS | tables.ARRAY_VIEWS:
            if call.in_place() and not only_keyword(call, "inplace"):
                self.touch_deep(*call.given)
            self.touch(self.memory.reach(receiver.objects), call.arguments)
            return join(self.piece(receiver), self.anywhere(call.everything))
        if name in tables.ARRAY_VIEWS:
            held = receiver if name in tables.ARRAY_LIVE else self.inside(receiver)
            made = self.new(held, kind="array", shares=receiver.objects)
            iterates = name in tables.GIVES_ITERATORS
            return self.new(made, kind="iterator") if iterates else made
        return self.new(self.inside(receiver), kind="array")

    def _container_method(self, call: Call, receiver: Value) -> Value:
        name, kind = call.name, self.memory.kind(receiver)
        if name in tables.CONTAINER_CHANGES:
            keyed = name in ("setdefault", "pop")  # keys cannot change
            stored = call.given[1:] if keyed else [call.arguments]
            if name in ("extend", "update") or name.endswith("_update"):
                stored.append(self.piece(self.iterated(call.arguments)))
            self.touch(receiver.objects, *stored)
            piece = self.piece(receiver)
            return PLAIN if name not in ("pop", "popitem", "popleft", "setdefault") else piece
        if name in tables.CONTAINER_READS:
            if kind == "default" and name == "get":
                return self.piece(receiver)
            if name in ("get", "count", "index"):
                return join(self.piece(receiver), call.arguments)
            if name in ("keys", "values", "items"):  # views, which show later changes too
                pair = self.new(self.piece(receiver), kind="list")
                shown = self.piece(receiver) if name == "values" else pair
                return self.new(shown, receiver, kind="list")
            if name == "copy" or kind == "set":
                return self.new(self.piece(receiver), self.piece(call.arguments), kind=kind)
        return self._unknown(call, call.everything)
