"""List the project's own modules and scripts that this process ran."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..project.project import Project
from ..watch import modules
from . import hashes
from .session import name_of

CHECKPOINT = Path(__file__).resolve().parents[1]


class Modules(NamedTuple):
    """The modules and scripts that ran.

    Attributes
    ----------
    codes
        The hash of each module's code, as it was imported, by its path in the project.
    elsewhere
        The folder of another copy of the package whose code ran instead; empty if none did.
    """

    codes: dict[str, str | None]
    elsewhere: str


def modules_of(project: Project, step: str) -> Modules:
    """Return the project's modules, scripts and other notebooks that this process ran.

    Excludes `checkpoint` itself, whose version is in the record.
    """
    modules.note_new()
    root = project.root.resolve()
    own = {path: source for path, source in modules.imported.items() if _counts(project, path)}
    codes = {
        place.relative_to(root).as_posix(): hashes.source_hash(
            source, notebook=place.suffix == ".ipynb"
        )
        for path, source in own.items()
        if (place := Path(path).resolve()).is_relative_to(root)
    }
    codes.pop(project.show(project.notebook(step)), None)  # compared cell by cell
    others, elsewhere = _of_another_copy(project)
    codes |= others
    return Modules({path: codes[path] for path in sorted(codes)}, elsewhere)


def changed_since_run(project: Project, codes: Mapping[str, str | None]) -> Iterator[str]:
    """Yield a message for each module or script that changed since this kernel ran it."""
    for name, code in codes.items():
        if hashes.module_hash(project.root / name) != code:
            yield f"{name} changed after this notebook ran it. Restart the kernel and run all."


def _counts(project: Project, path: str) -> bool:
    if not name_of(project, path):
        return False
    place = Path(path).resolve()
    return not (place.is_relative_to(CHECKPOINT) or "checkpoint" in place.parts[-3:-1])


def _of_another_copy(project: Project) -> tuple[dict[str, str | None], str]:
    """Return the modules of the project's package that were imported from another folder."""
    top = __name__.partition(".")[0]
    here = project.root.resolve() / "src" / top
    if top == "checkpoint" or not here.is_dir():
        return {}, ""
    package = CHECKPOINT.parent
    if package == here:
        return {}, ""
    codes: dict[str, str | None] = {}
    elsewhere = ""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) if name.partition(".")[0] == top else None
        if not file or not file.endswith(".py"):
            continue
        path = Path(file).resolve()
        if path.is_relative_to(package) and not path.is_relative_to(CHECKPOINT):
            relative = path.relative_to(package)
            ran = hashes.module_hash(path)
            codes[f"src/{top}/{relative.as_posix()}"] = ran
            if ran != hashes.module_hash(here / relative):
                elsewhere = str(package)
    # a module that only one copy has may be one that the notebook tried to import
    return codes, elsewhere if _names(package) == _names(here) else str(package)


def _names(package: Path) -> set[Path]:
    """Return the paths of the modules of a package, without those of `checkpoint`."""
    paths = (path.relative_to(package) for path in package.rglob("*.py"))
    return {path for path in paths if path.parts[0] != "checkpoint"}
