"""Replay of calls: which function is called, and what it reads and changes."""

import ast
from copy import copy

from . import tables
from .call import Call, bound_arguments, parameters
from .effects import StopError
from .memory import OPTIONS, PLAIN, UNKNOWN, Code, Value, join, unsure
from .methods import Methods

DEEPEST = 6  # nested calls of the notebook's functions that are followed
MOST = 30  # such calls in one statement; more take too long to follow


class Calls(Methods):
    """Adds calls of any function to `Methods`."""

    # ------------------------------------------------------------ the parts of a call

    def call(self, node: ast.Call) -> Value:
        """Replay a call and return what is known of its result."""
        function = node.func
        if grouped := self._grouped(node):
            return grouped
        if self.length(node) is not None:
            return PLAIN
        if isinstance(function, ast.Attribute):
            column = self.place(function.value)
            base = self.load_field(column) if column else self.evaluate(function.value)
            name = function.attr
            if name == self.missing:
                raise StopError
        else:
            base = self.evaluate(function)
            name = function.id if isinstance(function, ast.Name) else ""
        nodes = [*node.args, *(keyword.value for keyword in node.keywords)]
        given = [self.evaluate(a.value if isinstance(a, ast.Starred) else a) for a in nodes]
        kind, path, receiver = base.kind, "", None
        if kind.startswith("module:"):
            path = kind[7:] + (f".{name}" if isinstance(function, ast.Attribute) else "")
            name = path.rpartition(".")[2]
        elif not isinstance(function, ast.Name) or self.peek(function.id) is not None:
            receiver = base
        return self._dispatch(Call(node, name, path, receiver, given))

    def _grouped(self, node: ast.Call) -> Value | None:
        """Replay `df.groupby("g")["a"].mean()`, which reads two columns; None for other calls."""
        if self.missing:
            return None
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=(ast.Attribute() | ast.Subscript()) as column, attr=method
                ),
                args=[],
            ):
                match column.value:
                    case ast.Call(
                        func=ast.Attribute(value=frame, attr="groupby"),
                        args=[ast.Constant(value=str()) as by],
                    ):
                        pass
                    case _:
                        return None
            case _:
                return None
        key = self.place(ast.Subscript(frame, by, ast.Load()))
        part = copy(column)
        part.value = frame
        taken = self.place(part)
        options = [*node.keywords, *column.value.keywords]
        if not key or not taken or method not in tables.ARRAY_READS or key[1].kind != "frame":
            return None
        if not all(isinstance(option.value, ast.Constant) for option in options):
            return None
        self.load_field(key)
        self.load_field(taken)
        self.read(OPTIONS)
        return self.new(kind="array")

    def _dispatch(self, call: Call) -> Value:
        if self._is_save(call):
            self.saves.append(call.text())
            self.write_file(f"checkpoint:{call.text() or '·'}")
            return PLAIN
        self._hidden_state(call)
        if call.in_place():
            self.touch_deep(*call.given)
        ran = self._run_given_functions(call)
        result = self._result(call)
        for number in result.objects.intersection(self.made):  # `map(f, x)` yields what f returns
            self.memory.objects[number].content |= ran.objects
        return result

    def _result(self, call: Call) -> Value:
        if call.path:
            return self._library(call)
        if call.receiver is None:
            return self._builtin(call)
        if call.method:
            return self._method(call)
        return self._called(call)

    def _is_save(self, call: Call) -> bool:
        if call.name != "save":
            return False
        if call.path:
            return call.path.endswith("checkpoint.save")
        # after `%run` any name may have another value, but few people call something else `save`
        return call.receiver is None or not (call.method or self.memory.code(call.receiver))

    # ------------------------------------------------------------ functions of the notebook

    def _called(self, call: Call) -> Value:
        """Replay a call of something that the notebook defines, or of any other object."""
        receiver = call.receiver or UNKNOWN
        kind = self.memory.kind(receiver)
        functions = self.memory.code(receiver)
        if not functions:
            if kind == "plain":
                return self.new(kind="array")
            return self._unknown(call, call.everything)
        if kind == "function" and receiver.sure and not call.method and len(functions) == 1:
            return self.inline(functions[0], receiver, bound_arguments(functions[0], call))
        if kind == "class" and receiver.sure and not call.method:
            return self._instance(call, receiver, functions)
        if kind == "instance" and call.method:
            return self._own_method(call, receiver, functions)
        result = self.run_code(receiver, call.everything)
        self.touch_deep(call.everything)
        return join(self.new_or_part(call.everything), result)

    def _instance(self, call: Call, receiver: Value, functions: list[Code]) -> Value:
        """Replay the creation of an instance of a class of the notebook."""
        code = self.memory.objects[next(iter(receiver.objects))].code
        made = self.new(receiver, kind="instance", code=code)
        for function in functions:
            if getattr(function, "name", "") in ("__init__", "__post_init__", "__new__"):
                self.inline(function, receiver, bound_arguments(function, call, made))
        if all(getattr(function, "name", "") != "__init__" for function in functions):
            self.memory.objects[next(iter(made.objects))].content |= call.arguments.objects
        return made

    def _own_method(self, call: Call, receiver: Value, functions: list[Code]) -> Value:
        named = [f for f in functions if getattr(f, "name", "") == call.name]
        if not named:
            self.run_code(receiver, call.everything)
            return self._unknown(call, call.everything)
        results = [self.inline(f, receiver, bound_arguments(f, call, receiver)) for f in named]
        return join(*results)

    def run_code(self, value: Value, *given: Value) -> Value:
        """Replay all functions that a value may run, with any of the given values."""
        argument = join(*(self.anywhere(v) for v in given)) if given else PLAIN
        self.exhausted |= any(self.memory.objects[n].kind == "blob" for n in value.objects)
        if self.exhausted:
            return argument
        reach = frozenset(self.memory.reach(argument.objects))
        results = []
        for function in self.memory.code(value):
            # what it does with these objects is known after two replays with them
            earlier = self.run_with.get(function, [])
            known = [result for before, result in earlier if reach <= before]
            if len(known) > 1:
                results.append(known[-1])
                continue
            names = parameters(function)
            self.branches += 1
            result = self.inline(function, value, dict.fromkeys(names, unsure(argument)))
            self.branches -= 1
            self.run_with.setdefault(function, []).append((reach, result))
            results.append(result)
        return join(*results) if results else PLAIN

    def inline(self, function: Code, owner: Value, arguments: dict[str, Value]) -> Value:
        """Replay the body of a function of the notebook."""
        everything = join(*arguments.values()) if arguments else PLAIN
        self.inlined += 1
        # functions that may call each other in many ways
        self.exhausted |= self.inlined > MOST
        if function in self.calling or len(self.calling) > DEEPEST or self.exhausted:
            self.touch_deep(everything)
            return self.anywhere(everything)
        held = self.memory.reach(owner.objects) - owner.objects
        if function in self.memory.nested:
            # what it changes in the enclosing function, such as a counter, shows only in its calls
            changes = any(isinstance(node, ast.Nonlocal) for node in ast.walk(function))
            self.touch(self.memory.reach(owner.objects) if changes else held)
        defaults = Value(frozenset(held))
        scope = dict.fromkeys(parameters(function), defaults if held else PLAIN)
        names = [
            n for node in ast.walk(function) if isinstance(node, ast.Global) for n in node.names
        ]
        self.scopes.append(scope | arguments)
        self.globals.append(set(names))
        self.calling.append(function)
        outer, self.returned = self.returned, []
        branches = self.branches
        if isinstance(function, ast.Lambda):
            self.returned.append(self.evaluate(function.body))
        else:
            self.statements(function.body)
        results, self.returned = self.returned, outer
        self.branches = branches
        self.calling.pop()
        self.scopes.pop()
        self.globals.pop()
        result = join(*results) if results else PLAIN
        if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function)):
            return self.new(everything, result, kind="iterator", code=(function,))
        return result
