"""Hash input files, with a cache so that unchanged files are not hashed again.

Hashes are cached in this process; those of large files also in `.checkpoint-hashes.json` at the
top of the project, for other processes. A file counts as unchanged if its size, times and inode
are the same. This is trusted only if the file was already a few seconds old when it was hashed, so
that a later change sets a different time (git has the same rule for "racily clean" files). If the
cache cannot be read or written, files are only hashed more often.
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
LARGE = 1 << 20  # smaller files are hashed faster than the cache file is read
BESIDE = 1 << 24  # files of at least this many bytes are hashed in another thread
SETTLED_NS = 3_000_000_000  # FAT has the coarsest timestamps of all file systems: 2 s
INODE = (1 << 63) - 1  # of Windows' longer numbers, as much as fits in a record
MOST = 1_000  # maximum number of files in the cache


class Stamp(NamedTuple):
    """The size, times and inode of a file, which change if its content does.

    Programs that copy or unpack files set `mtime_ns`; no program sets `ctime_ns`. On Windows,
    `ctime_ns` is the time of creation.
    """

    bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Return the size, times and inode of a file; raises `FileNotFoundError`."""
        status = path.stat()
        inode = status.st_ino & INODE
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode)


_known: dict[tuple[str, Stamp], str] = {}
_running: "dict[tuple[str, Stamp], Hashing]" = {}
_jobs: "queue.SimpleQueue[Hashing]" = queue.SimpleQueue()
_worker: threading.Thread | None = None


class Hashing:
    """A large file that another thread hashes; `result` waits for the hash."""

    def __init__(self, project: Project, path: Path, stamp: Stamp) -> None:
        self.project, self.path, self.stamp = project, path, stamp
        self.progress = Progress("Hashing", project.show(path), stamp.bytes)
        self._done = threading.Event()
        self._entry: InputEntry | None = None

    def run(self) -> None:
        """Hash the file; called in the other thread."""
        try:
            if not self.progress.stopped:
                self._entry = _hashed(self.project, self.path, self.stamp, self.progress.count)
        except OSError:  # also raised if stopped; `result` tries again, and raises
            self._entry = None
        finally:
            _running.pop((str(self.path.resolve()), self.stamp), None)
            self._done.set()

    def result(self) -> InputEntry:
        """Return the entry of the file; Ctrl-C also stops the other thread.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        try:
            with Progress("Hashing", self.progress.name, self.stamp.bytes) as shown:
                # a forked process does not have the other thread
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
    """Return the entry of an input, or a `Hashing` that computes it in another thread."""
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
        # a daemon thread does not keep the kernel from exiting
        _worker = threading.Thread(target=_work, name="checkpoint-hashing", daemon=True)
        _worker.start()
    return job


def entry_of(project: Project, path: Path, stamp: Stamp | None = None) -> InputEntry:
    """Return the entry of an input; its hash is empty if the file changes during hashing.

    Parameters
    ----------
    project
        The project.
    path
        The file.
    stamp
        The stamp of the file when it was read, if it was read earlier.
    """
    stamp = stamp or Stamp.of(path)
    if digest := _lookup(project, path, stamp):
        return InputEntry(digest, stamp.bytes, stamp.mtime_ns, stamp.inode)
    if stamp.bytes < LARGE:
        return _hashed(project, path, stamp, hashes.ignored)
    with Progress("Hashing", project.show(path), stamp.bytes) as shown:
        return _hashed(project, path, stamp, shown.advance)


def is_same(project: Project, path: Path, entry: InputEntry, since: str = "") -> bool:
    """Tell whether a file has the recorded content; it is hashed only if necessary.

    Parameters
    ----------
    project, path, entry
        The project, the file, and what was recorded.
    since
        The timestamp of the record. A file that was put in place later, or is another one, is
        hashed: it may have the recorded modification time, such as when unpacked from an archive.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    """
    stamp = Stamp.of(path)
    if stamp.bytes != entry.bytes:
        return False
    same = (stamp.mtime_ns, stamp.inode) == (entry.mtime_ns, entry.inode)
    same = same and stamp.ctime_ns < _nanoseconds(since)
    return same or entry_of(project, path, stamp).blake3 == entry.blake3


def forget() -> None:
    """Forget the hashes of this process, as a new kernel would."""
    _known.clear()


@lru_cache(maxsize=1 << 10)
def _nanoseconds(timestamp: str) -> float:
    """Return the timestamp of a record in nanoseconds; 0 if it is missing or invalid."""
    try:
        return datetime.fromisoformat(timestamp).timestamp() * 1e9
    except (ValueError, OverflowError, OSError):
        return 0


def _work() -> None:
    with unwatched():
        while True:
            _jobs.get().run()


def _hashed(project: Project, path: Path, stamp: Stamp, advance: hashes.Advance) -> InputEntry:
    """Hash a file, and cache its hash if it can be trusted later."""
    now = _clock(project) if stamp.bytes >= LARGE else time.time_ns()
    settled = max(stamp.mtime_ns, stamp.ctime_ns) + SETTLED_NS < now
    if Stamp.of(path) != stamp:
        return InputEntry("", stamp.bytes)
    digest = hashes.file_hash(path, advance)
    if Stamp.of(path) != stamp:
        return InputEntry("", stamp.bytes)
    if not settled:
        return InputEntry(digest, stamp.bytes)  # without a time, comparing hashes it again
    _known[str(path.resolve()), stamp] = digest
    if stamp.bytes >= LARGE:
        files = {**_read(project), str(path.resolve()): [*stamp, digest]}
        _write(project, dict(list(files.items())[-MOST:]))
    return InputEntry(digest, stamp.bytes, stamp.mtime_ns, stamp.inode)


def _lookup(project: Project, path: Path, stamp: Stamp) -> str | None:
    """Return the cached hash of a file with this stamp; None if there is none."""
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
    """Replace the cache. If two processes do so at once, one has to hash its files again."""
    draft = project.root / f".{CACHE[1:]}.{os.urandom(4).hex()}.part"
    with suppress(OSError), unwatched():  # the project may be read-only
        try:
            draft.write_text(json.dumps(files), encoding="utf-8")
            draft.replace(project.root / CACHE)
        finally:
            draft.unlink(missing_ok=True)


def _clock(project: Project) -> int:
    """Return the time of this machine or of the project's disk, if earlier, in nanoseconds."""
    draft = project.root / f".{CACHE[1:]}.{os.urandom(4).hex()}.part"
    now = time.time_ns()
    try:
        with unwatched():
            draft.touch()
            now = min(now, draft.stat().st_mtime_ns)
            draft.unlink()
    except OSError:
        return now  # the project may be read-only
    return now
