"""The settings of a project, in the `[tool.checkpoint]` table of its `pyproject.toml`."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..errors import ProjectError
from .names import unportable

FILE = "pyproject.toml"


class HasRoot(Protocol):
    """A project, or whatever knows the top folder of one."""

    root: Path


class Settings(NamedTuple):
    """What `[tool.checkpoint]` says.

    Attributes
    ----------
    ignore
        Names of rules that `checkpoint check` skips.
    resources
        Resources of a step's job on a cluster, by step, with Snakemake's names:
        `{"2_integration": {"mem_mb": 64000, "runtime": 240, "slurm_partition": "large"}}`.
    order
        The notebooks in running order, below `notebooks/` and without `.ipynb`, where their
        numbers do not give it; empty if they do.
    """

    ignore: list[str]
    resources: dict[str, dict[str, int | str]]
    order: list[str]


def read_settings(project: HasRoot) -> Settings:
    """Return the settings of a project.

    Raises
    ------
    ProjectError
        If `pyproject.toml` cannot be read, or has an unknown or invalid setting. `error.key` is
        that setting.
    """
    table = read_toml(project).get("tool", {}).get("checkpoint", {})
    for key in table:
        if key not in Settings._fields:
            raise _invalid(key, f"one of the settings {', '.join(Settings._fields)}", key)
    ignore, resources = table.get("ignore", []), table.get("resources", {})
    if not isinstance(ignore, list) or not all(isinstance(rule, str) for rule in ignore):
        raise _invalid("ignore", 'a list of rules such as ["absolute-path"]', ignore)
    if not isinstance(resources, dict):
        raise _invalid("resources", "a table with an entry per step", resources)
    for step, requested in resources.items():
        if not isinstance(requested, dict):
            expected = "a table such as { mem_mb = 64000 }"
            raise _invalid(f"resources.{step}", expected, requested)
        for name, value in requested.items():
            _check_resource(f"resources.{step}.{name}", name, value)
    return Settings(ignore, resources, read_order(project))


def read_order(project: HasRoot) -> list[str]:
    """Return the setting `order`; empty without a `pyproject.toml`. Raises as `read_settings`."""
    path = project.root / FILE
    table = read_toml(project).get("tool", {}).get("checkpoint", {}) if path.is_file() else {}
    order = table.get("order", [])
    expected = 'a list of notebooks such as ["1_core/01a_import", "2_report"]'
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        raise _invalid("order", expected, order)
    for name in order:
        if name.endswith(".ipynb") or any(map(unportable, name.split("/"))):
            raise _invalid("order", "notebooks below notebooks/, without .ipynb", name)
    stems = [name.rpartition("/")[2] for name in order]
    if twice := next((name for name in order if stems.count(name.rpartition("/")[2]) > 1), None):
        raise _invalid("order", "notebooks of different names", twice)
    return list(order)


def _check_resource(key: str, name: str, value: object) -> None:
    """Raise if Snakemake would not take a resource."""
    if not name.isidentifier():
        raise _invalid(key, "a name of letters, digits and _", name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _invalid(key, "an integer or a string", value)
    if name.endswith("_mb") and isinstance(value, str):
        raise _invalid(key, "a number of megabytes", value)
    if isinstance(value, int) and value < 1:
        raise _invalid(key, "at least 1", value)


def read_toml(project: HasRoot) -> dict[str, Any]:
    """Return the content of a project's `pyproject.toml`; raises `ProjectError` if invalid."""
    path = project.root / FILE
    status = path.stat()
    return _read_toml(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)  # each load and save asks several times
def _read_toml(path: Path, mtime_ns: int, size: int) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise _not_toml(error) from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return the content of a `pyproject.toml` from its text; raises like `read_toml`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(error) from error


def _not_toml(error: ValueError) -> ProjectError:
    message = f"{FILE} is not valid TOML: {error}"
    return ProjectError(message, file=FILE, expected="TOML", found=str(error))


def _invalid(key: str, expected: str, found: object) -> ProjectError:
    message = f"{FILE}: [tool.checkpoint] {key}: expected {expected}, got {found!r}."
    return ProjectError(message, file=FILE, key=key, expected=expected, found=found)
