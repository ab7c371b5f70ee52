"""A checkpoint that has been opened: what `load` and `save` return."""

import time
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

from .. import text
from ..errors import (
    CheckpointDamagedError,
    CheckpointError,
    CheckpointKeyError,
    CheckpointNotFoundError,
)
from ..formats import BY_SUFFIX, format_of
from ..project.project import Project
from . import hashes, record, store
from .background import Background

# How often, and how many seconds apart, to look at a checkpoint that another process replaces.
PATIENCE, PAUSE = 40, 0.05


class Checkpoint(Mapping[str, Any]):
    """The saved objects of a step, each read when it is asked for.

    A read-only mapping of the keys given to `save` to objects; a file's name serves as well.
    Nothing is kept: reading a key twice gives two objects.

    Parameters
    ----------
    project
        The project.
    step
        The step, `1_preprocessing`.

    Attributes
    ----------
    params
        What `params.json` holds.
    files
        What is known of each file, by its name below the step's folder: key, bytes, blake3.
    recorded
        Whether `save` wrote it; False for a folder that was filled by hand.

    Raises
    ------
    CheckpointNotFoundError
        If the step has saved nothing.
    CheckpointDamagedError
        If a file is missing or does not have the recorded size.
    CheckpointError
        If it was saved by a newer version of this code.
    """

    def __init__(self, project: Project, step: str) -> None:
        self.step = step
        self._project = project
        self._folder = project.results_of(step)
        self.params, self.files = self._open()
        self.recorded = store.is_recorded(self.params)

    def __getitem__(self, key: str) -> Any:
        file = self._file(key)
        for _ in range(PATIENCE):
            before = self._identity(file)
            try:
                obj = self._read(file)
            except (OSError, CheckpointError):
                moved = before != self._identity(file) or store.in_progress(self._folder)
                if not moved:
                    self._check_still_there()
                    raise
            else:
                # else the file that was hashed may not be the one that was read
                if before == self._identity(file):
                    return obj
            self._check_still_there()
            time.sleep(PAUSE)
        raise CheckpointDamagedError(f"{self._show(file)} is missing. {self._remedy()}")

    def __contains__(self, key: object) -> bool:
        return any(key in (entry["key"], file) for file, entry in self.files.items())

    def __iter__(self) -> Iterator[str]:
        return (entry["key"] for entry in self.files.values())

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return f"Checkpoint({self.step!r}: {', '.join(self) or 'no objects'})"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in ("object", "shape", "format", "size"))
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        made = escape(f"results/{self.step}, {self.params.get('timestamp', 'date unknown')}")
        inputs = self._ours().get("inputs", {})
        made_from = f"<br>from {escape(', '.join(inputs))}" if inputs else ""
        return (
            f"<table><caption>{made}{made_from}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def summary(self) -> str:
        """Return a line per object: its file, shape and size."""
        rows = [
            (file, text.shape(self._shape(entry["key"])), text.size(entry["bytes"]))
            for file, entry in self.files.items()
        ]
        return text.columns(rows) if rows else "  no objects"

    def content_hash(self) -> str:
        """Return the hash of the objects and the parameters, by which lineage knows them."""
        files = {
            file: entry.get("blake3") or hashes.file_hash(self._folder / file)
            for file, entry in self.files.items()
        }
        return record.content_hash(self.params, files)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (
                entry["key"],
                text.shape(self._shape(entry["key"])),
                PurePosixPath(file).suffix,
                text.size(entry["bytes"]),
            )
            for file, entry in self.files.items()
        ]

    def _open(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Read the record and hold the files against it."""
        store.recover(self._folder)
        for look in range(PATIENCE):
            try:
                params = store.read_record(self._folder)
            except CheckpointDamagedError as error:
                raise CheckpointDamagedError(
                    f"{self._show(str(error))} {self._remedy()}"
                ) from error
            if not store.is_recorded(params):
                return self._open_by_hand(params)
            self._check_version(params)
            files = store.recorded_files(params)
            problem = next(filter(None, map(self._misfit, files.items())), None)
            if problem is None:
                return params, files
            settled = not store.in_progress(self._folder)
            if look and settled and params == store.read_record(self._folder):
                break
            time.sleep(PAUSE)
        raise CheckpointDamagedError(f"{problem} {self._remedy()}")

    def _open_by_hand(
        self, params: dict[str, Any] | None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Find the files of a folder that a hand-written cell filled, by their suffixes."""
        found = sorted([*results_in(self._folder), *results_in(self._folder / "figures")])
        if params is None:
            named = [path for path in found if path.name.endswith(f"_{store.RECORD}")]
            if named:
                try:
                    params = store.read_json(named[0])
                except CheckpointDamagedError as error:
                    raise CheckpointDamagedError(self._show(str(error))) from error
                found.remove(named[0])
        # figures alone are no results that a notebook could go on with
        if params is None and not any(path.parent == self._folder for path in found):
            raise CheckpointNotFoundError(missing(self._project, self.step))
        files = [path.relative_to(self._folder).as_posix() for path in found]
        keys = [file.removesuffix(PurePosixPath(file).suffix) for file in files]
        return params or {}, {
            file: {
                "key": key if keys.count(key) == 1 else file,
                "bytes": (self._folder / file).stat().st_size,
            }
            for file, key in zip(files, keys, strict=True)
        }

    def _check_version(self, params: dict[str, Any]) -> None:
        version = params["checkpoint"].get("format")
        if not isinstance(version, int) or version > record.FORMAT_VERSION:
            raise CheckpointError(
                f"results/{self.step} was saved in format {version!r}, and this project's code "
                f"reads up to {record.FORMAT_VERSION}. Update the project."
            )

    def _misfit(self, item: tuple[str, dict[str, Any]]) -> str | None:
        """Tell how a file's presence and size differ from the record."""
        file, entry = item
        try:
            found = store.locate(self._folder, file).stat().st_size
        except FileNotFoundError:
            return f"{self._show(file)} is missing."
        if found != entry["bytes"]:
            return f"{self._show(file)} has {found:,} bytes, and {entry['bytes']:,} were saved."
        return None

    def _file(self, key: str) -> str:
        for file, entry in self.files.items():
            if key in (entry["key"], file):
                return file
        raise CheckpointKeyError(
            f"results/{self.step} has no {key!r}; it has {', '.join(self) or 'no objects'}."
        )

    def _read(self, file: str) -> Any:
        """Read an object from a file whose content is what was saved."""
        if problem := self._misfit((file, self.files[file])):
            raise CheckpointDamagedError(f"{problem} {self._remedy()}")
        path = store.locate(self._folder, file)
        entry = BY_SUFFIX[path.suffix.lower()]
        hashing = Background(lambda: hashes.file_hash(path))
        if entry.runs_code:
            self._check_hash(file, hashing)
        failure: Exception | None = None
        obj = None
        try:
            obj = entry.read(path, self.files[file].get("details"))
        except Exception as error:
            failure = error
        self._check_hash(file, hashing)
        if failure:
            # what was saved is there, so making it again would change nothing
            raise CheckpointError(
                f"{self._show(file)} is what was saved, but cannot be read here: {failure}"
            ) from failure
        return obj

    def _check_hash(self, file: str, hashing: Background[str]) -> None:
        expected, found = self.files[file].get("blake3"), hashing.result()
        if expected not in (None, found):
            raise CheckpointDamagedError(
                f"{self._show(file)} is not what was saved: blake3 {expected[:12]}… expected, "
                f"{found[:12]}… found. {self._remedy()}"
            )

    def _identity(self, file: str) -> tuple[Path, int, int, int] | None:
        """Return where a file is, and what tells it from another there; None if there is none."""
        path = store.locate(self._folder, file)
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        # the place too: a file that is moved out of a commit while it is read stays the same one
        return path, found.st_ino, found.st_mtime_ns, found.st_size

    def _check_still_there(self) -> None:
        """Tell a checkpoint that was saved again from a damaged one."""
        if self.recorded and store.read_record(self._folder) != self.params:
            raise CheckpointError(
                f"results/{self.step} was saved again since it was loaded. Run the load cell again."
            )

    def _ours(self) -> dict[str, Any]:
        return self.params["checkpoint"] if self.recorded else {}

    def _shape(self, key: str) -> dict[str, Any] | None:
        return self.params.get("data_shapes", {}).get(key) if self.recorded else None

    def _show(self, file: str) -> str:
        return f"results/{self.step}/{file}"

    def _remedy(self) -> str:
        return f"Run {notebook_of(self.step)} again."


def results_in(folder: Path) -> list[Path]:
    """Return the files in a folder, not below it, that one of the formats can have written."""
    return [
        path
        for path in folder.glob("*")
        if path.is_file() and format_of(path.name) and path.name != store.RECORD
    ]


def notebook_of(step: str) -> str:
    """Return the file name of the notebook that makes a step or sub-checkpoint."""
    return f"{step.partition('/')[0]}.ipynb"


def missing(project: Project, step: str) -> str:
    """Say that a step has no results, and what to run.

    A new project's folders hold `.gitkeep` alone: there, too, the results are not found.
    """
    message = f"Results directory 'results/{step}' not found."
    steps = [notebook.name for notebook in project.steps()]
    if steps and step.partition("/")[0] not in steps:
        return f"{message} No notebook makes it; the steps are {', '.join(steps)}."
    return f"{message} Run {notebook_of(step)} first."
