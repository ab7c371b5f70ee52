"""What a new project needs beyond what cookiecutter renders.

Files that are copied unchanged say `project` where the name of the project's package belongs.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from checkpoint.files import LEFTOVERS, make_writable
from checkpoint.project.project import KEEP, Project

PACKAGE = '"""Code that the notebooks of this project share."""\n'


def lay_out(template: Path, root: Path, package: str, pipeline: str, names: list[str]) -> None:
    """Add the package, the files of the pipeline, the notebooks and their results folders.

    Parameters
    ----------
    template
        The folder of `cookiecutter.json`.
    root
        The project, as cookiecutter rendered it.
    package
        The project's package, which the notebooks import.
    pipeline
        A folder in `pipelines/`; its files are copied to the top of the project.
    names
        Names of the empty notebooks to write, in running order; none if the pipeline has its own.
    """
    source, code = template / "pipelines" / pipeline, root / "src" / package
    make_writable(root)
    copy(template / "checkpoint", code / "checkpoint", shutil.copyfile)  # no file is executable
    copy(source, root)
    write(code / "__init__.py", PACKAGE)
    ours = (" project.checkpoint", f" {package}.checkpoint")
    for path in source.rglob("*"):
        place = root / path.relative_to(source)
        if place.suffix in (".ipynb", ".py") and place.is_file():
            fill_in(place, *ours)
    fill_in(root / "Snakefile", *ours)
    fill_in(root / ".pre-commit-config.yaml", "src/project/", f"src/{package}/")
    fill_in(root / "environment.yml", 'name: "project"', f'name: "{root.name}"')
    project = Project(root)
    if names:
        write_skeletons(project, package, names)
    for step in project.steps():
        complete(step.path)
        folder = project.results_of(step.name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / KEEP).touch()


def complete(notebook: Path) -> None:
    """Add the `language_info` of the kernel to a notebook, so that opening it changes nothing."""
    from checkpoint.notebooks.notebook import dumps, read
    from checkpoint.notebooks.skeleton import LANGUAGE_INFO

    content = read(notebook)
    if content["metadata"].get("kernelspec", {}).get("name") == "python3":
        content["metadata"]["language_info"] = LANGUAGE_INFO
        write(notebook, dumps(content))


def write_skeletons(project: Project, package: str, names: list[str]) -> None:
    """Write a chain of empty notebooks, each of which loads the one before it."""
    from checkpoint.notebooks.notebook import dumps
    from checkpoint.notebooks.skeleton import skeleton

    project.notebooks.mkdir(exist_ok=True)
    steps = names  # with the user's numbers, or numbered below
    if not names[0][0].isdecimal():
        steps = [f"{number}_{name}" for number, name in enumerate(names, start=1)]
    for previous, step in zip([None, *steps], steps, strict=False):
        write(project.notebooks / f"{step}.ipynb", dumps(skeleton(package, step, previous)))


def write_license(template: Path, root: Path, name: str, owner: str) -> None:
    """Write the project's license; none for the name `none`.

    Parameters
    ----------
    template, root
        The folder of `cookiecutter.json`, and the project.
    name
        A file in `licenses/`, or `none`.
    owner
        The copyright holder.
    """
    if name != "none":
        text = (template / "licenses" / name).read_text(encoding="utf-8")
        write(root / "LICENSE", text.replace("<owner>", owner))


def copy(source: Path, target: Path, how: Callable[[str, str], object] = shutil.copy) -> None:
    """Copy a folder's content into another, writable, without leftovers and `pipeline.toml`."""

    def skipped(folder: str, names: list[str]) -> set[str]:
        ours = {"pipeline.toml"} if Path(folder) == source else set()
        return set(names) & (LEFTOVERS | ours)

    shutil.copytree(source, target, ignore=skipped, dirs_exist_ok=True, copy_function=how)
    make_writable(target)  # the template may be read-only


def fill_in(path: Path, placeholder: str, text: str) -> None:
    """Replace a placeholder in a file."""
    write(path, path.read_text(encoding="utf-8").replace(placeholder, text))


def write(path: Path, text: str) -> None:
    """Write text with the same bytes on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")
