"""Locks that keep notebooks from being renamed while they run, and a step from running twice."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..errors import ProjectError
from .group import explained, locked, make_folder
from .project import Project

FOLDER = ".running"
RUN, STEP = "run-", "step-"


@contextmanager
def unchanging(project: Project, timeout: float = 60) -> Iterator[None]:
    """Keep other processes from renaming the project's notebooks within the `with` block.

    Raises `ProjectError` if another process is still renaming them after `timeout` seconds.
    """
    from filelock import Timeout

    try:
        with explained():
            make_folder(project.results)
            with locked(project.results / ".lock", timeout):
                yield
    except Timeout:
        raise ProjectError(
            "Another process is changing this project. Try again.",
            file=project.show(project.results),
        ) from None


@contextmanager
def announced(project: Project) -> Iterator[None]:
    """Announce that notebooks are running, within the `with` block.

    Raises `ProjectError` if another process is renaming them.
    """
    from filelock import FileLock

    folder = project.results / FOLDER
    with explained():
        make_folder(folder)
    # two containers may have the same host name and process ids
    path = folder / f"{RUN}{platform.node() or 'here'}-{os.getpid()}-{os.urandom(4).hex()}"
    lock = FileLock(path)
    with unchanging(project):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):  # another process checks the file, and removes it
            path.unlink(missing_ok=True)


@contextmanager
def alone(project: Project, step: str) -> Iterator[None]:
    """Keep other processes from running a step within the `with` block.

    Raises `ProjectError` if another process is running it.
    """
    from filelock import Timeout

    path = project.results / FOLDER / f"{STEP}{step}"
    try:
        with explained(), locked(path, timeout=0):
            yield
    except Timeout:
        raise ProjectError(
            f"Another process is running {step}. Wait for it, or stop it.", step=step
        ) from None


def refuse(project: Project) -> None:
    """Raise `ProjectError` if a process has `announced` that it runs notebooks of the project."""
    from filelock import FileLock, Timeout

    for path in (project.results / FOLDER).glob(f"{RUN}*"):
        try:
            with FileLock(path, timeout=0):
                pass  # left by a process that was killed
        except Timeout:
            raise ProjectError(
                f"Notebooks of this project are running ({path.name}). Wait for them, or stop "
                "them.",
                file=project.show(path),
            ) from None
        with suppress(OSError):
            path.unlink(missing_ok=True)
