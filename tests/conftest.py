"""Real generated projects for the tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).resolve().parents[1]
SOURCE = TEMPLATE / "{{cookiecutter.project_slug}}" / "src" / "{{cookiecutter.package_name}}"
REAL_DATA = TEMPLATE.parent / "shared" / "data" / "citeseq"

# cookiecutter would copy bytecode beside the sources into every project
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
os.environ["MPLBACKEND"] = "agg"
sys.path.insert(0, str(SOURCE))


class Baked(NamedTuple):
    """A generated project."""

    path: Path
    package: str = "my_project"

    def environment(self) -> dict[str, str]:
        """Return variables under which kernels and commands see the project's package."""
        return {**os.environ, "PYTHONPATH": str(self.path / "src")}

    def python(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python as the project's environment would."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd or self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `checkpoint` command of the project."""
        return self.python("-m", f"{self.package}.checkpoint", *arguments)


Bake = Callable[..., Baked]


@pytest.fixture
def bake(tmp_path: Path) -> Bake:
    """Return a function that generates a project from answers."""

    def generate(**answers: str) -> Baked:
        literal = {key: as_typed(answer) for key, answer in answers.items()}
        path = cookiecutter(
            str(TEMPLATE), no_input=True, extra_context=literal, output_dir=str(tmp_path)
        )
        package = next(Path(path).glob("src/*/checkpoint")).parent.name
        return Baked(Path(path), package)

    return generate


def as_typed(answer: str) -> str:
    """Return what makes cookiecutter take an answer as it does at the prompt, unrendered."""
    return "{% raw %}" + answer + "{% endraw %}" if "{" in answer else answer


@pytest.fixture(scope="session")
def blank_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate one blank project, to be copied."""
    folder = tmp_path_factory.mktemp("blank")
    answers = {"pipeline": "blank"}
    return Path(
        cookiecutter(str(TEMPLATE), no_input=True, extra_context=answers, output_dir=str(folder))
    )


@pytest.fixture
def project(
    blank_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return a blank project of the test's own, with its notebooks' folder as working directory."""
    from checkpoint import session

    path = tmp_path / "my_project"
    shutil.copytree(blank_project, path)
    monkeypatch.chdir(path / "notebooks")
    monkeypatch.setattr(session, "_inputs", {})
    return path
