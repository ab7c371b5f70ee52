"""What the tests of changes look at: every file, git, the notebooks and their code."""

import subprocess

import nbformat

from checkpoint.project import Project

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
    return [one.step for one in Project(project).steps()]


def sources(project, step):
    notebook = nbformat.read(project / "notebooks" / f"{step}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def add_cell(project, step, source):
    path = project / "notebooks" / f"{step}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].source = source
    nbformat.write(notebook, path)
