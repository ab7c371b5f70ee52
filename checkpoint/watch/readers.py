"""Wrap functions to record paths that Python's audit events do not report.

These are functions of libraries that open files without Python, wrapped once the library is
imported, and Python functions that check whether a file exists, since code may depend on it.
"""

import functools
import glob
import importlib.machinery
import itertools
import os
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, cast

from . import files

# functions by module; methods as `Class.method`
READERS = {
    "h5py._hl.files": "File.__init__",
    "duckdb": "connect execute query sql from_query read_csv read_json read_parquet from_csv_auto "
    "from_parquet DuckDBPyConnection.execute DuckDBPyConnection.query DuckDBPyConnection.sql "
    "DuckDBPyConnection.read_csv DuckDBPyConnection.read_json DuckDBPyConnection.read_parquet",
    "pyarrow.json": "read_json",
    "pyarrow.parquet.core": "read_table read_metadata read_schema ParquetFile.__init__ "
    "ParquetDataset.__init__",
    "pyarrow.dataset": "dataset",
    "pyarrow.feather": "read_table read_feather",
    "pyarrow.csv": "read_csv open_csv",
    "pyarrow.orc": "ORCFile.__init__",
    "pyarrow": "memory_map input_stream",
    "polars": "read_parquet scan_parquet read_csv scan_csv read_ipc scan_ipc read_ipc_stream "
    "read_json read_ndjson scan_ndjson read_avro",
    "tables.file": "File.__init__",
    "xarray.backends.api": "open_dataset open_mfdataset",
    "scipy.io._fast_matrix_market": "_get_read_cursor",  # used by mmread and read_10x_mtx
}
QUESTIONS = ("exists", "isfile", "isdir", "is_file", "is_dir")
NOTED_BY = "_noted_by"  # copies of this module that wrapped a function: one or more per process
PATHS = (
    "name source path_or_paths path input_file file filename where filename_or_obj paths database "
    "query path_or_buffer file_glob"
).split()


def begin() -> None:
    """Wrap functions of Python and of imported libraries now, and of others on import."""
    for owner in (os.path, pathlib.Path):
        for name in QUESTIONS:
            _wrap(owner, name, _noting_what_is_missing)
    for name in READERS:
        if name in sys.modules:
            wrap_all(sys.modules[name])
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Wrap the functions of a library that opens files at the end of its import."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in READERS:
            return None
        # finders before this one, such as that of another project, call it
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
        wrap_all(module)

    return execute_and_wrap


def wrap_all(module: ModuleType) -> None:
    """Wrap the functions of a library that open files."""
    for name in READERS[module.__name__].split():
        owner_name, _, attribute = name.rpartition(".")
        owner = getattr(module, owner_name, None) if owner_name else module
        if owner is None:
            continue  # another version of the library
        function = getattr(owner, attribute, None)
        noting = _wrap(owner, attribute, functools.partial(_noting, skip=bool(owner_name)))
        package = module.__name__
        while noting and (package := package.rpartition(".")[0]):
            # parent packages may have imported the same function
            if getattr(sys.modules.get(package), attribute, None) is function:
                setattr(sys.modules[package], attribute, noting)


def _wrap(owner: Any, name: str, wrap: Callable[[Any], Any]) -> Callable[..., Any] | None:
    """Wrap a function of a module or class, and return it; None if missing or already wrapped."""
    function = getattr(owner, name, None)
    if not callable(function) or __name__ in getattr(function, NOTED_BY, ()):
        return None
    noting: Callable[..., Any] = functools.wraps(function)(wrap(function))
    setattr(noting, NOTED_BY, {__name__, *getattr(function, NOTED_BY, ())})
    # pickle looks up functions by module and name
    if isinstance(owner, ModuleType):
        noting.__module__, noting.__qualname__ = owner.__name__, name
    elif owner is pathlib.Path:
        noting.__module__, noting.__qualname__ = "pathlib", f"Path.{name}"
    setattr(owner, name, noting)
    return noting


def _noting_what_is_missing(function: Callable[..., bool]) -> Callable[..., bool]:
    """Return a function that records a missing path that the user's own code checks for.

    Libraries do not count: they look for their settings in many places.
    """

    def noting(*args: Any, **kwargs: Any) -> bool:
        there = function(*args, **kwargs)
        if not there and (args or kwargs) and _is_users(sys._getframe(1)):
            files.look(args[0] if args else next(iter(kwargs.values())))
        return there

    return noting


def _is_users(frame: Any) -> bool:
    name, file = frame.f_globals.get("__name__"), frame.f_code.co_filename
    return not (files.is_ours(str(name)) or files.is_installed(file) or file.startswith("<frozen"))


def _noting(function: Callable[..., Any], *, skip: bool) -> Callable[..., Any]:
    """Return a function that records its path argument and calls the original function."""

    def noting(*args: Any, **kwargs: Any) -> Any:
        given = args[1 if skip else 0 :]
        path = given[0] if given else next((kwargs[n] for n in PATHS if n in kwargs), None)
        mode = given[1] if len(given) > 1 else kwargs.get("mode", "r")
        note(path, mode[:1] if isinstance(mode, str) else "r", content=not skip)
        return function(*args, **kwargs)

    return noting


def note(path: object, mode: str, *, content: bool) -> None:
    """Record a path, or several; if `content`, bytes are the content of a file, not a path."""
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
            continue  # opening it raises the error


def _files(path: str) -> Iterator[str]:
    """Yield a file, or all files of a folder or glob pattern, which Arrow and polars accept."""
    if "://" in path:
        return
    pattern = glob.has_magic(path) and not os.path.exists(path)
    for place in glob.glob(path, recursive=True) if pattern else [path]:
        if os.path.isdir(place):
            for parent, _, names in os.walk(place):
                yield from (os.path.join(parent, name) for name in names)
        else:
            yield place
