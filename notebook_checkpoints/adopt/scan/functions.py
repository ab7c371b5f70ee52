"""Functions of libraries that read and write files, and where their path is."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checkpoint.notebooks.calls import dotted

READERS = frozenset(
    "read_h5ad read_h5mu read_zarr read_loom read_10x_h5 read_10x_mtx read_visium read_text "
    "read_csv read_table read_fwf read_parquet read_pickle read_excel read_feather read_hdf "
    "read_json read_stata read_sas read_orc read_ipc read_bytes read_file read_csvs read_mtx read "
    "load load_npz loadtxt genfromtxt fromfile mmread loadmat imread open_dataset open_zarr "
    "load_dataset read_lazy read_umi_tools scan_csv scan_parquet read_lines read_elem from_zarr "
    "ExcelFile ParquetFile open_dataarray open_mfdataset load_model load_weights ReadImage "
    "read_gexf read_graphml read_edgelist read_gpickle from_pretrained from_file from_csv".split()
)
WRITERS = frozenset(
    "write_h5ad write_h5mu write_zarr write_loom write_csvs write_csv write_parquet write "
    "to_csv to_parquet to_pickle to_excel to_feather to_json to_hdf to_zarr to_netcdf to_html "
    "to_latex to_markdown to_stata to_xml to_string to_orc to_file tofile save savez "
    "savez_compressed save_npz savetxt savefig mmwrite savemat imsave imwrite write_html "
    "write_image write_json write_text write_bytes ExcelWriter sink_parquet sink_csv sink_ipc "
    "write_ipc write_excel write_ndjson save_weights save_pretrained writeto".split()
)
# the path is the second argument: `joblib.dump(obj, path)`, `pd.to_pickle(obj, path)`
SECOND = frozenset(
    "dump write_feather WriteImage write_gexf write_graphml write_edgelist write_gpickle".split()
)
SECOND_OF = frozenset(
    "pq.write_table pyarrow.parquet.write_table torch.save nib.save nibabel.save SeqIO.write "
    "pd.to_pickle pandas.to_pickle keras.models.save_model tf.keras.models.save_model "
    "da.to_zarr dask.array.to_zarr urllib.request.urlretrieve request.urlretrieve "
    "urlretrieve".split()
)
OPENERS = frozenset(
    "open File ZipFile HDFStore open_group open_memmap memmap AlignmentFile".split()
)
# openers that read and write if no mode is given
BOTH = frozenset("HDFStore open_group open_memmap memmap".split())
# modules whose `open` takes a path; any other `open` is a method of a path
OPENING = frozenset(
    "gzip bz2 lzma io codecs h5py rasterio zarr tarfile zipfile fits Image PIL np numpy pd pandas "
    "pysam tifffile wave xr builtins os astropy".split()
)
COPIERS = frozenset("copy copy2 copyfile copytree move rename replace renames link".split())
PLAIN_COPIERS = frozenset("copy2 copyfile copytree".split())  # no other function has these names
SHELLS = frozenset(
    "os.system os.popen subprocess.run subprocess.call subprocess.check_call "
    "subprocess.check_output subprocess.Popen subprocess.getoutput run check_call "
    "check_output Popen".split()
)
FIGURES = frozenset("savefig imsave imwrite write_html write_image drawn".split())
FIGURE_SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".html", ".eps")
PATH_KEYWORDS = frozenset(
    "path filename file fname f path_or_buf filepath_or_buffer path_or_buffer io excel_writer fp "
    "path_or_handle store store_path filepath_or_buf filepath dest where dir_path".split()
)
# functions that take a path as text only
OF_TEXT = frozenset("ReadImage WriteImage AlignmentFile load_weights load_model".split())
# modules whose `load` and `dump` do not take a path
OTHER_MODULES = ("pickle.", "json.", "yaml.", "tomllib.", "tomli.", "dill.", "cloudpickle.")
FOLDERS = frozenset(("makedirs", "mkdir"))
# prefixes that tell what a function does that is not listed
READS = ("read_", "load_", "scan_", "Read")
WRITES = ("write_", "save_", "export_", "dump_", "Write")


class Access(NamedTuple):
    """A path that a call reads or writes.

    Attributes
    ----------
    writes
        Whether it writes.
    path
        The expression of the path.
    function
        The name of the function, without its module or object.
    is_guess
        Whether only the function's name suggests it.
    """

    writes: bool
    path: ast.expr
    function: str
    is_guess: bool = False


def accesses(call: ast.Call) -> list[Access]:
    """Return what a call of a known function reads and writes."""
    name = dotted(call.func)
    method = call.func if isinstance(call.func, ast.Attribute) else None
    function = method.attr if method else name
    first = _argument(call, 0)
    if name.startswith(OTHER_MODULES) or (function == "save" and name == "save"):
        return []
    if function in OPENERS:
        return _opened(call, function, first)
    if function in COPIERS:
        return list(_copied(call, function, name))
    if function in SECOND or name in SECOND_OF or (function == "save_model" and method):
        return list(_second(call, function))
    of_path = function in ("write_text", "write_bytes", "read_text", "read_bytes")
    if of_path and method and not name.startswith(("sc.", "ad.", "anndata.", "scanpy.")):
        return [Access(function.startswith("write"), method.value, function)]
    if function == "parse" and name.endswith("SeqIO.parse") and first is not None:
        return [Access(False, first, function)]
    if first is None or (function == "save" and name.startswith("plt.")):
        return []
    if function in WRITERS:
        return [Access(True, first, function)]
    if function in READERS:
        return [Access(False, first, function)]
    return list(_guessed(call, function))


def folder_made(call: ast.Call) -> ast.expr | None:
    """Return the folder that a call makes; None if it makes none."""
    name = dotted(call.func)
    if name in ("os.makedirs", "os.mkdir", "makedirs"):
        return _argument(call, 0)
    if isinstance(call.func, ast.Attribute) and call.func.attr == "mkdir":
        return call.func.value
    return None


def is_figure(function: str, name: str) -> bool:
    """Tell whether a function writes a figure, which no code reads back."""
    return function in FIGURES or name.lower().endswith(FIGURE_SUFFIXES)


def needs_text(call: ast.Call) -> bool:
    """Tell whether a function takes a path as text only."""
    name = dotted(call.func)
    return name.startswith("cv2.") or name.rpartition(".")[2] in OF_TEXT


def drawn_by(call: ast.Call) -> ast.expr | None:
    """Return `save` of a plotting function such as scanpy's; None if it saves no figure."""
    if ".pl." not in f".{dotted(call.func)}":
        return None
    saves = [word.value for word in call.keywords if word.arg == "save"]
    return next(
        (value for value in saves if not isinstance(value, ast.Constant) or value.value), None
    )


def _copied(call: ast.Call, function: str, name: str) -> Iterator[Access]:
    words = {word.arg: word.value for word in call.keywords}
    source, target = words.get("src"), words.get("dst")
    arguments = [*call.args]
    if isinstance(call.func, ast.Attribute) and not name.startswith(("shutil.", "os.")):
        if function not in ("rename", "replace") or len(arguments) != 1 or words:
            return
        # a method of paths, but also of strings and tables
        yield Access(False, call.func.value, function, is_guess=True)
        yield Access(True, arguments[0], function, is_guess=True)
        return
    if not name.startswith(("shutil.", "os.")) and function not in PLAIN_COPIERS:
        return
    if source is None and arguments:
        source = arguments.pop(0)
    if target is None and arguments:
        target = arguments.pop(0)
    if source is not None and target is not None:
        yield Access(False, source, function)
        yield Access(True, target, function)


def _second(call: ast.Call, function: str) -> Iterator[Access]:
    second = call.args[1] if len(call.args) > 1 else _named(call)
    if second is None and function != "dump" and call.args:  # `booster.save_model(path)`
        second = call.args[0]
    if second is not None:
        yield Access(True, second, "dump" if function == "write" else function)


def _guessed(call: ast.Call, function: str) -> Iterator[Access]:
    """Yield what a function that is not listed reads or writes, by its name."""
    for begins, writes in ((READS, False), (WRITES, True)):
        if function.startswith(begins):
            values = [*call.args, *(word.value for word in call.keywords)]
            yield from (Access(writes, value, function, is_guess=True) for value in values)


def _opened(call: ast.Call, function: str, first: ast.expr | None) -> list[Access]:
    path: ast.expr | None
    method = isinstance(call.func, ast.Attribute) and function == "open"
    module = dotted(call.func).partition(".")[0]
    if method and module not in OPENING:
        assert isinstance(call.func, ast.Attribute)  # `Path("x").open("w")`
        path, modes = call.func.value, call.args[:1]
    else:
        path, modes = first, call.args[1:2]
    modes = [*modes, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    texts = [node.value for node in modes if isinstance(node, ast.Constant)]
    mode = next((text for text in texts if isinstance(text, str)), "")
    # the mode is computed; or missing, where the library opens for both
    is_open = bool(modes) if function not in BOTH and module != "zarr" else True
    if path is None or (not mode and is_open):
        return []
    return [Access(bool(set(mode) & set("wax+")), path, function)]


def _argument(call: ast.Call, place: int) -> ast.expr | None:
    if len(call.args) > place and not isinstance(call.args[place], ast.Starred):
        return call.args[place]
    return _named(call)


def _named(call: ast.Call) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg in PATH_KEYWORDS), None)
