"""Libraries that open files without Python, and so without its audit events.

Their functions that take a path are wrapped when the library is imported, to note the path.
"""

import functools
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, cast

from . import files

# functions by module; in a class, its method
READERS = {
    "h5py._hl.files": ("File.__init__",),
    "pyarrow.parquet.core": ("read_table", "ParquetFile.__init__", "ParquetDataset.__init__"),
    "pyarrow.dataset": ("dataset",),
    "pyarrow.feather": ("read_table", "read_feather"),
    "pyarrow.csv": ("read_csv", "open_csv"),
    "pyarrow.orc": ("ORCFile.__init__",),
    "pyarrow": ("memory_map",),
    "polars": ("read_parquet", "scan_parquet", "read_csv", "scan_csv", "read_ipc", "scan_ipc"),
    "tables.file": ("open_file",),
}
PATHS = ("name", "source", "path_or_paths", "path", "input_file", "file", "filename")


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
        for finder in sys.meta_path:
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
        if owner and callable(function) and not hasattr(function, "_notes_paths"):
            setattr(owner, attribute, _noting(function, skip=bool(owner_name)))


def _noting(function: Callable[..., Any], *, skip: bool) -> Callable[..., Any]:
    """Return a function that notes the path that it is given first, and goes on as before."""

    @functools.wraps(function)
    def noting(*args: Any, **kwargs: Any) -> Any:
        given = args[1 if skip else 0 :]
        path = given[0] if given else next((kwargs[n] for n in PATHS if n in kwargs), None)
        mode = given[1] if len(given) > 1 else kwargs.get("mode", "r")
        anew = isinstance(mode, str) and mode[:1] in ("w", "x")
        for each in path if isinstance(path, list | tuple) else (path,):
            files.note(each, written=anew)
        return function(*args, **kwargs)

    noting._notes_paths = True  # type: ignore[attr-defined]
    return noting
