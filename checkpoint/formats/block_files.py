"""Files that are written and read in blocks, so that progress is shown and Stop works.

A C library that is given a path does not let Python check for Stop until it is done.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from io import BufferedReader, BufferedWriter, FileIO
from pathlib import Path
from typing import IO, Any

from ..progress import PAUSE, advance
from ..watch.files import unwatched

BLOCK = 1 << 22  # bytes
LARGE = 1 << 25  # bytes; larger files take a while to read


def create(path: Path) -> BufferedWriter:
    """Open a new binary file; writing to it calls `advance`, and raises its errors."""
    return BufferedWriter(InBlocks(path, "wb"), BLOCK)


def opened(path: Path) -> BufferedReader:
    """Open a binary file for reading."""
    return BufferedReader(InBlocks(path, "rb"), BLOCK)


def until_stopped(read: Callable[..., Any], source: Path | IO[bytes], **options: Any) -> Any:
    """Call a function that cannot read in blocks, in another thread if the file is large.

    Ctrl-C ends the waiting; the thread reads to the end, and its result is dropped.
    """
    if not isinstance(source, Path) or source.stat().st_size < LARGE:
        return read(source, **options)

    def unwatched_read() -> Any:
        with unwatched():
            return read(source, **options)

    thread = ThreadPoolExecutor(1)
    try:
        reading = thread.submit(unwatched_read)
        while wait([reading], PAUSE).not_done:
            continue  # Stop would not interrupt a longer wait on Windows
        return reading.result()
    finally:
        thread.shutdown(wait=False)


class InBlocks(FileIO):
    """A file that reads or writes at most one block per call; its buffer calls again for more."""

    def write(self, data: Any) -> int:
        """Write at most one block of the data; return the number of bytes."""
        done = super().write(memoryview(data)[:BLOCK])
        advance(done)
        return done

    def readinto(self, buffer: Any) -> int:
        """Read at most one block into the buffer; return the number of bytes."""
        return super().readinto(memoryview(buffer)[:BLOCK])
