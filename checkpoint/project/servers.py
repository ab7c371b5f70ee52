"""Find notebooks that are open in Jupyter, from the sessions of servers on this machine."""

import json
import platform
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import ProjectError
from .project import Project

PATIENCE = 1  # seconds; a server that does not answer is skipped
CLOSE = "Close the tab without saving: saving there writes the old file back."
RELOAD = (
    "Reload it before you go on there (in JupyterLab: File, Reload Notebook from Disk), and do not "
    "choose Overwrite if you are asked."
)
HERE = ("localhost", "127.0.0.1", "::1")


def sessions(project: Project) -> dict[Path, bool]:
    """Return the notebooks that Jupyter servers of this user run, and whether each is busy.

    A closed tab counts until its kernel is shut down. VS Code, servers on other machines, and
    servers that ask for a password cannot be queried.
    """
    from jupyter_core.paths import jupyter_runtime_dir

    running: dict[Path, bool] = {}
    for file in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        for path, busy in _told(file):
            if path.is_relative_to(project.notebooks.resolve()):
                running[path] = busy or running.get(path, False)
    return dict(sorted(running.items()))


def refuse_busy(project: Project, files: Iterable[str]) -> None:
    """Raise `ProjectError` if Jupyter runs a cell of one of these files of the project."""
    names = {Path(file).name for file in files if file.startswith("notebooks/")}
    for path, busy in sessions(project).items() if names else ():
        if busy and path.name in names:
            inside = path.relative_to(project.notebooks.resolve())
            shown = f"notebooks/{inside.as_posix()}"
            raise ProjectError(
                f"A cell of {shown} is running in Jupyter. Wait for it, or interrupt its kernel.",
                file=shown,
            )


def advice(project: Project, names: Sequence[str], todo: str) -> str:
    """Return what to do about notebooks that are or may be open.

    `names` are their file names, at least one, and `todo` is `CLOSE` or `RELOAD`.
    """
    running = [path.name for path in sessions(project)]
    if known := [name for name in names if name in running]:
        return f"Open in Jupyter: {', '.join(known)}. {todo}"
    # VS Code, for example, cannot be queried
    either = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return f"If {either} is open, {todo[0].lower()}{todo[1:]}"


def _told(file: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the notebooks of the server that wrote `file`, and whether each is busy."""
    from http.client import HTTPException
    from urllib.parse import urlsplit
    from urllib.request import ProxyHandler, Request, build_opener

    try:
        server: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        root = Path(server["root_dir"]).resolve()
        if urlsplit(server["url"]).hostname not in (*HERE, platform.node()):
            return  # a server on another machine that shares the home folder
        request = Request(f"{server['url']}api/sessions")
        request.add_header("Authorization", f"token {server['token']}")
        opener = build_opener(ProxyHandler({}))  # no proxy: the server is on this machine
        with opener.open(request, timeout=PATIENCE) as answer:
            listed = json.load(answer)
        for session in listed:
            if session["type"] == "notebook":
                place = root / session["path"].removeprefix("RTC:")  # real-time collaboration
                busy = session["kernel"]["execution_state"] == "busy"
                yield place.parent.resolve() / place.name, busy
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return  # the server has ended, is starting, or asks for a password
