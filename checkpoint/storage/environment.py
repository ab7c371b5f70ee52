"""Record and compare the versions of Python and packages that results were made with."""

import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from ..project.project import Project
from ..project.settings import read_toml
from .hashes import content_of
from .schema import Environment, FileEntry

if TYPE_CHECKING:
    from packaging.requirements import Requirement

FREEZE = "environment.txt"


def installed_environment(project: Project) -> Environment:
    """Return the versions of Python and of the packages that the project depends on.

    Raises
    ------
    ProjectError
        If the project's `pyproject.toml` is not valid TOML.
    """
    versions = {name: _version(name) for name in _dependencies(project)}
    return Environment(
        platform.python_version(),
        f"{platform.system()} {platform.machine()}",
        {name: version for name, version in versions.items() if version},
    )


def write_freeze(project: Project, staging: Path) -> FileEntry:
    """Write the versions of all direct and indirect dependencies, in the format of `pip freeze`.

    Parameters
    ----------
    project, staging
        The project, and the staging folder inside the step's folder. If the list has not changed,
        the existing file is kept.

    Returns
    -------
    FileEntry
        The file's entry for the record.
    """
    lines = _freeze(tuple(_requirements(project)))
    text = "".join(f"{line}\n" for line in lines).encode()
    path = staging.parent / FREEZE
    if not path.is_file() or path.read_bytes() != text:
        path = staging / FREEZE
        path.write_bytes(text)
    content = content_of(path)
    return FileEntry(FREEZE, content.bytes, content.blake3, content.mtime_ns)


def other_versions(made_with: Environment) -> list[str]:
    """Return which direct dependencies have a different minor version now.

    Returns
    -------
    list of str
        Such as `made with scanpy 1.11.5; this environment has 1.12.4`.
    """
    return _others(tuple(made_with.packages.items()))


@cache  # the many parts of a step mostly share the same versions
def _others(packages: tuple[tuple[str, str], ...]) -> list[str]:
    here = ((name, version, _version(name)) for name, version in packages)
    return [
        f"made with {name} {version}; this environment has {now}"
        for name, version, now in here
        if now and _minor(now) != _minor(version)
    ]


@cache
def _minor(version: str) -> tuple[int, ...]:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(version).release[:2]
    except InvalidVersion:
        return ()


@cache  # `status` calls this for every step
def _version(name: str) -> str | None:
    """Return the installed version of a package; None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None  # such as a dependency that this platform does not need


def _requirements(project: Project) -> list[str]:
    dependencies = read_toml(project).get("project", {}).get("dependencies", [])
    return [text for text in dependencies if isinstance(text, str)]


def _dependencies(project: Project) -> list[str]:
    """Return the names of the packages in the project's `pyproject.toml`, sorted."""
    requirements = filter(None, map(_parsed, _requirements(project)))
    return sorted({requirement.name for requirement in requirements}, key=str.lower)


@cache
def _parsed(text: str) -> "Requirement | None":
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement:
        return None  # pip would have rejected it


@cache  # reading the metadata of 200 packages takes 0.1 s
def _freeze(requirements: tuple[str, ...]) -> list[str]:
    """Return `name==version` for each installed package that is a direct or indirect dependency."""
    from packaging.utils import canonicalize_name

    versions: dict[str, str] = {}
    asked: set[tuple[str, str]] = set()
    waiting = [(text, "") for text in requirements]
    while waiting:
        text, for_extra = waiting.pop()
        requirement = _parsed(text)
        if not requirement or (
            requirement.marker and not requirement.marker.evaluate({"extra": for_extra})
        ):
            continue
        name = canonicalize_name(requirement.name)
        for extra in ("", *sorted(requirement.extras)):
            if (name, extra) in asked:
                continue
            asked.add((name, extra))
            try:
                distribution = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                break
            described = distribution.metadata  # `.name` and `.version` would each read it again
            versions[name] = f"{described['Name']}=={described['Version']}"
            needs = described.get_all("Requires-Dist") or distribution.requires or ()
            waiting += [(needed, extra) for needed in needs]
    return sorted(versions.values(), key=str.lower)
