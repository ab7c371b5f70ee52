"""Lay out a new project: its package, the files of its pipeline, its license, its results folders.

A pipeline is a folder below `pipelines/` of the template whose content belongs at the top of the
project: notebooks, example data, scripts. The notebooks of `blank` are made from their names.

Files that are copied as they are say `project` where the project's own names belong.
"""

from pathlib import Path

from checkpoint.files import copy, make_writable
from checkpoint.project.project import KEEP, Project

PACKAGE = '"""The code that this project\'s notebooks share."""\n'


def lay_out(template: Path, root: Path, package: str, pipeline: str, names: list[str]) -> None:
    """Add to a new project what cookiecutter does not copy, and fill in its names.

    Parameters
    ----------
    template
        The template, which has this package, `pipelines/` and `licenses/`.
    root
        The project, freshly rendered.
    package
        The project's package, which the notebooks import.
    pipeline
        A folder below `pipelines/`.
    names
        The names of the notebooks in running order, where the pipeline brings none.
    """
    make_writable(root)
    copy(template / "checkpoint", root / "src" / package / "checkpoint")
    _write(root / "src" / package / "__init__.py", PACKAGE)
    source = template / "pipelines" / pipeline
    copy(source, root)
    ours = (" project.checkpoint", f" {package}.checkpoint")
    for path in source.rglob("*"):
        place = root / path.relative_to(source)
        if place.suffix in (".ipynb", ".py") and place.is_file():
            _fill_in(place, *ours)
    project = Project(root)
    if not (source / "notebooks").is_dir():
        from checkpoint.notebooks.skeleton import (
            write_skeletons,  # other pipelines bring their notebooks
        )

        write_skeletons(project, package, names)
    for step in project.steps():
        folder = project.results_of(step.name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / KEEP).touch()
    _fill_in(root / "Snakefile", *ours)
    _fill_in(root / ".pre-commit-config.yaml", "src/project/", f"src/{package}/")
    _fill_in(root / "environment.yml", 'name: "project"', f'name: "{root.name}"')


def license_as(template: Path, root: Path, name: str, owner: str) -> None:
    """Put the license of this name in place, with its owner; for `none` there is no file.

    Parameters
    ----------
    template
        The template.
    root
        The project.
    name
        A file below `licenses/`, or `none`.
    owner
        Who holds the copyright.
    """
    if name != "none":
        text = (template / "licenses" / name).read_text(encoding="utf-8")
        _write(root / "LICENSE", text.replace("<owner>", owner))


def _fill_in(path: Path, placeholder: str, text: str) -> None:
    """Put a text where a file that was copied as it is has its placeholder."""
    _write(path, path.read_text(encoding="utf-8").replace(placeholder, text))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
