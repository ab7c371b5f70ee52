"""`Checkpoint`, the read-only mapping that `load` and `save` return."""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from .. import text
from ..errors import CheckpointKeyError
from ..formats import stems, suffix_of
from ..project.project import Project
from ..watch.files import unwatched
from . import hashes, shown
from .interrupts import interruptible
from .json_record import saved_at
from .opened import open_step
from .params import user_params
from .parts import left_behind, part_names
from .reading import lazy_object, parts_of, read_object, verified_path
from .schema import FileEntry, content_hash


class Checkpoint(Mapping[str, Any]):
    """The saved objects of a step, each read from disk on access.

    A read-only mapping from the keys given to `save` to objects; file names work as keys, too.
    Nothing is cached: reading a key twice returns two objects.

    Parameters
    ----------
    project
        The project.
    step
        The step, such as `1_preprocessing`.

    Attributes
    ----------
    params
        The parameters given to `save`.
    record
        The record that `save` wrote; None for a folder that was filled by hand.
    files
        The entry of each file, by its path in the step's folder.
    state
        Whether the checkpoint matched its notebook and inputs when `load` opened it, in words;
        None if they were not compared.

    Raises
    ------
    CheckpointNotFoundError
        If the step has saved nothing.
    CheckpointDamagedError
        If a file is missing or does not have the recorded size.
    CheckpointError
        If the checkpoint was saved by a newer version of this code.
    """

    def __init__(self, project: Project, step: str) -> None:
        self.step = step
        self.state: str | None = None
        self._project = project
        self._opened = open_step(project, step)
        self.files = self._opened.files
        self.params = self._opened.params
        self.record = self._opened.record

    def __getitem__(self, key: str) -> Any:
        with unwatched(), interruptible():
            return read_object(self._project, self.step, self._opened, self._file(key))

    def __contains__(self, key: object) -> bool:
        return len(self._matches(key)) == 1

    def __iter__(self) -> Iterator[str]:
        return (entry.key for entry in self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        lines = [self._head(), text.columns(self.rows()) if self.files else "  no objects"]
        return "\n".join([*lines, *self._about()])

    def _repr_html_(self) -> str:
        head = ("object", "shape", "format", "size")
        rows = [
            (entry.key if entry.beside is None else file, shape, suffix_of(file), size)
            for (file, shape, size), entry in zip(self.rows(), self.files.values(), strict=True)
        ]
        about = "\n".join(f"<div>{escape(line)}</div>" for line in self._about())
        return f"<div>{escape(self._head())}</div>\n{shown.table(rows, head)}\n{about}"

    def _head(self) -> str:
        return f"results/{self.step}, saved {self.timestamp or 'at an unknown time'}"

    def _about(self) -> list[str]:
        """Return lines on the checkpoint's inputs, parameters, origin and state."""
        lines = []
        if inputs := self.record.inputs if self.record else {}:
            lines.append(f"made from {', '.join(inputs)}")
        if self.params:
            lines.append(f"params: {', '.join(self.params)}")
        if given := self.record and self.record.given:
            lines.append(f"given by {given.by} on {given.date[:10]} ({given.source})")
        if self.state:
            lines.append(f"{self.state} when it was loaded")
        return lines

    def path(self, key: str) -> Path:
        """Return the verified path of an object's file or folder, for R, polars or a viewer.

        Parameters
        ----------
        key
            The name given to `save`, or the file name.

        Raises
        ------
        CheckpointDamagedError
            If the file is not what was saved.
        """
        with interruptible():
            return verified_path(self._project, self.step, self._opened, self._file(key))

    def lazy(self, key: str, *, verify: bool = False) -> Any:
        """Open an object that may be larger than memory, with its matrices as dask arrays.

        The `obs`, `var` and `uns` of an AnnData are in memory. If the step is saved again, the
        object keeps the old content; a `.zarr`, or the workers of a cluster, raise an error.

        Parameters
        ----------
        key
            The key of an AnnData (`.h5ad`, `.zarr`) or an array (`.npy`, `.zarr`).
        verify
            Whether to verify the content, which reads the whole file once. Otherwise only the
            size is compared, as in `load`.

        Raises
        ------
        CheckpointFormatError
            If the format can only be read whole.
        MissingPackageError
            If dask is not installed.

        Examples
        --------
        >>> atlas = load("1_preprocessing").lazy("atlas")  # doctest: +SKIP
        """
        with unwatched(), interruptible():
            return lazy_object(self._project, self.step, self._opened, self._file(key), verify)

    def part(self, key: str, *parts: str) -> Any:
        """Read only some parts of an AnnData, such as `part("atlas", "obs", "obsm/X_umap")`.

        Parameters
        ----------
        key
            The key of the AnnData.
        parts
            Paths in the object, such as `obs`, `layers/counts`, `uns/pca/variance`, `raw/X`.

        Returns
        -------
        object or list
            The part; a list of them if several are named.

        Raises
        ------
        CheckpointFormatError
            If a part does not exist; the message lists the existing parts.
        CheckpointDamagedError
            If the file does not have its recorded size. Its content is not verified.
        """
        if not parts:
            raise CheckpointKeyError(
                'part takes the names of parts, such as part("atlas", "obs", "obsm/X_umap")',
                step=self.step,
                key=key,
            )
        with unwatched(), interruptible():
            values = parts_of(self._project, self.step, self._opened, self._file(key), parts)
        return values[0] if len(parts) == 1 else values

    @property
    def parts(self) -> "Parts":
        """The checkpoints that a loop over `parts` saved, by the name of the part."""
        return Parts(self._project, self.step, list(self.record.parts) if self.record else [])

    @property
    def timestamp(self) -> str | None:
        """When the checkpoint was saved, in ISO 8601; None if unknown."""
        return saved_at(self._opened.raw)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return a row per file: its name, shape and size."""
        return [
            (file, self._shape(entry), text.size(entry.bytes)) for file, entry in self.files.items()
        ]

    def content_hash(self) -> str:
        """Return the hash of the objects and parameters, which downstream steps record."""
        if self.record:
            return self.record.content_hash
        folder = self._project.results_of(self.step)
        files = {file: hashes.path_hash(folder / file) for file in self.files}
        return content_hash(files, user_params(self.params))

    def notes(self) -> list[str]:
        """Return notes for the user who loads the checkpoint."""
        if self.record is None:
            return ["It was not written by save: integrity and inputs cannot be verified."]
        whole = self.step.partition("/")[0]
        if self.step not in left_behind(self._project, whole, part_names(self._project, whole)):
            return []
        return [f"It is from an earlier run of {whole}; the last one did not save it."]

    @property
    def _objects(self) -> dict[str, FileEntry]:
        """The entries of objects, without their `.rest.pkl` files."""
        return {file: entry for file, entry in self.files.items() if entry.beside is None}

    def _shape(self, entry: FileEntry) -> str:
        if entry.beside:
            return ""
        shapes = self.record.data_shapes if self.record else {}
        return text.shape(shapes.get(entry.key))

    def _file(self, key: str) -> str:
        matches = self._matches(key)
        if len(matches) == 1:
            return matches[0]
        which = (
            f"several files for {key!r}: {', '.join(matches)}. Name one"
            if matches
            else (f"no {key!r}; it has {', '.join(self) or 'no objects'}")
        )
        raise CheckpointKeyError(
            f"results/{self.step} has {which}.",
            step=self.step,
            key=key if isinstance(key, str) else None,
            expected=matches or list(self),
        )

    def _matches(self, key: object) -> list[str]:
        """Return the files that a key refers to, by the name given to `save` or by file name.

        The file suffix may be omitted; then several files may match.
        """
        names = self._objects
        for file, entry in names.items():
            if key in (entry.key, file):
                return [file]
        return [file for file in names if any(stem == key for stem in stems(file))]


class Parts(Mapping[str, Checkpoint]):
    """The parts of a step, each opened on access."""

    def __init__(self, project: Project, step: str, names: list[str]) -> None:
        self._project, self._step, self._names = project, step, names

    def __getitem__(self, name: str) -> Checkpoint:
        if name not in self._names:
            raise CheckpointKeyError(
                f"results/{self._step} has no part {name!r}; it has "
                f"{', '.join(self._names) or 'none'}.",
                step=self._step,
                key=name,
                expected=self._names,
            )
        with unwatched():
            return Checkpoint(self._project, f"{self._step}/{name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _ipython_key_completions_(self) -> list[str]:
        return self._names

    def __repr__(self) -> str:
        return f"Parts({self._step!r}: {', '.join(self._names) or 'none'})"
