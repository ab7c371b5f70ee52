"""Find the folders outside the project for raw data and for large files of results.

The settings `results` and `data` name them, in `pyproject.toml` or, for one machine, in
`checkpoint.local.toml`.
"""

import os
import re
from pathlib import Path

from ..errors import CheckpointError
from .settings import LOCAL, HasFolders, read_place


def large_files_of(project: HasFolders) -> Path | None:
    """Return the folder for large files of this copy of the project; None if in the project.

    Two copies never share a folder: its name contains a hash of the project's path.

    Raises
    ------
    CheckpointError
        If the setting has an unset variable, a relative path, or a disk that is not mounted.
    ProjectError
        If the setting cannot be read.
    """
    from hashlib import sha256

    setting = read_place(project, "results")
    if not setting or project.results != project.root / "results":  # an autograder has its own
        return None
    place = _filled(project, "results", setting)
    if (expected := _plain_part(setting)) and not expected.is_dir():
        raise _wrong("results", setting, f"{expected} is not there. Mount its disk, or correct")
    key = sha256(str(project.root.resolve()).encode()).hexdigest()[:8]
    return place / key


def data_of(project: HasFolders) -> Path:
    """Return the folder of the raw files, even if it does not exist.

    Raises like `large_files_of`, except that the disk may be missing.
    """
    setting = read_place(project, "data")
    return _filled(project, "data", setting) if setting else project.root / "data"


def refuse_missing_data(project: HasFolders) -> None:
    """Raise `CheckpointError` if the folder in the setting `data` does not exist."""
    setting = read_place(project, "data")
    if setting and not (place := _filled(project, "data", setting)).is_dir():
        raise _wrong("data", setting, f"{place} is not there. Mount its disk, or correct")


def script_that_makes(project: HasFolders, path: Path) -> str | None:
    """Return the script that makes a raw file, relative to the project; None if unknown.

    `data/README.md` must mention both the script and the file, and the script's code must contain
    the file's name.
    """
    readme = project.root / "data" / "README.md"
    if not readme.is_file():
        return None
    name = re.compile(rf"(?<![\w-]){re.escape(path.name)}(?![\w-])")
    text = readme.read_text(encoding="utf-8", errors="replace")
    scripts: list[str] = re.findall(r"scripts/[\w/-]+\.py", text) if name.search(text) else []
    for script in dict.fromkeys(scripts):
        file = project.root / script
        if file.is_file() and name.search(file.read_text(encoding="utf-8", errors="replace")):
            return script
    return None


def _filled(project: HasFolders, key: str, setting: str) -> Path:
    text = setting.replace("{project}", project.root.name)
    place = Path(os.path.expandvars(text)).expanduser()
    if "$" in str(place):
        raise _wrong(key, setting, f"{place} has a variable that is not set. Correct")
    if not place.is_absolute():
        raise _wrong(key, setting, f"{place} is not an absolute path. Correct")
    return place


def _plain_part(setting: str) -> Path | None:
    """Return the part of a path that must exist: not the last part, nor from a variable on."""
    parts = Path(setting).parts
    plain = next((i for i, part in enumerate(parts) if set("${~%") & set(part)), len(parts) - 1)
    return Path(*parts[:plain]) if plain else None


def _wrong(key: str, setting: str, why: str) -> CheckpointError:
    return CheckpointError(
        f"[tool.checkpoint] {key} = {setting!r}: {why} the setting in pyproject.toml or {LOCAL}.",
        key=key,
        found=setting,
    )
