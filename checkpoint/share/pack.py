"""Pack checkpoints into one file to share: an uncompressed, reproducible zip."""

import json
import shutil
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from msgspec import structs

from .. import __version__
from ..errors import CheckpointDamagedError, CheckpointError, CheckpointValueError
from ..files import below, draft_of, sync
from ..lineage.changes import CURRENT
from ..lineage.states import Lineage
from ..project.chain import step_of
from ..project.project import Project
from ..project.settings import read_toml
from ..storage import committed, hashes
from ..storage.json_record import to_json
from ..storage.opened import open_step, remedy
from ..storage.parts import part_names
from ..storage.schema import RECORD, FileEntry, Record
from ..text import json_text
from .archive import as_recorded, given_files, judged
from .manifest import FORMAT_VERSION, LONGEST, MANIFEST, Manifest, Member, Packed, written
from .pickles import runs_code

MADE = (1980, 1, 1, 0, 0, 0)  # the time of each file; fixed, so that the pack is reproducible


class Packing(NamedTuple):
    """The result of packing."""

    path: Path  # of the archive
    bytes: int
    blake3: str
    steps: list[str]  # the steps and sub-checkpoints in it
    files: int  # the number of their files
    pickles: list[str]  # the files among them that run code when they are read
    notes: list[str]  # which steps are not current, and why


def pack(project: Project, steps: list[str], target: Path | None = None) -> Packing:
    """Write checkpoints to an archive; the same results produce the same bytes.

    Private data, which git ignores, is left out: what was typed in the session, and what a
    command printed.

    Parameters
    ----------
    project
        The project.
    steps
        Steps, with all their sub-checkpoints, or sub-checkpoints.
    target
        The archive; by default, the first step's name with `.zip`, in the working directory.

    Raises
    ------
    CheckpointError
        If a step has no results, is damaged or was filled by hand, or if `target` is an existing
        file that is not a zip.
    """
    steps = [step_of(step) for step in steps]
    target = target or Path(f"{steps[0].replace('/', '-')}.zip")
    if target.exists() and not zipfile.is_zipfile(target):
        raise CheckpointValueError(
            f"{target} is there, and is not a pack. Choose another name.", file=str(target)
        )
    names = [name for step in steps for name in [step, *part_names(project, step)]]
    packed = [_Checkpoint(project, name) for name in dict.fromkeys(names)]
    manifest = Manifest(
        format=FORMAT_VERSION,
        tool=__version__,
        by=_author(project),
        steps={saved.step: saved.summary for saved in packed},
        files=dict(sorted(file for saved in packed for file in saved.members.items())),
    )
    draft = draft_of(target)
    try:
        _write(draft, manifest, packed)
        sync(draft)
        with judged(draft, str(target)):
            pass  # checks that the archive can be unpacked
        content = hashes.content_of(draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return Packing(
        target,
        content.bytes,
        content.blake3,
        list(manifest.steps),
        len(manifest.files),
        [name for saved in packed for name in saved.pickles],
        list(_notes(project, steps)),
    )


def sources_line(packing: Packing, step: str, urls: list[str]) -> str:
    """Return the line of `[tool.checkpoint.sources]` that lets others fetch a step of a pack."""
    trust = ", trust = true" if packing.pickles else ""
    listed = json.dumps(urls, ensure_ascii=False)
    return (
        f'{step} = {{ urls = {listed}, hash = "blake3:{packing.blake3}", '
        f"bytes = {packing.bytes}{trust} }}"
    )


def public(record: Record) -> Record:
    """Return a record without details of the machine and session that made it.

    The code of cells is left out as well, since it may be an exercise.
    """
    environment = record.environment
    if environment and environment.freeze:
        freeze = structs.replace(environment.freeze, mtime_ns=None)
        environment = structs.replace(environment, freeze=freeze)
    return structs.replace(
        record,
        files={
            name: structs.replace(entry, mtime_ns=None, away=False)
            for name, entry in record.files.items()
        },
        environment=environment,
        run=record.run and structs.replace(record.run, log=None, parameters={}),
        accepted=[
            structs.replace(entry, fits=structs.replace(entry.fits, parameters={}))
            for entry in record.accepted
        ],
        notes=[] if record.elsewhere else record.notes,  # they contain local paths
        elsewhere="",
        output=None,
        given=None,
    )


class _Checkpoint:
    """A checkpoint to pack, whose files match its record."""

    def __init__(self, project: Project, step: str) -> None:
        self.step = step
        self._project = project
        self._folder = project.results_of(step)
        opened = open_step(project, step)
        if opened.record is None:
            raise CheckpointError(
                f"results/{step} was not written by save, so there is no record to pack. Accept it "
                f"first: `checkpoint accept {step} --why …`.",
                step=step,
            )
        self.paths: dict[str, Path] = {}
        self.pickles: list[str] = []
        members: dict[str, Member] = {}
        for file, entry in given_files(opened.record).items():
            members |= self._members(file, entry)
        if committed.read_raw(self._folder) != opened.raw:
            raise CheckpointError(
                f"results/{step} was saved again meanwhile. Try again.", step=step
            )
        self.record = public(opened.record)
        self.text = json_text(to_json(self.record)).encode()
        members[RECORD] = Member(len(self.text), hashes.bytes_hash(self.text))
        self.members = {f"{step}/{name}": member for name, member in members.items()}

    @property
    def summary(self) -> Packed:
        """Its entry in the manifest."""
        record = self.record
        inputs = {name: e.blake3 if e else None for name, e in record.inputs.items()}
        environment = record.environment
        versions = environment.packages | {"python": environment.python} if environment else {}
        return Packed(record.timestamp, record.content_hash, inputs, versions)

    def _members(self, file: str, entry: FileEntry) -> dict[str, Member]:
        """Return the members of a file or folder, after comparing them with the record."""
        path = committed.locate(self._folder, file)
        inner = filter(Path.is_file, below(path)) if path.is_dir() else [path]
        paths = {_normal(file, path, inside): inside for inside in inner}
        members = {
            name: Member(inside.stat().st_size, hashes.file_hash(inside))
            for name, inside in paths.items()
        }
        if as_recorded(file, members).blake3 != entry.blake3:
            raise CheckpointDamagedError(
                f"results/{self.step}/{file} is not what was saved. "
                f"{remedy(self._project, self.step)}",
                step=self.step,
                file=f"results/{self.step}/{file}",
            )
        self.paths |= paths
        if runs_code(file, ((name, partial(_opened, inside)) for name, inside in paths.items())):
            self.pickles.append(f"{self.step}/{file}")
        return members


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _normal(file: str, path: Path, inner: Path) -> str:
    """Return a file's name in the archive, below the step, in NFC on every system."""
    name = file if inner == path else f"{file}/{inner.relative_to(path).as_posix()}"
    return unicodedata.normalize("NFC", name)


def _write(target: Path, manifest: Manifest, packed: list[_Checkpoint]) -> None:
    texts = {f"{saved.step}/{RECORD}": saved.text for saved in packed}
    paths = {f"{saved.step}/{name}": path for saved in packed for name, path in saved.paths.items()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_info(MANIFEST), written(manifest))
        for name, member in manifest.files.items():
            if name in texts:
                archive.writestr(_info(name), texts[name])
                continue
            with paths[name].open("rb") as source, archive.open(_info(name, member), "w") as out:
                shutil.copyfileobj(source, out, hashes.CHUNK)


def _info(name: str, member: Member | None = None) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, MADE)
    info.create_system = 3  # Unix, also on Windows
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.file_size = member.bytes if member else 0
    return info


def _author(project: Project) -> str:
    """Return the first author in `pyproject.toml`, or else the project's name."""
    about = read_toml(project).get("project", {})
    authors = about.get("authors") if isinstance(about, dict) else None
    first = authors[0] if isinstance(authors, list) and authors else None
    name = first.get("name") if isinstance(first, dict) else None
    known = str(name or (about.get("name") if isinstance(about, dict) else "") or "unknown")
    return "".join(letter if letter.isprintable() else " " for letter in known)[:LONGEST]


def _notes(project: Project, steps: list[str]) -> Iterator[str]:
    lineage = Lineage(project)
    for step in steps:
        state = lineage.state(step)
        if state.state != CURRENT:
            why = f": {'; '.join(state.reasons)}" if state.reasons else ""
            yield f"results/{step} is {state.state}{why}."
