"""Tests of the session recording, which must never disturb the code that it watches."""

import importlib.util
import os
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet
import pytest

from checkpoint.watch import files, kinds, modules, readers


class Unbound:
    """An object that raises when its type is read, like a proxy outside its context."""

    @property
    def __class__(self):
        raise RuntimeError("working outside of a context")


class Strict(pd.DataFrame):
    """A DataFrame subclass that rejects every key."""

    def __getitem__(self, key):
        raise KeyError(key)


def nested(depth):
    value = ()
    for _ in range(depth):
        value = (value,)
    return value


def test_objects_that_raise_when_looked_at_have_no_kind():
    assert kinds.kind_of(Unbound()) == ""
    assert kinds.kind_of(nested(100_000)) == ""


def test_tables_by_what_they_hold():
    assert kinds.kind_of(pd.DataFrame({"a": [1], "b": ["x"]})) == "frame"
    assert kinds.kind_of(pd.DataFrame({"a": [1], "b": [[1]]})) == ""
    assert kinds.kind_of(Strict({"a": [1]})) == "array"
    assert kinds.kind_of(pd.DataFrame(np.ones((1, 2)), columns=["a", "a"])) == ""
    large = pd.MultiIndex.from_product([range(200), range(200)])
    assert kinds.kind_of(large) == ""


def test_lazy_modules_stay_lazy(monkeypatch, tmp_path):
    source = tmp_path / "lazy_one.py"
    source.write_text("raise ImportError('an optional dependency is missing')")
    spec = importlib.util.spec_from_file_location("lazy_one", source)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "lazy_one", module)
    monkeypatch.setitem(sys.modules, "odd", 3)
    modules.note_new()
    assert str(source) in modules.imported


def test_what_is_wrapped_can_be_pickled():
    readers.begin()
    wrapped = [pyarrow.csv.read_csv, pyarrow.memory_map, pyarrow.parquet.read_table]
    for function in (*wrapped, pyarrow.dataset.dataset, os.path.exists, Path.is_file):
        assert pickle.loads(pickle.dumps(function)) is function


def test_a_folder_and_a_pattern_are_read_file_by_file(tmp_path):
    files.begin()
    readers.begin()
    folder = tmp_path / "parts"
    folder.mkdir()
    pd.DataFrame({"a": [1]}).to_parquet(folder / "1.parquet")
    files.forget()
    pd.read_parquet(folder)
    assert str(folder / "1.parquet") in files.reads
    assert str(folder) in files.listed
    files.forget()
    readers.note(str(folder / "*.parquet"), "r", content=True)
    assert str(folder / "1.parquet") in files.reads


@pytest.mark.parametrize("path", [b"PAR1\0", "a\0b", "https://example.org/x.csv", 3, None])
def test_what_is_no_path_is_passed_over(path):
    files.forget()
    readers.note(path, "r", content=True)
    assert not files.reads


def test_the_checkpoints_of_two_projects_in_one_process(monkeypatch):
    """Each import hook asks only the finders after it, so that two hooks work side by side."""
    source = importlib.util.find_spec(readers.__name__).origin
    spec = importlib.util.spec_from_file_location("checkpoint.watch.readers_2", source)
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    readers.begin()
    other.begin()
    found = importlib.util.find_spec("pyarrow")
    assert isinstance(found.loader, importlib.machinery.SourceFileLoader)
    module = types.ModuleType("pyarrow")
    module.memory_map = lambda path: path
    for each in (readers, other, readers, other):
        each.wrap_all(module)
    assert module.memory_map.__wrapped__.__wrapped__("x") == "x"
    assert not hasattr(module.memory_map.__wrapped__.__wrapped__, "__wrapped__")


def test_names_of_files_as_bytes(tmp_path, monkeypatch):
    files.begin()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.txt").write_text("1")
    files.forget()
    os.close(os.open(b"raw.txt", os.O_RDONLY))
    assert str(tmp_path / "raw.txt") in files.reads
