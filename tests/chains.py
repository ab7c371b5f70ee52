"""What the tests of changes look at: every file, git, the notebooks and their code."""

import subprocess

import nbformat

from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project

ONE, TWO, THREE = "1_preprocessing", "2_integration", "3_visualization"


def tree(root):
    """Return every file of a folder, with its content; locks, bytecode, git's own files aside."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and path.name != ".lock"
        and not {".git", "__pycache__"}.intersection(path.parts)
    }


def git(root, *arguments):
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def steps(project):
    return [one.name for one in Project(project).steps()]


def sources(project, step):
    notebook = nbformat.read(project / "notebooks" / f"{step}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def add_cell(project, step, source):
    set_source(project / "notebooks" / f"{step}.ipynb", source)


def states(project):
    """Return the state of each step, and its reasons."""
    return {
        state.step: (state.state, state.reasons) for state in Lineage(Project(project)).states()
    }


def steps_done(done):
    """Return the steps that ran, in the order in which they finished."""
    assert done.returncode == 0, done.stderr
    return [line.partition(":")[0] for line in done.stdout.splitlines() if ": done in " in line]


def write_cells(baked, **sources):
    """Put code into the analysis cells and the save cells of notebooks."""
    for step, source in sources.items():
        (path,) = baked.path.glob(f"notebooks/?_{step}.ipynb")
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[3].source = source
        notebook.cells[3].metadata["tags"] = ["parameters"]
        saved = f'save("{path.stem}", {{"x": SIZE}})'
        notebook.cells[-1].source = saved
        nbformat.write(notebook, path)


def set_source(path, source):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].source = source
    nbformat.write(notebook, path)
