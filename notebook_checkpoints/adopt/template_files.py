"""The template's files for an existing project, whose own files stay unchanged."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit
from packaging.utils import canonicalize_name
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from checkpoint.errors import ProjectError
from checkpoint.files import LEFTOVERS, below
from checkpoint.project.project import KEEP, is_project

from ..template import template_folder
from ..update import STATE, with_record
from .changes import Change

PYPROJECT, GITIGNORE = "pyproject.toml", ".gitignore"
PLACEHOLDER = "notebook_of_nobody"  # the notebook of the generated project, which is not copied


class Added(NamedTuple):
    """The template's files for a project.

    Attributes
    ----------
    changes
        The files to write.
    left
        What is left to do by hand, one sentence each.
    package
        The package that the notebooks import.
    """

    changes: list[Change]
    left: list[str]
    package: str


def template_files(root: Path, package: str | None) -> Added:
    """Return the template's files that a project lacks, and those merged with its own.

    Parameters
    ----------
    root
        The project.
    package
        The name of its package; None to take the one that it has, or one of its own name.

    Raises
    ------
    ProjectError
        If a package cannot have that name.
    """
    package = package or package_of(root)
    changes, todos, yours = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        made = _generate(root, Path(folder), package)
        for path in below(made):
            name = path.relative_to(made).as_posix()
            if not path.is_file() or PLACEHOLDER in name or LEFTOVERS.intersection(path.parts):
                continue
            if not (root / name).exists():
                changes.append(Change(name, path.read_bytes()))
            elif name == GITIGNORE:
                changes += _merged_gitignore(root, path)
            elif name == PYPROJECT:
                merged, todo = merged_pyproject(root, path, package)
                changes += merged
                todos += todo
            elif _differs(root / name, path) and not name.startswith(f"src/{package}/"):
                todos.append(f"{name} is yours and stays as it is")
                yours.append(name)
        changes = [_with_record(root, made, change, yours) for change in changes]
    for name in ("notebooks", "results", "data"):
        if not (root / name).is_dir() and not any(
            change.path.startswith(name) for change in changes
        ):
            changes.append(Change(f"{name}/{KEEP}", b""))
    return Added(changes, todos, package)


def package_of(root: Path) -> str:
    """Return the package of a project, or the name of one that it could have."""
    ours = sorted(root.glob("src/*/checkpoint/__init__.py"))
    if ours:
        return ours[0].parents[1].name
    packages = sorted(root.glob("src/*/__init__.py"))
    if len(packages) == 1:
        return packages[0].parent.name
    name = re.sub(r"[^a-z0-9]+", "_", root.resolve().name.lower()).strip("_") or "project"
    return f"project_{name}" if name[0].isdecimal() else name


def _with_record(root: Path, made: Path, change: Change, yours: list[str]) -> Change:
    """Record in a new `[tool.checkpoint]` which template it has, and what updates skip."""
    if change.path != PYPROJECT or change.content is None or is_project(root):
        return change
    text, template = change.content.decode(), (made / PYPROJECT).read_text(encoding="utf-8")
    skip = tomlkit.parse(template)["tool"]["cruft"]["skip"]
    if (root / STATE).exists() or (text != template and "cruft" in tomlkit.parse(text)["tool"]):
        return change  # of another template
    if text != template:
        text = f"{with_record(text, template)}\n[tool.cruft]\nskip = []\n"
    document: Any = tomlkit.parse(text)
    array = tomlkit.array()
    array.extend([*map(str, skip), *yours])
    document["tool"]["cruft"]["skip"] = array.multiline(True)
    return Change(PYPROJECT, tomlkit.dumps(document).encode())


def _generate(root: Path, folder: Path, package: str) -> Path:
    """Generate a blank project of the template."""
    title = " ".join(root.resolve().name.split())
    answers = {
        "project_name": title if title.isprintable() and title else package,
        "project_slug": package,
        "package_name": package,
        "license": "none",
        "pipeline": "blank",
        "notebooks": PLACEHOLDER,
    }
    words = [f"{key}={_unrendered(value)}" for key, value in answers.items()]
    # a subprocess, since the hooks print to the terminal
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "cookiecutter",
            "--no-input",
            "--default-config",
            "-o",
            str(folder),
            str(template_folder()),
            *words,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        reasons = [
            line for line in done.stderr.splitlines() if line.startswith(("project", "pack"))
        ]
        reason = " ".join(reasons) or done.stderr.strip()
        raise ProjectError(f"{reason} Name another package with --package.", found=package)
    return folder / package


def _unrendered(answer: str) -> str:
    return "{% raw %}" + answer + "{% endraw %}" if "{" in answer else answer


def _merged_gitignore(root: Path, ours: Path) -> list[Change]:
    """Return the project's `.gitignore` with the lines that it lacks at its end."""
    before = (root / GITIGNORE).read_bytes()
    present = {line.rstrip(b"\r") for line in before.split(b"\n")}
    lines = ours.read_text(encoding="utf-8").splitlines()
    missing = [line for line in lines if line and line[0] != "#" and line.encode() not in present]
    if not missing:
        return []
    text = "\n".join(
        ["", "# of notebook checkpoints: large results, raw data, temporary files", *missing, ""]
    )
    start = before if before.endswith(b"\n") or not before else before + b"\n"
    return [Change(GITIGNORE, start + text.encode())]


def merged_pyproject(root: Path, ours: Path, package: str) -> tuple[list[Change], list[str]]:
    """Return the project's `pyproject.toml` with what it lacks, and what is left to do by hand."""
    path = root / PYPROJECT
    before = path.read_bytes()
    try:
        document = tomlkit.parse(before.decode("utf-8"))
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise ProjectError(
            f"{path} is not valid TOML: {error}. Correct it first.", file=str(path)
        ) from error
    template = tomlkit.parse(ours.read_text(encoding="utf-8"))
    todos = list(_merge_project(document, template, package))
    text = tomlkit.dumps(document)
    if not is_project(root):
        text = text.rstrip("\n") + (
            "\n\n# Marks the project's top folder: load and save find it from every folder below.\n"
            "[tool.checkpoint]\n"
        )
        if tomlkit.parse(text).get("tool", {}).get("checkpoint") is None:
            raise ProjectError(
                f"{path} has a table `tool` that cannot be extended.", file=str(path)
            )
    content = text.encode()
    return ([Change(PYPROJECT, content)] if content != before else []), todos


def _merge_project(document: Any, template: Any, package: str) -> Any:
    """Merge `[project]` where it is safe; yield what is left to do by hand."""
    needed = [str(requirement) for requirement in template["project"]["dependencies"]]
    script = f'checkpoint = "{template["project"]["scripts"]["checkpoint"]}"'
    table = document.get("project")
    if (
        table is None
        and "build-system" not in document
        and "poetry" not in document.get("tool", {})
    ):
        for name in ("build-system", "project"):
            document[name] = template[name]
        document["project"].pop("readme", None)  # there may be none
        document.setdefault("tool", tomlkit.table(True)).update(
            {"hatch": template["tool"]["hatch"]}
        )
        return
    if not isinstance(table, Table) or "dependencies" in table.get("dynamic", []):
        yield (
            f"{PYPROJECT} does not list its dependencies in [project]: add "
            f"{', '.join(needed)}, and the command {script}"
        )
        return
    dependencies = table.setdefault("dependencies", tomlkit.array())
    listed = {_name(str(requirement)) for requirement in dependencies}
    dependencies.extend(requirement for requirement in needed if _name(requirement) not in listed)
    scripts = table.setdefault("scripts", tomlkit.table())
    scripts.setdefault("checkpoint", template["project"]["scripts"]["checkpoint"])
    python = str(table.get("requires-python", ""))
    if not re.search(r">=?\s*3\.1[1-9]|>=\s*3\.[2-9]\d", python):
        yield f"{PYPROJECT}: requires-python is {python or 'missing'!r}; the template needs >=3.11"
    backend = str(document.get("build-system", {}).get("build-backend", ""))
    hatch = document.get("tool", {}).get("hatch", {}).get("build", {})
    if hatch or "hatchling" not in backend:
        yield f"{PYPROJECT}: see that its build includes src/{package} (`pip install -e .`)"


def _name(requirement: str) -> str:
    return canonicalize_name(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0])


def _differs(mine: Path, ours: Path) -> bool:
    return not mine.is_file() or mine.read_bytes() != ours.read_bytes()
