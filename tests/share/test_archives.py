"""Hostile and broken archives: each is refused, nothing is written, and what was there stays."""

import gzip
import io
import json
import os
import pickle
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from project_under_test import ONE, TWO, tree

from checkpoint import ArchiveError, CheckpointError, load, save
from checkpoint.project.project import Project
from checkpoint.share.pack import pack
from checkpoint.share.unpack import unpack
from checkpoint.storage import session
from checkpoint.storage.hashes import bytes_hash, value_hash
from checkpoint.storage.schema import content_hash

RECORD = f"{ONE}/params.json"
TABLE = f"{ONE}/table.csv"


class Pack:
    """The parts of a pack, to be changed and written as somebody might who means no good.

    Attributes
    ----------
    files
        The content of each file but the manifest, by name.
    manifest
        The manifest; it follows `files` until `write` is called, unless `honest` is False.
    """

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}
        self.manifest = json.loads(self.files.pop("manifest.json"))
        self.infos = {}
        self.doubled = []

    def add(self, name, content=b"x", listed=True, **info):
        self.files[name] = content
        self.infos[name] = info
        if listed:
            self.list(name)

    def list(self, name):
        content = self.files[name]
        self.manifest["files"][name] = {"bytes": len(content), "blake3": bytes_hash(content)}

    def replace(self, name, content):
        """Replace an object's file, with a record and a manifest that fit."""
        record = json.loads(self.files[RECORD])
        entries = record["checkpoint"]["files"]
        old = TABLE.partition("/")[2]
        entry = entries.pop(old) if old in entries else next(iter(entries.values()))
        self.files.pop(TABLE, None)
        self.manifest["files"].pop(TABLE, None)
        entries[name] = {**entry, "bytes": len(content), "blake3": bytes_hash(content)}
        self.add(f"{ONE}/{name}", content)
        self.record(record)

    def record(self, record):
        files = {name: e["blake3"] for name, e in record["checkpoint"]["files"].items()}
        user = {key: record[key] for key in record if key == "group"}
        self.manifest["steps"][ONE]["content"] = content_hash(files, user)
        self.files[RECORD] = json.dumps(record).encode()
        self.list(RECORD)

    def change_record(self, change):
        record = json.loads(self.files[RECORD])
        change(record)
        self.record(record)

    def write(self, path, manifest=None, first=True, method=zipfile.ZIP_STORED):
        text = json.dumps(self.manifest).encode() if manifest is None else manifest
        members = [("manifest.json", text)] if text else []
        members = [*members, *self.files.items()] if first else [*self.files.items(), *members]
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in [*members, *self.doubled]:
                info = zipfile.ZipInfo(name)
                info.compress_type = method
                for key, value in self.infos.get(name, {}).items():
                    setattr(info, key, value)
                archive.writestr(info, content)
        return path


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Yield a pack of step 1, and a project that has results of step 2 alone."""
    folder = tmp_path_factory.mktemp("packed")
    project = folder / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text("[tool.checkpoint]\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        session.forget()
        save(ONE, {"table.csv": pd.DataFrame({"a": [1, 2]})}, params={"group": {"x": 1}})
        pack(Project(project), [ONE], folder / "lesson.zip")
        shutil.rmtree(project / "results" / ONE)
        save(TWO, {"x.json": "a student's"})
        session.forget()
    return project, folder / "lesson.zip"


@pytest.fixture
def lesson(packed, tmp_path, monkeypatch):
    """Yield a copy of the project, as working directory, and of the pack."""
    shutil.copytree(packed[0], tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project", Path(shutil.copy(packed[1], tmp_path))


def as_link(name="link"):
    return {"external_attr": (stat.S_IFLNK | 0o777) << 16}


def patched(path, old, new, count=1):
    content = path.read_bytes()
    assert content.count(old) >= count
    path.write_bytes(content.replace(old, new))


def named(name):
    return lambda p, path: (p.add(name), p.write(path))


def compressed(p, path):
    p.add(TABLE, b"0" * 10_000_000)
    p.write(path, method=zipfile.ZIP_DEFLATED)


def claims_stored(p, path):
    """The file is deflated, and both of its headers say that it is stored."""
    p.write(path, method=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = content.find(magic)
        while place >= 0:
            struct.pack_into("<H", content, place + offset, 0)
            place = content.find(magic, place + 4)
    path.write_bytes(content)


def encrypted(p, path):
    p.write(path)
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(magic)
        while place >= 0:
            struct.pack_into("<H", content, place + offset, 1)
            place = content.find(magic, place + 4)
    path.write_bytes(content)


def overlapping(p, path):
    """Many names for the same bytes, as in bombs without compression."""
    big = b"0" * 100_000
    p.add(f"{ONE}/big.csv", big)
    p.write(path)
    content = path.read_bytes()
    start = content.find(b"PK\x01\x02")
    end = content.find(b"PK\x05\x06")
    entries = content[start:end]
    tail = bytearray(content[end:])
    count = struct.unpack_from("<H", tail, 10)[0]
    struct.pack_into("<HHI", tail, 8, count * 50, count * 50, len(entries) * 50)
    path.write_bytes(content[:start] + entries * 50 + bytes(tail))


def object_array():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def object_arrays():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.array([{}], dtype=object))
    return buffer.getvalue()


def with_parts(p):
    record = json.loads(p.files[RECORD])
    files = {name: e["blake3"] for name, e in record["checkpoint"]["files"].items()}
    return content_hash({**files, "../../x/": "0" * 64}, {"group": record["group"]})


def zarr_with_pickles(p, path):
    text = b'{"filters": [{"id": "pickle"}]}'
    record = json.loads(p.files[RECORD])
    entries = record["checkpoint"]["files"]
    entry = entries.pop("table.csv")
    p.files.pop(TABLE), p.manifest["files"].pop(TABLE)
    p.add(f"{ONE}/x.zarr/.zarray", text)
    inner = value_hash({".zarray": bytes_hash(text)})
    entries["x.zarr"] = {**entry, "bytes": len(text), "blake3": inner}
    p.record(record)
    p.write(path)


def headers(path, change):
    """Change the archive's bytes."""
    content = bytearray(path.read_bytes())
    after = change(content)
    path.write_bytes(after if after is not None else content)


def nul_in_name(p, path):
    p.add(f"{ONE}/aXb.csv")
    p.write(path)
    headers(path, lambda c: c.replace(b"aXb.csv", b"a\0b.csv"))


def unknown_method(p, path):
    p.write(path)

    def change(content):
        for magic, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
            struct.pack_into("<H", content, content.rfind(magic) + offset, 99)

    headers(path, change)


def zip64_lie(p, path):
    """The directory says that a file has 2**40 bytes."""
    p.write(path)

    def change(content):
        start = content.rfind(b"PK\x01\x02")
        name, extra = struct.unpack_from("<HH", content, start + 28)
        assert extra == 0
        struct.pack_into("<II", content, start + 20, 0xFFFFFFFF, 0xFFFFFFFF)
        lie = struct.pack("<HHQQ", 1, 16, 1 << 40, 1 << 40)
        struct.pack_into("<H", content, start + 30, len(lie))
        place = start + 46 + name
        content[place:place] = lie
        end = content.rfind(b"PK\x05\x06")
        (size,) = struct.unpack_from("<I", content, end + 12)
        struct.pack_into("<I", content, end + 12, size + len(lie))

    headers(path, change)


def wrong_crc(p, path):
    p.write(path)

    def change(content):
        start = content.rfind(b"PK\x01\x02")
        struct.pack_into("<I", content, start + 16, 0x12345678)

    headers(path, change)


def with_comment(p, path):
    p.write(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"#!/bin/sh\nrm -rf ~"


def with_gap(p, path):
    """Bytes that no file has, between the last file and the directory."""
    p.write(path)

    def change(content):
        start, end = content.find(b"PK\x01\x02"), content.rfind(b"PK\x05\x06")
        (place,) = struct.unpack_from("<I", content, end + 16)
        struct.pack_into("<I", content, end + 16, place + 100)
        content[start:start] = b"x" * 100

    headers(path, change)


def other_local_name(p, path):
    p.write(path)

    def change(content):
        place = content.rfind(b"table.csv", 0, content.find(b"PK\x01\x02"))
        content[place : place + 9] = b"tible.csv"

    headers(path, change)


def many_disks(p, path):
    p.write(path)
    headers(path, lambda c: struct.pack_into("<H", c, c.rfind(b"PK\x05\x06") + 4, 7))


TOO_LONG = f"{ONE}/{'x' * 200}.csv"
# what is wrong with the archive, by title: how it is made, and what the message says
HOSTILE = {
    "a name that leaves the folder": (named(f"{ONE}/../../evil.csv"), "belongs|refused"),
    "a name that begins with ..": (named("../evil.csv"), "'../evil.csv'"),
    "an absolute name": (named("/tmp/evil.csv"), "'/tmp/evil.csv'"),
    "a drive letter": (named("C:/evil.csv"), "'C:/evil.csv'"),
    "a drive letter below the step": (named(f"{ONE}/C:evil.csv"), "contains :"),
    "a backslash": (named(f"{ONE}\\..\\evil.csv"), "is not one of a file"),
    "a stream of NTFS": (named(f"{ONE}/table.csv:evil"), "contains :"),
    "a dot as folder": (named(f"{ONE}/./evil.csv"), "refused"),
    "no name between slashes": (named(f"{ONE}//evil.csv"), "is empty"),
    "a device of Windows": (named(f"{ONE}/con.csv"), "device on Windows"),
    "a trailing dot": (named(f"{ONE}/evil.csv."), "ends with a dot"),
    "a trailing space": (named(f"{ONE}/evil.csv "), "ends with a space"),
    "a character that is not printed": (named(f"{ONE}/a\u202egnp.csv"), "unprintable"),
    "a name that is too long": (named(TOO_LONG), "longer than"),
    "a hidden file": (named(f"{ONE}/.evil"), "starts with a dot"),
    "the lock": (named(f"{ONE}/.lock"), "starts with a dot"),
    "a save in progress": (named(f"{ONE}/.commit/params.json"), "starts with a dot"),
    "a file of no step": (named("notebooks/evil.ipynb"), "belongs to none"),
    "a file that its record lacks": (named(f"{ONE}/failed.ipynb"), "is not in its params.json"),
    "a symbolic link": (
        lambda p, path: (p.add(f"{ONE}/link.csv", b"/etc/passwd", **as_link()), p.write(path)),
        "is a link",
    ),
    "a folder": (lambda p, path: (p.add(f"{ONE}/x/", b""), p.write(path)), "a folder"),
    "two names that differ in case": (
        lambda p, path: (p.add(f"{ONE}/TABLE.csv"), p.write(path)),
        "are one file on some disks",
    ),
    "two names that differ in how accents are written": (
        lambda p, path: (p.add(f"{ONE}/\u00e9.csv"), p.add(f"{ONE}/e\u0301.csv"), p.write(path)),
        "are one file on some disks",
    ),
    "a name twice": (
        lambda p, path: (p.doubled.append((TABLE, p.files[TABLE])), p.write(path)),
        "are one file on some disks",
    ),
    "a file that is a folder as well": (
        lambda p, path: (p.add(f"{TABLE}/x.csv"), p.write(path)),
        "is a file and a folder",
    ),
    "a file that the manifest lacks": (
        lambda p, path: (p.add(f"{ONE}/evil.csv", listed=False), p.write(path)),
        "is not in its manifest",
    ),
    "a file that only the manifest has": (
        lambda p, path: (p.list(TABLE), p.files.pop(TABLE), p.write(path)),
        "in its manifest, and not in it",
    ),
    "the manifest last": (lambda p, path: p.write(path, first=False), "first file is not"),
    "no manifest": (lambda p, path: p.write(path, manifest=b""), "first file is not"),
    "a huge manifest": (
        lambda p, path: p.write(path, manifest=b" " * ((1 << 24) + 1)),
        "at most 16,777,216 are read",
    ),
    "a manifest that is no JSON": (lambda p, path: p.write(path, manifest=b"{"), "is not one"),
    "a manifest that is a list": (lambda p, path: p.write(path, manifest=b"[]"), "is not one"),
    "a deep manifest": (
        lambda p, path: p.write(path, manifest=b"[" * 100_000 + b"]" * 100_000),
        "is not one",
    ),
    "a newer manifest": (
        lambda p, path: (p.manifest.update(format=99), p.write(path)),
        "reads up to 1",
    ),
    "a step that leads elsewhere": (
        lambda p, path: (
            (p.manifest["steps"].update({"../x": p.manifest["steps"][ONE]}),) and p.write(path)
        ),
        "is not the name of a step",
    ),
    "no steps": (lambda p, path: (p.manifest.update(steps={}), p.write(path)), "no checkpoint"),
    "more bytes than declared": (
        lambda p, path: (p.manifest["files"][TABLE].update(bytes=1), p.write(path)),
        "its manifest says 1",
    ),
    "fewer bytes than declared": (
        lambda p, path: (p.manifest["files"][TABLE].update(bytes=999), p.write(path)),
        "its manifest says 999",
    ),
    "other bytes": (
        lambda p, path: (p.files.update({TABLE: p.files[TABLE][::-1]}), p.write(path)),
        "is not what its manifest says",
    ),
    "bytes that fit the manifest and not the record": (
        lambda p, path: (p.add(TABLE, b"a\n9\n9\n"), p.write(path)),
        "is not what its params.json says",
    ),
    "parameters that fit the manifest and not its content": (
        lambda p, path: (
            p.files.update({RECORD: p.files[RECORD].replace(b'"x": 1', b'"x": 2')}),
            p.list(RECORD),
            p.write(path),
        ),
        "does not have the content",
    ),
    "a record that names a file elsewhere": (
        lambda p, path: (
            p.change_record(
                lambda r: r["checkpoint"]["files"].update(
                    {"../../evil.csv": r["checkpoint"]["files"]["table.csv"]}
                )
            ),
            p.write(path),
        ),
        "leads out of the folder",
    ),
    "a record that has a part elsewhere": (
        lambda p, path: (
            p.change_record(lambda r: r["checkpoint"].update(parts={"../../x": "0" * 64})),
            p.manifest["steps"][ONE].update(content=with_parts(p)),
            p.write(path),
        ),
        "has a part '../../x' that is not in it",
    ),
    "a record of another step": (
        lambda p, path: (
            p.change_record(lambda r: r["checkpoint"].update(step=TWO)),
            p.write(path),
        ),
        "is not the record of",
    ),
    "a record that is no JSON": (
        lambda p, path: (p.add(RECORD, b"{"), p.write(path)),
        "params.json",
    ),
    "no record": (
        lambda p, path: (
            p.files.pop(RECORD),
            p.manifest["files"].pop(RECORD),
            p.write(path),
        ),
        "has no params.json",
    ),
    "a bomb: compressed": (compressed, "is compressed"),
    "a bomb: overlapping": (overlapping, "belong to no file"),
    "compressed, but called stored": (claims_stored, "is compressed|larger than|cannot be read"),
    "encrypted": (encrypted, "is encrypted"),
    "truncated": (
        lambda p, path: (p.write(path), path.write_bytes(path.read_bytes()[:-40])),
        "cannot be read as an archive",
    ),
    "damaged in the middle": (
        lambda p, path: (p.write(path), patched(path, b"a\n1\n2\n", b"a\n1\n3\n")),
        "cannot be read as an archive|is not what",
    ),
    "a program before the archive": (
        lambda p, path: (p.write(path), path.write_bytes(b"MZ evil" + path.read_bytes())),
        "something precedes it",
    ),
    "an archive before the archive": (
        lambda p, path: (p.write(path), path.write_bytes(path.read_bytes() + path.read_bytes())),
        "belong to no file",
    ),
    "a pack in a zip": (
        lambda p, path: (
            p.write(path),
            p.files.clear(),
            p.add("lesson.zip", path.read_bytes()),
            p.write(path),
        ),
        "belongs to none",
    ),
    "a name with NUL": (nul_in_name, "is not one of a file"),
    "a name with a line break": (named(f"{ONE}/a\nb.csv"), "unprintable|control"),
    "a device of Windows with a suffix": (named(f"{ONE}/NUL.tar.gz"), "device on Windows"),
    "a device of Windows with a digit above": (named(f"{ONE}/com\u00b9.csv"), "device on Windows"),
    "two names that differ in the width of letters": (
        lambda p, path: (p.add(f"{ONE}/\u017f.csv"), p.add(f"{ONE}/s.csv"), p.write(path)),
        "are one file on some disks",
    ),
    "two folders that differ in case": (
        lambda p, path: (p.add(f"{ONE}/a/x.csv"), p.add(f"{ONE}/A/y.csv"), p.write(path)),
        "are one folder on some disks",
    ),
    "a device": (
        lambda p, path: (
            p.add(f"{ONE}/tty.csv", external_attr=(stat.S_IFCHR | 0o666) << 16),
            p.write(path),
        ),
        "a device",
    ),
    "a pipe": (
        lambda p, path: (
            p.add(f"{ONE}/pipe.csv", external_attr=(stat.S_IFIFO | 0o666) << 16),
            p.write(path),
        ),
        "a device",
    ),
    "a folder by its attribute of DOS": (
        lambda p, path: (p.add(f"{ONE}/x.csv", external_attr=0x10), p.write(path)),
        "a folder",
    ),
    "the manifest twice": (
        lambda p, path: (p.doubled.append(("manifest.json", b"{}")), p.write(path)),
        "belongs to none|is not in its manifest",
    ),
    "the manifest twice, and in itself": (
        lambda p, path: (p.add("manifest.json", b"{}"), p.write(path)),
        "belongs to none|is not in its manifest",
    ),
    "a manifest with a key twice": (
        lambda p, path: p.write(
            path, manifest=b'{"format": 1, "format": 99,' + json.dumps(p.manifest).encode()[1:]
        ),
        "is not one|twice|reads up to",
    ),
    "a manifest with NaN": (
        lambda p, path: (p.manifest["files"][TABLE].update(bytes=float("nan")), p.write(path)),
        "is not one",
    ),
    "a manifest with a huge number": (
        lambda p, path: (p.manifest["files"][TABLE].update(bytes=10**400), p.write(path)),
        "is not one|its manifest says",
    ),
    "a manifest with a negative number": (
        lambda p, path: (p.manifest["files"][TABLE].update(bytes=-1), p.write(path)),
        "its manifest says|is not one",
    ),
    "a manifest that is not UTF-8": (
        lambda p, path: p.write(path, manifest=json.dumps(p.manifest).encode("utf-16")),
        "is not one",
    ),
    "a manifest with half a character": (
        lambda p, path: (p.manifest.update(by="\ud800"), p.write(path)),
        "is not one",
    ),
    "a manifest without a format": (
        lambda p, path: (p.manifest.pop("format"), p.write(path)),
        "is not one",
    ),
    "a manifest with a text as format": (
        lambda p, path: (p.manifest.update(format="1"), p.write(path)),
        "is not one",
    ),
    "a manifest of format 0": (
        lambda p, path: (p.manifest.update(format=0), p.write(path)),
        "format",
    ),
    "a manifest with another name of its maker's": (
        lambda p, path: (p.manifest.update(by=["x"]), p.write(path)),
        "is not one",
    ),
    "a maker who writes to the terminal": (
        lambda p, path: (p.manifest.update(by="\x1b[2J\nGiven by your teacher"), p.write(path)),
        "is not a name of",
    ),
    "a manifest without versions": (
        lambda p, path: (p.manifest["steps"][ONE].pop("versions"), p.write(path)),
        "is not one",
    ),
    "a step with a text of hashes": (
        lambda p, path: (p.manifest["steps"][ONE].update(inputs="x"), p.write(path)),
        "is not one",
    ),
    "a hash in capitals": (
        lambda p, path: (
            p.manifest["files"][TABLE].update(blake3=p.manifest["files"][TABLE]["blake3"].upper()),
            p.write(path),
        ),
        "is not what its manifest says",
    ),
    "an empty hash": (
        lambda p, path: (p.manifest["files"][TABLE].update(blake3=""), p.write(path)),
        "is not what its manifest says",
    ),
    "a step in a step's place": (
        lambda p, path: (
            p.manifest["steps"].update({f"{ONE}/table.csv": p.manifest["steps"][ONE]}),
            p.write(path),
        ),
        "has no params.json",
    ),
    "a step that is a file of another": (
        lambda p, path: (
            p.manifest["steps"].update({TWO: p.manifest["steps"][ONE]}),
            p.write(path),
        ),
        "has no params.json",
    ),
    "a deep record": (
        lambda p, path: (
            p.files.update({RECORD: b'{"a":' * 50_000 + b"1" + b"}" * 50_000}),
            p.list(RECORD),
            p.write(path),
        ),
        "params.json",
    ),
    "a record with NaN": (
        lambda p, path: (
            p.files.update({RECORD: p.files[RECORD].replace(b'"x": 1', b'"x": NaN')}),
            p.list(RECORD),
            p.write(path),
        ),
        "params.json",
    ),
    "a record without a format": (
        lambda p, path: (p.add(RECORD, b"{}"), p.write(path)),
        "is not the record of",
    ),
    "a record of a newer version": (
        lambda p, path: (
            p.change_record(lambda r: r["checkpoint"].update(format=99)),
            p.write(path),
        ),
        "has format 99",
    ),
    "a record that names a file by two keys": (
        lambda p, path: (
            p.change_record(
                lambda r: r["checkpoint"]["files"].update(
                    {"Table.csv": r["checkpoint"]["files"]["table.csv"]}
                )
            ),
            p.write(path),
        ),
        "is not what its params.json says|one file",
    ),
    "a record with a file that is a link elsewhere": (
        lambda p, path: (
            p.add(f"{ONE}/.checkpoint-away", b"/tmp"),
            p.write(path),
        ),
        "starts with a dot",
    ),
    "an unknown compression": (unknown_method, "is compressed|cannot be read"),
    "zip64 that lies": (zip64_lie, "belong to no file|larger than|cannot be read"),
    "a wrong checksum": (wrong_crc, "cannot be read as an archive"),
    "data after the archive": (
        lambda p, path: (p.write(path), path.write_bytes(path.read_bytes() + b"x" * 1000)),
        "behind its end",
    ),
    "a comment": (with_comment, "comment"),
    "a gap between two files": (with_gap, "belong to no file"),
    "another name in the header of a file": (other_local_name, "cannot be read as an archive"),
    "many disks": (many_disks, "behind its end"),
    "gzip": (
        lambda p, path: (p.write(path), path.write_bytes(gzip.compress(path.read_bytes()))),
        "not a zip archive",
    ),
    "a folder instead of a file": (lambda p, path: path.mkdir(), "is a folder"),
    "a web page after spaces": (
        lambda p, path: path.write_text("\n" * 600 + "<html>Log in</html>"),
        "is a web page|not a zip archive",
    ),
    "a web page in UTF-16": (
        lambda p, path: path.write_text("<html>Log in</html>", encoding="utf-16"),
        "is a web page|not a zip archive",
    ),
    "a web page": (
        lambda p, path: path.write_text("\n<!DOCTYPE html><html><body>Log in</body></html>"),
        "is a web page and not an archive",
    ),
    "git's placeholder": (
        lambda p, path: path.write_text("version https://git-lfs.github.com/spec/v1\n"),
        "git lfs pull",
    ),
    "an empty file": (lambda p, path: path.write_bytes(b""), "it is empty"),
    "an empty archive": (
        lambda p, path: (p.files.clear(), p.write(path, manifest=b"")),
        "not a zip archive",
    ),
    "a text": (lambda p, path: path.write_text("hello"), "not a zip archive"),
    "a pickle": (
        lambda p, path: (p.replace("table.pkl", pickle.dumps({})), p.write(path)),
        "holds pickles",
    ),
    "a pickle called .npy": (
        lambda p, path: (p.replace("table.npy", pickle.dumps({})), p.write(path)),
        "holds pickles",
    ),
    "an array of objects": (
        lambda p, path: (p.replace("table.npy", object_array()), p.write(path)),
        "holds pickles",
    ),
    "arrays of objects": (
        lambda p, path: (p.replace("table.npz", object_arrays()), p.write(path)),
        "holds pickles",
    ),
    "a zarr folder of pickles": (zarr_with_pickles, "holds pickles"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("make", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_is_refused(packed, tmp_path, make, said):
    project, parts = packed[0], Pack(packed[1])
    bad = tmp_path / "bad.zip"
    make(parts, bad)
    before, around = tree(project), sorted(tmp_path.iterdir())
    with pytest.raises(CheckpointError, match=said) as raised:
        unpack(Project(project), str(bad), Path())
    assert "bad.zip" in str(raised.value) and str(raised.value).endswith(".")
    assert tree(project) == before
    assert sorted(tmp_path.iterdir()) == around
    assert not (project / "results" / ONE).exists()


@pytest.mark.skipif(os.name == "nt", reason="NTFS would fill the file")
def test_too_little_room(lesson, tmp_path):
    """A file that is all holes, which takes no room itself."""
    project, path = lesson
    free = shutil.disk_usage(tmp_path).free
    with path.open("r+b") as file:
        file.truncate(free + 10**10)
    with pytest.raises(CheckpointError, match="Not enough room on the disk of") as raised:
        unpack(Project(project), str(path), Path())
    assert raised.value.expected == free + 10**10 > raised.value.found
    assert not (project / "results" / ONE).exists()


def test_results_of_ones_own(lesson):
    """They are replaced only with --replace; what was given before is replaced by what is new."""
    project, path = lesson
    save(ONE, {"mine.json": 1})
    before = tree(project)
    with pytest.raises(CheckpointError, match="was made here and would be replaced"):
        unpack(Project(project), str(path), Path())
    assert tree(project) == before
    assert unpack(Project(project), str(path), Path(), replace=True).steps == [ONE]
    assert load(ONE)["table"]["a"].tolist() == [1, 2]
    assert unpack(Project(project), str(path), Path()).there == [ONE]
    (project / "results" / ONE / "table.csv").write_text("a\n5\n6\n")  # damaged, and restored
    assert unpack(Project(project), str(path), Path()).steps == [ONE]
    assert load(ONE)["table"]["a"].tolist() == [1, 2]
    shutil.rmtree(project / "results" / ONE)
    (project / "results" / ONE).mkdir()
    (project / "results" / ONE / "by_hand.csv").write_text("a\n1\n")
    with pytest.raises(CheckpointError, match="was made here"):
        unpack(Project(project), str(path), Path())


def test_trusted_pickles_and_a_wrong_hash(lesson, tmp_path):
    project, path = lesson
    parts = Pack(path)
    parts.replace("table.pkl", pickle.dumps({"a": 1}))
    parts.write(tmp_path / "pickled.zip")
    with pytest.raises(ArchiveError, match="is another archive: expected blake3 000000000000"):
        unpack(Project(project), str(path), Path(), expected="blake3:" + "0" * 64)
    with pytest.raises(ArchiveError, match="64 hexadecimal digits, got 'md5:1'"):
        unpack(Project(project), str(path), Path(), expected="md5:1")
    assert unpack(Project(project), str(tmp_path / "pickled.zip"), Path(), trust=True).steps
    assert load(ONE)["table"] == {"a": 1}


def test_what_zip_needs_for_large_packs(lesson, tmp_path, monkeypatch):
    """As it is written for more than 4 GB, or more than 65,535 files."""
    project, path = lesson
    usual = Pack(path).write(tmp_path / "usual.zip").stat().st_size
    for limit in ("ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"):
        with monkeypatch.context() as patch:
            patch.setattr(zipfile, limit, 1)
            Pack(path).write(tmp_path / "large.zip")
        assert (tmp_path / "large.zip").stat().st_size > usual
        assert unpack(Project(project), str(tmp_path / "large.zip"), Path()).steps == [ONE]
        shutil.rmtree(project / "results" / ONE)
