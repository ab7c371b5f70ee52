"""Read the settings of a project: the `[tool.checkpoint]` table of its `pyproject.toml`."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..errors import ProjectError
from ..text import unfinished_merge
from .names import contained, unportable

FILE, LOCAL = "pyproject.toml", "checkpoint.local.toml"
OF_ALL = f"{FILE}: [tool.checkpoint]"
PLACES = ("results", "data")  # settings that name a folder
KEYS = (
    *("ignore", "resources", "order", "kernels", "steps", "sources"),
    *("anndata_format", "compression", *PLACES),
)
BLAKE3_DIGITS = 64
OF_SHELL = re.compile(r"\d?>|<$|[|&;]+$|\w+;$")  # words that a shell would interpret
# compressions that other programs can read without a plugin
COMPRESSIONS = {"h5ad": ("none", "gzip", "lzf"), "zarr": ("none", "gzip", "zstd")}


class HasFolders(Protocol):
    """The part of `Project` that is used here; that module imports this one."""

    root: Path
    results: Path


class Entry(NamedTuple):
    """The settings `[tool.checkpoint.steps.<step>]` of a step that does not call `save`."""

    run: list[str]  # the words of the command that makes it; empty for a notebook
    loads: list[str]  # the steps and sub-checkpoints that it is made from
    code: list[str]  # its code files, and folders of them, relative to the project
    reads: list[str]  # the other files and folders that it reads, relative to the project


class Source(NamedTuple):
    """The source of a step's prepared results: `[tool.checkpoint.sources.<step>]`."""

    urls: list[str]  # of one archive, tried in order: `https://…`, `file://…`, or a path
    hash: str  # its blake3, 64 hexadecimal digits; empty if none is set
    bytes: int  # its size; 0 if none is set
    trust: bool  # whether pickles in it may be unpacked


def check_settings(project: HasFolders) -> None:
    """Check all settings of a project.

    Raises
    ------
    ProjectError
        If `pyproject.toml` cannot be read, or has an unknown or invalid setting. `error.key` is
        that setting.
    """
    # the template itself uses `template`, for updates
    for key in (key for key in _table(project) if key not in (*KEYS, "template")):
        raise _invalid(key, f"one of the settings {', '.join(KEYS)}", key)
    read_ignored(project)
    read_resources(project)
    read_kernels(project)
    for key in PLACES:
        read_place(project, key)
    read_order(project)
    read_entries(project)
    read_sources(project)
    file_settings(project)


# Each of these functions raises like `check_settings`, but only for its own setting. Without a
# pyproject.toml, it returns the default.


def read_ignored(project: HasFolders) -> list[str]:
    """Return the rules that `checkpoint check` skips: the setting `ignore`."""
    ignore = _table(project).get("ignore", [])
    if not isinstance(ignore, list) or not all(isinstance(rule, str) for rule in ignore):
        raise _invalid("ignore", 'a list of rules such as ["absolute-path"]', ignore)
    return ignore


def read_resources(project: HasFolders) -> dict[str, dict[str, int | str]]:
    """Return the cluster resources that each step requests, with Snakemake's names.

    `{"2_integration": {"mem_mb": 64000, "runtime": 240, "slurm_partition": "large"}}`
    """
    resources = _table(project).get("resources", {})
    if not isinstance(resources, dict):
        raise _invalid("resources", "a table with an entry per step", resources)
    for step, requested in resources.items():
        if not isinstance(requested, dict):
            expected = "a table such as { mem_mb = 64000 }"
            raise _invalid(f"resources.{step}", expected, requested)
        for name, value in requested.items():
            _check_resource(f"resources.{step}.{name}", name, value)
    return resources


def read_order(project: HasFolders) -> list[str]:
    """Return the notebooks in running order, below `notebooks/` and without `.ipynb`.

    Empty if their numbers define the order.
    """
    order = _table(project).get("order", [])
    expected = 'a list of notebooks such as ["1_core/01a_import", "2_report"]'
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        raise _invalid("order", expected, order)
    for name in order:
        if name.endswith(".ipynb") or any(map(unportable, name.split("/"))):
            raise _invalid("order", "notebooks below notebooks/, without .ipynb", name)
    stems = [name.rpartition("/")[2] for name in order]
    if twice := next((name for name in order if stems.count(name.rpartition("/")[2]) > 1), None):
        raise _invalid("order", "notebooks of different names", twice)
    return list(order)


def read_entries(project: HasFolders) -> dict[str, Entry]:
    """Return the settings of steps that do not call `save`, by step: the setting `steps`."""
    expected = 'a table such as { run = "Rscript scripts/scran.R" }'
    entries = {}
    for step, entry in _table_by_step(project, "steps", "a name such as 2_scran", expected):
        key = f"steps.{step}"
        for name in entry.keys() - set(Entry._fields):
            raise _invalid(f"{key}.{name}", f"one of {', '.join(Entry._fields)}", name)
        texts = {name: _texts(f"{key}.{name}", entry.get(name, [])) for name in Entry._fields[1:]}
        for name in texts["loads"]:
            ours = name.endswith(".ipynb") or name.partition("/")[0] in (step, "results")
            if ours or any(map(unportable, name.split("/"))):
                raise _invalid(f"{key}.loads", "other steps, such as 1_preprocessing", name)
        for name in ("code", "reads"):
            texts[name] = _files(f"{key}.{name}", texts[name])
        words = _words(f"{key}.run", entry["run"]) if "run" in entry else []
        entries[step] = Entry(words, **texts)
    return entries


def read_sources(project: HasFolders) -> dict[str, Source]:
    """Return where prepared results can be fetched, by step: the setting `sources`."""
    expected = 'a table such as { urls = ["https://…"], hash = "blake3:…" }'
    name_expected = "the name of a step, such as 1_preprocessing"
    sources = {}
    for step, entry in _table_by_step(project, "sources", name_expected, expected):
        key = f"sources.{step}"
        if not entry.get("urls"):
            raise _invalid(key, expected, entry)
        for name in entry.keys() - set(Source._fields):
            raise _invalid(f"{key}.{name}", f"one of {', '.join(Source._fields)}", name)
        size, trust = entry.get("bytes", 0), entry.get("trust", False)
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise _invalid(f"{key}.bytes", "a number of bytes", size)
        if not isinstance(trust, bool):
            raise _invalid(f"{key}.trust", "true or false", trust)
        digits = blake3_digits(entry.get("hash", ""))
        if digits is None or (trust and not digits):
            raise _invalid(f"{key}.hash", "blake3: and 64 hexadecimal digits", entry.get("hash"))
        sources[step] = Source(_texts(f"{key}.urls", entry["urls"]), digits, size, trust)
    return sources


def blake3_digits(text: object) -> str | None:
    """Return the digits of a hash such as `blake3:0f…`; "" if empty, None if invalid."""
    digits = str(text).strip().lower().removeprefix("blake3:")
    fits = len(digits) == BLAKE3_DIGITS and not set(digits) - set("0123456789abcdef")
    return digits if fits or text == "" else None


def read_kernels(project: HasFolders) -> dict[str, str]:
    """Return the kernels set in `pyproject.toml` or for this machine, by step.

    The table `[kernels]` in `checkpoint.local.toml`, which git ignores, has precedence.
    """
    by_step: dict[str, str] = {}
    for where, table in ((OF_ALL, _table(project)), (f"{LOCAL}:", _read_local(project))):
        kernels = table.get("kernels", {})
        if not isinstance(kernels, dict) or not all(isinstance(k, str) for k in kernels.values()):
            raise _invalid("kernels", "the name of a kernel per step", kernels, where)
        by_step |= kernels
    return by_step


def read_place(project: HasFolders, key: str) -> str:
    """Return the setting `results` or `data`, of this machine if set, or else of the project.

    It may contain environment variables and `{project}`; it is empty if not set.
    """
    mine = _read_local(project)
    place = mine.get(key, _table(project).get(key, ""))
    if not isinstance(place, str):
        where = f"{LOCAL}:" if key in mine else OF_ALL
        raise _invalid(key, 'a folder such as "/scratch/$USER/{project}"', place, where)
    return place


def file_settings(project: HasFolders) -> tuple[str, str | None]:
    """Return the format in which an AnnData is saved, and the compression of its matrices.

    If the compression is None, the format chooses it.
    """
    table = _table(project)
    anndata_format, compression = table.get("anndata_format", "h5ad"), table.get("compression")
    if anndata_format not in tuple(COMPRESSIONS):  # may be of any type
        raise _invalid("anndata_format", " or ".join(map(repr, COMPRESSIONS)), anndata_format)
    if compression is not None and compression not in COMPRESSIONS[anndata_format]:
        some = ", ".join(map(repr, COMPRESSIONS[anndata_format]))
        expected = f"one of {some} with anndata_format = {anndata_format!r}"
        raise _invalid("compression", expected, compression)
    return anndata_format, compression


def _read_local(project: HasFolders) -> dict[str, Any]:
    """Return the content of `checkpoint.local.toml`; empty if it does not exist."""
    local = project.root / LOCAL
    mine = _read(local) if local.is_file() else {}
    for key in mine.keys() - {"kernels", *PLACES}:
        raise _invalid(key, "`results`, `data` or the table [kernels]", key, f"{LOCAL}:")
    return mine


def _table(project: HasFolders) -> dict[str, Any]:
    """Return `[tool.checkpoint]`; empty without a `pyproject.toml`."""
    there = (project.root / FILE).is_file()
    table = read_toml(project).get("tool", {}).get("checkpoint", {}) if there else {}
    return table if isinstance(table, dict) else {}


def _table_by_step(
    project: HasFolders, key: str, expected_name: str, expected: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the table of each step, for a setting that has a table per step."""
    table = _table(project).get(key, {})
    if not isinstance(table, dict):
        raise _invalid(key, "a table with an entry per step", table)
    for step, entry in table.items():
        if unportable(step):
            raise _invalid(f"{key}.{step}", expected_name, step)
        if not isinstance(entry, dict):
            raise _invalid(f"{key}.{step}", expected, entry)
        yield step, entry


def _texts(key: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise _invalid(key, "a list of texts", value)
    return list(value)


def _files(key: str, names: list[str]) -> list[str]:
    """Return the names of a step's code or input files and folders, checked."""
    files = [Path(name).as_posix() for name in names]
    for file in files:
        if not contained(file) or "*" in file or "?" in file:
            raise _invalid(key, "files and folders of the project, such as scripts", file)
        if file.partition("/")[0] == "results":
            raise _invalid(key, "files that no step makes; those of steps belong in `loads`", file)
    return files


def _words(key: str, command: object) -> list[str]:
    """Return the words of a command; backslashes are kept, as in Windows paths."""
    expected = "a command such as 'Rscript scripts/scran.R', or a list of its words"
    words = _texts(key, command) if isinstance(command, list) else []
    if isinstance(command, str):
        lexer = shlex.shlex(command, posix=True, punctuation_chars=False)
        lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
        try:
            words = list(lexer)
        except ValueError as error:
            raise _invalid(key, "a command whose quotes are closed", command) from error
        if any(map(OF_SHELL.match, words)):
            expected = "a command that needs no shell; let a script do what > | & ; are for"
            raise _invalid(key, expected, command)
    if not words or not words[0]:
        raise _invalid(key, expected, command)
    return words


def _check_resource(key: str, name: str, value: object) -> None:
    """Raise if Snakemake would reject a resource."""
    if not name.isidentifier():
        raise _invalid(key, "a name of letters, digits and _", name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _invalid(key, "an integer or a string", value)
    if name.endswith("_mb") and isinstance(value, str):
        raise _invalid(key, "a number of megabytes", value)
    if isinstance(value, int) and value < 1:
        raise _invalid(key, "at least 1", value)


def read_toml(project: HasFolders) -> dict[str, Any]:
    """Return the content of a project's `pyproject.toml`; raises `ProjectError` if invalid."""
    return _read(project.root / FILE)


def _read(path: Path) -> dict[str, Any]:
    status = path.stat()
    return _parsed(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)  # each load and save reads it several times
def _parsed(path: Path, mtime_ns: int, size: int) -> dict[str, Any]:
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except ValueError as error:  # not TOML, or not UTF-8
        merge = unfinished_merge(text)
        message = f"{path.name} {merge}." if merge else f"{path.name} is not valid TOML: {error}"
        found = merge or str(error)
        raise ProjectError(message, file=path.name, expected="TOML", found=found) from error


def _invalid(key: str, expected: str, found: object, where: str = OF_ALL) -> ProjectError:
    message = f"{where} {key}: expected {expected}, got {found!r}."
    return ProjectError(message, file=FILE, key=key, expected=expected, found=found)
