"""A generated project, as the tests use it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).resolve().parents[1]
REAL_DATA = TEMPLATE.parent / "shared" / "data" / "citeseq"

# The tests' own, whatever defaults a lab chooses. Folder and package follow from the name.
ANSWERS = {
    "project_name": "My project",
    "description": "An analysis in several notebooks.",
    "author_name": "",
    "license": "MIT",
    "pipeline": "single-cell",
    "notebooks": "preprocessing, integration, visualization",
}
os.environ["MPLBACKEND"] = "agg"


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

    def install(self, env: Path) -> Path:
        """Install the project with pip into an environment that sees this one's libraries.

        Returns the folder of its commands.
        """
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
        python = next(path for path in env.glob("*/python*") if path.stem == "python")
        libraries = [path for path in sys.path if path.endswith("site-packages")]
        site = next(env.glob("lib/python*/site-packages"), env / "Lib" / "site-packages")
        (site / "libraries.pth").write_text("\n".join(libraries))
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
                *("--no-deps", "--no-build-isolation", "--editable", str(self.path)),
            ],
            check=True,
        )
        return python.parent


def generate(
    folder: Path,
    template: Path = TEMPLATE,
    *,
    overwrite: bool = False,
    config: Path | None = None,
    **answers: str | None,
) -> Path:
    """Generate a project in a folder, and return its path.

    An answer that is None is left to the template, or to the configuration file.
    """
    given = {key: value for key, value in {**ANSWERS, **answers}.items() if value is not None}
    path = cookiecutter(
        str(template),
        no_input=True,
        extra_context={key: as_typed(value) for key, value in given.items()},
        output_dir=str(folder),
        overwrite_if_exists=overwrite,
        config_file=config and str(config),
        default_config=config is None,
    )
    return Path(path)


def arguments(**answers: str) -> list[str]:
    """Return answers as cookiecutter's command line takes them."""
    return [f"{key}={as_typed(value)}" for key, value in {**ANSWERS, **answers}.items()]


def as_typed(answer: str) -> str:
    """Return what makes cookiecutter take an answer as it does at the prompt, unrendered."""
    return "{% raw %}" + answer + "{% endraw %}" if "{" in answer else answer


def record(project: Path, step: str = "1_preprocessing") -> dict:
    """Return a step's `params.json`."""
    return json.loads((project / "results" / step / "params.json").read_text(encoding="utf-8"))


def files(project: Path, step: str = "1_preprocessing") -> dict[str, bytes]:
    """Return the files of a step's results, with their content; the list of versions aside."""
    folder = project / "results" / step
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", ".gitkeep", "environment.txt")
    }
