"""Lay out a new project: its license, the files of its pipeline, a results folder per notebook.

A pipeline is a folder below `pipelines/` whose content belongs at the top of the project:
notebooks, example data, scripts. Those of `blank` are made from the notebooks' names.

Files that are copied as they are say `project` where the project's own names belong.
"""

from pathlib import Path

from .folders import remove
from .project import Project

PIPELINES, LICENSES = "pipelines", "licenses"
KEEP = ".gitkeep"


def lay_out(root: Path, package: str, pipeline: str, names: list[str]) -> None:
    """Make the notebooks and results folders of a new project.

    Parameters
    ----------
    root
        The project, freshly rendered.
    package
        The project's package, which the notebooks import.
    pipeline
        A folder below `pipelines/`.
    names
        The names of the notebooks in running order, where the pipeline brings none.
    """
    project = Project(root)
    source = root / PIPELINES / pipeline
    brings_notebooks = (source / "notebooks").is_dir()
    _move_over(source, root)
    remove(root / PIPELINES)
    if not brings_notebooks:
        from .skeleton import write_skeletons  # other pipelines need none

        write_skeletons(project, package, names)
    for step in project.steps():
        if brings_notebooks:
            _fill_in(step.path, "from project.checkpoint", f"from {package}.checkpoint")
        folder = project.results_of(step.step)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / KEEP).touch()
    _fill_in(root / "Snakefile", " project.checkpoint", f" {package}.checkpoint")
    _fill_in(root / ".pre-commit-config.yaml", "src/project/", f"src/{package}/")
    _fill_in(root / "environment.yml", 'name: "project"', f'name: "{root.name}"')


def license_as(root: Path, name: str, owner: str) -> None:
    """Put the license of this name in place, with its owner; for `none` there is no file.

    Parameters
    ----------
    root
        The project, freshly rendered.
    name
        A file below `licenses/`, or `none`.
    owner
        Who holds the copyright.
    """
    if name != "none":
        text = (root / LICENSES / name).read_text(encoding="utf-8")
        text = text.replace("OWNER", owner)
        (root / "LICENSE").write_text(text, encoding="utf-8", newline="\n")
    remove(root / LICENSES)


def _move_over(source: Path, target: Path) -> None:
    """Move the content of one folder into another, folder by folder."""
    for path in sorted(source.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _move_over(path, place)
        else:
            path.replace(place)


def _fill_in(path: Path, placeholder: str, text: str) -> None:
    """Put a text where a file that was copied as it is has its placeholder."""
    content = path.read_text(encoding="utf-8").replace(placeholder, text)
    path.write_text(content, encoding="utf-8", newline="\n")
