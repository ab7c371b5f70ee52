"""Processes that write into a step's folder: commands, and kernels of other languages.

A run that is killed cannot end them. They are known by the folder that their environment names.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..notebooks.recipe import OUTPUT
from . import store

if TYPE_CHECKING:
    from psutil import Process


def left_running(folder: Path) -> list[Process]:
    """Return what killed runs left running in a step's folder, in which nothing else runs now."""
    return writing_into(list(folder.glob(f"{store.STAGING}*")))


def writing_into(folders: Collection[Path]) -> list[Process]:
    """Return this user's processes that were told to write into one of some folders."""
    if not folders:
        return []
    import psutil

    places, writing = {folder.resolve() for folder in folders}, []
    for process in psutil.process_iter():
        try:
            place = process.environ().get(OUTPUT)
            if place and process.pid != os.getpid() and Path(place).resolve() in places:
                writing.append(process)
        except (psutil.Error, OSError):
            continue  # it has ended, or is not this user's
    return writing


def end(processes: Iterable[Process], patience: float = 0) -> list[str]:
    """Kill the processes that still run after some seconds; return what they are called."""
    import psutil

    killed = []
    for process in psutil.wait_procs(processes, timeout=patience)[1]:
        name = described(process)
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
        killed.append((name, process))
    psutil.wait_procs([process for _, process in killed], timeout=5)
    return [name for name, _ in killed]


def described(process: Process) -> str:
    """Return what a process is called: `R (process 4711)`."""
    import psutil

    try:
        return f"{process.name()} (process {process.pid})"
    except psutil.Error:
        return f"process {process.pid}"
