"""What a session records besides cells: imported modules and files read in results."""

import importlib
import os
import sys

import pytest
from project_under_test import ONE

from checkpoint import save


def test_modules_of_the_project_count(project, monkeypatch):
    helper = project / "src" / "my_project" / "helper.py"
    helper.write_text("LIMIT = 1\n")
    monkeypatch.syspath_prepend(project / "src")
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_project"]:
        monkeypatch.delitem(sys.modules, name)
    importlib.import_module("my_project.helper")

    save(ONE, {})
    assert project.state(ONE) == ("current", [])
    helper.write_text("LIMIT = 1  # the same\n")
    assert project.state(ONE) == ("current", [])
    helper.write_text("LIMIT = 2\n")
    assert project.state(ONE) == ("edited", ["src/my_project/helper.py changed"])
    helper.unlink()
    assert project.state(ONE) == ("edited", ["src/my_project/helper.py is missing"])


@pytest.mark.parametrize("module", ["gone", "latin-1", "not text"])
def test_a_module_that_cannot_be_read(project, monkeypatch, module):
    """It must not stop finished results from being saved."""
    name = f"helper_of_a_test_{module.replace('-', '_').replace(' ', '_')}"
    path = project / "src" / f"{name}.py"
    path.write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(path.parent))
    monkeypatch.setitem(sys.modules, name, importlib.import_module(name))
    if module == "gone":
        path.unlink()
    else:
        head = b"# -*- coding: latin-1 -*-\n" if module == "latin-1" else b""
        path.write_bytes(head + b"x = '\xe9'\n")
    save(ONE, {"a": 1})
    assert project.state(ONE) == ("current", [])
    path.write_text("x = 2\n")
    edited = ("edited", [f"src/{name}.py changed"])
    assert project.state(ONE) == (("current", []) if module == "gone" else edited)


@pytest.mark.skipif(os.name == "nt", reason="symbolic links of POSIX")
@pytest.mark.parametrize("way", ["link", "relative"])
def test_modules_that_were_found_by_another_path(project, tmp_path, monkeypatch, way):
    (tmp_path / "link").symlink_to(project, target_is_directory=True)
    path = project / "src" / f"helper_by_{way}.py"
    path.write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "link" / "src") if way == "link" else "../src")
    monkeypatch.setitem(sys.modules, path.stem, importlib.import_module(path.stem))
    save(ONE, {})
    path.write_text("x = 2\n")
    for _ in range(2):
        assert project.state(ONE) == ("edited", [f"src/helper_by_{way}.py changed"])
        save(ONE, {})  # as another Run All in this kernel
    (note,) = project.record()["checkpoint"]["notes"]
    assert note.startswith(f"src/helper_by_{way}.py changed after this notebook ran it. Restart")


LOOSE = """
from my_project.checkpoint import save
text = open("../results/loose.txt").read()
save("1_preprocessing", {"text": text})
"""


def test_a_file_in_results_that_no_checkpoint_has_is_an_input(project):
    """A notebook that does not use checkpoints may have written it."""
    loose = project / "results" / "loose.txt"
    loose.write_text("a")
    os.utime(loose, (1.6e9, 1.6e9))
    done = project.python("-c", LOOSE, cwd=project / "notebooks")
    assert done.returncode == 0, done.stderr
    assert list(project.record()["checkpoint"]["inputs"]) == ["./results/loose.txt"]
    assert project.state(ONE)[0] == "current"
    loose.write_text("b")
    assert project.state(ONE) == ("stale", ["./results/loose.txt changed"])
