"""What code writes, moves or removes in `data/`, as far as reading it tells.

A path is known by its beginning: `Path("..") / "data" / name` begins with `../data`. Variables are
followed in the order of the code.
"""

import ast
import posixpath
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

from ..notebooks.calls import dotted

# the file that comes of it is their second argument
COPIES = (
    *("copy", "copy2", "copyfile", "copytree", "symlink", "link", "urlretrieve"),
    "unpack_archive",
)
MOVES = ("move", "rename", "renames", "replace", "unlink", "remove", "rmtree", "rmdir")
WRITES = (
    *("to_csv", "to_parquet", "to_pickle", "to_excel", "to_feather", "to_json", "to_hdf"),
    *("write", "write_h5ad", "write_h5mu", "write_zarr", "write_loom", "write_csvs", "to_zarr"),
    *("write_text", "write_bytes", "touch", "mkdir", "makedirs", "tofile", "to_file"),
    *("save", "savez", "savez_compressed", "save_npz", "savetxt", "savefig", "dump", "mmwrite"),
    *("imsave", "imwrite", "extractall", "write_parquet", "write_table"),
)
OPENS = ("open", "ZipFile", "File", "TarFile")
# what makes a path of a path, or of its parts
PATHS = (
    *("Path", "PurePath", "join", "joinpath", "str", "fspath", "abspath", "resolve", "absolute"),
    *("with_name", "with_suffix", "with_stem", "format", "glob", "rglob", "iterdir"),
)
SHELLS = ("system", "run", "call", "check_call", "check_output", "Popen", "getoutput")
SHELL_LINE = re.compile(r"^\s*(?:[\w, ]+=\s*)?!+")
# commands whose every argument they change, and those of which the last one is written
CHANGED = ("mv", "rm", "rmdir", "touch", "mkdir", "tee", "truncate", "gunzip", "gzip")
WRITTEN_LAST = ("cp", "rsync", "ln", "install", "scp")
# options of commands after which comes what is written
WRITTEN_AFTER = {
    "wget": ("O", "P", "output-document", "directory-prefix"),
    "curl": ("o", "output", "output-dir"),
    "unzip": ("d",),
}
PATH_KEYWORDS = ("path", "file", "fname", "dst", "buf", "out", "store", "writer", "dir", "target")

Names = dict[str, str]


def writes(tree: ast.AST, names: Names) -> Iterator[ast.Call]:
    """Find the calls that write, move or remove something in `data/`.

    Parameters
    ----------
    tree
        Some code.
    names
        How the paths begin that variables hold; what the code does to them is followed.
    """
    events, functions = _events(tree)
    for node in sorted(events, key=_place):
        if isinstance(node, ast.Call):
            if any(in_data(beginning(one, names)) for one in _written(node)) or any(
                shell_writes(line) for line in _shell_lines(node, names)
            ):
                yield node
        else:
            for target, value in _bound(node):
                _assign(target, value, names)
    for function in functions:
        arguments = function.args
        own = {one.arg for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
        inner = {name: begins for name, begins in names.items() if name not in own}
        body = function.body if isinstance(function.body, list) else [function.body]
        yield from writes(ast.Module(body, []), inner)  # type: ignore[arg-type]


def beginning(node: ast.AST | None, names: Names) -> str | None:
    """Return how the path that an expression makes begins; None if it is no path, or unknown."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return beginning(node.values[0], names) if node.values else None
    if isinstance(node, ast.FormattedValue):
        return beginning(node.value, names)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add | ast.Mod):
        begins = beginning(node.left, names)
        if isinstance(node.op, ast.Mod) and (begins or "").startswith("%"):
            return beginning(node.right, names)
        if isinstance(node.op, ast.Div) and begins is not None:
            return f"{begins}/{beginning(node.right, names) or '*'}"
        return begins
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        begins = beginning(node.value, names)
        return ".." if begins == "." else posixpath.dirname(begins) if begins else None
    return _made_by(node, names) if isinstance(node, ast.Call) else None


def in_data(path: str | None) -> bool:
    """Tell whether a path, relative to the project or a folder in it, is in `data/`."""
    if not path or "\n" in path or " " in path.strip("/").partition("/")[0]:
        return False
    parts = [part for part in re.split(r"[/\\]", path) if part not in ("", ".", "..")]
    return parts[:1] == ["data"] and re.search(r"[/\\]", path) is not None and path[0] != "/"


def shell_writes(line: str) -> bool:
    """Tell whether a shell line writes, moves or removes something in `data/`."""
    inside = False  # after `cd ../data`
    for command in re.split(r"&&|\|\||[;|\n]", SHELL_LINE.sub("", line)):
        try:
            words = shlex.split(command.replace(">", " > ").replace("<", " < "), comments=True)
        except ValueError:
            continue  # a quote that goes on in another line
        if words[:1] == ["cd"]:
            inside = any(in_data(f"{word}/") for word in words[1:])
        written = _shell_targets(words)
        if any(in_data(f"{word}/") or (inside and word[:1] != "/") for word in written):
            return True
    return False


def _shell_targets(words: list[str]) -> list[str]:
    """Return what a shell command, given as its words, writes, moves or removes."""
    written = [word for before, word in pairwise(words) if before == ">"]
    read = [word for before, word in pairwise(words) if before in ("<", ">")]
    words = [word for word in words if word not in ("sudo", "<", ">") and word not in read]
    if not words:
        return written
    program, options = posixpath.basename(words[0].lstrip("%")), _options(words[1:])
    rest = [word for word in words[1:] if word[:1] != "-"]
    to_output = {"c", "stdout", "to-stdout"} & options.keys()
    if program in ("writefile", "file") or (program in CHANGED and not to_output):
        written += rest
    elif program in WRITTEN_LAST:
        written += rest[-1:]
    elif program == "sed" and any(option.startswith("i") for option in options):
        written += rest
    elif program == "tar" and (_extracts(words[1:2]) or "extract" in options or "x" in options):
        written += [options[one] for one in ("C", "directory") if one in options]
    written += [options[one] for one in WRITTEN_AFTER.get(program, ()) if one in options]
    if program == "wget" and not {"O", "P"} & options.keys():
        written += ["."]  # into the working folder
    return written


def _extracts(words: list[str]) -> bool:
    """Tell whether the letters that tar takes without a dash have an x."""
    return any("x" in word for word in words if word[:1] != "-")


def _options(words: list[str]) -> dict[str, str]:
    """Return the options among some words, short ones letter by letter, with what may be theirs."""
    found: dict[str, str] = {}
    for word, following in pairwise([*words, ""]):
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            found[name] = value or following
        elif word[:1] == "-":
            found.update(dict.fromkeys(word[1:], following))
    return found


Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
BINDING = (ast.Assign, ast.AnnAssign, ast.For, ast.withitem, ast.comprehension, ast.NamedExpr)


def _events(tree: ast.AST) -> tuple[list[ast.AST], list[Function]]:
    """Return the calls and bindings in some code, and the functions, which are not entered."""
    events: list[ast.AST] = []
    functions: list[Function] = []
    pending = list(ast.iter_child_nodes(tree))
    while pending:
        node = pending.pop()
        if isinstance(node, Function):
            functions.append(node)
            continue
        if isinstance(node, (ast.Call, *BINDING)):
            events.append(node)
        pending += ast.iter_child_nodes(node)
    return events, functions


def _bound(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST | None]]:
    """Return the pairs of a target and its value that a binding makes."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.comprehension):
        yield node.target, node.iter
    elif isinstance(node, ast.withitem) and node.optional_vars:
        yield node.optional_vars, None


def _assign(target: ast.AST, value: ast.AST | None, names: Names) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        values = value.elts if same else [None] * len(target.elts)  # type: ignore[union-attr]
        for one, its in zip(target.elts, values, strict=True):
            _assign(one, its, names)
    elif isinstance(target, ast.Name):
        begins = beginning(value, names)
        names.pop(target.id, None)
        if begins is not None:
            names[target.id] = begins


def _place(node: ast.AST) -> tuple[int, int]:
    """Return where a node takes effect: a binding behind its value, a loop behind its head."""
    if isinstance(node, ast.Call):
        return node.lineno, node.col_offset
    last = node
    if isinstance(node, ast.For | ast.comprehension):
        last = node.target  # a comprehension's element stands before it, and is not followed
    elif isinstance(node, ast.withitem):
        last = node.context_expr
    return getattr(last, "end_lineno", 0), getattr(last, "end_col_offset", 0)


def _written(call: ast.Call) -> list[ast.expr]:
    """Return the expressions that may name a file that a call writes, moves or removes."""
    function = called(call)
    receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    keywords = [one for one in call.keywords if (one.arg or "").endswith(PATH_KEYWORDS)]
    given = [*call.args, *(one.value for one in keywords)]
    of_module = dotted(call.func).partition(".")[0] in ("os", "shutil", function)
    if function in COPIES:
        return [*call.args[1:2], *(one.value for one in keywords)]
    if function == "write":  # of a file, what is written; of an AnnData, where to
        plain = [one for one in call.args[:1] if not isinstance(one, ast.JoinedStr)]
        return [one for one in plain if not isinstance(one, ast.BinOp)]
    if function in MOVES:  # a list has remove, too, and a text replace, with two arguments
        of_text = function == "replace" and len(call.args) > 1
        return given if of_module else [] if of_text else receiver
    if function in WRITES or function == "ExcelWriter":
        return receiver + given
    if function in OPENS:
        # the mode is the second argument, or for Path.open the first
        said = [*call.args, *(one.value for one in call.keywords)]
        texts = [str(one.value) for one in said if isinstance(one, ast.Constant)]
        modes = [text for text in texts if re.fullmatch("[rwax+bt]+", text)]
        return receiver + given if any(set(mode) & set("wax+") for mode in modes) else []
    return []


def called(call: ast.Call) -> str:
    """Return the last part of what a call calls."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func)


def _made_by(call: ast.Call, names: Names) -> str | None:
    """Return how the path begins that a call makes."""
    function = called(call)
    if function == "data_file":
        return "../data/*"
    if function == "cwd":
        return "."
    if function in ("sorted", "list", "reversed") and call.args:
        return beginning(call.args[0], names)
    if function not in PATHS:
        return None
    parts: list[ast.expr] = list(call.args)
    if isinstance(call.func, ast.Attribute) and dotted(call.func) != "os.path.join":
        begins = beginning(call.func.value, names)
        if function == "format" and begins is not None and begins.startswith("{"):
            return beginning(call.args[0], names) if call.args else None
        if begins is not None:
            return f"{begins}/*" if function == "joinpath" else begins
        if function not in ("Path", "PurePath", "fspath", "abspath", "glob"):
            return None  # ", ".join(…)
    known = [beginning(part, names) or "*" for part in parts]
    if len(known) == 1:
        return known[0] + "/" if function in ("Path", "PurePath") else known[0]
    return "/".join(known) if known else "."


def _shell_lines(call: ast.Call, names: Names) -> list[str]:
    """Return the command that a call gives to a shell or starts."""
    if called(call) not in SHELLS or not call.args:
        return []
    command = call.args[0]
    if isinstance(command, ast.List):
        return [shlex.join(beginning(one, names) or "*" for one in command.elts)]
    if isinstance(command, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.Constant) else "*" for one in command.values]
        return ["".join(map(str, parts))]
    text = command.value if isinstance(command, ast.Constant) else None
    return [text] if isinstance(text, str) else []
