"""Replay of expressions, in the order in which Python evaluates them."""

import ast
from collections.abc import Callable

from . import tables
from .effects import Effects, StopError
from .memory import OPTIONS, PLAIN, STYLE, Value, join

INERT = frozenset(("__init__", "__repr__", "__str__", "__post_init__"))
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Expressions(Effects):
    """Adds expressions to `Effects`."""

    # defined in `Calls`
    call: Callable[[ast.Call], Value]
    run_code: Callable[..., Value]

    def evaluate(self, node: ast.expr | None) -> Value:
        """Replay an expression and return what is known of its value."""
        match node:
            case None | ast.Constant():
                return PLAIN
            case ast.Name():
                return self.load(node.id)
            case ast.Call():
                return self.call(node)
            case ast.Attribute() | ast.Subscript():
                return self._part(node)
            case ast.Lambda():
                return self.define(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.NamedExpr():
                value = self.evaluate(node.value)
                self.branch([lambda: self.bind(node.target.id, value)])
                return value
            case ast.IfExp():
                self.used(self.evaluate(node.test))
                return join(*(self._perhaps(part) for part in (node.body, node.orelse)))
            case ast.BoolOp():
                first = self.used(self.evaluate(node.values[0]))
                return join(first, *(self.used(self._perhaps(part)) for part in node.values[1:]))
            case ast.List() | ast.Set() | ast.Tuple():
                return self._display(node)
            case ast.Dict():
                return self._dict(node)
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                self.touch_deep(value := self.evaluate(node.value))
                self.returned.append(value)
                return self.anywhere(value)
        return self._operation(node)

    def _perhaps(self, node: ast.expr) -> Value:
        """Replay an expression that Python may not evaluate."""
        self.branches += 1
        value = self.evaluate(node)
        self.branches -= 1
        return value

    def _operation(self, node: ast.expr) -> Value:
        parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        chain = isinstance(node, ast.Compare) and len(node.comparators) > 1
        one = self._perhaps if chain else self.evaluate
        values = [self.used(one(part)) for part in parts]
        kinds = {self.memory.kind(value) for value in values}
        if isinstance(node, ast.JoinedStr | ast.FormattedValue):
            return PLAIN
        if kinds & {"array", "frame"}:
            return self.new(kind="array")
        if kinds <= {"plain"} or isinstance(node, ast.Compare):
            return PLAIN
        if kinds <= {"list", "plain"}:
            return self.new(*map(self.piece, values), kind="list")
        return self.new(*values)

    def _display(self, node: ast.List | ast.Set | ast.Tuple) -> Value:
        values = []
        for element in node.elts:
            value = self.evaluate(element.value if isinstance(element, ast.Starred) else element)
            values.append(self.piece(value) if isinstance(element, ast.Starred) else value)
        if isinstance(node, ast.Tuple) and not any(value.objects for value in values):
            plain = all(value.kind == "plain" for value in values)
            return PLAIN if plain else join(*values)
        return self.new(*values, kind="set" if isinstance(node, ast.Set) else "list")

    def _dict(self, node: ast.Dict) -> Value:
        values = []
        known: dict[str, Value] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            self.evaluate(key)
            value = self.evaluate(item)
            values.append(self.piece(value) if key is None else value)
            if isinstance(key, ast.Constant):
                known[repr(key.value)] = value
        made = self.new(*values, kind="dict")
        if len(known) == len(values) and made.sure:
            self.memory.objects[next(iter(made.objects))].values.update(known)
        return made

    def _part(self, node: ast.Attribute | ast.Subscript) -> Value:
        """Replay `a.b` or `a[b]`."""
        if isinstance(node, ast.Attribute) and node.attr == self.missing:
            self.evaluate(node.value)
            raise StopError
        if place := self.place(node):
            return self.used(self.load_field(place))
        if (length := self.length(node)) is not None:
            return length
        base = self.used(self.evaluate(node.value))
        kind = self.memory.kind(base)
        if getattr(node, "attr", "") == "f_globals" or _names_main(node):
            self.anything = True
        if isinstance(node, ast.Attribute):
            if kind.startswith("module:"):
                self.read(OPTIONS)
                return Value(kind=f"{kind}.{node.attr}")
            if node.attr in tables.HANDED_ON and base.objects and not self.memory.code(base):
                return self._method_of(base, node)
            methods = [f for f in self.memory.code(base) if getattr(f, "name", "") == node.attr]
            if any(getattr(method, "decorator_list", ()) for method in methods):  # a property
                return join(self.anywhere(base), self.run_code(base, base))
            bound_method = kind in ("list", "set", "dict", "default", "iterator", "class")
            if bound_method or not base.objects:
                return self.anywhere(base)
            known = tables.FRAME_ATTRIBUTES - tables.ARRAY_ATTRIBUTES
            if kind in ("array", "frame") and node.attr in known:  # a method, or `df.loc`
                return Value(frozenset(self.memory.sharing(base.objects)))
            return self.piece(base)
        self.evaluate(node.slice)
        if kind.startswith("module:"):
            return Value(kind=kind)
        if kind == "default":
            self.touch(base.objects)
        masked = ast.Compare | ast.BinOp | ast.UnaryOp | ast.List
        if kind in ("array", "frame") and isinstance(node.slice, masked):
            return self.new(kind="array")
        if kind == "anndata":
            return self.new(kind="anndata", shares=base.objects)
        if kind == "list" and isinstance(node.slice, ast.Slice):
            return self.new(self.piece(base), kind="list")
        return self.piece(base)

    def _method_of(self, base: Value, node: ast.Attribute) -> Value:
        """Return a function for a method that is passed on, not called: `map(x.append, y)`."""
        nothing = ast.arguments([], [], None, [], [], None, [])
        method = ast.copy_location(ast.Lambda(nothing, ast.Constant(None)), node)
        self.memory.nested.add(method)  # which changes what it holds
        return self.new(base, kind="function", code=(method,))

    def length(self, node: ast.expr) -> Value | None:
        """Read the number of rows of a DataFrame, which setting a column does not change."""
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr="index" | "empty"):
                pass
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)], keywords=[]):
                if self.peek("len") is not None:
                    return None
            case _:
                return None
        value = self.peek(name)
        thing = self.memory.the(value, "frame") if value and name != self.missing else None
        if value is None or thing is None:
            return None
        self.note(f"{name}/·rows", [thing.key] if thing.key else [], set(value.objects))
        return self.new(kind="array", shares=value.objects)  # `df.index.name = "cell"`

    def used(self, value: Value) -> Value:
        """Replay the properties and operators of the notebook's own classes; return the value."""
        for number in self.memory.reach(value.objects) if value.objects else ():
            thing = self.memory.objects[number]
            special = tuple(
                code
                for code in thing.code
                if isinstance(code, ast.FunctionDef)
                and (code.decorator_list or (code.name[:2] == "__" and code.name not in INERT))
            )
            if special and thing.kind != "function":
                self.run_code(Value(frozenset([number])), value)
        return value

    def define(self, node: ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef) -> Value:
        """Return a new function: its defaults are evaluated now, its body when it is called."""
        defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        values = [self.evaluate(default) for default in defaults]
        around = [s for s in self.scopes if not any(s is body for body in self.class_bodies)]
        if around:
            self.memory.nested.add(node)
        outer = [value for scope in around for value in scope.values()]
        return self.new(*values, *outer, kind="function", code=(node,))

    def _comprehension(self, node: Comprehension) -> Value:
        self.scopes.append({})
        self.globals.append({n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)})
        self.branches += 1
        for generator in node.generators:
            self.assign(generator.target, self.piece(self.iterated(self.evaluate(generator.iter))))
            for condition in generator.ifs:
                self.used(self.evaluate(condition))
        held = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        values = [self.evaluate(part) for part in held]
        self.branches -= 1
        self.scopes.pop()
        self.globals.pop()
        if isinstance(node, ast.GeneratorExp):
            return self._generator(node, values)
        kind = {ast.ListComp: "list", ast.SetComp: "set"}.get(type(node), "dict")
        return self.new(*values, kind=kind)

    def _generator(self, node: ast.GeneratorExp, values: list[Value]) -> Value:
        """Return a new generator, which evaluates its expression and reads names when used."""
        names = [
            ast.arg(n.id)
            for g in node.generators
            for n in ast.walk(g.target)
            if isinstance(n, ast.Name)
        ]
        arguments = ast.arguments([], names, None, [], [], None, [])
        conditions = [condition for g in node.generators for condition in g.ifs]
        sources = [g.iter for g in node.generators[1:]]
        body = ast.Tuple([node.elt, *conditions, *sources], ast.Load())
        later = ast.copy_location(ast.Lambda(arguments, body), node)
        outer = [value for scope in self.scopes for value in scope.values()]
        return self.new(*values, *outer, kind="iterator", code=(later,))

    def iterated(self, value: Value) -> Value:
        """Replay a loop over a value, which uses up iterators and runs their code."""
        reach = self.memory.reach(value.objects)
        self.touch(n for n in reach if self.memory.objects[n].kind in ("iterator", "default"))
        if self.memory.code(value):
            self.run_code(value, value)
        return value

    def assign(self, target: ast.expr, value: Value) -> None:
        """Assign a value to a name, an attribute, an item, or several of them."""
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, self.new(value, kind="list"))
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self.assign(part, join(self.piece(value), PLAIN) if value.objects else value)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self._assign_part(target, value)

    def _assign_part(self, target: ast.Attribute | ast.Subscript, value: Value) -> None:
        if place := self.place(target):
            self.store_field(place, value)
            return
        if self._assign_rows(target, value):
            return
        if module := self._module(target.value):
            if isinstance(target, ast.Subscript):
                self.evaluate(target.slice)
            self.set_option(module, ast.unparse(target))
            return
        base = self.used(self.evaluate(target.value))
        stored = [value]
        if isinstance(target, ast.Subscript):
            self.evaluate(target.slice)
            if isinstance(target.slice, ast.Slice):
                stored.append(self.piece(value))
        self.touch(base.objects, *stored)

    def _module(self, node: ast.expr) -> str:
        """Return the module or imported object to which `a.b` belongs; empty if none."""
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        value = self.peek(node.id) if isinstance(node, ast.Name) else None
        return value.kind[7:] if value and value.kind.startswith("module:") else ""

    def _assign_rows(self, target: ast.expr, value: Value) -> bool:
        """Replay `df.loc[mask, "a"] = …`, which changes no other column; else return False."""
        match target:
            case ast.Subscript(
                value=ast.Attribute(value=ast.Name() as name, attr="loc"),
                slice=ast.Tuple(elts=[mask, ast.Constant() as column]),
            ) if _is_mask(mask):
                pass
            case _:
                return False
        place = self.place(ast.Subscript(name, column, ast.Load()))
        if not place or place[1].kind != "frame":
            return False
        self.evaluate(mask)
        self.load_field(place)
        # views of the column see the change
        number = next(iter(place[0].objects))
        self.views |= self.memory.sharing([number]) - {number} - set(self.made)
        self.store_field(place, value)
        return True

    def set_option(self, module: str, what: str) -> None:
        """Note that an option of a library is set, or a module changed."""
        style = any(word in f"{module} {what}" for word in ("matplotlib", "seaborn", "rcParams"))
        self.set_hidden(STYLE if style else OPTIONS, what)


def _names_main(node: ast.Attribute | ast.Subscript) -> bool:
    """Tell whether this is `sys.modules["__main__"]`, which has all names of the notebook."""
    index = node.slice if isinstance(node, ast.Subscript) else None
    return isinstance(index, ast.Constant) and index.value == "__main__"


def _is_mask(node: ast.expr) -> bool:
    """Tell whether an expression selects existing rows and cannot name a new one."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Invert) and _is_mask(node.operand)
    if isinstance(node, ast.BinOp):
        logical = isinstance(node.op, ast.BitAnd | ast.BitOr)
        return logical and _is_mask(node.left) and _is_mask(node.right)
    return isinstance(node, ast.Compare)
