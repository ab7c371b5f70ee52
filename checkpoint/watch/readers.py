"""Libraries that open files without Python, and so without its audit events.

Their functions that take a path are wrapped when the library is imported, to note the path.
"""

import functools
import glob
import importlib.machinery
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, cast

from . import files

# functions by module; in a class, its method
READERS = {
    "h5py._hl.files": ("File.__init__",),
    "duckdb": (
        *("connect", "execute", "query", "sql", "from_query", "read_csv", "read_json"),
        *("read_parquet", "from_csv_auto", "from_parquet"),
        *("DuckDBPyConnection.execute", "DuckDBPyConnection.query", "DuckDBPyConnection.sql"),
        *("DuckDBPyConnection.read_csv", "DuckDBPyConnection.read_json"),
        "DuckDBPyConnection.read_parquet",
    ),
    "pyarrow.json": ("read_json",),
    "pyarrow.parquet.core": (
        *("read_table", "read_metadata", "read_schema"),
        *("ParquetFile.__init__", "ParquetDataset.__init__"),
    ),
    "pyarrow.dataset": ("dataset",),
    "pyarrow.feather": ("read_table", "read_feather"),
    "pyarrow.csv": ("read_csv", "open_csv"),
    "pyarrow.orc": ("ORCFile.__init__",),
    "pyarrow": ("memory_map",),
    "polars": (
        *("read_parquet", "scan_parquet", "read_csv", "scan_csv", "read_ipc", "scan_ipc"),
        *("read_ipc_stream", "read_json", "read_ndjson", "scan_ndjson", "read_avro"),
    ),
    "tables.file": ("File.__init__",),
    "xarray.backends.api": ("open_dataset", "open_mfdataset"),
}
NOTED_BY = "_noted_by"  # one project's checkpoint, or several in one process
PATHS = (
    *("name", "source", "path_or_paths", "path", "input_file", "file", "filename", "where"),
    *("filename_or_obj", "paths", "database", "query", "path_or_buffer", "file_glob"),
)


def begin() -> None:
    """Wrap the functions of the libraries that are imported, and of others when they are."""
    for name in READERS:
        if name in sys.modules:
            _wrap_all(sys.modules[name])
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Lets the import of a library that opens files end with the wrapping of its functions."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in READERS:
            return None
        # those before it, such as that of another project, ask this one
        for finder in itertools.dropwhile(lambda each: each is not self, sys.meta_path):
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec and spec.loader:
                execute = spec.loader.exec_module
                spec.loader.exec_module = _then_wrap(execute)
                return cast(importlib.machinery.ModuleSpec, spec)
        return None


def _then_wrap(execute: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    def execute_and_wrap(module: ModuleType) -> None:
        execute(module)
        _wrap_all(module)

    return execute_and_wrap


def _wrap_all(module: ModuleType) -> None:
    for name in READERS[module.__name__]:
        owner_name, _, attribute = name.rpartition(".")
        owner = getattr(module, owner_name, None) if owner_name else module
        function = getattr(owner, attribute, None)
        if owner and callable(function) and __name__ not in getattr(function, NOTED_BY, ()):
            noting = _noting(function, skip=bool(owner_name))
            if owner is module:
                noting.__module__ = module.__name__  # where pickle looks for it
            setattr(owner, attribute, noting)
            package = module.__name__
            while package := package.rpartition(".")[0]:  # what it imported before is the same
                if getattr(sys.modules.get(package), attribute, None) is function:
                    setattr(sys.modules[package], attribute, noting)


def _noting(function: Callable[..., Any], *, skip: bool) -> Callable[..., Any]:
    """Return a function that notes the path that it is given first, and goes on as before."""

    @functools.wraps(function)
    def noting(*args: Any, **kwargs: Any) -> Any:
        given = args[1 if skip else 0 :]
        path = given[0] if given else next((kwargs[n] for n in PATHS if n in kwargs), None)
        mode = given[1] if len(given) > 1 else kwargs.get("mode", "r")
        _note(path, mode[:1] if isinstance(mode, str) else "r", content=not skip)
        return function(*args, **kwargs)

    setattr(noting, NOTED_BY, {__name__, *getattr(function, NOTED_BY, ())})
    return noting


def _note(path: object, mode: str, *, content: bool) -> None:
    """Note a path, or each of several; `content` says that bytes are what a file contains."""
    for each in path if isinstance(path, list | tuple) else (path,):
        if not isinstance(each, str | os.PathLike | bytes) or (content and isinstance(each, bytes)):
            continue
        try:
            text = os.fsdecode(each)
            is_path = os.path.exists(text) or not any(map(str.isspace, text))
            names = [text] if is_path else files.QUOTED.findall(text)
            for file in itertools.chain.from_iterable(map(_files, names)):
                new = mode in ("w", "x") or (mode == "a" and not os.path.exists(file))
                files.note(file, written=new)
        except (OSError, ValueError):
            continue  # whoever opens it is told


def _files(path: str) -> Iterator[str]:
    """Yield a file, or those in a folder or of a pattern, which Arrow and polars read alike."""
    if "://" in path:
        return
    pattern = glob.has_magic(path) and not os.path.exists(path)
    for found in glob.glob(path, recursive=True) if pattern else [path]:
        if os.path.isdir(found):
            for parent, _, names in os.walk(found):
                yield from (os.path.join(parent, name) for name in names)
        else:
            yield found
