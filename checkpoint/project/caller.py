"""Find the caller of `load` or `save`: a notebook that the front end names, or a script."""

import os
import sys
from functools import cache
from pathlib import Path


def notebook() -> Path | None:
    """Return the file of the notebook that this kernel runs; None if no front end names it.

    JupyterLab and VS Code do; nbclient, papermill and nbconvert do not. JupyterLab keeps the name
    that the notebook had when the kernel started, so the file may no longer exist.
    """
    from ..watch.cells import running_shell

    shell = running_shell()
    if shell is None:
        return None
    named = shell.user_ns.get("__vsc_ipynb_file__") or _session_name()
    path = Path(str(named))
    if path.suffix != ".ipynb":
        return None
    # older servers give a path relative to their root; kernels start in the notebook's folder
    return path if path.is_absolute() else Path(path.name).absolute()


def script() -> Path | None:
    """Return the script that this process runs; None in a notebook or a tool such as pytest."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not file or working_directory() is None:
        return None
    path = Path(file).absolute()
    # a project may contain the environment in which the tool is installed
    return None if any(path.is_relative_to(folder) for folder in _tools()) else path


def places() -> list[Path]:
    """Return the folders to search for the caller's project; the first one in a project decides."""
    from ..watch import files

    file = notebook()
    if file and file.is_file():
        return [file.parent]
    file = script()
    here = working_directory(), files.began_in  # a cell may have left the project
    return [place for place in (file and file.parent, *here) if place]


def working_directory() -> Path | None:
    """Return the working directory; None if it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


@cache
def _tools() -> list[Path]:
    """Return the folders in which this environment has its scripts and packages."""
    from sysconfig import get_path

    return [Path(get_path(name)) for name in ("scripts", "purelib", "platlib", "stdlib")]


def _session_name() -> str | None:
    """Return the notebook path that a Jupyter server gave this kernel; None without one."""
    name = os.environ.get("JPY_SESSION_NAME")
    psutil = sys.modules.get("psutil")  # every kernel imports it
    if psutil is None:
        return name
    try:
        parent = psutil.Process(os.getppid()).environ()
    except psutil.Error:
        return name
    # a process that a cell starts, such as papermill, inherits the name of the cell's notebook
    return None if name == parent.get("JPY_SESSION_NAME") else name
