"""Hostile and broken archives: how each is made, and the error that rejects it."""

import gzip
import json
import pickle
import stat

from forged import (
    RECORD,
    TABLE,
    as_link,
    claims_stored,
    compressed,
    encrypted,
    many_disks,
    named,
    nul_in_name,
    object_array,
    object_arrays,
    other_local_name,
    overlapping,
    patched,
    unknown_method,
    with_comment,
    with_gap,
    with_parts,
    wrong_crc,
    zarr_with_pickles,
    zip64_lie,
)
from project_under_test import ONE, TWO


def changed(change):
    """Return a function that changes the parts of a pack and writes them."""
    return lambda parts, path: (change(parts), parts.write(path))


TOO_LONG = f"{ONE}/{'x' * 200}.csv"
# what is wrong with the archive: (how it is made, pattern of the error message)
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
        changed(lambda p: p.add(f"{ONE}/link.csv", b"/etc/passwd", **as_link())),
        "is a link",
    ),
    "a folder": (changed(lambda p: p.add(f"{ONE}/x/", b"")), "a folder"),
    "two names that differ in case": (
        changed(lambda p: p.add(f"{ONE}/TABLE.csv")),
        "are one file on some disks",
    ),
    "two names that differ in how accents are written": (
        changed(lambda p: (p.add(f"{ONE}/\u00e9.csv"), p.add(f"{ONE}/e\u0301.csv"))),
        "are one file on some disks",
    ),
    "a name twice": (
        changed(lambda p: p.doubled.append((TABLE, p.files[TABLE]))),
        "are one file on some disks",
    ),
    "a file that is a folder as well": (
        changed(lambda p: p.add(f"{TABLE}/x.csv")),
        "is a file and a folder",
    ),
    "a file that the manifest lacks": (
        changed(lambda p: p.add(f"{ONE}/evil.csv", listed=False)),
        "is not in its manifest",
    ),
    "a file that only the manifest has": (
        changed(lambda p: (p.list(TABLE), p.files.pop(TABLE))),
        "in its manifest, but not in the archive",
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
    "a newer manifest": (changed(lambda p: p.manifest.update(format=99)), "reads up to 1"),
    "a step that leads elsewhere": (
        lambda p, path: (
            (p.manifest["steps"].update({"../x": p.manifest["steps"][ONE]}),) and p.write(path)
        ),
        "is not the name of a step",
    ),
    "no steps": (changed(lambda p: p.manifest.update(steps={})), "no checkpoint"),
    "more bytes than declared": (
        changed(lambda p: p.manifest["files"][TABLE].update(bytes=1)),
        "its manifest says 1",
    ),
    "fewer bytes than declared": (
        changed(lambda p: p.manifest["files"][TABLE].update(bytes=999)),
        "its manifest says 999",
    ),
    "other bytes": (
        changed(lambda p: p.files.update({TABLE: p.files[TABLE][::-1]})),
        "is not what its manifest says",
    ),
    "bytes that fit the manifest and not the record": (
        changed(lambda p: p.add(TABLE, b"a\n9\n9\n")),
        "is not what its params.json says",
    ),
    "parameters that fit the manifest and not its content": (
        changed(
            lambda p: (
                p.files.update({RECORD: p.files[RECORD].replace(b'"x": 1', b'"x": 2')}),
                p.list(RECORD),
            )
        ),
        "does not have the content",
    ),
    "a record that names a file elsewhere": (
        changed(
            lambda p: p.change_record(
                lambda r: r["checkpoint"]["files"].update(
                    {"../../evil.csv": r["checkpoint"]["files"]["table.csv"]}
                )
            )
        ),
        "leads out of the folder",
    ),
    "a record that has a part elsewhere": (
        changed(
            lambda p: (
                p.change_record(lambda r: r["checkpoint"].update(parts={"../../x": "0" * 64})),
                p.manifest["steps"][ONE].update(content=with_parts(p)),
            )
        ),
        "has a part '../../x' that is not in it",
    ),
    "a record of another step": (
        changed(lambda p: p.change_record(lambda r: r["checkpoint"].update(step=TWO))),
        "is not the record of",
    ),
    "a record that is no JSON": (changed(lambda p: p.add(RECORD, b"{")), "params.json"),
    "no record": (
        changed(lambda p: (p.files.pop(RECORD), p.manifest["files"].pop(RECORD))),
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
        changed(lambda p: (p.add(f"{ONE}/\u017f.csv"), p.add(f"{ONE}/s.csv"))),
        "are one file on some disks",
    ),
    "two folders that differ in case": (
        changed(lambda p: (p.add(f"{ONE}/a/x.csv"), p.add(f"{ONE}/A/y.csv"))),
        "are one folder on some disks",
    ),
    "a device": (
        changed(lambda p: p.add(f"{ONE}/tty.csv", external_attr=(stat.S_IFCHR | 0o666) << 16)),
        "a device",
    ),
    "a pipe": (
        changed(lambda p: p.add(f"{ONE}/pipe.csv", external_attr=(stat.S_IFIFO | 0o666) << 16)),
        "a device",
    ),
    "a folder by its attribute of DOS": (
        changed(lambda p: p.add(f"{ONE}/x.csv", external_attr=0x10)),
        "a folder",
    ),
    "the manifest twice": (
        changed(lambda p: p.doubled.append(("manifest.json", b"{}"))),
        "belongs to none|is not in its manifest",
    ),
    "the manifest twice, and in itself": (
        changed(lambda p: p.add("manifest.json", b"{}")),
        "belongs to none|is not in its manifest",
    ),
    "a manifest with a key twice": (
        lambda p, path: p.write(
            path, manifest=b'{"format": 1, "format": 99,' + json.dumps(p.manifest).encode()[1:]
        ),
        "is not one|twice|reads up to",
    ),
    "a manifest with NaN": (
        changed(lambda p: p.manifest["files"][TABLE].update(bytes=float("nan"))),
        "is not one",
    ),
    "a manifest with a huge number": (
        changed(lambda p: p.manifest["files"][TABLE].update(bytes=10**400)),
        "is not one|its manifest says",
    ),
    "a manifest with a negative number": (
        changed(lambda p: p.manifest["files"][TABLE].update(bytes=-1)),
        "its manifest says|is not one",
    ),
    "a manifest that is not UTF-8": (
        lambda p, path: p.write(path, manifest=json.dumps(p.manifest).encode("utf-16")),
        "is not one",
    ),
    "a manifest with half a character": (
        changed(lambda p: p.manifest.update(by="\ud800")),
        "is not one",
    ),
    "a manifest without a format": (changed(lambda p: p.manifest.pop("format")), "is not one"),
    "a manifest with a text as format": (
        changed(lambda p: p.manifest.update(format="1")),
        "is not one",
    ),
    "a manifest of format 0": (changed(lambda p: p.manifest.update(format=0)), "format"),
    "a manifest with another name of its maker's": (
        changed(lambda p: p.manifest.update(by=["x"])),
        "is not one",
    ),
    "a maker who writes to the terminal": (
        changed(lambda p: p.manifest.update(by="\x1b[2J\nGiven by your teacher")),
        "is not the name of",
    ),
    "a manifest without versions": (
        changed(lambda p: p.manifest["steps"][ONE].pop("versions")),
        "is not one",
    ),
    "a step with a text of hashes": (
        changed(lambda p: p.manifest["steps"][ONE].update(inputs="x")),
        "is not one",
    ),
    "a hash in capitals": (
        changed(
            lambda p: p.manifest["files"][TABLE].update(
                blake3=p.manifest["files"][TABLE]["blake3"].upper()
            )
        ),
        "is not what its manifest says",
    ),
    "an empty hash": (
        changed(lambda p: p.manifest["files"][TABLE].update(blake3="")),
        "is not what its manifest says",
    ),
    "a step in a step's place": (
        changed(
            lambda p: p.manifest["steps"].update({f"{ONE}/table.csv": p.manifest["steps"][ONE]})
        ),
        "has no params.json",
    ),
    "a step that is a file of another": (
        changed(lambda p: p.manifest["steps"].update({TWO: p.manifest["steps"][ONE]})),
        "has no params.json",
    ),
    "a deep record": (
        changed(
            lambda p: (
                p.files.update({RECORD: b'{"a":' * 50_000 + b"1" + b"}" * 50_000}),
                p.list(RECORD),
            )
        ),
        "params.json",
    ),
    "a record with NaN": (
        changed(
            lambda p: (
                p.files.update({RECORD: p.files[RECORD].replace(b'"x": 1', b'"x": NaN')}),
                p.list(RECORD),
            )
        ),
        "params.json",
    ),
    "a record without a format": (changed(lambda p: p.add(RECORD, b"{}")), "is not the record of"),
    "a record of a newer version": (
        changed(lambda p: p.change_record(lambda r: r["checkpoint"].update(format=99))),
        "has format 99",
    ),
    "a record that names a file by two keys": (
        changed(
            lambda p: p.change_record(
                lambda r: r["checkpoint"]["files"].update(
                    {"Table.csv": r["checkpoint"]["files"]["table.csv"]}
                )
            )
        ),
        "is not what its params.json says|one file",
    ),
    "a record with a file that is a link elsewhere": (
        changed(lambda p: p.add(f"{ONE}/.checkpoint-away", b"/tmp")),
        "starts with a dot",
    ),
    "an unknown compression": (unknown_method, "is compressed|cannot be read"),
    "zip64 that lies": (zip64_lie, "belong to no file|larger than|cannot be read"),
    "a wrong checksum": (wrong_crc, "cannot be read as an archive"),
    "data after the archive": (
        lambda p, path: (p.write(path), path.write_bytes(path.read_bytes() + b"x" * 1000)),
        "after its end",
    ),
    "a comment": (with_comment, "comment"),
    "a gap between two files": (with_gap, "belong to no file"),
    "another name in the header of a file": (other_local_name, "cannot be read as an archive"),
    "many disks": (many_disks, "after its end"),
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
    "a pickle": (changed(lambda p: p.replace("table.pkl", pickle.dumps({}))), "holds pickles"),
    "a pickle called .npy": (
        changed(lambda p: p.replace("table.npy", pickle.dumps({}))),
        "holds pickles",
    ),
    "an array of objects": (
        changed(lambda p: p.replace("table.npy", object_array())),
        "holds pickles",
    ),
    "arrays of objects": (
        changed(lambda p: p.replace("table.npz", object_arrays())),
        "holds pickles",
    ),
    "a zarr folder of pickles": (zarr_with_pickles, "holds pickles"),
}
