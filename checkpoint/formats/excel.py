"""Tables as `.xlsx` for people to read; `load` restores the originals from the rest file."""

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import columns, nearest
from .kinds import is_a
from .names import names_in_file
from .registry import Format
from .rest import Difference

MADE = datetime.datetime(2000, 1, 1)  # instead of the time of the run
LONGEST = 31  # characters in a sheet name
FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))


def unfit(obj: Any) -> str | None:
    """Return why an object is not a table or a dict of tables, or None."""
    tables = list(obj.values()) if isinstance(obj, Mapping) else [obj]
    kinds = ("DataFrame", "Series")
    if tables and all(any(is_a(table, "pandas", kind) for kind in kinds) for table in tables):
        return None
    return "is not a DataFrame or a dict of DataFrames"


def write(obj: Any, path: Path) -> None:
    """Write each table to its own sheet."""
    import pandas as pd

    tables = obj if isinstance(obj, Mapping) else {"Sheet1": obj}
    names = [str(name).translate(FORBIDDEN)[:LONGEST] for name in tables]
    sheets = names_in_file(names, folders=True)
    with pd.ExcelWriter(path, engine="xlsxwriter") as writer:
        writer.book.set_properties({"created": MADE})
        for sheet, table in zip(sheets, tables.values(), strict=True):
            near = nearest.frame(table.to_frame() if table.ndim == 1 else table, _holds)
            for i, dtype in enumerate(near.dtypes):
                if str(dtype) == "category":
                    near.isetitem(i, columns.as_text(near.iloc[:, i]).set_axis(near.index))
            near.to_excel(writer, sheet_name=sheet[-LONGEST:])


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Return the path; `load` restores the saved object from the rest file."""
    return path


def changes(obj: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Yield the whole object for the rest file, since a sheet has neither dtypes nor an index."""
    yield Difference("it", "is a sheet for people in the file", (), obj)


def _holds(column: Any) -> bool:
    return str(column.dtype).startswith("datetime64[") and "," not in str(column.dtype)


FORMATS = (
    Format(
        suffix=".xlsx",
        holds="DataFrame, or a dict of DataFrames",
        comes_back="the same; for people",
        writer=write,
        reader=read,
        unfit=unfit,
        comparer=changes,
        by_suffix_only=True,
        extra="xlsx",
    ),
)
