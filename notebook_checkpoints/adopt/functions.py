"""Functions of libraries that read and write files, and where their path is."""

import ast
from typing import NamedTuple

from checkpoint.notebooks.calls import dotted

READERS = frozenset(
    "read_h5ad read_h5mu read_zarr read_loom read_10x_h5 read_10x_mtx read_visium read_text "
    "read_csv read_table read_fwf read_parquet read_pickle read_excel read_feather read_hdf "
    "read_json read_stata read_sas read_orc read_ipc read_bytes read_file read_csvs read_mtx read "
    "load load_npz loadtxt genfromtxt fromfile mmread loadmat imread open_dataset open_zarr "
    "load_dataset read_lazy read_umi_tools scan_csv scan_parquet read_lines read_elem".split()
)
WRITERS = frozenset(
    "write_h5ad write_h5mu write_zarr write_loom write_csvs write_csv write_parquet write "
    "to_csv to_parquet to_pickle to_excel to_feather to_json to_hdf to_zarr to_netcdf to_html "
    "to_latex to_markdown to_stata to_file tofile save savez savez_compressed save_npz savetxt "
    "savefig mmwrite savemat imsave imwrite write_html write_image write_json write_text "
    "write_bytes save_model ExcelWriter sink_parquet sink_csv".split()
)
SECOND = frozenset(("dump", "save_model"))  # `joblib.dump(obj, path)`
OPENERS = frozenset("open File ZipFile HDFStore".split())
COPIERS = frozenset("copy copy2 copyfile copytree move rename".split())
FIGURES = frozenset("savefig imsave imwrite write_html write_image".split())
FIGURE_SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".html", ".eps")
PATH_KEYWORDS = frozenset(
    "path filename file fname path_or_buf filepath_or_buffer path_or_buffer io excel_writer fp "
    "path_or_handle store store_path filepath_or_buf".split()
)
# modules whose `load`, `dump`, `read` take no path, or are of something else
OTHER = ("pickle.", "json.", "yaml.", "toml.", "tomllib.", "tomli.", "dill.", "cloudpickle.")
FOLDERS = frozenset(("makedirs", "mkdir"))


class Access(NamedTuple):
    """A path that a call reads or writes.

    Attributes
    ----------
    writes
        Whether it writes.
    path
        The expression of the path.
    function
        The function, without what is before it.
    """

    writes: bool
    path: ast.expr
    function: str


def accesses(call: ast.Call) -> list[Access]:
    """Return what a call of a known function reads and writes."""
    name = dotted(call.func)
    method = call.func if isinstance(call.func, ast.Attribute) else None
    function = method.attr if method else name
    first = _argument(call, 0)
    if name.startswith(OTHER) or (function == "save" and name == "save"):
        return []
    if function in OPENERS:
        return _opened(call, function, first)
    if function in COPIERS:
        if not name.startswith(("shutil.", "os.")) or len(call.args) < 2:
            return []
        return [Access(False, call.args[0], function), Access(True, call.args[1], function)]
    if function in SECOND:
        second = call.args[1] if len(call.args) > 1 else _named(call)
        return [Access(True, second, function)] if second is not None else []
    of_path = function in ("write_text", "write_bytes", "read_text", "read_bytes")
    if of_path and method and not name.startswith(("sc.", "ad.", "anndata.", "scanpy.")):
        return [Access(function.startswith("write"), method.value, function)]
    if function == "save" and name.startswith("torch.") and len(call.args) > 1:
        return [Access(True, call.args[1], function)]
    if function == "write" and name.startswith(("sc.", "scanpy.")):
        return [Access(True, first, function)] if first is not None else []
    if first is None or (function == "save" and name.startswith("plt.")):
        return []
    if function in WRITERS:
        return [Access(True, first, function)]
    return [Access(False, first, function)] if function in READERS else []


def folder_made(call: ast.Call) -> ast.expr | None:
    """Return the folder that a call makes; None if it makes none."""
    name = dotted(call.func)
    if name in ("os.makedirs", "os.mkdir", "makedirs"):
        return _argument(call, 0)
    if isinstance(call.func, ast.Attribute) and call.func.attr == "mkdir":
        return call.func.value
    return None


def is_figure(function: str, name: str) -> bool:
    """Tell whether what a function writes is looked at and not read back."""
    return function in FIGURES or name.lower().endswith(FIGURE_SUFFIXES)


def _opened(call: ast.Call, function: str, first: ast.expr | None) -> list[Access]:
    path: ast.expr | None
    method = isinstance(call.func, ast.Attribute) and function == "open"
    module = dotted(call.func).partition(".")[0]
    if method and module not in ("gzip", "bz2", "lzma", "io", "codecs", "h5py", "rasterio"):
        assert isinstance(call.func, ast.Attribute)  # `Path("x").open("w")`
        path, modes = call.func.value, call.args[:1]
    else:
        path, modes = first, call.args[1:2]
    modes = [*modes, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    texts = [node.value for node in modes if isinstance(node, ast.Constant)]
    mode = next((text for text in texts if isinstance(text, str)), "r")
    if path is None:
        return []
    return [Access(bool(set(mode) & set("wax+")), path, function)]


def _argument(call: ast.Call, place: int) -> ast.expr | None:
    if len(call.args) > place and not isinstance(call.args[place], ast.Starred):
        return call.args[place]
    return _named(call)


def _named(call: ast.Call) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg in PATH_KEYWORDS), None)
