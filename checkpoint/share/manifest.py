"""The manifest of a pack, which lists its content and is the first file in the archive."""

from json import loads
from typing import Any

from msgspec import DecodeError, Struct, ValidationError, json, to_builtins

from ..errors import ArchiveError
from ..project.names import unportable
from ..text import json_text

MANIFEST = "manifest.json"
FORMAT_VERSION = 1
LONGEST = 200  # maximum number of characters of a name
LARGEST = 1 << 24  # bytes; a manifest of 100,000 files fits


class Member(Struct, frozen=True):
    """A file in the archive: its size and blake3 hash."""

    bytes: int
    blake3: str


class Packed(Struct, frozen=True):
    """A checkpoint in the archive."""

    timestamp: str  # when it was saved
    content: str  # the hash of what other steps can load from it
    inputs: dict[str, str | None]  # the hash of each; None for one that was missing
    versions: dict[str, str]  # of Python and of the project's direct dependencies


class Manifest(Struct, frozen=True, kw_only=True):
    """What is in an archive."""

    format: int  # the version of this layout
    tool: str  # the version of the code that wrote the pack
    by: str  # who packed it
    steps: dict[str, Packed]  # the steps and sub-checkpoints
    files: dict[str, Member]  # every other file in the archive, by its name `<step>/<file>`

    def files_of(self, step: str) -> dict[str, Member]:
        """Return the files of a step or sub-checkpoint, by their names below its folder."""
        return {
            name[len(step) + 1 :]: member
            for name, member in self.files.items()
            if self.step_of(name) == step
        }

    def step_of(self, name: str) -> str | None:
        """Return the step or sub-checkpoint that a file belongs to; None if there is none."""
        fits = [step for step in self.steps if name.startswith(f"{step}/")]
        return max(fits, key=len, default=None)


def written(manifest: Manifest) -> bytes:
    """Return a manifest as JSON."""
    return json_text(to_builtins(manifest)).encode()


def parsed(content: bytes) -> Manifest:
    """Read a manifest.

    Raises
    ------
    ArchiveError
        If it is not a valid manifest, or was written by a newer version of this code.
    """
    try:
        version = loads(content.decode(), object_pairs_hook=_each_once).get("format")
        if isinstance(version, int) and not 1 <= version <= FORMAT_VERSION:
            raise ArchiveError(
                f"its format is {version}, and this project's code reads up to {FORMAT_VERSION}",
                expected=FORMAT_VERSION,
                found=version,
            )
        manifest = json.decode(content, type=Manifest)
    except (DecodeError, ValidationError, RecursionError, ValueError, AttributeError) as error:
        raise ArchiveError(f"its {MANIFEST} is not one: {error}", file=MANIFEST) from error
    for step in manifest.steps:
        if not step or any(map(unportable, step.split("/"))):
            raise ArchiveError(f"{step!r} is not the name of a step", step=step)
    if not manifest.by.isprintable() or len(manifest.by) > LONGEST:
        raise ArchiveError(f"{manifest.by[:LONGEST]!r} is not the name of an author")
    if not manifest.steps:
        raise ArchiveError("it holds no checkpoint", file=MANIFEST)
    return manifest


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object as a dict; refuse duplicate keys, which parsers read differently."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("it has a key twice")
    return values
