"""Unpack the results of an archive, or fetch those of a step from its addresses."""

import datetime
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from .. import text
from ..errors import ArchiveError, CheckpointDamagedError, CheckpointError
from ..project.places import large_files_of
from ..project.project import Project
from ..project.settings import blake3_digits, read_sources
from ..storage import committed, hashes, other_disk, store
from ..storage.json_record import to_json
from ..storage.opened import open_step
from ..storage.outputs import moved_away
from ..storage.schema import RECORD, FileEntry, Given, Record
from .archive import Judged, judged
from .pack import public
from .sources import TIMEOUT, obtained, short_name, without_secrets


class Unpacked(NamedTuple):
    """The result of unpacking."""

    steps: list[str]  # those that were written; empty if all existed already
    there: list[str]  # those that existed already, with the same content
    given: Given  # who gave them, and the archive
    bytes: int  # the size of their files

    @property
    def described(self) -> str:
        """The unpacked results, as a clause."""
        names = ", ".join(f"results/{step}" for step in self.steps or self.there)
        return f"{names} ({text.size(self.bytes)}), given by {self.given.by}."


def unpack(
    project: Project,
    address: str,
    near: Path,
    *,
    expected: str = "",
    trust: bool = False,
    replace: bool = False,
    step: str | None = None,
    most: int = 0,
    timeout: float = TIMEOUT,
) -> Unpacked:
    """Unpack the results of an archive into a project, each checkpoint atomically.

    Parameters
    ----------
    project
        The project.
    address, near, most, timeout
        Where the archive is, as for `obtained`.
    expected
        Its blake3 hash, if known.
    trust
        Whether it may contain files that run code when they are read.
    replace
        Whether to replace results that were made here.
    step
        A step that it must contain.

    Raises
    ------
    ArchiveError
        If it cannot be obtained or was refused. Nothing is written then.
    CheckpointError
        If results that were made here would be replaced, there is too little room, or it contains
        pickles and is not trusted.
    """
    digits = blake3_digits(expected)
    if digits is None:
        raise ArchiveError(
            f"--hash: expected blake3: and 64 hexadecimal digits, got {expected!r}.", found=expected
        )
    with obtained(project, address, near, most=most, timeout=timeout) as path:
        _refuse_full(project, path)
        source = without_secrets(address)
        actual = hashes.file_hash(path)
        if digits and actual != digits:
            with judged(path, source):  # a web page or an incomplete file gets its own message
                raise ArchiveError(
                    f"{source} is another archive: expected blake3 {digits[:12]}…, got "
                    f"{actual[:12]}…. Ask whoever gave it to you which is right.",
                    file=source,
                    expected=digits,
                    found=actual,
                )
        with judged(path, source) as archive:
            _refuse_untrusted(archive, source, trust)
            if step and step not in archive.records:
                raise ArchiveError(
                    f"{source} holds {', '.join(archive.records)}, and not {step}.",
                    step=step,
                    file=source,
                    expected=step,
                    found=list(archive.records),
                )
            there = [name for name in archive.records if _is_there(project, archive, name)]
            wanted = [name for name in archive.records if name not in there]
            _refuse_own(project, archive, [] if replace else wanted)
            now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
            given = Given(archive.manifest.by, now, short_name(address), actual)
            _write(project, archive, wanted, given, replace)
            return Unpacked(wanted, there, given, archive.bytes)


def fetch(
    project: Project,
    step: str,
    *,
    trust: bool = False,
    replace: bool = False,
    timeout: float = TIMEOUT,
) -> Unpacked | None:
    """Fetch a step's prepared results from the first of its addresses that provides them.

    Returns
    -------
    Unpacked or None
        None if `[tool.checkpoint.sources]` does not list the step.

    Raises
    ------
    ArchiveError
        If no address provides them; the message gives the reason for each.
    CheckpointError
        As `unpack`.
    """
    source = read_sources(project).get(step)
    if source is None:
        return None
    failed = []
    for url in source.urls:
        try:
            return unpack(
                project,
                url,
                project.root,
                expected=source.hash,
                trust=trust or source.trust,
                replace=replace,
                step=step,
                most=source.bytes,
                timeout=timeout,
            )
        except ArchiveError as error:
            failed.append(error)
    if len(failed) == 1:
        raise failed[0]
    each = "\n".join(f"  {error}" for error in failed)
    raise ArchiveError(f"No address of {step} gave its results:\n{each}", step=step) from failed[-1]


def _refuse_untrusted(archive: Judged, address: str, trust: bool) -> None:
    if archive.pickles and not trust:
        names = archive.pickles[0]
        if len(archive.pickles) > 1:
            names += f" and {len(archive.pickles) - 1} more"
        raise CheckpointError(
            f"{address} was refused: it holds pickles ({names}), which run code when they are "
            "loaded. If you trust its author to run code here, unpack it with --trust.",
            file=address,
            found=archive.pickles,
        )


def _is_there(project: Project, archive: Judged, step: str) -> bool:
    """Return whether an undamaged checkpoint with the same content exists already."""
    folder = project.results_of(step)
    try:
        record = open_step(project, step).record
        return (
            record is not None
            and record.content_hash == archive.records[step].content_hash
            and all(
                hashes.is_unchanged(committed.locate(folder, file), entry)
                for file, entry in record.files.items()
            )
        )
    except (CheckpointError, OSError):
        return False


def _refuse_own(project: Project, archive: Judged, steps: list[str]) -> None:
    """Refuse to replace results that were made here."""
    for step in steps:
        if _is_own(project, step, archive.records[step]):
            raise CheckpointError(
                f"results/{step} was made here and would be replaced. Nothing was changed. To "
                "replace it, unpack with --replace.",
                step=step,
            )


def _is_own(project: Project, step: str, new: Record) -> bool:
    folder = project.results_of(step)
    try:
        record = committed.read_record(folder)
    except CheckpointDamagedError:
        return True
    if record:
        return record.given is None and record.content_hash != new.content_hash
    return any(path.is_file() and path.name[0] != "." for path in folder.glob("*"))


def _refuse_full(project: Project, path: Path) -> None:
    """Refuse an archive that is larger than the free disk space; its files are not compressed."""
    needed, place = path.stat().st_size, large_files_of(project) or project.results
    disk = next(parent for parent in (place, *place.parents) if parent.exists())
    free = shutil.disk_usage(disk).free
    if needed > free:
        raise CheckpointError(
            f"Not enough room on the disk of {disk}: the pack needs {text.size(needed)}, "
            f"and {text.size(free)} are free. Nothing was changed.",
            file=str(disk),
            expected=needed,
            found=free,
        )


def _write(
    project: Project, archive: Judged, steps: list[str], given: Given, replace: bool
) -> None:
    """Write all checkpoints to staging folders, then move them into place, parts first."""
    with ExitStack() as stack:
        for step in sorted(steps):  # the last one that is entered is committed first
            place = other_disk.begin(project, step)
            staging = stack.enter_context(store.transaction(project.results_of(step), place))
            _refuse_own(project, archive, [] if replace else [step])  # a save may have just ended
            for name, member in archive.manifest.files_of(step).items():
                if name != RECORD:
                    _write_file(archive, f"{step}/{name}", staging / name, member.blake3)
            record = _as_given(public(archive.records[step]), staging, given)
            if place:
                moved = moved_away(record.files, staging, place)
                record = structs.replace(record, files=moved)
            content = text.json_text(to_json(record))
            (staging / RECORD).write_text(content, encoding="utf-8", newline="\n")


def _write_file(archive: Judged, name: str, path: Path, blake3: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.zip.open(name) as source, path.open("wb") as out:
        shutil.copyfileobj(source, out, hashes.CHUNK)
    if hashes.file_hash(path) != blake3:
        raise ArchiveError(f"{name} changed while it was unpacked. Try again.", file=name)


def _as_given(record: Record, staging: Path, given: Given) -> Record:
    """Return the record marked as given, with the modification times of the unpacked files."""

    def here(file: str, entry: FileEntry) -> FileEntry:
        _, mtime_ns = hashes.stamp_of(staging / file)
        return structs.replace(entry, mtime_ns=mtime_ns)

    files = {file: here(file, entry) for file, entry in record.files.items()}
    environment = record.environment
    if environment and environment.freeze:
        freeze = here(environment.freeze.key, environment.freeze)
        environment = structs.replace(environment, freeze=freeze)
    return structs.replace(record, files=files, environment=environment, given=given)
