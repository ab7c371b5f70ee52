"""Files that are written and read in blocks, so that a bar shows how far and Stop ends it.

A library in C that is given a path lets Python look for Stop only when it has read or written all.
"""

from io import BufferedReader, BufferedWriter, FileIO
from pathlib import Path
from typing import Any

from ..progress import advance

BLOCK = 1 << 22  # bytes


def create(path: Path) -> BufferedWriter:
    """Open a new file for bytes; writing to it raises what `advance` does."""
    return BufferedWriter(_InBlocks(path, "wb"), BLOCK)


def opened(path: Path) -> BufferedReader:
    """Open a file for reading bytes."""
    return BufferedReader(_InBlocks(path, "rb"), BLOCK)


class _InBlocks(FileIO):
    """A file that takes or gives the beginning of what it is asked for; its buffer asks again."""

    def write(self, data: Any) -> int:
        done = super().write(memoryview(data)[:BLOCK])
        advance(done)
        return done

    def readinto(self, buffer: Any) -> int:
        return super().readinto(memoryview(buffer)[:BLOCK])
