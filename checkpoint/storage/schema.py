"""The typed record of a checkpoint; `docs/params.md` describes every key.

`json_record` reads and writes it as `params.json`.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field, structs

from .hashes import value_hash

RECORD = "params.json"
POINTER = ".checkpoint-away"  # file that names the folder of the large files on another disk
SESSION = "session.json"  # ignored by git: cells may contain code that users will not publish
FORMAT_VERSION = 1  # older versions are read, newer ones rejected; optional keys do not change it


class FileEntry(Struct, frozen=True, omit_defaults=True):
    """A saved file.

    Attributes
    ----------
    key
        The name given to `save`.
    bytes, blake3, mtime_ns
        Its size, hash and time; the hash is empty in a folder that `save` did not write.
    details
        Additional values that the format needs to read the file.
    beside
        For a `.rest.pkl` file: the file whose format cannot preserve these parts of the object.
    is_path
        Whether the file or folder was given as a `Path`; `load` returns its path.
    away
        Whether it is on another disk, in the folder that the step's `.checkpoint-away` names.
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
    bytes, mtime_ns, inode
        For a file: its size, its time, and which of the disk's files it is. Without a time it is
        always compared by hash: it had just been written when it was read, or changed before the
        save.
    as_it_is
        For a checkpoint that was accepted as an input: the hash of how the checkpoint and its own
        inputs differ from their records.
    """

    blake3: str
    bytes: int | None = None
    mtime_ns: int | None = None
    inode: int | None = None
    as_it_is: str | None = None


class Verdict(Struct, frozen=True, omit_defaults=True):
    """Whether the session had the same results as a run of the notebook from top to bottom.

    Attributes
    ----------
    state
        `clean`, `edited` (the notebook has code that did not run) or `unclean` (it ran in a
        different way, which may matter).
    notebook
        The hashes of the cells of the notebook that was compared; None if there was none.
    reason
        Why the run is not clean.
    on_disk
        Whether the notebook on disk was compared, or else its inferred state in the front end.
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
        The executions that may have set parameters: source by hash.
    ids
        The cell id of each execution, if the front end sent ids.
    kernel
        A random identifier of the kernel.
    log
        The file with the full log of the executions.
    verdict
        The comparison with a clean run; None in records of older versions.
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
        The hash of each cell's code; None if no notebook made the results.
    parameters
        The cells among them that may have set parameters: source by hash.
    inputs
        Each input by name; None for a missing one.
    modules
        The hash of each module's code by path; None for a missing one.
    params
        The hash of each group of the user's parameters.
    """

    cells: list[str] | None
    parameters: dict[str, str]
    inputs: dict[str, InputEntry | None]
    modules: dict[str, str | None]
    params: dict[str, str]


class Acceptance(Struct, frozen=True):
    """A user's statement that results are current although something had changed.

    Attributes
    ----------
    why
        The reason given.
    date
        When, in ISO 8601.
    reasons
        Why the results were not current.
    fits
        The baseline that the results were accepted for.
    """

    why: str
    date: str
    reasons: list[str]
    fits: Baseline


class Given(Struct, frozen=True):
    """The origin of results that were unpacked, not made here.

    Attributes
    ----------
    by
        Who packed them, according to the archive.
    date
        When they were unpacked, in ISO 8601.
    source
        The name or the URL of the archive.
    blake3
        The hash of the archive.
    """

    by: str
    date: str
    source: str
    blake3: str


class Environment(Struct, frozen=True, omit_defaults=True):
    """The software that the results were made with.

    Attributes
    ----------
    python, system
        The version of the interpreter, and the platform.
    packages
        The versions of the project's direct dependencies.
    freeze
        The file that lists direct and indirect dependencies, in the format of `pip freeze`.
    """

    python: str
    system: str
    packages: dict[str, str]
    freeze: FileEntry | None = None


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of `params.json`.

    Attributes
    ----------
    timestamp
        When the checkpoint was saved, in ISO 8601.
    params
        The user's parameters, in groups.
    data_shapes
        The shape of each object that has one, by key.
    format, tool
        The version of this schema, and that of the code that saved.
    step
        The step or sub-checkpoint.
    files
        The saved files, by their paths in the step's folder.
    inputs, param_hashes, modules, run
        What made the results; `run` is None outside a notebook.
    elsewhere
        The folder of another copy of the project whose modules ran instead of its own.
    notes
        The notes that `save` showed to the user.
    output
        The log file of the command that made the results.
    parts
        For a step made by a loop: the hash of each part's content, by its name.
    looped
        Whether it is a part made by a loop, independently of the parts before it.
    environment
        The versions of the libraries; None for a folder that was filled by hand and accepted.
    accepted
        The acceptances since the save, oldest first.
    given
        The origin of unpacked results; None if they were made here.
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
        """What the results are compared with: the last acceptance, or else what made them.

        Unpacked results are compared only with their parameters and files: their notebook and
        inputs may not be here.
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
        """The hash of everything that can be loaded: files, parts and parameters."""
        hashes = {name: entry.blake3 for name, entry in self.files.items()}
        return content_hash(hashes | {f"{part}/": h for part, h in self.parts.items()}, self.params)

    @property
    def written(self) -> list[str]:
        """The paths of all files that `save` wrote in the step's folder, except the record."""
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

    `files` maps names to blake3 hashes, and `params` are the user's parameters. The hash has 64
    hexadecimal digits.
    """
    return value_hash({"files": dict(files), "params": dict(params)})
