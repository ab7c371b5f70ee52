"""A generated project, with methods to change and inspect it in tests."""

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import nbformat
from cookiecutter.main import cookiecutter

from checkpoint import data_file, load, save
from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project
from checkpoint.storage import session

TEMPLATE = Path(__file__).resolve().parents[1]
REAL_DATA = TEMPLATE.parent / "shared" / "data" / "citeseq"

# The answers of the tests, whatever defaults a lab chooses. Cookiecutter derives the names of the
# folder and the package from that of the project.
DERIVED = {
    "project_slug": "{{ cookiecutter.project_name | slugify(separator='_') }}",
    "package_name": "{{ cookiecutter.project_slug | package_name }}",
}
ANSWERS = {
    "project_name": "My project",
    **DERIVED,
    "description": "An analysis in several notebooks.",
    "author_name": "",
    "license": "MIT",
    "pipeline": "single-cell",
    "notebooks": "preprocessing, integration, visualization",
}
ONE, TWO, THREE = "1_preprocessing", "2_integration", "3_visualization"
os.environ["MPLBACKEND"] = "agg"


class ProjectUnderTest(type(Path())):
    """A project as the path of its folder; paths joined to it with `/` are plain paths."""

    def with_segments(self, *segments: str | os.PathLike[str]) -> Path:
        """Return paths in the project as plain paths (called by Python 3.12 and later)."""
        return Path(*segments)

    @property
    def package(self) -> str:
        """The name of the package that the notebooks import."""
        return next(self.glob("src/*/checkpoint")).parent.name

    # --- programs ---

    def compile(self) -> None:
        """Write bytecode next to the code, which saves the first program a second."""
        for code in self.glob("src/*/checkpoint"):
            if not (code / "__pycache__").exists():
                for name, content in _bytecode().items():
                    path = code / name
                    if path.parent.parent.is_dir():
                        path.parent.mkdir(exist_ok=True)
                        path.write_bytes(content)

    def environment(self) -> dict[str, str]:
        """Return environment variables by which programs find the project's package."""
        self.compile()
        return {**os.environ, "PYTHONPATH": str(self / "src")}

    def python(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python as in the project's environment."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd or self,
            env=self.environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `checkpoint` command of the project."""
        return self.python("-m", f"{self.package}.checkpoint", *arguments)

    def start(self, *arguments: str, **streams: int) -> subprocess.Popen[str]:
        """Start the `checkpoint` command without waiting for it."""
        command = [sys.executable, "-m", f"{self.package}.checkpoint", *arguments]
        return subprocess.Popen(command, cwd=self, env=self.environment(), text=True, **streams)

    def install(self, env: Path) -> Path:
        """Install the project with pip into an environment that sees this one's libraries.

        Returns the folder of the environment's commands.
        """
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
        python = next(path for path in env.glob("*/python*") if path.stem == "python")
        libraries = [path for path in sys.path if path.endswith("site-packages")]
        site = next(env.glob("lib/python*/site-packages"), env / "Lib" / "site-packages")
        (site / "libraries.pth").write_text("\n".join(libraries))
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
                *("--no-deps", "--no-build-isolation", "--editable", str(self)),
            ],
            check=True,
        )
        return python.parent

    def git(self, *arguments: str) -> str:
        """Run git with a user name and address, and return its output."""
        return git(self, *arguments)

    def commit(self, message: str = "everything") -> None:
        """Commit all files, in a new repository if the project's folder is not one."""
        if not (self / ".git").exists():
            self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-qm", message)

    # --- notebooks, by the name of their step ---

    def notebook(self, step: str) -> Path:
        """Return the path of a step's notebook."""
        return self / "notebooks" / f"{step}.ipynb"

    def steps(self) -> list[str]:
        """Return the steps in running order."""
        return [step.name for step in Project(self).steps()]

    def code(self, step: str) -> str:
        """Return the code of a notebook, after validating it."""
        notebook = nbformat.read(self.notebook(step), as_version=4)
        nbformat.validate(notebook)
        return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")

    @contextmanager
    def edited(self, step: str) -> Iterator[nbformat.NotebookNode]:
        """Yield a notebook to change, and write it back."""
        notebook = nbformat.read(self.notebook(step), as_version=4)
        yield notebook
        nbformat.write(notebook, self.notebook(step))

    def change_cell(self, step: str, source: str, cell: str = "analysis-code") -> None:
        """Replace the source of a cell, identified by its id or its first line."""
        with self.edited(step) as notebook:
            notebook.cells[_index(notebook, cell)].source = source

    def outputs_on_stderr(self, step: str) -> list[str]:
        """Return outputs on stderr, such as warnings, of a notebook that ran from top to bottom."""
        cells = nbformat.read(self.notebook(step), as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
        outputs = [output for cell in code for output in cell.outputs]
        return [output.text for output in outputs if output.get("name") == "stderr"]

    def add_cell(self, step: str, source: str, after: str = "save") -> None:
        """Add a code cell after another one, identified by its id or its first line."""
        with self.edited(step) as notebook:
            index = _index(notebook, after) + 1
            notebook.cells.insert(index, nbformat.v4.new_code_cell(source))

    def delete_cell(self, step: str, cell: str) -> None:
        """Delete a cell, identified by its id or its first line."""
        with self.edited(step) as notebook:
            del notebook.cells[_index(notebook, cell)]

    def write_cells(self, **sources: str) -> None:
        """Set the parameters cells of notebooks, by the step's name without its number.

        Each notebook saves its variable SIZE as `x`.
        """
        for name, source in sources.items():
            (path,) = self.glob(f"notebooks/?_{name}.ipynb")
            with self.edited(path.stem) as notebook:
                notebook.cells[3].source = source
                notebook.cells[3].metadata["tags"] = ["parameters"]
                notebook.cells[-1].source = f'save("{path.stem}", {{"x": SIZE}})'

    # --- results ---

    def make(
        self, value: object = 1, steps: Sequence[str] = (ONE, TWO, THREE), **objects: object
    ) -> None:
        """Load and save as the notebooks would, each with a new session, but in this process."""
        for step in steps:
            session.forget()
            if step == ONE and (self / "data" / "raw.txt").exists():
                data_file("raw.txt")
            elif step != ONE:
                load({TWO: ONE, THREE: TWO}[step])
            save(step, {"value": (step, value), **objects}, params={"group": {"value": value}})

    def states(self) -> dict[str, str]:
        """Return the state of each step."""
        return {step: state for step, (state, _) in self.explained_states().items()}

    def state(self, step: str) -> tuple[str, list[str]]:
        """Return the state of a step, and its reasons."""
        return self.explained_states()[step]

    def explained_states(self) -> dict[str, tuple[str, list[str]]]:
        """Return the state of each step, and its reasons."""
        states = Lineage(Project(self)).states()
        return {state.step: (state.state, state.reasons) for state in states}

    def record(self, step: str = ONE) -> dict:
        """Return a step's `params.json`."""
        return json.loads((self / "results" / step / "params.json").read_text(encoding="utf-8"))

    def edit_record(self, step: str, change: Callable[[dict], object]) -> None:
        """Change a step's `params.json`."""
        content = self.record(step)
        change(content)
        path = self / "results" / step / "params.json"
        path.write_text(json.dumps(content), encoding="utf-8")

    def files(self, step: str = ONE) -> dict[str, bytes]:
        """Return the content of a step's result files, by path, without `environment.txt`."""
        folder = self / "results" / step
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name not in (".lock", ".gitkeep", "environment.txt")
        }

    # --- the rest ---

    def add_settings(self, text: str) -> None:
        """Add lines to `[tool.checkpoint]`."""
        path = self / "pyproject.toml"
        before = path.read_text(encoding="utf-8")
        after = before.replace("[tool.checkpoint]\n", f"[tool.checkpoint]\n{text}\n")
        path.write_text(after, encoding="utf-8")


@cache
def _bytecode() -> dict[Path, bytes]:
    """Return the compiled template code; validated by source hash, it fits each copy."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder, "checkpoint")
        shutil.copytree(TEMPLATE / "checkpoint", code, ignore=lambda *_: ["__pycache__"])
        by_hash = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(code, quiet=2, invalidation_mode=by_hash)
        return {path.relative_to(code): path.read_bytes() for path in code.rglob("*.pyc")}


def _index(notebook: nbformat.NotebookNode, cell: str) -> int:
    """Return the index of a cell, identified by its id or its first line."""
    names = [(each.id, each.source.partition("\n")[0]) for each in notebook.cells]
    (index,) = (index for index, known in enumerate(names) if cell in known)
    return index


def generate(
    folder: Path,
    template: Path = TEMPLATE,
    *,
    overwrite: bool = False,
    config: Path | None = None,
    **answers: str | None,
) -> ProjectUnderTest:
    """Generate a project in a folder.

    For an answer of None, the template or the configuration file decides.
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
    return ProjectUnderTest(path)


def arguments(**answers: str) -> list[str]:
    """Return answers as arguments for cookiecutter's command line."""
    return [f"{key}={as_typed(value)}" for key, value in {**ANSWERS, **answers}.items()]


def as_typed(answer: str) -> str:
    """Return an answer escaped so that cookiecutter does not render it, as at the prompt."""
    if answer in DERIVED.values():
        return answer
    return "{% raw %}" + answer + "{% endraw %}" if "{" in answer else answer


def tree(folder: Path) -> dict[str, bytes]:
    """Return the content of each file, by path, without locks, bytecode and git's own files."""
    found = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", "__pycache__")]
        for path in (Path(parent, name) for name in files if name != ".lock"):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, with a user name and address, and return its output."""
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def steps_ran(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the steps that `run` ran, in the order in which they finished."""
    return [line.partition(":")[0] for line in done.stdout.splitlines() if ": done in " in line]


def steps_done(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the steps that ran, in a run that succeeded."""
    assert done.returncode == 0, done.stderr
    return steps_ran(done)
