"""Messages that users see if the environment does not fit the project."""

import ast
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from project_under_test import TEMPLATE, generate

from checkpoint import MissingPackageError, load, save
from checkpoint.errors import missing_package

INSTALL = "pip install -c constraints.txt -e ."
STEP = "1_preprocessing"


def run_without(project, package, code):
    """Run code in an environment that lacks a package."""
    return project.python("-c", f"import sys; sys.modules[{package!r}] = None; {code}")


@pytest.mark.parametrize("file", ["__init__.py", "__main__.py"])
def test_an_old_python_can_read_the_files_that_refuse_it(file):
    path = TEMPLATE / "checkpoint" / file
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize(
    "use",
    [
        "from my_project.checkpoint import load",
        "import runpy; runpy.run_module('my_project.checkpoint', run_name='__main__')",
        "import runpy; runpy.run_path('src/my_project/checkpoint', run_name='__main__')",
    ],
    ids=["import", "python -m", "python folder"],
)
def test_an_old_python(project, use):
    old = "import sys; sys.version_info = (3, 10, 13); sys.version = '3.10.13 (main)'; "
    done = project.python("-c", old + use)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, but this is Python 3.10.13" in done.stderr
    assert sys.executable in done.stderr and INSTALL in done.stderr


@pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="takes make")
def test_make_with_an_old_python(tmp_path):
    shutil.copy(TEMPLATE / "Makefile", tmp_path)
    (tmp_path / "constraints.txt").touch()
    python = tmp_path / "python3.10"
    old = "import sys; sys.version_info = (3, 10, 13); exec(sys.argv[1])"
    python.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{old}' \"$2\"\n")
    python.chmod(0o755)
    command = ["make", "-C", str(tmp_path), "demo", f"PYTHON={python}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{python} is not Python 3.11 or newer. Name one that is: make demo" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("package", ["blake3", "filelock", "msgspec"])
def test_a_package_that_load_and_save_need_is_missing(project, package):
    done = run_without(project, package, "from my_project.checkpoint import load")
    assert f"MissingPackageError: The package {package!r} is not installed" in done.stderr
    assert sys.prefix in done.stderr and INSTALL in done.stderr


@pytest.mark.parametrize("verb", ["status", "run"])
@pytest.mark.parametrize("package", ["typer", "msgspec"])
def test_a_package_that_the_command_needs_is_missing(project, package, verb):
    code = f"sys.argv[1:] = [{verb!r}]; from my_project.checkpoint.cli import main; main()"
    done = run_without(project, package, code)
    assert done.returncode != 0
    assert f"The package {package!r} is not installed" in done.stderr
    assert INSTALL in done.stderr and "Traceback" not in done.stderr


def test_a_package_of_a_format_is_missing(project, monkeypatch):
    table = pd.DataFrame({"a": [1]})
    save(STEP, {"table": table})
    saved = load(STEP)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError) as error:
        save("2_integration", {"table": table})
    assert error.value.found == "pyarrow"
    with pytest.raises(MissingPackageError) as error:
        saved["table"]
    assert error.value.found == "pyarrow"


def test_a_module_that_another_version_of_a_package_has_is_not_a_missing_package():
    with pytest.raises(ModuleNotFoundError) as error:
        import pandas.of_another_version  # noqa: F401
    assert missing_package(error.value) is None


@pytest.mark.versions
def test_another_project_has_a_package_of_the_same_name(project, tmp_path):
    other = generate(tmp_path / "other", pipeline="blank")
    code = f"from my_project.checkpoint import load, save; save({STEP!r}, {{}}); load({STEP!r})"
    note = f"my_project was imported from {other}, but this is the project {project}."
    done = other.python("-c", code, cwd=project)
    assert done.stdout.count(note) == 2, done.stderr
    done = project.python("-c", code, cwd=project)
    assert "was imported from" not in done.stdout


@pytest.mark.slow
def test_a_kernel_without_the_project(project, tmp_path):
    """The command runs from its own folder, but the notebooks cannot import the package."""
    path = project / "src" / "my_project" / "checkpoint"
    command = [sys.executable, str(path), "run", STEP]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"in which my_project is not installed. Install it, in {project}: `" in done.stderr
    assert f"-m {INSTALL}`" in done.stderr
