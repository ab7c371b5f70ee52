"""Nox sessions that test supported versions: `make test-versions`, or `nox -s newest-3.13`.

A session takes its Python from PATH or pyenv, and is skipped if that version is not installed.
"""

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False  # also in CI: use the installed Pythons
nox.options.reuse_venv = "never"  # so that "newest" means today's newest versions

LOWEST = "3.11"
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PIPELINES = sorted(path.parent.name for path in Path().glob("pipelines/*/pipeline.toml"))
EVERYWHERE = [name for name in PIPELINES if name in ("blank", "single-cell")]
OLDER_CHECKPOINT = str(Path("tests/versions/older_checkpoint.py").resolve())

# pyenv's shims are on PATH, but fail for versions that `pyenv global` does not name
pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
os.environ["PATH"] = os.pathsep.join(
    [os.environ["PATH"], *map(str, sorted(pyenv.glob("versions/*/bin")))]
)


@nox.session(python=PYTHONS, download_python="never")
def newest(session: nox.Session) -> None:
    """Run the version tests and the default projects with the newest version of every package."""
    check(session, "highest")


@nox.session(python=LOWEST, download_python="never")
def lowest(session: nox.Session) -> None:
    """Run the version tests and the default projects with the lowest declared versions."""
    check(session, "lowest-direct")


@nox.session(python=LOWEST, download_python="never")
def pinned(session: nox.Session) -> None:
    """Run a default project with the versions in its constraints.txt."""
    session.install("--constraint", "constraints.txt", "cookiecutter")
    run_project(session, "single-cell", "--constraint", "constraints.txt")


@nox.session(python=LOWEST, download_python="never")
def save_with_lowest(session: nox.Session) -> None:
    """Save a checkpoint with the lowest versions, for the `load_with_newest` sessions."""
    session.install("--resolution", "lowest-direct", "--group", "project")
    session.run("python", OLDER_CHECKPOINT, "save", older_checkpoint(session))


@nox.session(python=PYTHONS, download_python="never", requires=["save_with_lowest"])
def load_with_newest(session: nox.Session) -> None:
    """Load the checkpoint of `save_with_lowest` with the newest versions, and compare."""
    session.install("--group", "project")
    session.run("python", OLDER_CHECKPOINT, "compare", older_checkpoint(session))


def check(session: nox.Session, resolution: str) -> None:
    """Run the quick tests and those marked `versions`, then generate and run the projects.

    Pipelines other than `blank` and `single-cell` run with the lowest versions, and with the newest
    on Python 3.13 only.
    """
    session.install("--resolution", resolution, "--group", "test")
    tests = ["-m", "not slow or versions", "-n", "2", "--dist", "loadfile"]
    # a separate cache for each session, in which each module is compiled once
    cache = f"cache_dir={Path(session.create_tmp(), 'pytest').resolve()}"
    session.run("python", "-m", "pytest", "-o", cache, *tests, *session.posargs)
    all_of_them = resolution != "highest" or session.python == "3.13"
    for pipeline in PIPELINES if all_of_them else EVERYWHERE:
        run_project(session, pipeline, "--resolution", resolution)


def run_project(session: nox.Session, pipeline: str, *options: str) -> None:
    """Generate a project, install it into a new environment, and run it."""
    folder = Path(session.create_tmp(), pipeline).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    answers = ["--no-input", "--output-dir", str(folder), f"pipeline={pipeline}"]
    session.run("cookiecutter", ".", *answers)
    env = folder / ".venv"
    uv = ["uv", "--quiet"]
    session.run(*uv, "venv", "--clear", "--python", session.virtualenv.location, str(env))
    with session.chdir(folder / "my_project"):
        session.run(*uv, "pip", "install", "--python", str(env), *options, "--editable", ".")
        command = next(env.glob("*/checkpoint*"))
        for verb in ("run", "status", "check"):
            session.run(str(command), verb, external=True)


def older_checkpoint(session: nox.Session) -> str:
    """Return the folder in which `save_with_lowest` leaves its checkpoint."""
    return str(Path(session.cache_dir, "older_checkpoint"))
