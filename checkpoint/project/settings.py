"""The settings of a project, in the `[tool.checkpoint]` table of its `pyproject.toml`."""

import tomllib
from typing import Any, NamedTuple

from ..errors import ProjectError
from .project import Project

FILE = "pyproject.toml"
# what other readers of a file understand without a plugin
COMPRESSIONS = {"h5ad": ("none", "gzip", "lzf"), "zarr": ("none", "gzip", "zstd")}


class Settings(NamedTuple):
    """What `[tool.checkpoint]` says.

    Attributes
    ----------
    ignore
        Names of rules that `checkpoint check` skips.
    resources
        Resources of a step's job on a cluster, by step, with Snakemake's names:
        `{"2_integration": {"mem_mb": 64000, "runtime": 240, "slurm_partition": "large"}}`.
    anndata_format
        What an AnnData is saved as: `h5ad` or `zarr`.
    compression
        How matrices of an AnnData are compressed: `none`, `gzip`, `lzf` (in `.h5ad` only), `zstd`
        (in `.zarr` only). None leaves it to the format.
    """

    ignore: list[str]
    resources: dict[str, dict[str, int | str]]
    anndata_format: str = "h5ad"
    compression: str | None = None


def read_settings(project: Project) -> Settings:
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
    return Settings(ignore, resources, *_of_files(table))


def file_settings(project: Project) -> tuple[str, str | None]:
    """Return `anndata_format` and `compression`; raises as `read_settings`, for these two alone."""
    return _of_files(read_toml(project).get("tool", {}).get("checkpoint", {}))


def _of_files(table: dict[str, Any]) -> tuple[str, str | None]:
    anndata_format, compression = table.get("anndata_format", "h5ad"), table.get("compression")
    if anndata_format not in tuple(COMPRESSIONS):  # of any type
        raise _invalid("anndata_format", " or ".join(map(repr, COMPRESSIONS)), anndata_format)
    if compression is not None and compression not in COMPRESSIONS[anndata_format]:
        some = ", ".join(map(repr, COMPRESSIONS[anndata_format]))
        expected = f"one of {some} with anndata_format = {anndata_format!r}"
        raise _invalid("compression", expected, compression)
    return anndata_format, compression


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


def read_toml(project: Project) -> dict[str, Any]:
    """Return the content of a project's `pyproject.toml`; raises `ProjectError` if invalid."""
    try:
        return parse_toml((project.root / FILE).read_text(encoding="utf-8"))
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
