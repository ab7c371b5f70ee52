"""Read objects of a checkpoint, and verify that their files are what was saved."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import (
    CheckpointDamagedError,
    CheckpointError,
    CheckpointFormatError,
    missing_package,
)
from ..formats import beside, format_of, known
from ..progress import Progress
from ..project.project import Project
from . import committed, hashes
from .opened import PATIENCE, PAUSE, Opened, misfit, remedy
from .schema import FileEntry


def read_object(project: Project, step: str, opened: Opened, file: str) -> Any:
    """Read and verify an object, even while another process replaces the checkpoint.

    Raises
    ------
    CheckpointDamagedError
        If the file is missing or is not what was saved.
    CheckpointError
        If the step was saved again since it was opened, or the file cannot be read here.
    """
    return _patiently(project, step, opened, file, _read)


def verified_path(project: Project, step: str, opened: Opened, file: str) -> Path:
    """Return the path of a file or folder, verified; raises like `read_object`."""
    path: Path = _patiently(project, step, opened, file, _verified)
    return path


def lazy_object(project: Project, step: str, opened: Opened, file: str, verify: bool) -> Any:
    """Open an object without reading its matrices; raises like `read_object`."""

    def open_it(path: Path, entry: FileEntry, rest: dict[str, list]) -> Any:
        lazily = _able(step, file, "lazily", "lazy")
        return beside.joined(lazily(path, entry.details), rest)

    return _in_part(project, step, opened, file, open_it, verify)


def parts_of(
    project: Project, step: str, opened: Opened, file: str, parts: tuple[str, ...]
) -> list[Any]:
    """Read parts of an object; raises like `read_object`, and if a part does not exist."""

    def read_them(path: Path, entry: FileEntry, rest: dict[str, list]) -> list[Any]:
        read: list[Any] = _able(step, file, "parts", "part")(path, parts, rest)
        return read

    values: list[Any] = _in_part(project, step, opened, file, read_them)
    return values


def _able(step: str, file: str, function: str, verb: str) -> Any:
    """Return the function of a format that opens a file lazily, or reads parts of it."""
    able = getattr(format_of(file), function, None)
    if able is None:
        takes = ", ".join(entry.suffix for entry in known() if getattr(entry, function))
        raise CheckpointFormatError(
            f"results/{step}/{file} cannot be read in part: {verb}() takes {takes}. Read it whole, "
            "or open its .path(…) with a library that can.",
            step=step,
            file=f"results/{step}/{file}",
            expected=takes,
        )
    return able


def _in_part(
    project: Project,
    step: str,
    opened: Opened,
    file: str,
    use: Callable[[Path, FileEntry, dict[str, list]], Any],
    verify: bool = False,
) -> Any:
    """Call `use` with a file after checking its size, and its `.rest.pkl`, verified in full."""

    def read(project: Project, step: str, file: str, opened: Opened) -> Any:
        entry = opened.files[file]
        if verify:
            path = _verified(project, step, file, opened)
        else:
            _check_size(project, step, file, entry)
            path = committed.locate(project.results_of(step), file)
        rests = [name for name, entry in opened.files.items() if entry.beside == file]
        rest = _read_file(project, step, rests[0], opened) if rests else {}
        try:
            return use(path, entry, rest)
        except (ImportError, CheckpointFormatError) as error:
            if missing := missing_package(error, "lazy"):
                raise missing from error
            place = f"results/{step}/{file}"
            if isinstance(error, CheckpointFormatError) and not error.file:
                raise CheckpointFormatError(f"{place}: {error}.", step=step, file=place) from error
            raise
        except CheckpointError:
            raise
        except Exception:
            _verified(project, step, file, opened)  # raises if it is not what was saved
            raise

    return _patiently(project, step, opened, file, read)


def _check_size(project: Project, step: str, file: str, entry: FileEntry) -> None:
    if problem := misfit(project, step, project.results_of(step), file, entry):
        raise problem


def _patiently(
    project: Project,
    step: str,
    opened: Opened,
    file: str,
    read: Callable[[Project, str, str, Opened], Any],
) -> Any:
    """Read a file, and retry if it was replaced during the read."""
    folder = project.results_of(step)
    for _ in range(PATIENCE):
        before = _identity(folder, file)
        try:
            obj = read(project, step, file, opened)
        except (OSError, CheckpointError):
            if before == _identity(folder, file) and not committed.in_progress(folder):
                _check_not_replaced(folder, step, opened)
                raise
        else:
            # otherwise, the file that was hashed may not be the one that was read
            if before == _identity(folder, file):
                return obj
        _check_not_replaced(folder, step, opened)
        time.sleep(PAUSE)
    raise CheckpointDamagedError(
        f"results/{step}/{file} is missing. {remedy(project, step)}", step=step, file=file
    )


def _read(project: Project, step: str, file: str, opened: Opened) -> Any:
    obj = _read_file(project, step, file, opened)
    for rest, entry in opened.files.items():
        if entry.beside == file:
            obj = beside.joined(obj, _read_file(project, step, rest, opened))
    return obj


def _verified(project: Project, step: str, file: str, opened: Opened) -> Path:
    entry = opened.files[file]
    _check_size(project, step, file, entry)
    path = committed.locate(project.results_of(step), file)
    with _hashing("Hashing", file, path) as hashing:
        _verify(project, step, file, entry.blake3, hashing.result())
    return path


@contextmanager
def _hashing(doing: str, file: str, path: Path) -> Iterator[Future[str]]:
    """Hash a file in another thread, which shows its progress and stops on Ctrl-C."""
    size, _ = hashes.stamp_of(path)
    with Progress(doing, file, size) as progress, ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(hashes.path_hash, path, progress.advance)
        except BaseException:
            progress.stopped = True
            raise


def _read_file(project: Project, step: str, file: str, opened: Opened) -> Any:
    """Read and verify one file."""
    entry = opened.files[file]
    if entry.is_path:
        return _verified(project, step, file, opened)
    _check_size(project, step, file, entry)
    path = committed.locate(project.results_of(step), file)
    file_format = format_of(file)
    assert file_format, file
    with _hashing("Reading", file, path) as hashing:
        if file_format.runs_code:
            _verify(project, step, file, entry.blake3, hashing.result())
        try:
            obj = file_format.read(path, entry.details)
        except Exception as error:
            _verify(project, step, file, entry.blake3, hashing.result())
            if missing := missing_package(error, file_format.extra):
                raise missing from error
            # the file is intact, so regenerating it would change nothing
            raise CheckpointError(
                f"results/{step}/{file} is what was saved, but cannot be read here: {error}",
                step=step,
                file=f"results/{step}/{file}",
                key=entry.key,
            ) from error
        _verify(project, step, file, entry.blake3, hashing.result())
    return obj


def _verify(project: Project, step: str, file: str, expected: str, actual: str) -> None:
    if expected and expected != actual:
        place = f"results/{step}/{file}"
        raise CheckpointDamagedError(
            f"{place} is not what was saved: expected blake3 {expected[:12]}…, "
            f"got {actual[:12]}…. {remedy(project, step)}",
            step=step,
            file=place,
            expected=expected,
            found=actual,
        )


def _identity(folder: Path, file: str) -> tuple[Path, int, int, int] | None:
    """Return a file's path, inode, time and size, which identify it; None if it is missing."""
    path = committed.locate(folder, file)
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    # the path, too: a file that is moved out of `.commit` while it is read keeps its inode
    return path, status.st_ino, status.st_mtime_ns, status.st_size


def _check_not_replaced(folder: Path, step: str, opened: Opened) -> None:
    """Raise if the checkpoint was saved again since it was opened, rather than damaged."""
    if opened.record and committed.read_raw(folder) != opened.raw:
        raise CheckpointError(
            f"results/{step} was saved again since it was loaded. Run the load cell again.",
            step=step,
        )
