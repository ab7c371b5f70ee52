"""Get an archive from a local path, such as a USB stick or shared folder, or from a URL."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from .. import text
from ..errors import ArchiveError
from ..progress import Progress
from ..project.project import Project

TIMEOUT = 30.0  # seconds to wait for a server that sends nothing


@contextmanager
def obtained(
    project: Project, address: str, near: Path, *, most: int = 0, timeout: float = TIMEOUT
) -> Iterator[Path]:
    """Yield the file at an address; a downloaded file is removed afterwards.

    Parameters
    ----------
    project
        The project; a downloaded file is kept in its `results/` meanwhile.
    address
        `https://…`, `http://…`, `file://…`, or a path.
    near
        The folder that a path is relative to.
    most
        The expected size in bytes; 0 if unknown: then it is limited by the free disk space.
    timeout
        How many seconds to wait for a server that sends nothing.

    Raises
    ------
    ArchiveError
        If it cannot be obtained.
    """
    local = local_path(address, near)
    if local:
        if not local.is_file():
            there = "is not a file" if local.exists() else "does not exist"
            what = "is a folder" if local.is_dir() else there
            raise ArchiveError(f"{local} {what}.", file=address)
        yield local
        return
    project.results.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".checkpoint-", dir=project.results) as folder:
        path = Path(folder) / "download.zip"
        _download(address, path, most, timeout)
        yield path


def local_path(address: str, near: Path) -> Path | None:
    """Return the local path for an address; None if the address is `http` or `https`.

    Raises
    ------
    ArchiveError
        If it is invalid, or of another kind such as ftp.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ArchiveError(f"{address} is not an address: {error}.", file=address) from error
    if parts.scheme in ("http", "https"):
        return None
    if parts.scheme == "file":
        host = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
        return Path(url2pathname(host + parts.path))
    if "://" in address:
        raise ArchiveError(
            f"{address}: expected https://…, http://…, file://… or a path, got {parts.scheme}://.",
            file=address,
            found=parts.scheme,
        )
    return near / Path(address).expanduser()


def without_secrets(address: str) -> str:
    """Return an address without a password, and without a query, which may contain a token."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return address
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def short_name(address: str) -> str:
    """Return a short form of an address for a record, without local folders and passwords."""
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
    return unquote(address).replace("\\", "/").rpartition("/")[2]


def _download(address: str, path: Path, most: int, timeout: float) -> None:
    import pooch
    from requests.exceptions import RequestException

    free, shown = shutil.disk_usage(path.parent).free, without_secrets(address)
    fetch = pooch.HTTPDownloader(chunk_size=1 << 18, timeout=timeout)
    try:
        with (
            Progress("Downloading", short_name(address), most) as progress,
            path.open("wb") as file,
        ):
            fetch(address, _Limited(file, shown, most, free, progress), None)
    except (RequestException, ValueError) as error:
        reason = _why(error)
        for secret in filter(None, (urlsplit(address).query, urlsplit(address).password)):
            reason = reason.replace(secret, "…")
        # the error itself contains the whole address
        raise ArchiveError(f"{shown} cannot be fetched: {reason}.", file=shown) from None
    size = path.stat().st_size
    if most and size != most:
        raise ArchiveError(
            f"{shown} ended after {text.exact_size(size)}; expected {text.exact_size(most)}.",
            file=shown,
            expected=most,
            found=size,
        )


def _why(error: Exception) -> str:
    """Return why a download failed, without the internal objects that `requests` names."""
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, exceptions.Timeout):
        return "it timed out"
    if isinstance(error, exceptions.ChunkedEncodingError | exceptions.ContentDecodingError):
        return "the connection broke off, or what came is damaged"
    text = " ".join(str(error).split())
    if isinstance(error, exceptions.ConnectionError):
        text = text.rpartition(": ")[2].strip("\"')")
    return text.rstrip(".")


class _Limited:
    """A file that refuses more bytes than are expected, or than there is room for."""

    def __init__(self, file: Any, address: str, most: int, free: int, progress: Progress) -> None:
        self._file = file
        self._address = address
        self._most, self._free = most, free
        self._progress = progress

    def write(self, chunk: bytes) -> None:
        """Write some bytes, or raise an error if the total becomes too large."""
        self._progress.advance(len(chunk))
        if self._most and self._progress.done > self._most:
            raise ArchiveError(
                f"{self._address} sends more than the {text.exact_size(self._most)} that were "
                "expected.",
                file=self._address,
                expected=self._most,
                found=self._progress.done,
            )
        if self._progress.done > self._free:
            raise ArchiveError(
                f"{self._address} sends more than there is room for ({text.size(self._free)}).",
                file=self._address,
                expected=self._free,
                found=self._progress.done,
            )
        self._file.write(chunk)

    def flush(self) -> None:
        """Do nothing; the file is flushed when it is closed."""
