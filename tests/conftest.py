"""Real generated projects for the tests."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from baked import Baked, generate
from chains import ONE, THREE, TWO, git
from hypothesis import settings

# CI tries the same examples each time, so that what it says is of the change
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

Bake = Callable[..., Baked]


@pytest.fixture
def bake(tmp_path: Path) -> Bake:
    """Return a function that generates a project from answers."""

    def make(**answers: str) -> Baked:
        path = generate(tmp_path, **answers)
        package = next(path.glob("src/*/checkpoint")).parent.name
        return Baked(path, package)

    return make


@pytest.fixture(scope="session")
def blank_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate one blank project, to be copied."""
    return generate(tmp_path_factory.mktemp("blank"), pipeline="blank")


@pytest.fixture
def project(blank_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a blank project of the test's own, with its notebooks' folder as working directory."""
    from checkpoint.storage import session

    path = tmp_path / "my_project"
    shutil.copytree(blank_project, path)
    monkeypatch.chdir(path / "notebooks")
    session.forget()
    return path


@pytest.fixture
def committed(project: Path) -> Path:
    """Return a project with results of each step and a commit of it all."""
    from checkpoint import load, save
    from checkpoint.storage import session

    for step, before in ((ONE, None), (TWO, ONE), (THREE, TWO)):
        session.forget()
        if before:
            load(before)
        save(step, {"value": step, "table.csv": pd.DataFrame({"a": [1]})})
    save(f"{TWO}/part", {"x": 1})
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    return project
