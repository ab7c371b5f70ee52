"""What stands in `params.json`: the user's parameters, and what the machine knows of the save."""

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import CheckpointValueError
from ..formats.kinds import a_type
from ..project.project import Project
from . import hashes, session

FORMAT_VERSION = 1
OURS = ("timestamp", "data_shapes", "checkpoint")


def user_groups(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the `params` of a save in JSON's own types.

    Raises
    ------
    CheckpointValueError
        If a value cannot be JSON, or a key is one of those that `save` writes itself. The message
        names the key.
    """
    from ..formats import json_values

    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise CheckpointValueError(f"params is {a_type(params)}; it has to be a dict")
    for key in OURS:
        if key in params:
            raise CheckpointValueError(
                f"params[{key!r}]: save writes {key!r} itself; choose another name"
            )
    try:
        groups: dict[str, Any] = json_values.plain(dict(params), "params")
        return groups
    except (TypeError, ValueError) as error:
        raise CheckpointValueError(f"{error}, so it cannot be saved in params.json") from error
    except RecursionError:
        raise CheckpointValueError("params hold themselves, which JSON cannot") from None


def make(
    project: Project,
    step: str,
    groups: dict[str, Any],
    shapes: dict[str, Any],
    files: dict[str, dict[str, Any]],
    versions: dict[str, Any],
) -> dict[str, Any]:
    """Put together the record of a save.

    Parameters
    ----------
    project, step
        What is saved.
    groups
        The user's parameters, from `user_groups`.
    shapes
        `data_shapes`, by key.
    files
        What is known of each file, by its name below the step's folder: key, bytes, blake3.
    versions
        From `environment`.

    Returns
    -------
    dict
        What `params.json` holds, in the order it has there.
    """
    now = datetime.datetime.now().astimezone()
    ours: dict[str, Any] = {
        "format": FORMAT_VERSION,
        "step": step,
        "files": files,
        "inputs": session.inputs_of(project, step),
        "params": group_hashes(groups),
        "modules": session.modules_of(project),
        "environment": versions,
    }
    cells = session.cells_run()
    if cells is not None:
        ours["run"] = {"cells": cells}
        if parameters := session.parameters_set():
            ours["run"]["parameters"] = parameters
    return {
        "timestamp": now.isoformat(timespec="seconds"),
        **groups,
        "data_shapes": shapes,
        "checkpoint": ours,
    }


class Baseline(NamedTuple):
    """What the results of a step are held against.

    Attributes
    ----------
    cells
        The hash of each cell's code; None where no notebook made them.
    parameters
        The cells among them that may have set parameters: source by hash.
    inputs
        What is known of each input, by name; None for one that was not there.
    modules
        The hash of each module's code; None for one that was not there.
    params
        The hash of each group of the user's parameters.
    """

    cells: list[str] | None
    parameters: dict[str, str]
    inputs: dict[str, dict[str, Any] | None]
    modules: dict[str, str | None]
    params: dict[str, str]


def baseline(record: Mapping[str, Any]) -> Baseline:
    """Return what a step's results are held against: what was last accepted, else what ran."""
    ours = record["checkpoint"]
    if accepted(record):
        return Baseline(**accepted(record)[-1]["fits"])
    run = ours.get("run", {})
    return Baseline(
        run.get("cells"),
        run.get("parameters", {}),
        ours.get("inputs", {}),
        ours.get("modules", {}),
        ours.get("params", {}),
    )


def accepted(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what was accepted of a step's results since they were made, oldest first.

    Each entry has `why`, `date`, the `reasons` for which the results were not current, and
    `fits`: the `Baseline` that they were accepted to fit.
    """
    found: list[dict[str, Any]] = record["checkpoint"].get("accepted", [])
    return found


def groups_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user's parameters in a record."""
    return {key: value for key, value in record.items() if key not in OURS}


def group_hashes(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the hash of each group of the user's parameters in a record."""
    return {name: hashes.value_hash(group) for name, group in groups_of(record).items()}


def content_hash(record: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """Return the hash of what a checkpoint gives to the notebooks that load it.

    Parameters
    ----------
    record
        Its `params.json`.
    files
        The blake3 of each of its files, by name.

    Returns
    -------
    str
        64 hexadecimal digits; the same when the step was run again and made the same.
    """
    return hashes.value_hash({"files": dict(files), "params": groups_of(record)})


def environment(project: Project) -> dict[str, Any]:
    """Return the versions of Python and of the installed packages that the project asks for.

    Raises
    ------
    ProjectError
        If the project's `pyproject.toml` is not valid TOML.
    """
    import platform
    from importlib import metadata

    packages = {}
    for name in _dependencies(project):
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": packages,
    }


def _dependencies(project: Project) -> list[str]:
    """Return the names of the packages in the project's `pyproject.toml`, sorted."""
    from ..project.settings import read_toml

    requirements = read_toml(project).get("project", {}).get("dependencies", [])
    return sorted({_name(requirement) for requirement in requirements}, key=str.lower)


def _name(requirement: str) -> str:
    """Return the name that a requirement such as `pandas>=2.2; sys_platform != "x"` starts with."""
    end = next(
        (i for i, char in enumerate(requirement) if not (char.isalnum() or char in "-_.")),
        len(requirement),
    )
    return requirement[:end]
