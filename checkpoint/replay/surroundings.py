"""What calls depend on besides their arguments: files, the clock, random numbers."""

import ast
import re
from collections.abc import Callable, Sequence

from ..notebooks.magics import parse_cell
from . import tables
from .call import Call
from .expressions import Expressions
from .memory import (
    CLOCK,
    FILES,
    NUMPY_RANDOM,
    PLAIN,
    PYTHON_RANDOM,
    RANDOM,
    TORCH_RANDOM,
    Value,
    join,
)


class Surroundings(Expressions):
    """Adds files, the clock and random numbers to `Expressions`."""

    statements: Callable[[Sequence[ast.stmt]], None]  # defined in `Statement`

    def _hidden_state(self, call: Call) -> None:
        """Note files, clock, random numbers and names in texts that a call uses, by its name."""
        if call.name in tables.READS_NAMES_IN_TEXT:
            nodes = [n for n in ast.walk(call.node) if isinstance(n, ast.Constant)]
            text = " ".join(str(n.value) for n in nodes if isinstance(n.value, str))
            for word in sorted(set(re.findall(r"[A-Za-z_]\w*", text))):
                if self.peek(word) is not None and word != self.missing:
                    self.load(word)
        if call.name in tables.READS_CLOCK:
            self.change(CLOCK)
        if call.name == "exec" and (body := self._literal(call)) is not None:
            self.statements(body)
        elif call.name in tables.OPAQUE and (call.receiver is None or not call.method):
            self.anything = True
        self._files(call)
        self._random(call)

    def _literal(self, call: Call) -> list[ast.stmt] | None:
        """Return the statements that `exec("k = 9")` runs; None if they are computed."""
        match call.node:
            case ast.Call(args=[ast.Constant(value=str() as text)], keywords=[]):
                tree = parse_cell(text) if call.receiver is None and not self.scopes else None
                return tree.body if tree else None
        return None

    def _files(self, call: Call) -> None:
        modes = "".join(
            str(n.value)
            for n in [*call.node.args[1:], *(k.value for k in call.node.keywords)]
            if isinstance(n, ast.Constant)
        )
        writes = call.name in tables.WRITES_FILES or (
            call.name == "open" and re.search("[wax+]", modes)
        )
        kind = self.memory.kind(call.receiver) if call.receiver is not None else ""
        if kind in ("list", "set", "dict", "model", "generator"):
            return
        if kind in ("array", "frame") and not call.name.startswith("to_"):
            return
        # the text given to a method of a path is the content, not the path
        path = None if kind == "plain" else call.text()
        if call.name == "savefig":
            self.write_file(path or "·figures")  # no results depend on them
        elif writes and not (call.name.startswith("to_") and not call.given):
            self.write_file(path)
        elif call.path.endswith("checkpoint.load"):
            self.read_file(f"checkpoint:{path}" if path else None)
            self.read_file("checkpoint:·")
        elif call.name in tables.READS_FILES or path in self.memory.hidden(FILES).fields:
            self.read_file(path)

    def _random(self, call: Call) -> None:
        """Note which random numbers a call may draw."""
        state = call.keyword("random_state") or call.keyword("seed") or call.keyword("rng")
        none = isinstance(state, ast.Constant) and state.value is None
        seeded = state is not None and not none
        own = call.receiver is not None and self.memory.kind(call.receiver) == "generator"
        numpy = call.path.startswith("numpy.random") or (call.name == "sample" and call.method)
        if call.path in tables.SEEDS:
            seeds = tables.SEEDS[call.path]
            if not call.given:
                self.change(CLOCK)
            if self.branches:
                self.change(seeds)
            else:
                self.fresh.add(seeds)
        elif call.name in tables.MAKES_GENERATOR:
            return
        elif call.path.startswith("random."):
            self.change(PYTHON_RANDOM)
        elif call.top in tables.TORCH:
            self.change(TORCH_RANDOM)
        elif numpy and not own and not seeded:
            self.change(NUMPY_RANDOM)
        elif not self._draws_nothing(call):
            self.change(*(RANDOM if self.draws is None else sorted(self.draws & set(RANDOM))))

    def _draws_nothing(self, call: Call) -> bool:
        """Tell whether a call is known to draw no random numbers."""
        if call.path:
            quiet = tables.QUIET - tables.GIVES_MODEL - {"seaborn", "scipy"}
            return call.top in quiet or call.path.startswith("scipy.sparse")
        if call.receiver is None:
            return call.name in tables.BUILTIN_PURE
        known = ("array", "frame", "plain", "list", "dict", "set", "function", "class", "instance")
        return self.memory.kind(call.receiver) in known or bool(self.memory.code(call.receiver))

    def _run_given_functions(self, call: Call) -> Value:
        """Replay functions that are passed as arguments and may be called; return their results."""
        results = []
        calls = call.name in tables.CALLS_ITS_ARGUMENTS
        for value, node in zip(call.given, [*call.node.args, *call.node.keywords], strict=True):
            named = isinstance(node, ast.Name | ast.Attribute)
            pure = isinstance(node, ast.Name) and node.id in tables.BUILTIN_PURE
            if self.memory.code(value):
                results.append(self.run_code(value, self.piece(call.everything), call.everything))
            elif value.kind.startswith("module:"):
                if value.kind[7:].partition(".")[0] not in tables.QUIET:
                    self.touch_deep(call.everything)
            elif calls and named and not (value.kind or value.objects or pure):
                self.touch_deep(call.everything)
        return join(PLAIN, *results)
