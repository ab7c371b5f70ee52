"""Small DataFrames as `.csv`, `.tsv` and `.csv.gz`; the record keeps their dtypes.

These text files are small, so each one is read back and compared right after it is written.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from csv import QUOTE_MINIMAL, QUOTE_NONNUMERIC
from gzip import GzipFile
from itertools import chain, count
from pathlib import Path
from typing import IO, Any

from . import columns, nearest, other_tables
from .block_files import create, opened
from .fidelity import of_frames, of_subclass
from .registry import Format
from .rest import Difference


def write(frame: Any, path: Path) -> dict[str, Any]:
    """Write a DataFrame; return its dtypes, and those of its index unless that is 0, 1, 2, …."""
    import pandas as pd

    near = nearest.frame(frame, columns.is_typed)
    numbered = near.index.equals(pd.RangeIndex(len(near))) and near.index.names == [None]
    levels = [] if numbered and len(near.columns) else _levels(near.index)
    described = [near[name].reset_index(drop=True) for name in near.columns]
    details: dict[str, Any] = {
        "index": [columns.describe(level) for level in levels],
        "columns": [columns.describe(column) for column in described],
    }
    if labels := columns.label_dtype_lost(near.columns):
        details["labels"] = labels
    flat = [
        columns.as_text(column) if column.dtype == "category" else column
        for column in (*levels, *described)
    ]
    texts = _texts(flat)
    details["missing"] = _missing_text(texts)
    with create(path) as file, _compressed(file, path) as stream:
        pd.concat(flat, axis=1).to_csv(
            stream,
            mode="wb",
            sep=_separator(path),
            index=False,
            header=[column.name or "" for column in flat],
            na_rep=details["missing"],
            lineterminator="\n",
            encoding="utf-8",
            # an unquoted carriage return would be read as the end of the line
            quoting=QUOTE_NONNUMERIC if any("\r" in text for text in texts) else QUOTE_MINIMAL,
        )
    return details


def changes(frame: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Read the file back and yield the parts that it does not preserve."""
    if subclass := of_subclass(frame):
        yield subclass
    else:
        yield from of_frames(frame, read(path, details))


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read a DataFrame; if `save` wrote it, restore its index and dtypes."""
    import pandas as pd

    sep, packed = _separator(path), "gzip" if path.suffix == ".gz" else None
    if details is None:
        with opened(path) as file:
            frame = pd.read_csv(file, sep=sep, encoding="utf-8", compression=packed)
        first = str(frame.columns[0]) if len(frame.columns) else ""
        return frame.set_index(first).rename_axis(None) if first == "Unnamed: 0" else frame

    described = [*details["index"], *details["columns"]]
    with opened(path) as file:
        text = pd.read_csv(
            file,
            sep=sep,
            header=0,
            names=range(len(described)),
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            encoding="utf-8",
            compression=packed,
        )
    series = [
        columns.typed(list(text[i]), column, details["missing"])
        for i, column in enumerate(described)
    ]
    n_levels = len(details["index"])
    frame = pd.DataFrame(dict(enumerate(series[n_levels:])), index=text.index)
    names = [column["name"] for column in details["columns"]]
    frame.columns = columns.labels(names, details.get("labels"))
    if n_levels:
        frame.index = _index(series[:n_levels], [level["name"] for level in details["index"]])
    return frame


def _compressed(file: IO[bytes], path: Path) -> AbstractContextManager[Any]:
    if path.suffix != ".gz":
        return nullcontext(file)
    return GzipFile(path.name, "wb", fileobj=file, mtime=1)  # instead of the time of the run


def _separator(path: Path) -> str:
    return "\t" if ".tsv" in path.suffixes else ","


def _levels(index: Any) -> list[Any]:
    """Return each level of an index as a Series with the level's name."""
    import pandas as pd

    values = [index.get_level_values(i) for i in range(index.nlevels)]
    return [pd.Series(level, name=level.name).reset_index(drop=True) for level in values]


def _index(levels: list[Any], names: list[str | None]) -> Any:
    import pandas as pd

    if len(levels) == 1:
        return pd.Index(levels[0], name=names[0])
    return pd.MultiIndex.from_arrays(levels, names=names)


def _texts(series: list[Any]) -> set[str]:
    """Return all strings among the values and names of columns."""
    values = (value for column in series if column.dtype.kind == "O" for value in column)
    names = (column.name for column in series)
    return {text for text in chain(values, names) if isinstance(text, str)}


def _missing_text(texts: set[str]) -> str:
    """Return the text that marks a missing value: the first candidate that is not in `texts`."""
    candidates = chain(("", "NA"), (f"<missing {n}>" for n in count(1)))
    return next(text for text in candidates if text not in texts)


FORMATS = tuple(
    Format(
        suffix=suffix,
        holds="DataFrame",
        comes_back="the same index and dtypes; for small tables",
        writer=write,
        reader=read,
        types=(("pandas", "DataFrame"), ("pandas", "Series"), *other_tables.TYPES),
        unfit=lambda table: columns.unfit(table) or other_tables.unfit(table),
        nearest=lambda table: table.to_frame() if columns.unfit(table) else table.to_pandas(),
        comparer=changes,
        by_suffix_only=True,
        large=suffix == ".csv.gz",
    )
    for suffix in (".csv", ".tsv", ".csv.gz")
)
