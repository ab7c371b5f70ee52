"""Replay of calls of functions of libraries."""

import ast
import re

from . import tables
from .call import Call, writes_positional
from .memory import CLOCK, FIGURE, OPTIONS, PLAIN, STYLE, Value, join, unsure
from .surroundings import Surroundings

DRAWS = re.compile(r"\.pl(otting)?\.")


class Libraries(Surroundings):
    """Adds functions of libraries to `Surroundings`."""

    def _library(self, call: Call) -> Value:
        if self._sets_option(call):
            return PLAIN
        self.read(OPTIONS)
        if call.path.startswith("scanpy."):
            return self._scanpy(call)
        if call.top in ("matplotlib", "seaborn") or DRAWS.search(call.path):
            return self._plot(call)
        if call.path.endswith("checkpoint.load"):
            return self.new(kind="loaded")
        if call.path.endswith(("checkpoint.data_file", "checkpoint.figures", "checkpoint.parts")):
            return PLAIN
        if call.path in ("anndata.AnnData", "anndata.concat"):
            parts = self.memory.reach(call.arguments.objects)
            return self.new(call.arguments, shares=parts)
        if call.name in tables.CHANGES_ITS_ARGUMENT or writes_positional(call):
            self.touch_deep(*call.given)
        if call.name in tables.MAKES_GENERATOR:
            if not call.given:
                self.change(CLOCK)
            return self.new(kind="generator")
        if call.top in tables.QUIET:
            return self._quiet(call)
        return self._unknown(call, call.arguments)

    def _sets_option(self, call: Call) -> bool:
        """Replay `pd.set_option(…)`, `plt.rcParams.update(…)`, `library.setup()`, if it is one."""
        settings = re.search(r"rcParams|environ|style\.|settings\.|options\.", call.path)
        named = call.name in tables.SETS_OPTIONS or (settings and call.name not in ("get", "keys"))
        changes = call.name in tables.CONTAINER_CHANGES and call.top in tables.QUIET
        data = any(value.objects for value in call.given)
        bare = call.top not in tables.QUIET and call.node is self.alone and not data
        drawing = DRAWS.search(call.path) or "checkpoint." in call.path
        if not (named or changes or (bare and not drawing)):
            return False
        given = self.memory.given.get(call.top, set())
        self.touch(self.memory.reach(given))
        kept = Value(frozenset(given))
        if self.memory.code(kept):
            self.run_code(kept, kept)
        first = call.node.args[0] if call.node.args else None
        text = ast.unparse(first) if first else ""
        if not text.startswith(("'display.", '"display.')):
            self.set_option(call.path, f"{ast.unparse(call.node.func)}({text})")
        return True

    def _plot(self, call: Call) -> Value:
        """Replay a call that draws, on the current figure or one that it is given."""
        self.read(STYLE)
        figure = self.memory.names[FIGURE].value
        if axes := call.keyword("ax"):
            self.touch_deep(self.evaluate(axes))
        figures = [v for v in call.given if self.memory.kind(v) == "figure"]
        self.touch_deep(*figures)
        current = self.memory.reach(figure.objects)
        self.touch(current)
        self.read(FIGURE)
        if call.name in ("load_dataset", "color_palette", "get_cmap", "get_palette", "imread"):
            return self.new(kind="array")
        made = self.new(kind="figure")
        if call.name in ("figure", "subplots", "subplot", "subplot_mosaic", "gcf", "gca", "axes"):
            inside = [Value(frozenset(current))] if call.name in ("gcf", "gca", "axes") else []
            made = join(unsure(made), *inside)
        # what is drawn here may be drawn on by the calls after it
        self.memory.hidden(FIGURE).content |= made.objects
        if call.top not in ("matplotlib", "seaborn"):
            self.touch_deep(*call.given)
        return made

    def _scanpy(self, call: Call) -> Value:
        """Replay a function of scanpy; most change the AnnData that they are given."""
        first = call.given[0] if call.given else PLAIN
        group = call.path.split(".")[1]
        if group == "pl":
            self._plot(call)
            return self.new(kind="figure")
        if group not in ("pp", "tl", "external"):
            return self.new_or_part(call.arguments) if call.arguments.objects else self.new()
        if self._writes_slots(call):
            return PLAIN
        copied = call.keyword("copy")
        if isinstance(copied, ast.Constant) and copied.value is True and group != "external":
            return self.new()
        self.touch_deep(first)
        if group == "external":
            self.touch_deep(*call.given)
        return self.new_or_part(first)

    def _writes_slots(self, call: Call) -> bool:
        """Replay a function if the tables list what it reads and writes in an AnnData."""
        entry = tables.SCANPY_WRITES.get(call.path)
        name = call.node.args[0] if len(call.node.args) == 1 else None
        if entry is None or name is None or any(k.arg not in entry[2] for k in call.node.keywords):
            return False
        reads, written, _ = entry
        added = call.keyword("key_added")
        if isinstance(added, ast.Constant):
            written = str(added.value)
        elif added:
            return False
        for path in (*reads, f"obs/{written}", f"uns/{written}"):
            node: ast.expr = name
            slot, _, key = path.partition("/")
            node = ast.Attribute(node, slot, ast.Load())
            node = ast.Subscript(node, ast.Constant(key), ast.Load()) if key else node
            place = self.place(node)
            if place is None:
                return False
            if path in reads:
                self.load_field(place)
            else:
                self.store_field(place, PLAIN)
        return True

    def _quiet(self, call: Call) -> Value:
        """Replay a function of a library that does not change its arguments."""
        given, top = call.arguments, call.top
        if call.name == "defaultdict":
            return self.new(given, kind="default", code=tuple(self.memory.code(given)))
        if call.name in ("Counter", "OrderedDict", "deque"):
            return self.new(self.piece(given), kind="list" if call.name == "deque" else "")
        if call.name in tables.GIVES_ITERATORS or top == "itertools":
            held = self.anywhere(given)  # `chain` yields the contents of its arguments
            return self.new(held, kind="iterator", code=tuple(self.memory.code(given)))
        if call.name in tables.SHARES_ITS_ARGUMENT and top in tables.GIVES_ARRAY:
            return self._shared(given)
        if top in tables.GIVES_ARRAY:
            # pandas uses up an iterator, and with it the functions that it runs
            iterators = [n for n in given.objects if self.memory.objects[n].kind == "iterator"]
            used_up = self.memory.reach(iterators) if top == "pandas" else set()
            kept = Value(frozenset(self.memory.reach(given.objects) - used_up))
            return self.new(kind="array", code=tuple(self.memory.code(kept)))
        if top in tables.GIVES_NUMBER or call.path.startswith(("datetime.", "pathlib.")):
            return PLAIN
        if call.path == "copy.deepcopy":
            return self.new(kind=self.memory.kind(given) if given.objects else "")
        if top in tables.GIVES_MODEL:
            model = call.in_place() or any(k.arg == "copy" for k in call.node.keywords)
            return self.new(given, kind="" if model else "model")
        if top in tables.GIVES_PIECE:
            return self.new_or_part(given)
        return self.new(given)

    def _shared(self, given: Value) -> Value:
        """Return a new array that may share memory with what it is made from, or hold it."""
        reach = self.memory.reach(given.objects)
        kinds = ("array", "frame")
        arrays = {n for n in reach if self.memory.objects[n].kind in kinds}
        others = {n for n in given.objects if self.memory.objects[n].kind not in kinds}
        inside = self.inside(Value(frozenset(others | arrays))).objects - arrays
        unknown = {n for n in others if not self.memory.objects[n].kind}
        return self.new(Value(inside), kind="array", shares=arrays | unknown)

    def _unknown(self, call: Call, reached: Value) -> Value:
        """Replay a call of which nothing is known: it may change everything that it can reach."""
        if self.memory.code(reached):
            self.run_code(reached, reached)
        self.touch_deep(reached)
        if call.top:
            given = self.memory.given.setdefault(call.top, set())
            given |= self.memory.reach(reached.objects)
        return self.new_or_part(reached) if reached.objects else self.new()
