"""What a project says in the `[tool.checkpoint]` table of its `pyproject.toml`."""

import tomllib
from typing import Any, NamedTuple

from ..errors import ProjectError
from .project import Project


class Settings(NamedTuple):
    """The settings of a project.

    Attributes
    ----------
    ignore
        Rules that `checkpoint check` leaves out.
    resources
        What a step's job asks a scheduler for, by step, in Snakemake's names:
        `{"2_integration": {"mem_mb": 64000, "runtime": 240, "slurm_partition": "large"}}`.
    """

    ignore: list[str]
    resources: dict[str, dict[str, int | str]]


def read_settings(project: Project) -> Settings:
    """Read and check the settings.

    Raises
    ------
    ProjectError
        If they cannot be read, or a setting is unknown or not what it should be; the message names
        the key.
    """
    table = read_toml(project).get("tool", {}).get("checkpoint", {})
    for key in table:
        if key not in Settings._fields:
            raise _wrong(key, f"is no setting; there are {', '.join(Settings._fields)}")
    ignore, resources = table.get("ignore", []), table.get("resources", {})
    if not isinstance(ignore, list) or not all(isinstance(rule, str) for rule in ignore):
        raise _wrong("ignore", 'is not a list of rules, as in ["absolute-path"]')
    if not isinstance(resources, dict):
        raise _wrong("resources", "is not a table of steps")
    for step, asked in resources.items():
        if not isinstance(asked, dict):
            raise _wrong(f"resources.{step}", "is not a table, as in { mem_mb = 64000 }")
        for name, value in asked.items():
            if name.endswith("_mb") and isinstance(value, str):
                raise _wrong(f"resources.{step}.{name}", "is a number of megabytes")
            if isinstance(value, int) and value < 1:
                raise _wrong(f"resources.{step}.{name}", f"cannot be {value!r}; it is at least 1")
            if (
                isinstance(value, bool)
                or not isinstance(value, int | str)
                or not name.isidentifier()
            ):
                raise _wrong(
                    f"resources.{step}.{name}", f"cannot be {value!r}; use a number or text"
                )
    return Settings(ignore, resources)


def read_toml(project: Project) -> dict[str, Any]:
    """Read the project's `pyproject.toml`; raises `ProjectError` where it is not TOML."""
    try:
        return parse_toml((project.root / "pyproject.toml").read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ProjectError(f"pyproject.toml is not valid TOML: {error}") from error


def parse_toml(text: str) -> dict[str, Any]:
    """Parse the text of a `pyproject.toml`; raises as `read_toml`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"pyproject.toml is not valid TOML: {error}") from error


def _wrong(key: str, reason: str) -> ProjectError:
    return ProjectError(f"pyproject.toml: [tool.checkpoint] {key} {reason}.")
