"""Paths in code, as far as the code spells them out: `results/{sample}_qc.h5ad`."""

import posixpath
import re
from functools import lru_cache
from typing import NamedTuple

HOLE = "\0"  # a part of a path that is known only when the code runs
RAW_FOLDERS = ("data/raw/", "data/external/")
VERSION = re.compile(
    r"(?:[-_. ]?(?:v\d+|version\d+|final|new|old|latest|backup|bak|fixed|copy\d*|\(\d+\)))+$",
    re.IGNORECASE,
)

# suffixes by which a name without a folder is known to be a file
SUFFIXES = frozenset(
    "h5ad h5mu h5 hdf5 loom zarr npy npz pkl pickle joblib csv tsv txt json yaml yml parquet "
    "feather arrow xlsx xls ods mtx mat rds rda rdata gz bz2 zip tar pt pth ckpt onnx keras "
    "nc fits fa fasta fastq bam sam bed gtf gff vcf bw bigwig nii dcm tif tiff png jpg jpeg "
    "svg pdf html db sqlite sqlite3 dat bin log gmt gml graphml gexf geojson gpkg shp sav dta "
    "orc avro mcool cool".split()
)


class Place(NamedTuple):
    """A path of which some parts may be known only when the code runs.

    Attributes
    ----------
    text
        The path, with `HOLE` for each such part.
    holes
        The expressions of these parts.
    values
        What each of them can be, if it is the variable of a loop over a list that the code or a
        configuration spells out; else None.
    """

    text: str
    holes: tuple[str, ...] = ()
    values: tuple[frozenset[str] | None, ...] = ()

    @property
    def is_absolute(self) -> bool:
        """Whether it is absolute, and so exists on one machine only."""
        return self.text.startswith(("/", "~", "\\\\")) or bool(re.match("[A-Za-z]:", self.text))

    @property
    def is_inside(self) -> bool:
        """Whether it is a path of the project."""
        return not self.is_absolute and not f"{self.text}/".startswith("../")

    @property
    def is_raw(self) -> bool:
        """Whether its folder says that it is raw data, also if a notebook fetches it."""
        return self.text.startswith(RAW_FOLDERS)

    @property
    def is_anything(self) -> bool:
        """Whether none of it is known, as of `{folder}/{name}`, so that it could be any file."""
        return HOLE in self.text and not any(self.values) and not re.search(r"\w", self.text)

    @property
    def listed(self) -> list["Place"]:
        """The paths that it can be, if it is the variable of a loop over paths; else itself."""
        values = self.values[0] if self.text == HOLE and self.values else None
        return [Place(value) for value in sorted(values)] if values else [self]

    @property
    def name(self) -> str:
        """The name of the file, with `HOLE`."""
        return posixpath.basename(self.text)

    @property
    def glob(self) -> str:
        """A pattern for `Path.glob`."""
        special = re.sub(r"([*?\[])", r"[\1]", self.text)
        return re.sub(f"{HOLE}+", "*", special)

    def matches(self, other: "Place") -> bool:
        """Tell whether both may be the same file."""
        if self.text == other.text:
            return True
        return self._may_be(other) or other._may_be(self)

    def _may_be(self, other: "Place") -> bool:
        """Tell whether its holes can be filled so that it is another path."""
        match = _pattern_of(self.text).fullmatch(other.text) if HOLE in self.text else None
        return match is not None and all(
            values is None or HOLE in part or part in values
            for part, values in zip(match.groups(), self.values, strict=False)
        )

    def below(self, folder: str) -> "Place":
        """Return its path from the top of the project, if it is relative to a folder there.

        A path that begins with an unknown part may be anywhere and is returned unchanged.
        """
        if self.text.startswith(HOLE) and not (self.values and self.values[0]):
            return self
        if self.is_absolute:
            return self._replace(text=posixpath.normpath(self.text))
        if re.fullmatch(r"[^/:*?\n]*\\[^/:*?\n]*", self.text):  # as people on Windows write it
            return self._replace(text=self.text.replace("\\", "/")).below(folder)
        return self._replace(text=posixpath.normpath(posixpath.join(folder or ".", self.text)))

    def code(self, text: str | None = None) -> str:
        """Return an expression for it: a string, or an f-string with its holes."""
        parts = (self.text if text is None else text).split(HOLE)
        if len(parts) == 1:
            return quoted(parts[0])
        special = {*"\"'\\{}"}.intersection("".join(self.holes))
        if special or len(parts) != len(self.holes) + 1:
            raise ValueError(f"no f-string for {self.shown}")
        escaped = [part.replace("{", "{{").replace("}", "}}") for part in parts]
        inside = escaped[0] + "".join(
            f"{{{hole}}}{part}" for hole, part in zip(self.holes, escaped[1:], strict=True)
        )
        return f"f{quoted(inside)}"

    @property
    def shown(self) -> str:
        """The path for people: `results/{sample}_qc.h5ad`."""
        holes = iter(self.holes)
        return re.sub(HOLE, lambda _: f"{{{next(holes, '…')}}}", self.text)

    @property
    def family(self) -> str:
        """The name without folder and version: `adata.h5ad` for `old/adata_v2.h5ad`."""
        stem, dot, suffix = self.name.partition(".")
        return f"{VERSION.sub('', stem).casefold()}{dot}{suffix.casefold()}"


@lru_cache(maxsize=8192)
def _pattern_of(text: str) -> re.Pattern[str]:
    """Return the pattern of what a path with holes can be."""
    escaped = HOLE.join(map(re.escape, text.split(HOLE)))
    if escaped.startswith(HOLE):  # it may be a folder
        escaped = f"(.+){escaped[1:]}"
    return re.compile(escaped.replace(HOLE, "([^/]+?)"))


def has_file_suffix(place: Place) -> bool:
    """Tell whether a name is known to be a file by its suffix."""
    return place.text.rpartition(".")[2].lower() in SUFFIXES


def quoted(text: str) -> str:
    """Return text as a string of Python, in double quotes where that needs no escapes."""
    plain = text.isprintable() and not {'"', "\\"}.intersection(text)
    return f'"{text}"' if plain else repr(text)
