"""The files that this process opens, by Python's audit events.

Libraries that open files without Python, such as HDF5, are told apart in `readers`.
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

CODE = (".py", ".ipynb")  # recorded by what their code says, as modules are
WORD = re.compile(r"[^\s\"'`<>|;&()=,]+")
# SQL names files in quotes; what follows TO is written
QUOTED = re.compile(r"(?<!\bTO\s)'([^'\n]+)'", re.IGNORECASE)
# results are not made from what these read, but from what they `run`
TOOLS = frozenset(("conda", "git", "mamba", "pip", "pip3", "uv"))
WRITES = os.O_WRONLY | os.O_RDWR


class Stamp(NamedTuple):
    """What changes when a file is written, or replaced by another."""

    inode: int
    size: int
    changed: int  # in nanoseconds


reads: dict[str, Stamp | None] = {}  # by absolute path, as first opened; None if it did not exist
writes: set[str] = set()  # what was written anew, and so is made by this process
listed: dict[str, Stamp | None] = {}  # folders whose files were asked for, as they were then
code: list[str] = []  # scripts and notebooks that were read, which `modules` takes
told: dict[str, Stamp | None] = {}  # what commands name since `settle`, as it was before them
asked: set[str] = set()  # what was not there since the last call of `cell_ended`
scope: set[str] | None = None  # what a part of a loop reads, again or not; None outside
outside: set[str] = set()  # likewise, outside of such parts
began_in: Path | None = None  # the working directory then, which a cell may change
_made: set[str] = set()  # by commands
_looked: set[str] = set()  # of what this cell asked for, what may still be made by it
_again: set[str] = set()  # what was not there, and made a cell fail, so that it runs again
_began: float | None = None
_ours = threading.local()
_OURS = f"{__name__.rpartition('.watch')[0]}."
_READERS = f"{__package__}.readers"  # they look for what users asked of them
_STDLIB = os.path.join(os.path.dirname(os.__file__), "")


def begin() -> None:
    """Note each file that is opened from now on."""
    global _began, began_in
    if _began is None:
        _began = time.time()
        with suppress(FileNotFoundError):
            began_in = Path.cwd()
        sys.addaudithook(_hook)


def began() -> float:
    """Return when this process began, or at least when it was first watched, in seconds."""
    psutil = sys.modules.get("psutil")  # every kernel imports it
    now = time.time() if _began is None else _began
    return min(now, psutil.Process(os.getpid()).create_time()) if psutil else now


def forget() -> None:
    """Forget all files, as a new process would."""
    for seen in (reads, writes, listed, code, told, asked, outside, _made, _looked, _again):
        seen.clear()


def look(path: object) -> None:
    """Note that code asked whether a file is there, and it was not."""
    if isinstance(path, str | bytes | os.PathLike) and not getattr(_ours, "active", False):
        with suppress(ValueError, OSError):  # a name with a NUL, a folder that is gone
            _looked.add(absolute(path))


def tell(command: str, folder: str = "", arguments: Iterable[str] = ()) -> None:
    """Note the files that a command names, which is about to start in a folder."""
    words = words_of(command)
    for word in dict.fromkeys([*words, *arguments] if words else ()):
        with suppress(ValueError, OSError):  # a name with a NUL, a folder that is gone
            path = os.path.join(folder, word)
            for each in glob.glob(path) if glob.has_magic(word) else [path]:
                told.setdefault(absolute(each), stamp(each))


def settle() -> None:
    """Note what was asked for and is still not there, and what commands named and left as it was.

    Nobody downloaded the former since. The commands read the latter; what else they named, they
    made, changed or removed.
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
    """Note that a cell ended; one that failed runs again when what it asked for is there."""
    settle()
    if failed:
        _again.update(asked)
    asked.clear()


def is_new(place: str) -> bool:
    """Tell whether nobody has used yet that something was not there."""
    return place in _again


def enter(seen: set[str] | None) -> None:
    """Note what is read from now on in a set, too; None ends it."""
    global scope
    scope = seen


@contextmanager
def unwatched() -> Iterator[None]:
    """Open files in this thread that nobody's results are made from."""
    before = getattr(_ours, "active", False)
    _ours.active = True
    try:
        yield
    finally:
        _ours.active = before


def note(path: object, *, written: bool) -> None:
    """Note that a file is about to be opened.

    Parameters
    ----------
    path
        Its path; anything else, such as a file that is open, is passed over.
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
    """Return a path from the root on, without `..`; links are left as they are."""
    return os.path.abspath(os.fsdecode(path))


def stamp(path: str) -> Stamp | None:
    """Return the stamp of a file; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def words_of(command: str) -> list[str]:
    """Return the words of a command that may be files which it reads."""
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
        return  # a folder that is gone, a name with a NUL, a number: whoever opens it is told


def _on_open(path: object, mode: object, flags: object) -> None:
    if getattr(_ours, "active", False):
        return
    if isinstance(path, str | bytes) and not os.fsdecode(path).endswith(".pyc"):
        # what is opened for both, as with "r+", is read; what is added to keeps what was in it
        anew = str(mode)[:1] in ("w", "x") or (str(mode)[:1] != "r" and _is_new(path, flags))
        touched = isinstance(flags, int) and flags & WRITES == os.O_WRONLY
        if anew or not touched:  # what is only touched is neither read nor written
            note(path, written=anew)


def _on_connect(path: str, *_: object) -> None:
    if isinstance(path, str) and path.startswith("file:"):
        path = unquote(urlsplit(path).path)
    if os.path.exists(path):  # else it is new, or in memory
        note(path, written=False)


def _on_rename(before: str, after: str, *_: object) -> None:
    if absolute(before) in writes:
        note(after, written=True)  # written elsewhere, then moved into its place


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
