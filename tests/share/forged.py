"""Forged packs, as an attacker might make them: with changed parts or changed bytes."""

import io
import json
import stat
import struct
import zipfile

import numpy as np
from project_under_test import ONE

from checkpoint.storage.hashes import bytes_hash, value_hash
from checkpoint.storage.schema import content_hash

RECORD = f"{ONE}/params.json"
TABLE = f"{ONE}/table.csv"


class Pack:
    """The parts of a pack, which can be changed and written again.

    Attributes
    ----------
    files
        The content of each file except the manifest, by name.
    manifest
        The manifest; `add` and `list` update it, direct changes of `files` do not.
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
        """Replace an object's file, and update the record and the manifest to match."""
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
    """Write compressed files whose headers say that they are stored uncompressed."""
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
    """List the same bytes many times, as in zip bombs without compression."""
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
    """Change the archive's bytes with a function that edits or returns them."""
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
    """Write a central directory that claims 2**40 bytes for a file."""
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
    """Put bytes that belong to no file between the last file and the central directory."""
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
