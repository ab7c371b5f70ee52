"""The installed package: `notebook-checkpoints new` generates the same project as cookiecutter."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from hand_written import write_notebook
from project_under_test import TEMPLATE, arguments, generate, tree

from checkpoint import __version__


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command and return its result, even if it fails."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8")


def in_clone(*options: str) -> subprocess.CompletedProcess[str]:
    """Run `notebook_checkpoints` from the clone, without installing it."""
    return run(sys.executable, "-m", "notebook_checkpoints", *options, cwd=TEMPLATE)


def options_for(folder: Path) -> list[str]:
    """Return options of `new` for the tests' project, some before and some after the answers."""
    return ["--no-input", "-o", str(folder), *arguments(), "--default-config"]


@pytest.mark.slow
def test_new_in_a_clone_is_what_cookiecutter_makes(tmp_path):
    done = in_clone("new", *options_for(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "new" / "my_project") == tree(generate(tmp_path / "bare"))


def test_the_version():
    assert in_clone("--version").stdout == f"{__version__}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("pipeline=single_cell", "single_cell provided for choice variable pipeline"),
        ("package_name=json", "package_name 'json': would shadow"),
        ("blank", "blank"),
        ("--no-such-option", "--no-such-option"),
    ],
)
def test_invalid_answers_and_options(tmp_path, argument, reason):
    done = in_clone("new", *options_for(tmp_path), argument)
    assert done.returncode
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package, install its wheel into an empty environment, and return its Python."""
    folder = tmp_path_factory.mktemp("package")
    uv = (sys.executable, "-m", "uv")
    built = run(*uv, "build", "--quiet", "--out-dir", str(folder), str(TEMPLATE), cwd=folder)
    assert built.returncode == 0, built.stderr
    venv.create(folder / "env", with_pip=False)
    python = next(path for path in (folder / "env").glob("*/python*") if path.stem == "python")
    (wheel,) = folder.glob("*.whl")
    constraints = ("--constraint", str(TEMPLATE / "constraints.txt"))
    install = (*uv, "pip", "install", "--quiet", "--python", str(python), *constraints, str(wheel))
    done = run(*install, cwd=folder)
    assert done.returncode == 0, done.stderr
    return python


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["single-cell", "blank"])
def test_new_from_the_package_is_what_cookiecutter_makes(installed, tmp_path, pipeline):
    command = next(installed.parent.glob("notebook-checkpoints*"))
    options = (*options_for(tmp_path / "new"), f"pipeline={pipeline}")
    done = run(str(command), "new", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "my_project is ready." in done.stdout
    assert tree(tmp_path / "new" / "my_project") == tree(
        generate(tmp_path / "bare", pipeline=pipeline)
    )


@pytest.mark.slow
def test_adopt_from_the_package(installed, tmp_path):
    """`adopt` needs only packages that are installed with it."""
    command = str(next(installed.parent.glob("notebook-checkpoints*")))
    root = tmp_path / "lab"
    write_notebook(root / "notebooks" / "1_a.ipynb", ['np.save("../r/x.npy", x)'])
    (root / "r").mkdir()
    (root / "r" / "x.npy").write_bytes(b"made before")
    assert "writes r/x.npy" in run(command, "adopt", str(root), cwd=tmp_path).stdout
    options = ("--write", "all", "--yes", "--no-git")
    done = run(command, "adopt", str(root), *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "results/1_a: 1 file taken over and accepted." in done.stdout
    assert (root / "results" / "1_a" / "x.npy").read_bytes() == b"made before"


@pytest.mark.slow
def test_the_package_has_one_version_and_no_module_of_its_template(installed, tmp_path):
    command = next(installed.parent.glob("notebook-checkpoints*"))
    assert run(str(command), "--version", cwd=tmp_path).stdout == f"{__version__}\n"
    (wheel,) = installed.parents[2].glob("*.whl")
    assert wheel.name.split("-")[1] == __version__
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "notebook_checkpoints",
        "cookiecutter_notebook_checkpoints",
    }
    assert not [name for name in names if "__pycache__" in name]
