"""The text in a file: of any encoding, in JSON and markup, compressed, in an archive."""

import bz2
import gzip
import html
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from checkpoint.text import strings

LARGEST = 100_000_000  # bytes of a file, or of one in an archive, that are read
JSON = (".ipynb", ".json", ".geojson")
MARKUP = re.compile(r"<[^<>]*>")
BYTE_ORDER = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
ARCHIVE = b"PK\x03\x04"
PLAIN = (".npy", ".pkl")  # binary files whose texts are not encoded
BROKEN = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError)
BROKEN_ARCHIVE = (*BROKEN, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


class Texts:
    """Reads the texts of files, and lists the files that it cannot read.

    Attributes
    ----------
    unread
        The files that are not text, or too large, and so were not searched.
    """

    def __init__(self) -> None:
        self.unread: list[str] = []

    def of(self, path: Path, name: str) -> Iterator[str]:
        """Yield the texts of a file; `name` is what to call it."""
        if path.stat().st_size > LARGEST and not zipfile.is_zipfile(path):
            self.unread.append(name)
            return
        with path.open("rb") as file:
            yield from self._of_stream(name, file)

    def _of_stream(self, name: str, file: Any) -> Iterator[str]:
        """Yield the texts of an open file, which can seek."""
        begin = file.read(6)
        file.seek(0)
        packed = next((opened for magic, opened in PACKED.items() if begin.startswith(magic)), None)
        try:
            if begin.startswith(ARCHIVE):
                yield from self._of_archive(name, file)
            elif packed:
                with packed(file) as inner:
                    content = inner.read(LARGEST + 1)
                yield from self._of_stream(name.rpartition(".")[0], io.BytesIO(content))
            else:
                yield from self._of_bytes(name, file.read(LARGEST + 1))
        except BROKEN_ARCHIVE:
            self.unread.append(name)

    def _of_archive(self, name: str, file: Any) -> Iterator[str]:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                yield info.filename
                inside = f"{name}: {info.filename}"
                if info.file_size > LARGEST:
                    self.unread.append(inside)
                    continue
                with archive.open(info) as member:
                    content = member.read(LARGEST + 1)
                yield from self._of_stream(inside, io.BytesIO(content))

    def _of_bytes(self, name: str, content: bytes) -> Iterator[str]:
        encoding = BYTE_ORDER.get(content[:3]) or BYTE_ORDER.get(content[:2], "utf-8")
        is_text = b"\0" not in content or encoding == "utf-16"
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            text = content.decode(encoding, "replace")
            yield content.decode("latin-1")  # as older editors on Windows write
            is_text = False
        if len(content) > LARGEST or not (is_text or name.endswith(PLAIN)):
            self.unread.append(name)
        yield text
        if name.endswith(JSON):
            try:
                yield "\n".join(strings(json.loads(text)))
            except (ValueError, RecursionError):
                return  # not JSON; its text was searched
        elif is_text and "<" in text:  # such as a page with its code in colors
            yield html.unescape(MARKUP.sub("", text))
