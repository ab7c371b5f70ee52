"""Record the files that this process opens, by Python's audit events.

`readers` records those that libraries such as HDF5 open without Python.
"""

import glob
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

CODE = (".py", ".ipynb")  # recorded by their code, like modules
WORD = re.compile(r"[^\s\"'`<>|;&()=,]+")
# SQL names files in quotes; a file after TO is written
QUOTED = re.compile(r"(?<!\bTO\s)'([^'\n]+)'", re.IGNORECASE)
# results do not depend on files that these tools read, only on commands that they `run`
TOOLS = frozenset(("conda", "git", "mamba", "pip", "pip3", "uv"))
WRITES = os.O_WRONLY | os.O_RDWR


class Stamp(NamedTuple):
    """The attributes that change when a file is written or replaced."""

    inode: int
    size: int
    changed: int  # in nanoseconds


reads: dict[str, Stamp | None] = {}  # by absolute path, as first opened; None if it did not exist
writes: set[str] = set()  # files whose whole content this process wrote
listed: dict[str, Stamp | None] = {}  # folders that were listed, with their stamp at that time
code: list[str] = []  # scripts and notebooks that were read; `modules` empties the list
told: dict[str, Stamp | None] = {}  # files that commands name since `settle`, before these start
asked: set[str] = set()  # files that were missing since the last call of `cell_ended`
scope: set[str] | None = None  # files that a part of a loop uses, again or not; None outside
outside: set[str] = set()  # files used outside of such parts
began_in: Path | None = None  # the working directory at `begin`, which a cell may change
_made: set[str] = set()  # files that commands created, changed or removed
_looked: set[str] = set()  # missing files that this cell checked for, and may still create
_again: set[str] = set()  # files that were missing in a cell that failed, and may run again
_began: float | None = None
_ours = threading.local()
_OURS = f"{__name__.rpartition('.watch')[0]}."
_READERS = f"{__package__}.readers"  # lists folders for the user's code
_STDLIB = os.path.join(os.path.dirname(os.__file__), "")


def begin() -> None:
    """Start to record each file that is opened."""
    global _began, began_in
    if _began is None:
        _began = time.time()
        with suppress(FileNotFoundError):
            began_in = Path.cwd()
        sys.addaudithook(_hook)


def began() -> float:
    """Return when this process started, or else when recording began, in seconds."""
    psutil = sys.modules.get("psutil")  # every kernel imports it
    now = time.time() if _began is None else _began
    return min(now, psutil.Process(os.getpid()).create_time()) if psutil else now


def forget() -> None:
    """Forget all files, as a new process would."""
    for seen in (reads, writes, listed, code, told, asked, outside, _made, _looked, _again):
        seen.clear()


def look(path: object) -> None:
    """Record that code checked for a file that does not exist."""
    if isinstance(path, str | bytes | os.PathLike) and not getattr(_ours, "active", False):
        with suppress(ValueError, OSError):  # a name with a NUL, a removed folder
            _looked.add(absolute(path))


def tell(command: str, folder: str = "", arguments: Iterable[str] = ()) -> None:
    """Record the files named in a command that is about to start in a folder."""
    words = words_of(command)
    for word in dict.fromkeys([*words, *arguments] if words else ()):
        with suppress(ValueError, OSError):  # a name with a NUL, a removed folder
            path = os.path.join(folder, word)
            for each in glob.glob(path) if glob.has_magic(word) else [path]:
                told.setdefault(absolute(each), stamp(each))


def settle() -> None:
    """Record files that are still missing, and files that commands named and did not change.

    The former were not downloaded in the meantime. The latter were read by the commands; the other
    files that they named were created, changed or removed by them.
    """
    for place in list(_looked):
        if stamp(place) is None:
            note(place, written=False)
    _looked.clear()
    for place, before in list(told.items()):
        now = stamp(place)
        if now != before:
            _made.add(place)
            if now is None:
                reads.pop(place, None)
        elif now and place not in _made and os.path.isfile(place):
            note(place, written=False)
    told.clear()


def cell_ended(*, failed: bool) -> None:
    """Record that a cell ended; one that failed may run again when its missing files exist."""
    settle()
    if failed:
        _again.update(asked)
    asked.clear()


def is_new(place: str) -> bool:
    """Tell whether a file was missing only in a cell that failed, so no result depends on it."""
    return place in _again


def enter(seen: set[str] | None) -> None:
    """Collect the files that are used from now on in a set; None ends this."""
    global scope
    scope = seen


@contextmanager
def unwatched() -> Iterator[None]:
    """Do not record the files that this thread opens within the `with` block."""
    before = getattr(_ours, "active", False)
    _ours.active = True
    try:
        yield
    finally:
        _ours.active = before


def note(path: object, *, written: bool) -> None:
    """Record that a file is about to be opened.

    Parameters
    ----------
    path
        Its path; anything else, such as an open file, is ignored.
    written
        Whether its content is replaced.
    """
    if isinstance(path, str | bytes | os.PathLike) and not getattr(_ours, "active", False):
        place = absolute(path)
        (outside if scope is None else scope).add(place)
        # it was read, or was missing and the session went on without it
        known = place in reads and (reads[place] is not None or not is_new(place))
        if written:
            writes.add(place)
        elif not (known or place in writes or is_installed(place)):
            stamped = stamp(place)
            if stamped is None:
                asked.add(place)
            if stamped is None or not os.path.isdir(place):  # folders are opened to be flushed
                reads[place] = stamped
            if place.endswith(CODE):
                code.append(place)


def absolute(path: str | bytes | os.PathLike[Any]) -> str:
    """Return an absolute path, without `..`; links are not resolved."""
    return os.path.abspath(os.fsdecode(path))


def stamp(path: str) -> Stamp | None:
    """Return the stamp of a file; None if it does not exist."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def words_of(command: str) -> list[str]:
    """Return the words of a command that may be files that it reads."""
    words = WORD.findall(command)
    by_tools = TOOLS.intersection(map(os.path.basename, words)) and "run" not in words
    return [] if by_tools else words


def is_installed(path: str) -> bool:
    """Tell whether a file belongs to Python or to an installed library."""
    return path.startswith(_STDLIB) or "site-packages" in path or "dist-packages" in path


def is_ours(module: str) -> bool:
    """Tell whether a module belongs to this copy of `checkpoint`."""
    return module.startswith(_OURS)


def _hook(event: str, args: tuple) -> None:
    handler = _HANDLERS.get(event)
    if handler is None:
        return
    try:
        handler(*args)
    except (OSError, ValueError, TypeError):
        return  # a removed folder, a name with a NUL, a number: opening it raises the error


def _on_open(path: object, mode: object, flags: object) -> None:
    if getattr(_ours, "active", False):
        return
    if isinstance(path, str | bytes) and not os.fsdecode(path).endswith(".pyc"):
        # a file opened for both, as with "r+", is read; appending to one keeps its content
        anew = str(mode)[:1] in ("w", "x") or (str(mode)[:1] != "r" and _is_new(path, flags))
        touched = isinstance(flags, int) and flags & WRITES == os.O_WRONLY
        if anew or not touched:  # others are neither read nor replaced
            note(path, written=anew)


def _on_connect(path: str, *_: object) -> None:
    if isinstance(path, str) and path.startswith("file:"):
        path = unquote(urlsplit(path).path)
    if os.path.exists(path):  # otherwise, it is new or in memory
        note(path, written=False)


def _on_rename(before: str, after: str, *_: object) -> None:
    if absolute(before) in writes:
        note(after, written=True)  # written under another name, then moved into place


def _on_listing(path: object = None, *_: object) -> None:
    path = "." if path is None else path
    if isinstance(path, str | bytes) and not getattr(_ours, "active", False):
        place = absolute(path)
        (outside if scope is None else scope).add(place)
        if place not in listed and not _is_by_tools():
            listed[place] = stamp(place)


def _on_command(_: object, arguments: object, folder: object = None, *__: object) -> None:
    words = [arguments] if isinstance(arguments, str | bytes | os.PathLike) else arguments
    if not getattr(_ours, "active", False):
        here = os.fsdecode(folder) if isinstance(folder, str | bytes | os.PathLike) else ""
        given = list(map(os.fsdecode, words or ()))  # type: ignore[call-overload]
        tell("\n".join(given), here, given)


def _is_by_tools() -> bool:
    """Tell whether a folder is listed by an import, by the Tab key, or by `checkpoint` itself."""
    frame = sys._getframe(3)
    if str(frame.f_globals.get("__name__")).startswith(("importlib", "pkgutil")):
        return True
    while frame := frame.f_back:  # type: ignore[assignment]
        name = str(frame.f_globals.get("__name__"))
        if name.startswith("IPython.core.completer") or (is_ours(name) and name != _READERS):
            return True
    return False


def _is_new(path: str | bytes, flags: object) -> bool:
    if not isinstance(flags, int) or not flags & WRITES:
        return False
    return bool(flags & (os.O_TRUNC | os.O_EXCL)) or not os.path.exists(path)


_HANDLERS: dict[str, Callable[..., None]] = {
    "open": _on_open,
    "os.rename": _on_rename,
    "os.listdir": _on_listing,
    "os.scandir": _on_listing,
    "os.system": lambda command: _on_command(None, command),
    "subprocess.Popen": _on_command,
    "sqlite3.connect": _on_connect,
}
