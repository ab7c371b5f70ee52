"""The record of a checkpoint, typed; `docs/params.md` describes every key.

`json_record` reads and writes it as `params.json`.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field, structs

from .hashes import value_hash

RECORD = "params.json"
POINTER = ".checkpoint-away"  # a file that says on which other disk the large files are
SESSION = "session.json"  # git ignores it: people type things that they do not want to publish
FORMAT_VERSION = 1  # older ones are read, newer ones refused; a new optional key needs no new one


class FileEntry(Struct, frozen=True, omit_defaults=True):
    """A saved file.

    Attributes
    ----------
    key
        The name given to `save`.
    bytes, blake3, mtime_ns
        Its content; the hash is empty in a folder that `save` did not write.
    details
        What reading needs to know beyond the file.
    beside
        Of a file that holds what another cannot hold of its object: that file.
    is_path
        Whether the file or folder was given as a `Path`; `load` returns its path.
    away
        Whether it lies on another disk, where the step's folder says.
    """

    key: str
    bytes: int
    blake3: str
    mtime_ns: int | None = None
    details: dict[str, Any] | None = None
    beside: str | None = None
    is_path: bool = False
    away: bool = False


class InputEntry(Struct, frozen=True, omit_defaults=True):
    """The content of an input: a raw file, the list of a folder's files, or a checkpoint.

    Attributes
    ----------
    blake3
        The hash of its content.
    bytes, mtime_ns
        Of a file. Without a time it is hashed to be compared: it was just written when it was read,
        or changed before the save.
    as_it_is
        Of a checkpoint that was accepted as an input: the hash of how it, and what it was made
        from, differ from their records.
    """

    blake3: str
    bytes: int | None = None
    mtime_ns: int | None = None
    as_it_is: str | None = None


class Verdict(Struct, frozen=True, omit_defaults=True):
    """Whether the session made what the notebook makes, run from top to bottom.

    Attributes
    ----------
    state
        `clean`, `edited` (the notebook has code that did not run) or `unclean` (it ran in another
        way, and that may matter).
    notebook
        The hashes of the cells of the notebook that was compared; None if there was none.
    reason
        Why it is not clean.
    on_disk
        Whether the notebook on disk was compared. Else it was what the front end seemed to have.
    """

    state: Literal["clean", "edited", "unclean"]
    notebook: list[str] | None = None
    reason: str = ""
    on_disk: bool = True


class Run(Struct, frozen=True, omit_defaults=True):
    """What the kernel had run when it saved.

    Attributes
    ----------
    cells
        The hash of the code of each execution, in order.
    parameters
        Those that may have set parameters: source by hash.
    ids
        The id of the cell of each execution, where the front end sent them.
    kernel
        Tells this kernel from others.
    log
        The file that has the executions in full.
    verdict
        Whether they made what the notebook makes; None in records of older versions.
    """

    cells: list[str]
    parameters: dict[str, str] = field(default_factory=dict)
    ids: list[str | None] = field(default_factory=list)
    kernel: str | None = None
    log: FileEntry | None = None
    verdict: Verdict | None = None


class Baseline(Struct, frozen=True):
    """What a step's results are compared with: what made them, or what was accepted instead.

    Attributes
    ----------
    cells
        The hash of each cell's code; None where no notebook made them.
    parameters
        The cells among them that may have set parameters: source by hash.
    inputs
        Each input by name; None for one that was not there.
    modules
        The hash of each module's code by path; None for one that was not there.
    params
        The hash of each group of the user's parameters.
    """

    cells: list[str] | None
    parameters: dict[str, str]
    inputs: dict[str, InputEntry | None]
    modules: dict[str, str | None]
    params: dict[str, str]


class Acceptance(Struct, frozen=True):
    """Results that somebody declared current although something had changed.

    Attributes
    ----------
    why
        The reason given.
    date
        When, in ISO 8601.
    reasons
        Why the results were not current.
    fits
        What they were accepted to fit.
    """

    why: str
    date: str
    reasons: list[str]
    fits: Baseline


class Given(Struct, frozen=True):
    """Where results come from that were unpacked, and not made here.

    Attributes
    ----------
    by
        Who packed them, as the pack says.
    date
        When they were unpacked, in ISO 8601.
    source
        The name of the archive, or its address.
    blake3
        The hash of the archive.
    """

    by: str
    date: str
    source: str
    blake3: str


class Environment(Struct, frozen=True, omit_defaults=True):
    """What the results were made with.

    Attributes
    ----------
    python, system
        The versions of the interpreter and of the platform.
    packages
        The versions of the project's direct dependencies.
    freeze
        The file that lists these and all that they need, in the form of `pip freeze`.
    """

    python: str
    system: str
    packages: dict[str, str]
    freeze: FileEntry | None = None


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `params.json` holds.

    Attributes
    ----------
    timestamp
        When it was saved, in ISO 8601.
    params
        The user's parameters, in groups.
    data_shapes
        The shape of each object that has one, by key.
    format, tool
        The version of this schema, and that of the code that saved.
    step
        The step or sub-checkpoint.
    files
        The saved files, by name below the step's folder.
    inputs, param_hashes, modules, run
        What made the results; `run` is None outside a notebook.
    elsewhere
        The folder of another copy of the project whose modules ran in place of its own.
    notes
        What `save` said that the user should know.
    output
        What a command printed that made the results, in a file beside them.
    parts
        Of a step that a loop made: the hash of each part's content, by its name.
    looped
        Whether it is a part that a loop made, independently of the parts before it.
    environment
        The versions of the libraries; None for a folder that was filled by hand and accepted.
    accepted
        What was accepted since, oldest first.
    given
        Who gave the results; None if they were made here.
    """

    timestamp: str = field(name="timestamp", default="")
    params: dict[str, Any] = field(name="user params", default_factory=dict)
    data_shapes: dict[str, Any] = field(name="data_shapes", default_factory=dict)
    format: int
    tool: str | None = None
    step: str
    files: dict[str, FileEntry]
    inputs: dict[str, InputEntry | None]
    param_hashes: dict[str, str] = field(name="params")
    modules: dict[str, str | None]
    environment: Environment | None = None
    run: Run | None = None
    elsewhere: str = ""
    notes: list[str] = field(default_factory=list)
    output: FileEntry | None = None
    parts: dict[str, str] = field(default_factory=dict)
    looped: bool = False
    accepted: list[Acceptance] = field(default_factory=list)
    given: Given | None = None

    @property
    def baseline(self) -> Baseline:
        """What the results are compared with: what was accepted last, else what made them.

        Results that somebody gave are compared with nothing but their files and parameters: their
        notebook and inputs may not be here.
        """
        if self.given:
            return Baseline(None, {}, {}, {}, self.param_hashes)
        if self.accepted:
            return self.accepted[-1].fits
        run = self.run or Run([])
        cells = run.cells if self.run else None
        return Baseline(cells, run.parameters, self.inputs, self.modules, self.param_hashes)

    @property
    def content_hash(self) -> str:
        """The hash of what the checkpoint gives to those that load it."""
        hashes = {name: entry.blake3 for name, entry in self.files.items()}
        return content_hash(hashes | {f"{part}/": h for part, h in self.parts.items()}, self.params)

    @property
    def written(self) -> list[str]:
        """The names of all files that `save` wrote below the step's folder, but the record's."""
        freeze = self.environment and self.environment.freeze
        others = [freeze, self.run and self.run.log, self.output]
        here = [name for name, entry in self.files.items() if not entry.away]
        pointer = [POINTER] if len(here) < len(self.files) else []
        return [*here, *pointer, *(entry.key for entry in others if entry)]

    def accept(self, acceptance: Acceptance) -> "Record":
        """Return the record with one more acceptance."""
        return structs.replace(self, accepted=[*self.accepted, acceptance])


def content_hash(files: Mapping[str, str], params: Mapping[str, Any]) -> str:
    """Return the hash of a checkpoint's content: the same when a step is regenerated unchanged.

    `files` has the blake3 of each file, by name, and `params` the user's parameters. The hash has
    64 hexadecimal digits.
    """
    return value_hash({"files": dict(files), "params": dict(params)})
