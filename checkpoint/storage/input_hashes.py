"""The content of input files: what was hashed once, and has not changed, is not hashed again.

What is known of a large file is kept in this process, and for others in `.checkpoint-hashes.json`
at the top of the project. A file is the same if its size, times and inode are. That is trusted only
if the file was a few seconds old already when it was hashed, so that a later change gives it
another time; git does the same with what it calls racily clean. A cache that cannot be read or
written costs time, nothing else.
"""

import json
import os
import queue
import threading
import time
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..progress import PAUSE, Progress
from ..project.project import Project
from ..watch.files import unwatched
from . import hashes
from .schema import InputEntry

CACHE = ".checkpoint-hashes.json"
LARGE = 1 << 20  # what is smaller is hashed sooner than it is looked up
BESIDE = 1 << 24  # bytes from which on a file is hashed beside the notebook's own work
SETTLED_NS = 3_000_000_000  # the coarsest clock of a file system, FAT's, has steps of 2 s
MOST = 1_000  # files in the cache


class Stamp(NamedTuple):
    """What tells a file's content from another without reading it.

    Copying and unpacking programs set `mtime_ns`; no program sets `ctime_ns`. On Windows that is
    when the file was created.
    """

    bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Return the size, times and inode of a file; raises `FileNotFoundError`."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


_known: dict[tuple[str, Stamp], str] = {}
_running: "dict[tuple[str, Stamp], Hashing]" = {}
_jobs: "queue.SimpleQueue[Hashing]" = queue.SimpleQueue()
_worker: threading.Thread | None = None


class Hashing:
    """The content of a large file, hashed by another thread; `result` waits for it."""

    def __init__(self, project: Project, path: Path, stamp: Stamp) -> None:
        self.project, self.path, self.stamp = project, path, stamp
        self.progress = Progress("Hashing", project.show(path), stamp.bytes)
        self._done = threading.Event()
        self._entry: InputEntry | None = None

    def run(self) -> None:
        """Hash the file, in the other thread."""
        try:
            if not self.progress.stopped:
                self._entry = _hashed(self.project, self.path, self.stamp, self.progress.count)
        except OSError:  # also when it is stopped; `result` tries again, and raises
            self._entry = None
        finally:
            _running.pop((str(self.path.resolve()), self.stamp), None)
            self._done.set()

    def result(self) -> InputEntry:
        """Return the content; on Ctrl-C the other thread stops too.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        try:
            with Progress("Hashing", self.progress.name, self.stamp.bytes) as shown:
                # in a forked process there is no other thread
                while _worker and _worker.is_alive() and not self._done.wait(PAUSE / 10):
                    shown.reach(self.progress.done)
                shown.done = self.progress.done
        except BaseException:
            self.progress.stopped = True
            raise
        if self._entry is None:
            self._entry = entry_of(self.project, self.path, self.stamp)
        return self._entry


def begin(project: Project, path: Path) -> "InputEntry | Hashing":
    """Return the content of an input, or what is hashing it."""
    global _worker
    stamp = Stamp.of(path)
    if stamp.bytes < BESIDE or _lookup(project, path, stamp):
        return entry_of(project, path, stamp)
    key = str(path.resolve()), stamp
    if (running := _running.get(key)) and not running.progress.stopped:
        return running
    job = _running[key] = Hashing(project, path, stamp)
    _jobs.put(job)
    if _worker is None or not _worker.is_alive():
        # does not keep a kernel from ending
        _worker = threading.Thread(target=_work, name="checkpoint-hashing", daemon=True)
        _worker.start()
    return job


def entry_of(project: Project, path: Path, stamp: Stamp | None = None) -> InputEntry:
    """Return the content of an input; of one that changes meanwhile, with an empty hash.

    Parameters
    ----------
    project
        The project.
    path
        The file.
    stamp
        How it was when it was read, if that is some time ago.
    """
    stamp = stamp or Stamp.of(path)
    if digest := _lookup(project, path, stamp):
        return InputEntry(digest, stamp.bytes, stamp.mtime_ns)
    if stamp.bytes < LARGE:
        return _hashed(project, path, stamp, hashes.ignored)
    with Progress("Hashing", project.show(path), stamp.bytes) as shown:
        return _hashed(project, path, stamp, shown.advance)


def is_same(project: Project, path: Path, entry: InputEntry, since: str = "") -> bool:
    """Tell whether a file has the recorded content; it is hashed only if that is not known.

    Parameters
    ----------
    project, path, entry
        The project, the file, and what was recorded.
    since
        When that was, as in a record. What came to its place later may have the time of another
        file, as from an archive.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    stamp = Stamp.of(path)
    if stamp.bytes != entry.bytes:
        return False
    same = stamp.mtime_ns == entry.mtime_ns and stamp.ctime_ns < _nanoseconds(since)
    return same or entry_of(project, path, stamp).blake3 == entry.blake3


def forget() -> None:
    """Forget what this process hashed, as in a new kernel."""
    _known.clear()


@lru_cache(maxsize=1 << 10)
def _nanoseconds(timestamp: str) -> float:
    """Return the time of a record; 0 if it has none, or somebody has edited it."""
    try:
        return datetime.fromisoformat(timestamp).timestamp() * 1e9
    except (ValueError, OverflowError, OSError):
        return 0


def _work() -> None:
    with unwatched():
        while True:
            _jobs.get().run()


def _hashed(project: Project, path: Path, stamp: Stamp, advance: hashes.Advance) -> InputEntry:
    """Hash a file, and remember its hash if that can be trusted later."""
    now = _clock(project) if stamp.bytes >= LARGE else time.time_ns()
    settled = max(stamp.mtime_ns, stamp.ctime_ns) + SETTLED_NS < now
    if Stamp.of(path) != stamp:
        return InputEntry("", stamp.bytes)
    digest = hashes.file_hash(path, advance)
    if Stamp.of(path) != stamp:
        return InputEntry("", stamp.bytes)
    if not settled:
        return InputEntry(digest, stamp.bytes)  # without a time it is hashed again when compared
    _known[str(path.resolve()), stamp] = digest
    if stamp.bytes >= LARGE:
        files = {**_read(project), str(path.resolve()): [*stamp, digest]}
        _write(project, dict(list(files.items())[-MOST:]))
    return InputEntry(digest, stamp.bytes, stamp.mtime_ns)


def _lookup(project: Project, path: Path, stamp: Stamp) -> str | None:
    """Return the hash of a file that was hashed when it was the same; None if it was not."""
    place = str(path.resolve())
    if (place, stamp) not in _known and stamp.bytes >= LARGE:
        match _read(project).get(place):
            case [*known, str(digest)] if known == list(stamp) and len(digest) == 64:
                _known[place, stamp] = digest
    return _known.get((place, stamp))


def _read(project: Project) -> dict[str, Any]:
    try:
        with unwatched():
            content = json.loads((project.root / CACHE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(project: Project, files: dict[str, Any]) -> None:
    """Replace the cache. Of two processes that do so at once, one has to hash again later."""
    draft = project.root / f".{CACHE[1:]}.{os.urandom(4).hex()}.part"
    with suppress(OSError), unwatched():  # a project that can only be read
        try:
            draft.write_text(json.dumps(files), encoding="utf-8")
            draft.replace(project.root / CACHE)
        finally:
            draft.unlink(missing_ok=True)


def _clock(project: Project) -> int:
    """Return the time by this machine and by the project's disk, the earlier; in nanoseconds."""
    draft = project.root / f".{CACHE[1:]}.{os.urandom(4).hex()}.part"
    now = time.time_ns()
    try:
        with unwatched():
            draft.touch()
            now = min(now, draft.stat().st_mtime_ns)
            draft.unlink()
    except OSError:
        return now  # a project that can only be read
    return now
