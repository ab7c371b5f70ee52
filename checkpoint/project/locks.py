"""Which processes are running notebooks of a project, so that nobody renames these meanwhile."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..errors import ProjectError
from .project import Project

FOLDER = ".running"
RUN, STEP = "run-", "step-"


@contextmanager
def unchanging(project: Project, timeout: float = 60) -> Iterator[None]:
    """Keep others from moving the project's notebooks, as long as the `with` block lasts.

    Raises
    ------
    ProjectError
        If another process has been moving them for `timeout` seconds.
    """
    from filelock import FileLock, Timeout

    project.results.mkdir(exist_ok=True)
    try:
        with FileLock(project.results / ".lock", timeout=timeout):
            yield
    except Timeout:
        raise ProjectError("Another process is changing this project. Try again.") from None


@contextmanager
def announced(project: Project) -> Iterator[None]:
    """Let others know that notebooks are running, as long as the `with` block lasts.

    Raises
    ------
    ProjectError
        If another process is moving them.
    """
    from filelock import FileLock

    folder = project.results / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    # two containers may have one name, and the same numbers of processes
    path = folder / f"{RUN}{platform.node() or 'here'}-{os.getpid()}-{os.urandom(4).hex()}"
    lock = FileLock(path)
    with unchanging(project):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):  # somebody is looking at it, and removes it then
            path.unlink(missing_ok=True)


@contextmanager
def alone(project: Project, step: str) -> Iterator[None]:
    """Run a step as the only process that does.

    Raises
    ------
    ProjectError
        If another process is running it.
    """
    from filelock import FileLock, Timeout

    path = project.results / FOLDER / f"{STEP}{step}"
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise ProjectError(f"Another process is running {step}. Wait, or stop it.") from None


def refuse(project: Project) -> None:
    """Refuse to go on while notebooks are running.

    Raises
    ------
    ProjectError
        If another process has announced that it runs some.
    """
    from filelock import FileLock, Timeout

    for path in (project.results / FOLDER).glob(f"{RUN}*"):
        try:
            with FileLock(path, timeout=0):
                pass  # what its process left behind when it was killed
        except Timeout:
            raise ProjectError(
                f"Notebooks of this project are running ({path.name}). Wait, or stop them."
            ) from None
        with suppress(OSError):
            path.unlink(missing_ok=True)
