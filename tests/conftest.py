"""Fixtures that generate real projects, and settings of the test run."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Hide an optional package with which jsonschema, imported by nbformat, would spend two seconds on
# building a grammar of URLs.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

from project_under_test import TWO, ProjectUnderTest, generate

from checkpoint import save
from checkpoint.storage import session

# CI tries the same examples each time, so that a failure is caused by the change. There is no
# deadline, since examples take longer on a busy machine.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

Bake = Callable[..., ProjectUnderTest]


def pytest_configure(config: pytest.Config) -> None:
    """Make this process, and those that tests start, behave as when a user starts them."""
    # a shell lets its background jobs ignore Ctrl-C, which tests send
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # without bytecode every program compiles pandas and anndata again, for seconds
    if sys.dont_write_bytecode and hasattr(config, "cache"):
        sys.pycache_prefix = str(config.cache.mkdir("bytecode"))
        sys.dont_write_bytecode = False
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run files with slow tests first, so that no worker ends long after the others."""
    for item in items:
        if item.get_closest_marker("versions"):
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def jupyter_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep Jupyter's data, such as signatures of notebooks, out of the home folder."""
    os.environ["JUPYTER_DATA_DIR"] = str(tmp_path_factory.mktemp("jupyter"))


@pytest.fixture
def bake(tmp_path: Path) -> Bake:
    """Return a function that generates a project from answers."""
    return lambda **answers: generate(tmp_path, **answers)


@pytest.fixture(scope="session")
def blank_project(tmp_path_factory: pytest.TempPathFactory) -> ProjectUnderTest:
    """Return a blank project with compiled code, which other fixtures copy."""
    project = generate(tmp_path_factory.mktemp("blank"), pipeline="blank")
    project.compile()
    return project


@pytest.fixture
def project(
    blank_project: ProjectUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ProjectUnderTest]:
    """Yield a new blank project, with its `notebooks/` as working directory."""
    path = ProjectUnderTest(tmp_path / "my_project")
    code = Path("src", "my_project", "checkpoint")
    package = str(blank_project / code.parent)
    shutil.copytree(
        blank_project, path, ignore=lambda folder, _: [code.name] if folder == package else []
    )
    # hard links, since no test writes to the package; they keep the modification times
    shutil.copytree(blank_project / code, path / code, copy_function=os.link)
    monkeypatch.chdir(path / "notebooks")
    session.forget()
    yield path
    session.forget()


@pytest.fixture
def committed(project: ProjectUnderTest) -> ProjectUnderTest:
    """Return a project with results of each step, all committed to git."""
    import pandas as pd

    project.make(**{"table.csv": pd.DataFrame({"a": [1]})})
    save(f"{TWO}/part", {"x": 1})
    project.commit()
    return project
