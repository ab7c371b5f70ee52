"""Files that are written and read in blocks, so that a bar shows how far and Stop ends it.

A library in C that is given a path lets Python look for Stop only when it has read or written all.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from io import BufferedReader, BufferedWriter, FileIO
from pathlib import Path
from typing import IO, Any

from ..progress import PAUSE, advance
from ..watch.files import unwatched

BLOCK = 1 << 22  # bytes
LARGE = 1 << 25  # bytes of a file that takes a while


def create(path: Path) -> BufferedWriter:
    """Open a new file for bytes; writing to it raises what `advance` does."""
    return BufferedWriter(InBlocks(path, "wb"), BLOCK)


def opened(path: Path) -> BufferedReader:
    """Open a file for reading bytes."""
    return BufferedReader(InBlocks(path, "rb"), BLOCK)


def until_stopped(read: Callable[..., Any], source: Path | IO[bytes], **options: Any) -> Any:
    """Read with a function that cannot be given such a file, in another thread if that takes long.

    Ctrl-C ends the waiting; the thread reads to the end, and what it has read is dropped.
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
            continue  # a longer wait would not hear of Stop on Windows
        return reading.result()
    finally:
        thread.shutdown(wait=False)


class InBlocks(FileIO):
    """A file that takes or gives the beginning of what it is asked for; its buffer asks again."""

    def write(self, data: Any) -> int:
        """Write the beginning of the data; return how many bytes."""
        done = super().write(memoryview(data)[:BLOCK])
        advance(done)
        return done

    def readinto(self, buffer: Any) -> int:
        """Read into the beginning of the buffer; return how many bytes."""
        return super().readinto(memoryview(buffer)[:BLOCK])
