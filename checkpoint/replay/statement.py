"""Replay of statements and of IPython's magics."""

import ast
from collections.abc import Sequence

from . import tables
from .calling import Calls
from .memory import FILES, OPTIONS, OTHER, PLAIN, Value, join

SUPPRESSING = ("suppress", "raises")


class Statement(Calls):
    """What one statement reads, binds and may change."""

    def statements(self, body: Sequence[ast.stmt]) -> None:
        """Replay statements in order."""
        for node in body:
            self.statement(node)
            leaves = isinstance(node, ast.If | ast.For | ast.While | ast.Try | ast.With | ast.Match)
            if leaves and any(
                isinstance(n, ast.Return | ast.Break | ast.Continue) for n in ast.walk(node)
            ):
                self.branches += 1  # the caller of the function resets it

    def statement(self, node: ast.stmt) -> None:
        """Replay a statement."""
        match node:
            case ast.Expr() | ast.Assert() | ast.Raise():
                self.alone = getattr(node, "value", None)
                for part in ast.iter_child_nodes(node):
                    self.used(self.evaluate(part) if isinstance(part, ast.expr) else PLAIN)
            case ast.Return():
                self.returned.append(self.evaluate(node.value))
            case ast.Assign():
                self._assign(node)
            case ast.AnnAssign():
                if node.value:
                    self.assign(node.target, self.evaluate(node.value))
            case ast.AugAssign():
                self._augmented(node)
            case ast.Delete():
                self._delete(node)
            case ast.For() | ast.While():
                self._loop(node)
            case ast.If():
                self.used(self.evaluate(node.test))
                self.branch(self._parts(node.body), self._parts(node.orelse), all_ways=True)
            case ast.With():
                self._with(node)
            case ast.Try():
                self._try(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.ClassDef():
                self._class(node)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Pass() | ast.Break() | ast.Continue() | ast.Global() | ast.Nonlocal():
                pass
            case _:
                self.anything = True

    def _parts(self, body: Sequence[ast.stmt]) -> list:
        return [lambda: self.statements(body)]

    def _assign(self, node: ast.Assign) -> None:
        if pairs := _matching(node):
            values = [self.evaluate(value) for _, value in pairs]
            for (target, _), value in zip(pairs, values, strict=True):
                self.assign(target, value)
            return
        value = self.used(self.evaluate(node.value))
        for target in node.targets:
            self.assign(target, value)

    def _augmented(self, node: ast.AugAssign) -> None:
        """Replay `x += y`, which changes a list or an array in place but makes a new number."""
        if place := self.place(node.target):
            old = self.load_field(place)
            value = self.evaluate(node.value)
            if place[1].kind in ("frame", "anndata"):
                self.touch(place[0].objects)  # pandas may add in place
            else:
                self.touch(old.objects, value)
                self.store_field(place, join(old, value))
            return
        old = self.used(self.evaluate(node.target))
        value = self.evaluate(node.value)
        kind = self.memory.kind(old)
        if kind != "plain":
            self.touch(old.objects, value)
        array = kind == self.memory.kind(value) or kind in ("array", "frame", "list")
        self.assign(node.target, old if array else join(old, value))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.load(target.id)
                self.delete(target.id)
            elif isinstance(target, ast.Attribute | ast.Subscript):
                self.touch_deep(self.evaluate(target.value))

    def _loop(self, node: ast.For | ast.While) -> None:
        if isinstance(node, ast.For):
            sequence = self.iterated(self.evaluate(node.iter))

            def start() -> None:
                self.assign(node.target, self.piece(sequence))
        else:
            self.used(self.evaluate(node.test))

            def start() -> None:
                self.evaluate(node.test)

        # twice, since the second pass may read what the first stored
        body = [start, *self._parts(node.body)]
        self.branch([*body, *body])
        self.branch(self._parts(node.orelse))

    def _with(self, node: ast.With) -> None:
        names = "".join(ast.unparse(item.context_expr) for item in node.items)
        for item in node.items:
            value = self.evaluate(item.context_expr)
            self.touch(value.objects)
            if self.memory.code(value):
                self.run_code(value, value)
            if item.optional_vars:
                self.assign(item.optional_vars, self.anywhere(value))
        if any(word in names for word in SUPPRESSING) or "(" not in names or self._own(node):
            self.branch(self._parts(node.body))
        else:
            self.statements(node.body)

    def _own(self, node: ast.With) -> bool:
        """Tell whether the notebook defines the context manager, which may suppress exceptions."""
        calls = [item.context_expr for item in node.items]
        roots = [c.func for c in calls if isinstance(c, ast.Call) and isinstance(c.func, ast.Name)]
        values = [self.peek(root.id) for root in roots if isinstance(root, ast.Name)]
        return any(value and self.memory.code(value) for value in values)

    def _try(self, node: ast.Try) -> None:
        self.branch(self._parts(node.body))
        for handler in node.handlers:
            self.branches += 1
            self.evaluate(handler.type)
            if handler.name:
                self.bind(handler.name, PLAIN)
            self.branches -= 1
            self.branch(self._parts(handler.body))
        self.branch(self._parts(node.orelse))
        self.statements(node.finalbody)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        value = self.define(node)
        for decorator in map(self.evaluate, reversed(node.decorator_list)):
            value = self._decorated(value, decorator)
        self.bind(node.name, value)

    def _decorated(self, value: Value, decorator: Value) -> Value:
        if self.memory.code(decorator):
            return join(self.new_or_part(value, decorator), self.run_code(decorator, value))
        return join(self.new(value, decorator), value)

    def _class(self, node: ast.ClassDef) -> None:
        bases = [self.evaluate(b) for b in [*node.bases, *(k.value for k in node.keywords)]]
        self.scopes.append({})
        self.globals.append(set())
        self.class_bodies.append(self.scopes[-1])
        self.statements(node.body)
        inside = list(self.scopes.pop().values())
        self.globals.pop()
        self.class_bodies.pop()
        methods = tuple(
            inner
            for statement in node.body
            for inner in ast.walk(statement)
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        value = self.new(*bases, *inside, kind="class" if not node.keywords else "", code=methods)
        for base in bases:
            if self.memory.code(base):
                self.run_code(base, value)
            elif base.kind.startswith("module:"):
                value = Value(value.objects)  # what the base does is unknown
        for decorator in map(self.evaluate, node.decorator_list):
            if not decorator.kind.startswith("module:dataclasses"):
                value = self._decorated(value, decorator)
        self.bind(node.name, value)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                full = f"{node.module or ''}.{alias.name}"
            else:
                full = alias.name if alias.asname else alias.name.partition(".")[0]
            self.anything |= "__main__" in full
            if alias.name == "*":
                self.change(OTHER)
                self.maybe |= {n for n in self.memory.names if n[0] != "·"}
            else:
                self.bind(
                    alias.asname or alias.name.partition(".")[0], Value(kind=f"module:{full}")
                )

    # ------------------------------------------------------------ magics

    def magic(self, lines: Sequence[str]) -> None:
        """Replay lines of IPython: `%time`, `!ls`, a `%%bash` cell."""
        first = lines[0].strip() if lines else ""
        word, *_ = first.lstrip("%!?").split() or [""]
        if first[:1] == "?" or first[-1:] == "?":
            return
        if first[:1] == "%" and word in tables.LOOKING_MAGICS:
            if word == "capture" and len(first.split()) > 1:
                self.anything = True
            return
        shell = first[:1] == "!" or (first[:1] == "%" and word in tables.SHELL_MAGICS)
        shell = shell or (first[:1] not in "%!" and "=" not in first)
        if not shell:
            self.anything = True
            return
        self.change(FILES)
        if word in ("env", "set_env", "cd"):
            self.set_hidden(OPTIONS, first)
        for name in sorted(self.memory.names):
            if name[0] != "·" and any(name in line for line in lines):
                self.load(name)


def _matching(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """Return the targets with their values in `a, b = x, y`; empty if they cannot be paired."""
    match node:
        case ast.Assign(
            targets=[ast.Tuple(elts=targets) | ast.List(elts=targets)],
            value=ast.Tuple(elts=values) | ast.List(elts=values),
        ) if len(targets) == len(values):
            starred = any(isinstance(part, ast.Starred) for part in (*targets, *values))
            return [] if starred else list(zip(targets, values, strict=True))
    return []
