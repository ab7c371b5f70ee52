"""The rule against changing files in `data/`, for paths that the code spells out.

Variables are not followed. A path counts if it begins with a literal, `Path(<literal>)` or
`data_file(…)`.
"""

import ast
import re
from collections.abc import Iterator

from ..notebooks import notebook
from ..notebooks.calls import dotted
from .rules import Finding, rule
from .subjects import Cell

WRITERS = frozenset(
    "to_csv to_parquet to_pickle to_excel to_feather to_json to_hdf to_zarr to_file tofile "
    "write write_h5ad write_h5mu write_zarr write_loom write_csvs write_parquet write_table "
    "write_text write_bytes save savez savez_compressed save_npz savetxt savefig dump mmwrite "
    "imsave imwrite extractall touch mkdir makedirs ExcelWriter".split()
)
REMOVERS = frozenset("move rename renames replace unlink remove removedirs rmtree rmdir".split())
# their second argument is the path that they write to
COPIERS = frozenset("copy copy2 copyfile copytree symlink link urlretrieve unpack_archive".split())
OPENERS = frozenset("open ZipFile File TarFile".split())
TARGETS = ("path", "file", "fname", "dst", "buf", "out", "store", "writer", "dir", "target")

LITERAL = re.compile(r"(?:\.{1,2}[/\\])+data(?:[/\\][^\n]*)?|data[/\\][^\n]*")
FILE_MAGICS = ("%%writefile", "%%file")
# a file or folder in data/, as a word of a shell line
DATA = r"""["']?(?:\.{1,2}/)*data(?:/[^\s;|&"']*)?["']?(?=\s|[;|&"']|$)"""
SHELL = re.compile(
    rf"""
    >\s*{DATA}
    | (?:^|[;|&])[\s!]*(?:[\w, ]+=\s*!+\s*)?(?:sudo\s+)?(?:
        (?:mv|rm|rmdir|touch|mkdir|tee|truncate)\b [^;|&<>]*? \s{DATA}
        | (?:gunzip|gzip)\b (?![^;|&]*\s-(?:\w*c|-stdout|-to-stdout)\b) [^;|&<>]*? \s{DATA}
        | (?:cp|rsync|ln|install|scp)\b [^;|&<>]*? \s{DATA} \s*(?:$|[;|&])
        | wget\b [^;|&]*? \s(?:-\w*[OP]|--output-document|--directory-prefix) [\s=]*{DATA}
        | curl\b [^;|&]*? \s(?:-\w*o|--output|--output-dir) [\s=]*{DATA}
        | unzip\b [^;|&]*? \s-d\s*{DATA}
        | tar\s+(?:-?\w*x|--extract) [^;|&]*? \s(?:-C\s*|--directory[\s=]){DATA}
        | %%(?:writefile|file)\b [^;|&]*? \s{DATA}
    )
    """,
    re.VERBOSE | re.MULTILINE,
)


@rule(
    "writes-data",
    Cell,
    finds="changing a file in `data/`, if the code spells out its path or `data_file(…)`",
    why="raw data must stay as measured, and the steps that read it would become stale",
)
def _writes_data(cell: Cell) -> Iterator[Finding]:
    todo = "Leave raw data unchanged; save(…) writes results into results/"
    code = [
        ast.unparse(node) for node in cell.nodes if isinstance(node, ast.Call) and _writes(node)
    ]
    # the rest of a %%writefile cell is the file's content
    lines = cell.shell_lines[:1] if cell.source.startswith(FILE_MAGICS) else cell.shell_lines
    code += [line.strip() for line in lines if SHELL.search(line)]
    for line in code:
        yield Finding(f"writes into data/: `{notebook.shortened(line)}`", todo)


def function_of(call: ast.Call) -> str:
    """Return the name of the called function or method, without its module or object."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func)


def _writes(call: ast.Call) -> bool:
    """Return whether a call writes, moves or removes a file in `data/`."""
    function = function_of(call)
    of_module = isinstance(call.func, ast.Name) or dotted(call.func).startswith(("os.", "shutil."))
    receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    # methods of a literal are methods of str
    paths = [node for node in receiver if not isinstance(node, ast.Constant | ast.JoinedStr)]
    targets = [keyword.value for keyword in call.keywords if (keyword.arg or "").endswith(TARGETS)]
    if function in COPIERS:
        paths = [*call.args[1:2], *targets]
    elif function == "write":  # that of an AnnData takes a path, that of a file takes text
        paths = [node for node in call.args[:1] if not isinstance(node, ast.JoinedStr)]
    elif function in REMOVERS:  # list.remove and str.replace exist, too
        paths += [*call.args, *targets] if of_module else []
    elif function in WRITERS or (function in OPENERS and _opens_to_write(call)):
        paths += [*call.args, *targets]
    else:
        return False
    return any(LITERAL.fullmatch(_beginning(path)) for path in paths)


def _opens_to_write(call: ast.Call) -> bool:
    """Return whether a call has a mode such as `"w"`: the second argument, for `Path` the first."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    texts = [str(node.value) for node in arguments if isinstance(node, ast.Constant)]
    modes = [text for text in texts if re.fullmatch("[rwax+bt]+", text)]
    return any(set(mode) & set("wax+") for mode in modes)


def _beginning(node: ast.expr) -> str:
    """Return the beginning of a path as far as an expression spells it out."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return _beginning(node.values[0]) if node.values else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        between = "/" if isinstance(node.op, ast.Div) else ""
        return _beginning(node.left) + between + _beginning(node.right)
    if not isinstance(node, ast.Call):
        return ""
    function = function_of(node)
    if function in ("Path", "str", "fspath") or dotted(node.func) == "os.path.join":
        return "/".join(map(_beginning, node.args))
    if function in ("with_suffix", "with_name", "with_stem", "joinpath", "format"):
        return _beginning(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    return "../data/" if function == "data_file" else ""
