"""Find and end processes that write into a step's folder: commands, and non-Python kernels.

A run that is killed cannot end them. They are recognized by the folder in their environment.
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
    """Return the processes that killed runs left in a step's folder; no run may be active."""
    return writing_into(list(folder.glob(f"{store.STAGING}*")))


def writing_into(folders: Collection[Path]) -> list[Process]:
    """Return this user's processes whose output folder is one of `folders`."""
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
            continue  # it has ended, or belongs to another user
    return writing


def end(processes: Iterable[Process], patience: float = 0) -> list[str]:
    """Kill processes that still run after `patience` seconds; return their descriptions."""
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
    """Return a process's name and id, such as `R (process 4711)`."""
    import psutil

    try:
        return f"{process.name()} (process {process.pid})"
    except psutil.Error:
        return f"process {process.pid}"
