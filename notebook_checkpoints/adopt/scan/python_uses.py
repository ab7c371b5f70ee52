"""What the code of a notebook or script in Python reads and writes."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from checkpoint.notebooks.calls import dotted
from checkpoint.notebooks.magics import magics
from checkpoint.notebooks.notebook import shortened

from .functions import SHELLS, Access, accesses, drawn_by
from .other_languages import in_magics, literal_files
from .places import HOLE, Place
from .resolve import Names
from .unclear_paths import is_path, named
from .units import Unit
from .uses import Use

LONGEST = 300  # characters of a path
# what objects with a method `write` write: AnnData, MuData, tables
WRITTEN = (".h5ad", ".h5mu", ".zarr", ".loom", ".h5", ".hdf5", ".parquet", ".csv", ".tsv", ".fits")
# functions that also take the name of a data set; and functions with common names
NAMES_TOO = frozenset("load_dataset load read from_pretrained".split())
LIBRARIES = ("np.", "numpy.", "pd.", "joblib.", "torch.", "sc.", "ad.", "anndata.", "mu.", "xr.")
COMMON = frozenset(
    "load read save write open File dump copy move rename replace from_file from_csv parse drawn "
    "to_string to_html to_json to_xml to_latex to_markdown".split()
)


def in_python(
    unit: Unit, names: Names, functions: Mapping[str, str], own: Collection[str]
) -> tuple[list[Use], list[Use], list[tuple[bool, str]]]:
    """Return what code reads and writes, what else it names, and lines whose path is not known.

    Parameters
    ----------
    unit, names
        The notebook or script, and what its names stand for.
    functions
        The names by which it calls `load` and `save`.
    own
        The names of the project's own functions and modules, which may be those of a library, too.
    """
    uses: list[Use] = []
    more: list[Use] = []
    unclear: list[tuple[bool, str]] = []
    folders = [path for _, path in figure_folders(unit.trees)]
    figdir: ast.expr = folders[0] if len(folders) == 1 else ast.Constant("figures")
    spelled: list[ast.expr] = []  # commands
    for number, tree in enumerate(unit.trees):
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
            if functions.get(dotted(node.func)):
                continue
            line = shortened(_line(unit.cells[number], node))
            listed = [] if dotted(node.func).partition(".")[0] in own else accesses(node)
            for access in [*listed, *_globs(node), *_drawn(node, figdir)]:
                resolved = names.places(access.path)
                places = [place for place in resolved if _is_file(place, access)]
                function = access.function
                if any("*" in place.text for place in places) and not access.writes:
                    function = f"{function}:glob"
                if places:
                    path = access.path if function != "drawn" else None
                    guess = access.is_guess
                    uses.append(
                        Use(access.writes, places, number, line, function, node, path, guess)
                    )
                elif not resolved and _is_unclear(node, access, names):
                    unclear.append((access.writes, line))
            for command in _commands(node, names):
                spelled.append(node.args[0])
                uses, more = _with_others(number, command, "shell", line, uses, more)
        for language, text, line in in_magics(list(magics(unit.cells[number]))):
            uses, more = _with_others(number, text, language, shortened(line), uses, more)
    followed = [use.path for use in uses if use.path is not None] + spelled
    for cell, path, places in named(unit.trees, names, followed, functions):
        line = shortened(_line(unit.cells[cell], path))
        more.append(Use(False, places, cell, line, "named", None, path))
    return uses, more, list(dict.fromkeys(unclear))


def _with_others(
    cell: int, command: str, language: str, line: str, uses: list[Use], more: list[Use]
) -> tuple[list[Use], list[Use]]:
    """Return `uses` and `more` with the files of a command in another language."""
    for writes, place, _ in literal_files(command, language):
        use = Use(bool(writes), [place], cell, line, language)
        uses, more = (uses, [*more, use]) if writes is None else ([*uses, use], more)
    return uses, more


def _commands(node: ast.Call, names: Names) -> list[str]:
    """Return the shell command that a call runs, if the code spells it out."""
    if dotted(node.func) not in SHELLS or not node.args:
        return []
    first = node.args[0]
    if isinstance(first, ast.List | ast.Tuple):
        alternatives = [names.places(element) for element in first.elts]
        words = [places[0].text if len(places) == 1 else HOLE for places in alternatives]
        plain = [
            element.value if isinstance(element, ast.Constant) else None for element in first.elts
        ]
        words = [
            str(literal) if literal is not None else word
            for literal, word in zip(plain, words, strict=True)
        ]
        return [" ".join(word if " " not in word else "_" for word in words)]
    return [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []


def figure_folders(trees: Sequence[ast.Module]) -> Iterator[tuple[int, ast.expr]]:
    """Yield what `sc.settings.figdir` is set to."""
    for cell, tree in enumerate(trees):
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(getattr(target, "attr", "") == "figdir" for target in targets):
                assert isinstance(node, ast.Assign)
                yield cell, node.value


def _drawn(node: ast.Call, figdir: ast.expr) -> list[Access]:
    """Return the figure that a function of scanpy, or a library like it, writes."""
    saved = drawn_by(node)
    if saved is None:
        return []
    text = saved.value if isinstance(saved, ast.Constant) and isinstance(saved.value, str) else None
    end: list[ast.expr] = [ast.Constant(text)] if text else []
    suffix = [] if text and "." in text else [ast.Constant(".pdf")]
    plot = ast.FormattedValue(ast.Name("…", ast.Load()), -1)
    path = ast.BinOp(figdir, ast.Div(), ast.JoinedStr([plot, *end, *suffix]))
    return [Access(True, path, "drawn")]


def _is_unclear(node: ast.Call, access: Access, names: Names) -> bool:
    """Tell whether a call reads or writes a file whose path is not known at all."""
    common = access.function in COMMON and not dotted(node.func).startswith(LIBRARIES)
    if access.is_guess or common or isinstance(access.path, ast.Constant | ast.Dict):
        return False
    sources = [access.path]
    if isinstance(access.path, ast.Name):
        sources = names.sources(access.path.id)
        if names.is_opened(access.path.id):
            return False
    return not any(
        isinstance(inner, ast.Call)
        and (_globs(inner) or dotted(inner.func).endswith(("IO", "open", "urlopen")))
        for source in sources
        for inner in ast.walk(source)
    )


def _globs(node: ast.Call) -> list[Access]:
    """Return the files that `glob` finds, as reads of a pattern."""
    function = dotted(node.func).rpartition(".")[2] or getattr(node.func, "attr", "")
    if function in ("listdir", "scandir", "walk", "iterdir"):
        folder = node.args[0] if node.args else getattr(node.func, "value", None)
        if dotted(node.func).startswith("os.") and not node.args:
            folder = ast.Constant(".")
        pattern = ast.BinOp(folder, ast.Div(), ast.Constant("*")) if folder is not None else None
        return [Access(False, pattern, f"{function}:glob")] if pattern else []
    if function not in ("glob", "iglob", "rglob") or not node.args:
        return []
    path: ast.expr = node.args[0]
    if isinstance(node.func, ast.Attribute) and not dotted(node.func).startswith("glob."):
        path = ast.BinOp(node.func.value, ast.Div(), path)
    return [Access(False, path, f"{function}:glob")]


def _line(source: str, node: ast.expr) -> str:
    lines = source.split("\n")
    return lines[node.lineno - 1].strip() if node.lineno <= len(lines) else ""


def _is_file(place: Place, access: Access) -> bool:
    """Tell whether a text can be the path of a file; `write` takes any text elsewhere."""
    if "\n" in place.text or len(place.text) > LONGEST or re.match("[a-z0-9]+://", place.text):
        return False
    if access.is_guess:  # a name alone may be in any folder
        return "/" in place.text and is_path(place)
    if access.function in NAMES_TOO and not set(place.text) & set("./\\"):
        return False  # `sns.load_dataset("iris")`
    return access.function != "write" or place.text.lower().endswith(WRITTEN)
