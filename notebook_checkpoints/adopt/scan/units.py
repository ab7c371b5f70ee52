"""The notebooks and scripts of a project, wherever they are."""

import ast
import io
import json
import os
import posixpath
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from checkpoint.errors import ProjectError
from checkpoint.files import LEFTOVERS
from checkpoint.notebooks import notebook
from checkpoint.notebooks.magics import parse_cell
from checkpoint.project.names import natural

SKIPPED = frozenset("node_modules site-packages __pypackages__ venv build dist".split())
LANGUAGES = {
    ".py": "python",
    ".R": "r",
    ".r": "r",
    ".Rmd": "r",
    ".qmd": "r",
    ".sh": "shell",
    ".jl": "julia",
}
LARGEST = 1 << 22  # bytes of a script or configuration file; nobody writes more by hand
EXECUTED = ("failed.ipynb", "executed.ipynb")
# the first lines of a script that nbconvert or jupytext made of a notebook
EXPORTED = re.compile(r"^\s*(?:#|//) *(?:In ?\[[\d ]*\]:|.*\bjupytext:)", re.MULTILINE)
SNAKEMAKE = "snakemake-job-properties"  # the tag of the cell that Snakemake adds to its copy


class Unit(NamedTuple):
    """A notebook or script.

    Attributes
    ----------
    path
        Its path from the top of the project, with `/`.
    language
        Its language, in small letters.
    cells
        The code of its cells; of a script, all of it in one.
    trees
        Their syntax trees, without magics; empty for other languages than Python.
    wrong
        What cannot be read in it, one sentence each.
    content
        Of a notebook, its JSON in nbformat 4; None if it cannot be read.
    """

    path: str
    language: str
    cells: list[str]
    trees: list[ast.Module]
    wrong: list[str]
    content: dict[str, Any] | None = None

    @property
    def is_notebook(self) -> bool:
        """Whether it is a notebook."""
        return self.path.endswith(".ipynb")

    @property
    def folder(self) -> str:
        """Its folder from the top of the project; empty for the top."""
        return posixpath.dirname(self.path)

    @property
    def name(self) -> str:
        """Its name without folder and suffix: that of its step."""
        return posixpath.splitext(posixpath.basename(self.path))[0]

    @property
    def key(self) -> list[tuple[object, ...]]:
        """What units are sorted by: folder by folder, numbers as numbers."""
        return [natural(part) for part in posixpath.splitext(self.path)[0].split("/")]


def find_units(root: Path) -> list[Unit]:
    """Read all notebooks and scripts of a project, in natural order."""
    units = [
        Unit(f"{folder.relative_to(root).as_posix()}/", "unknown", [], [], [reason])
        for folder, reason in unreadable(root)
    ]
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".ipynb" and path.name not in EXECUTED:
            units.append(read_notebook(path, name))
        elif path.suffix in LANGUAGES and path.stat().st_size < LARGEST:
            units.append(_script(path, name))
    names = [posixpath.basename(unit.path) for unit in units]
    units = [unit for unit in units if not _is_copy(unit, names)]
    stems = [unit.name for unit in units if unit.is_notebook]
    units = [unit for unit in units if not _is_export(unit, stems)]
    return sorted(units, key=lambda unit: unit.key)


def _is_copy(unit: Unit, names: list[str]) -> bool:
    """Tell whether a notebook is the executed copy of another, from Snakemake or papermill."""
    cells = notebook.code_cells(unit.content) if unit.content else []
    if any(SNAKEMAKE in notebook.tags_of(cell) for cell in cells):
        return True
    papermill = (unit.content or {}).get("metadata", {}).get("papermill")
    source = papermill.get("input_path") if isinstance(papermill, dict) else None
    original = posixpath.basename(str(source or "").replace("\\", "/"))
    return bool(original) and original in names and original != posixpath.basename(unit.path)


def _is_export(unit: Unit, stems: list[str]) -> bool:
    """Tell whether a script is a notebook in another form, as nbconvert and jupytext write it."""
    name = unit.name.removesuffix(".nbconvert")
    made = any(EXPORTED.search(source[:2000]) for source in unit.cells)
    return not unit.is_notebook and name in stems and made


def read_configs(root: Path) -> dict[str, Any]:
    """Return the configuration files of a project that are mappings, by path."""
    configs = {}
    for path in _files(root):
        if path.suffix in (".yaml", ".yml", ".json") and path.stat().st_size < LARGEST:
            try:
                text = path.read_text(encoding="utf-8")
                content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
            except (OSError, ValueError, yaml.YAMLError, RecursionError):
                continue  # not a configuration that a path could come from
            if isinstance(content, dict):
                configs[path.relative_to(root).as_posix()] = content
    return configs


def read_notebook(path: Path, name: str) -> Unit:
    """Read one notebook, of whatever version."""
    try:
        content = upgraded(path)
    except OSError as error:
        return Unit(name, "unknown", [], [], [f"it cannot be read: {error.strerror}"])
    except ProjectError as error:
        reason = str(error).removeprefix(f"{path} ").rstrip(".")
        return Unit(name, "unknown", [], [], [f"it cannot be read: {reason}"])
    language = _language(content)
    cells = notebook.sources(content)
    if language != "python":
        return Unit(name, language, cells, [], [], content)
    trees, wrong = [], []
    for source in cells:
        tree = parse_cell(source)
        if tree is None:
            wrong.append(f"cell `{notebook.first_line(source)}` is not valid Python")
        trees.append(tree or ast.Module([], []))
    return Unit(name, language, cells, trees, wrong, content)


def upgraded(path: Path) -> dict[str, Any]:
    """Return a notebook in nbformat 4 with its outputs; older notebooks are converted.

    Raises
    ------
    ProjectError
        If it is not a notebook.
    """
    content = notebook.read(path)
    if content.get("nbformat") != 4:
        import nbformat

        try:
            content = json.loads(json.dumps(nbformat.convert(nbformat.from_dict(content), 4)))
        except Exception as error:  # converters raise any exception for a broken notebook
            raise ProjectError(
                f"{path} is not a valid notebook: {error}", file=str(path)
            ) from error
    for cell in content.get("cells") or ():
        if isinstance(cell, dict):  # missing in notebooks that other tools wrote
            cell.setdefault("metadata", {})
            if cell.get("cell_type") == "code":
                cell.setdefault("outputs", [])
                cell.setdefault("execution_count", None)
    content.setdefault("metadata", {})
    if reason := next(notebook.broken(content), None):
        raise ProjectError(
            f"{path} is not a valid notebook: it {reason}", file=str(path), found=reason
        )
    return content


def _language(content: dict[str, Any]) -> str:
    """Return the language in a notebook's metadata, since its kernel may not be installed."""
    metadata = content["metadata"]
    for key, field in (
        ("kernelspec", "language"),
        ("language_info", "name"),
        ("kernelspec", "name"),
    ):
        table = metadata.get(key)
        language = table.get(field) if isinstance(table, dict) else None
        if isinstance(language, str) and language:
            language = language.lower()
            return "r" if language == "ir" else "python" if "python" in language else language
    return "python"


def _script(path: Path, name: str) -> Unit:
    language = LANGUAGES[path.suffix]
    try:
        content = path.read_bytes()
        # a script of Python may say its encoding in its first lines
        encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0]
        source = content.decode(encoding if language == "python" else "utf-8")
    except SyntaxError as error:
        return Unit(name, language, [], [], [f"it is not text: {error.msg}"])
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 text: byte {error.start}"
        return Unit(name, language, [], [], [reason])
    except OSError as error:
        return Unit(name, language, [], [], [f"it cannot be read: {error.strerror}"])
    if language != "python":
        return Unit(name, language, [source], [], [])
    tree = parse_cell(source)
    wrong = [] if tree else ["it is not valid Python"]
    return Unit(name, language, [source], [tree or ast.Module([], [])], wrong)


def is_there(path: Path) -> bool:
    """Tell whether a file or folder exists; False if it may not be accessed."""
    return os.path.exists(path)  # noqa: PTH110 - `Path.exists` raises without permission


def unreadable(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the folders that cannot be read, and why."""
    errors: list[OSError] = []
    for folder, folders, _ in os.walk(root, onerror=errors.append):
        folders[:] = [name for name in folders if name[0] != "."]
        if folder != str(root) and not os.access(folder, os.X_OK):
            errors.append(PermissionError(13, os.strerror(13), folder))
    yield from {Path(e.filename): f"it cannot be read: {e.strerror}" for e in errors}.items()


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        inside = Path(folder)
        if not os.access(inside, os.X_OK):
            continue
        folders[:] = sorted(
            name
            for name in folders
            if name[0] != "."
            and name not in LEFTOVERS | SKIPPED
            and not is_there(inside / name / "pyvenv.cfg")
            and not is_there(inside / name / "conda-meta")
            and not _is_ours(root, inside / name)
        )
        for name in sorted(files):
            if name[0] != "." and (inside / name).is_file():
                yield inside / name


def _is_ours(root: Path, folder: Path) -> bool:
    """Tell whether a folder is the template's code in a project."""
    parts = folder.relative_to(root).parts
    return len(parts) == 3 and parts[0] == "src" and parts[2] == "checkpoint"
