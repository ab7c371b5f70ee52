"""The last step of a generation, after cookiecutter has rendered its files."""

import io
import os
import sys
from pathlib import Path

from checkpoint.check.layout import check_new
from checkpoint.project.project import Project

from . import layout


def finish(template: str, answers: dict) -> int:
    """Complete the project in the working directory, check it, and print what to type next.

    Parameters
    ----------
    template
        The folder of `cookiecutter.json`.
    answers
        The answers by question; `notebooks` is a list of names, empty if the pipeline has its own.

    Returns
    -------
    int
        The hook's exit status. If it is not 0, cookiecutter removes the project.
    """
    root = Path.cwd()
    layout.lay_out(
        Path(template), root, answers["package_name"], answers["pipeline"], answers["notebooks"]
    )
    owner = answers["author_name"].strip() or f"the authors of {answers['project_name']}"
    layout.write_license(Path(template), root, answers["license"], owner)
    problems = check_new(root)
    for stream in (sys.stdout, sys.stderr):  # a terminal may lack characters of a path
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        for problem in problems:
            print(problem, file=sys.stderr)
        if not problems:
            print(next_steps(root, answers), flush=True)
    except OSError:  # stdout is closed, which is not a reason to remove the project
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if problems else 0


def next_steps(root: Path, answers: dict) -> str:
    """Return what to type in the new project."""
    slug, first = answers["project_slug"], Project(root).steps()[0].path.name
    place = slug if answers.get("_output_dir") == os.environ.get("PWD") else str(root)
    return (
        f"{slug} is ready. Next:\n"
        f"  cd {quoted(place)}\n"
        "  pip install -c constraints.txt -e .\n"
        f"  jupyter lab {quoted(f'notebooks/{first}')}"
    )


def quoted(path: str) -> str:
    """Return a path as one word of this system's shell."""
    if all(char.isalnum() or char in f"/:._-{os.sep}" for char in path):
        return path
    return f'"{path}"' if os.name == "nt" else "'" + path.replace("'", "'\\''") + "'"
