"""Check every name, size and hash in an archive before any of it is unpacked.

Only the layout that `pack` writes is accepted: files are stored without compression, and the
manifest comes first and lists every other file. So the content cannot be larger than the archive,
and no part of the archive is left unchecked.
"""

import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from msgspec import structs, to_builtins

from ..errors import ArchiveError, CheckpointError
from ..project.names import folded, unportable
from ..storage import hashes
from ..storage.json_record import parse
from ..storage.schema import RECORD, FileEntry, Record
from ..text import strings
from .manifest import LARGEST, LONGEST, MANIFEST, Manifest, Member, parsed
from .pickles import runs_code

MAGIC = b"PK\x03\x04"
PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml")
LFS = b"version https://git-lfs"  # git's placeholder for a large file that was not fetched
ENCRYPTED, SIZES_LATER = 0x1, 0x8
FOLDER = 0x10  # a DOS attribute
# bytes in a zip: a file's header without its name, its longest extra field, the end records
HEADER, EXTRA, END, END_64 = 30, 20, 22, 76
BLANKS = str.maketrans("\n\t", "  ")
TODO = "Ask whoever gave it to you for one that `checkpoint pack` made."


class Judged(NamedTuple):
    """An archive whose content matches its manifest."""

    manifest: Manifest
    records: dict[str, Record]  # of each checkpoint
    pickles: list[str]  # the files that run code when they are read
    zip: zipfile.ZipFile

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(member.bytes for member in self.manifest.files.values())


@contextmanager
def judged(path: Path, source: str) -> Iterator[Judged]:
    """Open an archive and check its content.

    Parameters
    ----------
    path
        The file.
    source
        Where the archive came from, for messages.

    Raises
    ------
    ArchiveError
        If it is not an archive that `pack` writes, or a name, size or hash in it is wrong.
    """
    try:
        _refuse_others(path)
        with zipfile.ZipFile(path) as archive:
            with path.open("rb") as file:
                _check_layout(archive, file, path.stat().st_size)
            yield _judge(archive, path.stat().st_size)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeError) as error:
        raise ArchiveError(
            f"{source} cannot be read as an archive ({error}); it may be incomplete. Fetch or copy "
            "it again.",
            file=source,
        ) from error
    except ArchiveError as error:
        if error.file == source:
            raise
        todo = "" if str(error).endswith(".") else f". {TODO}"
        raise ArchiveError(
            f"{source} was refused: {error}{todo}",
            step=error.step,
            file=source,
            expected=error.expected,
            found=error.found,
        ) from error


def _judge(archive: zipfile.ZipFile, size: int) -> Judged:
    members = archive.infolist()
    if sum(info.file_size for info in members) > size:
        raise ArchiveError("its files would be larger than the archive itself")
    if not members or members[0].orig_filename != MANIFEST or members[0].header_offset:
        raise ArchiveError(f"its first file is not {MANIFEST}")
    manifest = parsed(_content(archive, members[0]))
    _check_names([info.orig_filename for info in members[1:]], manifest)
    for info in members[1:]:
        member = manifest.files[info.orig_filename]
        if info.file_size != member.bytes:
            raise ArchiveError(
                f"{info.orig_filename} is {info.file_size:,} bytes; its manifest says "
                f"{member.bytes:,}",
                expected=member.bytes,
                found=info.file_size,
            )
        _check_hash(archive, info, member)
    records: dict[str, Record] = {}
    pickles: list[str] = []
    for step in manifest.steps:
        records[step] = _record(archive, manifest, step)
        pickles += _pickles(archive, manifest, step, records[step])
    return Judged(manifest, records, pickles, archive)


def _refuse_others(path: Path) -> None:
    """Refuse a file that is not a zip, and report what it is instead."""
    if not path.is_file():
        raise ArchiveError("it is not a file")
    with path.open("rb") as file:
        begin = file.read(512)
    if not begin:
        raise ArchiveError("it is empty. Fetch or copy it again.", found=0)
    if begin.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGE):
        raise ArchiveError(
            "it is a web page and not an archive, such as a page to log in, or one around the "
            "file. Open the address in a browser, and use that of the download itself."
        )
    if begin.startswith(LFS):
        raise ArchiveError("it is git's placeholder of a large file. Run `git lfs pull`.")
    if not begin.startswith(MAGIC):
        raise ArchiveError("it is not a zip archive, or something precedes it")


def _check_layout(archive: zipfile.ZipFile, file: IO[bytes], size: int) -> None:
    """Refuse comments, and bytes before, between or after the files."""
    place = 0
    for info in archive.infolist():
        _check_member(info)
        if info.header_offset != place:
            raise ArchiveError(f"bytes before {info.filename!r} belong to no file", found=place)
        file.seek(place)
        name, extra = struct.unpack("<26xHH", file.read(HEADER))
        if extra > EXTRA or info.comment:
            raise ArchiveError(f"{info.filename!r} has a comment", found=info.filename)
        place += HEADER + name + extra + info.file_size
    file.seek(max(size - END, 0))
    magic, disks, length, comment = struct.unpack("<4sI4xI4xH", file.read(END))
    ends = (size - END - length, size - END - END_64 - length)
    if magic != b"PK\5\6" or disks or comment or archive.comment:
        raise ArchiveError("it has a comment, or bytes after its end")
    if place != archive.start_dir or place not in ends:
        raise ArchiveError("bytes after its last file belong to no file", found=place)


def _check_member(info: zipfile.ZipInfo) -> None:
    """Refuse members that are not regular files stored without compression."""
    name, mode = info.orig_filename, info.external_attr >> 16
    if info.filename != name or "\0" in name or "\\" in name:
        raise ArchiveError(f"the name {name!r} is not one of a file in an archive", found=name)
    is_file = stat.S_IFMT(mode) in (0, stat.S_IFREG) and not info.external_attr & FOLDER
    if not is_file or name.endswith("/"):
        raise ArchiveError(f"{name!r} is a link, a folder or a device, and not a file", found=name)
    if info.flag_bits & SIZES_LATER:
        raise ArchiveError(f"{name!r} has its size after its content", found=name)
    if info.flag_bits & ENCRYPTED:
        raise ArchiveError(f"{name!r} is encrypted", found=name)
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise ArchiveError(f"{name!r} is compressed; the files of a pack are not", found=name)


def _check_names(names: list[str], manifest: Manifest) -> None:
    """Refuse names that are not in the manifest, are not portable or coincide on some disks."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(folded(name), name)
        if first is not name:
            raise ArchiveError(f"{first!r} and {name!r} are one file on some disks", found=name)
        if name not in manifest.files:
            raise ArchiveError(f"{name!r} is not in its manifest", found=name)
        if manifest.step_of(name) is None:
            raise ArchiveError(f"{name!r} belongs to none of its checkpoints", found=name)
        for number, part in enumerate(name.split("/")):
            # a folder such as x.zarr contains files whose names begin with a dot
            bare = part.removeprefix(".") if number > 1 else part
            if reason := unportable(bare):
                raise ArchiveError(f"the name {name!r} is refused: {part!r} {reason}", found=name)
    folders: dict[str, str] = {}
    for name in names:
        for parent in (parent.as_posix() for parent in list(PurePosixPath(name).parents)[:-1]):
            if parent in manifest.files or folded(parent) in seen:
                raise ArchiveError(f"{parent!r} is a file and a folder", found=name)
            if (first := folders.setdefault(folded(parent), parent)) != parent:
                raise ArchiveError(f"{first!r} and {parent!r} are one folder on some disks")
    if lacking := sorted(manifest.files.keys() - names):
        raise ArchiveError(
            f"{lacking[0]!r} is in its manifest, but not in the archive", found=lacking[0]
        )


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > LARGEST:
        raise ArchiveError(
            f"{info.filename} is {info.file_size:,} bytes; at most {LARGEST:,} are read",
            expected=LARGEST,
            found=info.file_size,
        )
    return archive.read(info)


def _check_hash(archive: zipfile.ZipFile, info: zipfile.ZipInfo, member: Member) -> None:
    from blake3 import blake3

    hasher = blake3()
    with archive.open(info) as stream:
        while chunk := stream.read(hashes.CHUNK):
            hasher.update(chunk)
    if hasher.hexdigest() != member.blake3:
        raise ArchiveError(
            f"{info.filename} is not what its manifest says: expected blake3 "
            f"{member.blake3[:12]}…, got {hasher.hexdigest()[:12]}…",
            expected=member.blake3,
            found=hasher.hexdigest(),
        )


def _record(archive: zipfile.ZipFile, manifest: Manifest, step: str) -> Record:
    """Return the record of a checkpoint, after comparing it with the manifest."""
    from msgspec import DecodeError, json

    name = f"{step}/{RECORD}"
    if name not in manifest.files:
        raise ArchiveError(f"{step} has no {RECORD}", step=step)
    try:
        raw = json.decode(_content(archive, archive.getinfo(name)), type=dict)
        record = parse(raw)
    except (DecodeError, CheckpointError, RecursionError) as error:
        raise ArchiveError(f"{name}: {error}", step=step) from error
    if record is None or record.step != step:
        raise ArchiveError(f"{name} is not the record of {step}", step=step)
    _check_texts(name, record)
    if record.content_hash != manifest.steps[step].content:
        raise ArchiveError(f"{name} does not have the content that its manifest says", step=step)
    for part in record.parts:
        if f"{step}/{part}" not in manifest.steps:
            raise ArchiveError(f"{step} has a part {part!r} that is not in it", step=step)
    files = manifest.files_of(step)
    expected = {RECORD}
    for file, entry in given_files(record).items():
        inside = _inner(files, file)
        if not inside or as_recorded(file, inside) != Member(entry.bytes, entry.blake3):
            raise ArchiveError(f"{step}/{file} is not what its {RECORD} says", step=step)
        expected |= inside.keys()
    if others := sorted(files.keys() - expected):
        raise ArchiveError(f"{step}/{others[0]} is not in its {RECORD}", step=step)
    return record


def _check_texts(name: str, record: Record) -> None:
    """Refuse text that could control a terminal, except in parameters and file details."""
    files = {file: structs.replace(entry, details=None) for file, entry in record.files.items()}
    ours = to_builtins(structs.replace(record, files=files, params={}))
    for text in strings(ours):
        if not text.translate(BLANKS).isprintable():
            raise ArchiveError(f"{name} has an unprintable character: {text[:LONGEST]!r}")


def given_files(record: Record) -> dict[str, FileEntry]:
    """Return the files of a record that a pack contains."""
    freeze = record.environment.freeze if record.environment else None
    return {**record.files, **({freeze.key: freeze} if freeze else {})}


def as_recorded(file: str, inside: dict[str, Member]) -> Member:
    """Return the size and hash of a file or folder as a record has them, from its members."""
    file = unicodedata.normalize("NFC", file)
    if file in inside:
        return inside[file]
    each = {name[len(file) + 1 :]: member.blake3 for name, member in inside.items()}
    return Member(sum(member.bytes for member in inside.values()), hashes.value_hash(each))


def _inner(files: dict[str, Member], file: str) -> dict[str, Member]:
    """Return the members of a file, or of a folder that is saved as one object."""
    file = unicodedata.normalize("NFC", file)
    if file in files:
        return {file: files[file]}
    return {name: member for name, member in files.items() if name.startswith(f"{file}/")}


def _pickles(
    archive: zipfile.ZipFile, manifest: Manifest, step: str, record: Record
) -> Iterator[str]:
    files = manifest.files_of(step)
    for file in record.files:
        names = _inner(files, file)
        opens = ((name, partial(archive.open, f"{step}/{name}")) for name in names)
        if runs_code(file, opens):
            yield f"{step}/{file}"
