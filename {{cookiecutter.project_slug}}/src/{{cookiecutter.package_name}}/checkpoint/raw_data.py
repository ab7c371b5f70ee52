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

from .calls import dotted

# the file that comes of it is their second argument
COPIES = (
    *("copy", "copy2", "copyfile", "copytree", "symlink", "link", "urlretrieve"),
    "unpack_archive",
)
MOVES = ("move", "rename", "renames", "unlink", "remove", "rmtree", "rmdir", "truncate")
WRITES = (
    *("to_csv", "to_parquet", "to_pickle", "to_excel", "to_feather", "to_json", "to_hdf"),
    *("write", "write_h5ad", "write_h5mu", "write_zarr", "write_loom", "write_csvs", "to_zarr"),
    *("write_text", "write_bytes", "touch", "mkdir", "makedirs", "tofile", "to_file"),
    *("save", "savez", "savez_compressed", "save_npz", "savetxt", "savefig", "dump", "mmwrite"),
    *("imsave", "imwrite", "extractall"),
)
OPENS = ("open", "ZipFile", "File", "TarFile")
# what makes a path of a path, or of its parts
PATHS = (
    *("Path", "PurePath", "join", "joinpath", "str", "fspath", "abspath", "resolve", "absolute"),
    *("with_name", "with_suffix", "with_stem", "format", "glob", "rglob", "iterdir"),
)
SHELLS = ("system", "run", "call", "check_call", "check_output", "Popen", "getoutput")
# commands whose every argument they change, and those of which the last one is written
CHANGED = ("mv", "rm", "rmdir", "touch", "mkdir", "tee", "truncate", "gunzip", "gzip")
WRITTEN_LAST = ("cp", "rsync", "ln", "install", "scp")
# options after which comes what is written
WRITTEN_AFTER = ("-O", "-P", "-o", "-d", "-C", "--output", "--directory-prefix", "--directory")

Names = dict[str, str]


def writes(tree: ast.AST, names: Names) -> Iterator[ast.Call]:
    """Find the calls that write, move or remove something in `data/`.

    Parameters
    ----------
    tree
        Some code.
    names
        How the paths begin that variables hold; the code's own assignments are added.
    """
    for node in sorted(_events(tree), key=_place):
        if isinstance(node, ast.Call):
            if any(in_data(beginning(one, names)) for one in _written(node)) or any(
                map(shell_writes, _shell_lines(node))
            ):
                yield node
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.For):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            value = node.iter if isinstance(node, ast.For) else node.value
            begins = beginning(value, names)
            for target in targets:
                if isinstance(target, ast.Name):
                    names.pop(target.id, None)
                    names.update({target.id: begins} if begins is not None else {})


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
        if isinstance(node.op, ast.Div) and begins is not None:
            return f"{begins}/{beginning(node.right, names) or '*'}"
        return begins
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        begins = beginning(node.value, names)
        return posixpath.dirname(begins) if begins else None
    return _made_by(node, names) if isinstance(node, ast.Call) else None


def in_data(path: str | None) -> bool:
    """Tell whether a path, relative to the project or a folder in it, is in `data/`."""
    if not path or "\n" in path or " " in path.strip("/").partition("/")[0]:
        return False
    parts = [part for part in re.split(r"[/\\]", path) if part not in ("", ".", "..")]
    return parts[:1] == ["data"] and re.search(r"[/\\]", path) is not None and path[0] != "/"


def shell_writes(line: str) -> bool:
    """Tell whether a shell line writes, moves or removes something in `data/`."""
    for command in re.split(r"&&|\|\||[;|]", line):
        try:
            words = shlex.split(command.replace(">", " > "), comments=True)
        except ValueError:
            continue  # a quote that goes on in another line
        words = [word for word in words if word not in ("sudo", "-")]
        program = posixpath.basename(words[0].lstrip("!%")) if words else ""
        after = [word for option, word in pairwise(words) if option == ">"]
        rest = [word for word in words[1:] if word[0] != "-"]
        if program in CHANGED and "-c" not in words:
            after += rest
        elif program in WRITTEN_LAST:
            after += rest[-1:]
        elif program == "sed" and any(word.startswith("-i") for word in words):
            after += rest
        else:
            options = pairwise(words)
            after += [word for option, word in options if option in WRITTEN_AFTER]
        if program == "%%writefile" or words[:1] in (["%%writefile"], ["%%file"]):
            after += rest
        if any(in_data(f"{word}/") for word in after):
            return True
    return False


def _events(tree: ast.AST) -> list[ast.AST]:
    kinds = (ast.Call, ast.Assign, ast.AnnAssign, ast.For)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _place(node: ast.AST) -> tuple[int, int]:
    """Return where a node takes effect: an assignment behind its value, a loop behind its head."""
    if isinstance(node, ast.Call):
        return node.lineno, node.col_offset
    last = node.iter if isinstance(node, ast.For) else node
    return getattr(last, "end_lineno", 0), getattr(last, "end_col_offset", 0)


def _written(call: ast.Call) -> list[ast.expr]:
    """Return the expressions that may name a file that a call writes, moves or removes."""
    function = called(call)
    receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if function in COPIES:
        return given[1:2]
    if function == "write":  # of a file, what is written; of an AnnData, where to
        plain = [one for one in call.args[:1] if not isinstance(one, ast.JoinedStr)]
        return [one for one in plain if not isinstance(one, ast.BinOp)]
    if function == "replace":  # of a text or a table, something else
        return given if dotted(call.func) == "os.replace" else []
    if function in WRITES or function in MOVES:
        return receiver + given
    if function in OPENS:
        # the mode is the second argument, or for Path.open the first
        texts = [one.value for one in given if isinstance(one, ast.Constant)]
        modes = [one for one in texts if isinstance(one, str) and re.fullmatch("[rwax+bt]+", one)]
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
    if function not in PATHS:
        return None
    parts: list[ast.expr] = list(call.args)
    if isinstance(call.func, ast.Attribute) and dotted(call.func) != "os.path.join":
        begins = beginning(call.func.value, names)
        if begins is not None:
            return f"{begins}/*" if function == "joinpath" else begins
        if function not in ("Path", "PurePath", "fspath", "abspath", "glob"):
            return None  # ", ".join(…)
    known = [beginning(part, names) or "*" for part in parts]
    if len(known) == 1:
        return known[0] + "/" if function in ("Path", "PurePath") else known[0]
    return "/".join(known) if known else "."


def _shell_lines(call: ast.Call) -> list[str]:
    """Return the command that a call gives to a shell or starts."""
    if called(call) not in SHELLS or not call.args:
        return []
    command = call.args[0]
    if isinstance(command, ast.List):
        words = [one.value if isinstance(one, ast.Constant) else "*" for one in command.elts]
        return [shlex.join(map(str, words))]
    text = command.value if isinstance(command, ast.Constant) else None
    return [text] if isinstance(text, str) else []
