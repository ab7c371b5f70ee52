"""The paths that a Python expression can be: constants, f-strings, joins, values of a config."""

import ast
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, NamedTuple

from checkpoint.notebooks.calls import dotted

from .joins import MANY, combinations, formatted, joined, joined_path, parent, percent, renamed
from .places import HOLE, Place

# functions that return a path as it is, by their first argument
SAME = frozenset("str Path PurePath PosixPath fspath abspath realpath expanduser normpath".split())
MOST = 300  # expressions that are followed for one path
SAME_METHODS = frozenset("resolve absolute as_posix expanduser".split())
RENAMES = frozenset("with_suffix with_name with_stem replace".split())
CONFIG_READERS = frozenset("safe_load full_load unsafe_load load loads".split())


class Module(NamedTuple):
    """What a module of the project binds.

    Attributes
    ----------
    values
        The values of names that are assigned once, at its top level, to a constant or path.
    names
        All names that `from module import *` imports; None if unknown.
    """

    values: dict[str, ast.expr]
    names: frozenset[str] | None


class Names:
    """What the names of a notebook or script can stand for in a path.

    Parameters
    ----------
    trees
        The code of its cells, in order.
    configs
        The content of the project's configuration files, by path from the top.
    here
        The folder of a script, for `__file__`; None in a notebook.
    varying
        The cells tagged `parameters`: papermill and `run --set` give their names other values.
    modules
        The modules of the project that the code imports, by their names.
    folder
        The folder of a notebook from the top of the project, in which Jupyter runs it.
    """

    def __init__(
        self,
        trees: list[ast.Module],
        configs: Mapping[str, Any],
        here: str | None = None,
        varying: Collection[int] = (),
        modules: Mapping[str, Module] | None = None,
        folder: str = "",
    ) -> None:
        self._folder = folder.rpartition("/")[2]
        calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
        self._moves = any(dotted(call.func).rpartition(".")[2] == "chdir" for call in calls)
        self._modules = modules or {}
        self._aliases: dict[str, str] = {}  # `import config as c`
        self._changed: set[tuple[str, str]] = set()  # `c.OUT = …`
        self._configs = configs
        self._here = here
        self._values: dict[str, list[ast.expr]] = {}
        self._open: set[str] = set()  # bound by loops, parameters, `with`, in ways that vary
        self._loops: dict[str, list[ast.expr]] = {}  # what the variables of loops go over
        self._bound_otherwise: set[str] = set()  # bound by parameters, too
        self._files: dict[str, ast.expr] = {}  # `with open(…) as f`
        self.used: set[int] = set()  # ids of the nodes that led to paths
        self._places: dict[int, tuple[int, int]] = {}  # where values are assigned
        self._remaining = MOST
        self._star = (-1, 0)  # the last `from x import *`, which may bind any name anew
        for number, tree in enumerate(trees):
            for node in ast.walk(tree):
                self._learn(node)
                if isinstance(node, ast.expr):
                    self._places[id(node)] = (number, node.lineno)
                elif isinstance(node, ast.Import | ast.ImportFrom):
                    self._import(node, (number, node.lineno))
                if number in varying and isinstance(node, ast.Name):
                    self._open.add(node.id)

    def _learn(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.comprehension):
            self._vary(node.target)
            if not isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self._loops.setdefault(node.target.id, []).append(node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars:
            self._vary(node.optional_vars)
            if isinstance(node.optional_vars, ast.Name):
                self._files[node.optional_vars.id] = node.context_expr
        elif isinstance(node, ast.arg):
            self._open.add(node.arg)
            self._bound_otherwise.add(node.arg)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            self._changed.add((dotted(node.value), node.attr))

    def _import(self, node: ast.Import | ast.ImportFrom, place: tuple[int, int]) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name
                if alias.name in self._modules and "." not in name:
                    self._aliases[name] = alias.name
            return
        module = None if node.level else self._modules.get(node.module or "")
        if node.names[0].name != "*":
            taken = {alias.asname or alias.name: alias.name for alias in node.names}
        elif module and module.names is not None:
            taken = {name: name for name in module.names}
        else:
            self._star = max(self._star, place)
            return
        for name, inside in taken.items():
            if module is None:
                continue
            value = module.values.get(inside)
            if value is None:
                self._open.add(name)
            elif not any(value is bound for bound in self._values.setdefault(name, [])):
                self._values[name].append(value)
                self._places[id(value)] = place

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._values.setdefault(target.id, []).append(value)
        elif (
            isinstance(target, ast.Tuple | ast.List)
            and isinstance(value, ast.Tuple | ast.List)
            and len(target.elts) == len(value.elts)
        ):
            for inner_target, inner_value in zip(target.elts, value.elts, strict=True):
                self._bind(inner_target, inner_value)
        else:
            self._vary(target)

    def _vary(self, target: ast.expr) -> None:
        self._open |= {
            node.id
            for node in ast.walk(target)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }

    def values(self, name: str) -> list[ast.expr]:
        """Return the expressions that are assigned to a name; none if it varies."""
        assigned = [] if name in self._open else self._values.get(name, [])
        return [] if any(self._places[id(value)] < self._star for value in assigned) else assigned

    def is_opened(self, name: str) -> bool:
        """Tell whether a name is that of an open file: `with open(…) as f`."""
        return name in self._files

    def sources(self, name: str) -> list[ast.expr]:
        """Return what a name is assigned, or what its loops go over."""
        return [*self._values.get(name, []), *self._loops.get(name, [])]

    def places(self, node: ast.expr) -> list[Place]:
        """Return the paths that an expression can be; none if too little is known.

        If there are several, it depends on how the code runs which one it is.
        """
        self._remaining = MOST
        resolved = [path for place in self._resolve(node, ()) for path in place.listed]
        places = list(dict.fromkeys(resolved))[:MANY]
        known_places = [place for place in places if place.text.replace(HOLE, "").strip("./ ")]
        return known_places if len(known_places) == len(places) and self._remaining >= 0 else []

    def folder(self, node: ast.expr) -> str | None:
        """Return the folder that an expression is, which may be `..`; None if it is not known."""
        self._remaining = MOST
        places = self._resolve(node, ())
        return places[0].text if len(places) == 1 and HOLE not in places[0].text else None

    def is_where(self, test: ast.expr) -> bool | None:
        """Return the value of `Path.cwd().name == "notebooks"`; None if it is something else."""
        self._remaining = MOST
        return self._is_where(test, ())

    def _resolve(self, node: ast.expr, seen: tuple[str, ...]) -> list[Place]:
        self._remaining -= 1
        if self._remaining < 0:
            return []  # too many names that refer to other names
        self.used.add(id(node))
        if isinstance(node, ast.Constant):
            return [Place(node.value)] if isinstance(node.value, str) else []
        if isinstance(node, ast.Name):
            return self._of_name(node, seen)
        if isinstance(node, ast.JoinedStr):
            parts = [self._of_part(value, seen) for value in node.values]
            return [joined(combination) for combination in combinations(parts)]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            pair = [self._or_hole(node.left, seen), self._or_hole(node.right, seen)]
            return [joined(combination) for combination in combinations(pair)]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            pair = [self._or_hole(node.left, seen), self._or_hole(node.right, seen)]
            return [joined_path(combination) for combination in combinations(pair)]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            texts = self._resolve(node.left, seen)
            return [place for text in texts for place in percent(text, node.right)]
        if isinstance(node, ast.IfExp):
            if not self._moves and (holds := self._is_where(node.test, seen)) is not None:
                return self._resolve(node.body if holds else node.orelse, seen)
            return [*self._resolve(node.body, seen), *self._resolve(node.orelse, seen)]
        if isinstance(node, ast.Subscript):
            return self._of_item(node, seen)
        if (value := self._of_module(node)) is not None:
            return self._resolve(value, seen)
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            return [parent(place) for place in self._resolve(node.value, seen)]
        return self._of_call(node, seen) if isinstance(node, ast.Call) else []

    def _is_where(self, test: ast.expr, seen: tuple[str, ...]) -> bool | None:
        match test:
            case ast.Compare(left, [ast.Eq() | ast.NotEq() as equal], [ast.Constant(name)]):
                match left:
                    case ast.Attribute(value, "name" | "stem"):
                        pass
                    case ast.Call(ast.Attribute(attr="basename"), [value]):
                        pass
                    case _:
                        return None
                if self._folder and self._resolve(value, seen) == [Place(".")]:
                    return (self._folder == name) == isinstance(equal, ast.Eq)
        return None

    def _of_item(self, node: ast.Subscript, seen: tuple[str, ...]) -> list[Place]:
        """Return what `path.parents[1]` or a value of a configuration can be."""
        if isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
            number = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if not isinstance(number, int) or number > MANY:
                return []
            places = self._resolve(node.value.value, seen)
            for _ in range(number + 1):
                places = [parent(place) for place in places]
            return places
        text = self._config(node)
        return [Place(text)] if isinstance(text, str) else []

    def _of_module(self, node: ast.expr) -> ast.expr | None:
        """Return the value of `config.OUT_DIR`; None if it is not known."""
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return None
        name = node.value.id
        bound = name in self._open or name in self._values
        if name not in self._aliases or bound or (name, node.attr) in self._changed:
            return None
        return self._modules[self._aliases[name]].values.get(node.attr)

    def _hole(self, code: str) -> Place:
        """Return a part of a path that varies, and what it can be."""
        return Place(HOLE, (code,), (self._domain(code),))

    def _domain(self, name: str) -> frozenset[str] | None:
        """Return what the variable of loops goes over; None if it is not spelled out."""
        loops = self._loops.get(name, [])
        if not loops or name in self._bound_otherwise or name in self._values:
            return None
        domain: set[str] = set()
        for loop in loops:
            values = self._list(loop)
            if values is None:
                return None
            domain |= values
        return frozenset(domain)

    def _list(self, node: ast.expr) -> set[str] | None:
        """Return the texts in a list, tuple, or list of a configuration; None if unknown."""
        if isinstance(node, ast.Name):
            values = self.values(node.id)
            return self._list(values[0]) if len(values) == 1 else None
        if (value := self._of_module(node)) is not None:
            return self._list(value)
        if isinstance(node, ast.List | ast.Tuple):
            texts = [element.value for element in node.elts if isinstance(element, ast.Constant)]
            return {str(text) for text in texts} if len(texts) == len(node.elts) else None
        listed = self._config(node) if isinstance(node, ast.Subscript) else None
        return {str(entry) for entry in listed} if isinstance(listed, list | dict) else None

    def _of_name(self, node: ast.Name, seen: tuple[str, ...]) -> list[Place]:
        if node.id == "__file__" and self._here is not None:
            return [Place(f"{self._here or '.'}/__file__")]
        values = self.values(node.id)
        if not values or node.id in seen:
            return [self._hole(node.id)]
        within = (*seen, node.id)
        hole = [self._hole(node.id)]  # a value that is not known could be any path
        places = (place for value in values for place in self._resolve(value, within) or hole)
        return list(islice(places, MANY))

    def _of_part(self, value: ast.expr, seen: tuple[str, ...]) -> list[Place]:
        """Return what a part of an f-string can be."""
        if not isinstance(value, ast.FormattedValue):
            return self._resolve(value, seen)
        if value.conversion != -1 or value.format_spec is not None:
            text = ast.unparse(ast.JoinedStr([value]))[2:-1]
            return [self._hole(text[1:-1])]
        return self._or_hole(value.value, seen)

    def _or_hole(self, node: ast.expr, seen: tuple[str, ...]) -> list[Place]:
        return self._resolve(node, seen) or [self._hole(ast.unparse(node))]

    def _of_call(self, node: ast.Call, seen: tuple[str, ...]) -> list[Place]:
        name = dotted(node.func)
        function = name.rpartition(".")[2] or getattr(node.func, "attr", "")
        if name in ("Path.cwd", "pathlib.Path.cwd", "os.getcwd"):
            return [Place(".")]
        joins = name.endswith(("path.join", "Path", "PurePath")) and len(node.args) > 1
        if joins and not any(isinstance(part, ast.Starred) for part in node.args):
            first = self._resolve(node.args[0], seen)
            parts = [first, *(self._or_hole(part, seen) for part in node.args[1:])]
            return [joined_path(combination) for combination in combinations(parts)]
        if isinstance(node.func, ast.Attribute) and not name.startswith(("os.", "pathlib.")):
            return self._of_method(node, node.func, seen)
        if function == "dirname" and node.args:
            return [parent(place) for place in self._resolve(node.args[0], seen)]
        if function in SAME and len(node.args) == 1:
            places = self._resolve(node.args[0], seen)
            plain = function in ("str", "Path", "PurePath", "fspath")
            return places if plain or not any(place.holes for place in places) else []
        return []

    def _of_method(
        self, node: ast.Call, method: ast.Attribute, seen: tuple[str, ...]
    ) -> list[Place]:
        if method.attr == "format" and isinstance(method.value, ast.Constant):
            return formatted(str(method.value.value), node)
        if method.attr in SAME_METHODS and not node.args:
            return self._resolve(method.value, seen)
        texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        if method.attr in RENAMES and len(texts) == len(node.args) and not node.keywords:
            before = self._resolve(method.value, seen)
            return [after for place in before for after in renamed(place, method.attr, texts)]
        if method.attr == "join" and isinstance(method.value, ast.Constant) and node.args:
            return self._of_parts(method.value.value, node.args[0], seen)
        if method.attr == "joinpath":
            parts = [self._resolve(method.value, seen)]
            parts += [self._or_hole(part, seen) for part in node.args]
            return [joined_path(combination) for combination in combinations(parts)]
        return []

    def _of_parts(self, between: Any, listed: ast.expr, seen: tuple[str, ...]) -> list[Place]:
        """Return the path of `"/".join([folder, name])`."""
        if not isinstance(between, str) or not isinstance(listed, ast.List | ast.Tuple):
            return []
        parts = [self._or_hole(part, seen) for part in listed.elts]
        separated = [piece for part in parts for piece in ([Place(between)], part)][1:]
        return [joined(combination) for combination in combinations(separated)]

    def _config(self, node: ast.expr) -> Any:
        """Return the value of `config["paths"]["out"]`; None if it is not known."""
        if isinstance(node, ast.Subscript):
            inside = self._config(node.value)
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            self.used |= {id(node), id(node.slice)}
            return inside.get(key) if isinstance(inside, dict) else None
        if isinstance(node, ast.Name):
            values = self.values(node.id)
            return self._config(values[0]) if len(values) == 1 else None
        if (value := self._of_module(node)) is not None:
            return self._config(value)
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in CONFIG_READERS:
            return self._config_file(node)
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return {
                k.value: v.value
                for k, v in pairs
                if isinstance(k, ast.Constant) and isinstance(v, ast.Constant)
            }
        return None

    def _config_file(self, node: ast.Call) -> Any:
        within = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        opened = [self._files[name] for name in within if name in self._files]
        nodes = [inner for source in (node, *opened) for inner in ast.walk(source)]
        texts = [inner.value for inner in nodes if isinstance(inner, ast.Constant)]
        names = [text.rpartition("/")[2] for text in texts if isinstance(text, str)]
        contents = [
            content for path, content in self._configs.items() if path.rpartition("/")[2] in names
        ]
        return contents[0] if len(contents) == 1 else None
