"""Tables of polars and Arrow, which `.parquet` stores directly."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .block_files import create, until_stopped
from .kinds import a_type, is_a
from .rest import Difference

TYPES = (("polars", "DataFrame"), ("pyarrow", "Table"))


def library_of(table: Any) -> str | None:
    """Return the library of a polars or Arrow table; None for other objects."""
    return next((module for module, name in TYPES if is_a(table, module, name)), None)


def unfit(table: Any) -> str | None:
    """Return why a text file holds another form of a table, or None."""
    return f"is {a_type(table)}" if library_of(table) else None


def write(table: Any, path: Path) -> dict[str, Any]:
    """Write a table; return its library."""
    import pyarrow.parquet as pq

    library = library_of(table)
    with create(path) as file:
        if library == "polars":
            table.write_parquet(file)
        else:
            pq.write_table(table, file)
    return {"library": library}


def read(path: Path, library: str) -> Any:
    """Read a table with its library."""
    import pyarrow.parquet as pq

    if library != "polars":
        return until_stopped(pq.read_table, path, partitioning=None)
    import polars as pl

    return until_stopped(pl.read_parquet, path)


def changes(table: Any, path: Path) -> Iterator[Difference]:
    """Read a table back, and yield a difference if it changed."""
    again = read(path, library_of(table) or "")
    if again.schema != table.schema or not again.equals(table):
        yield Difference("it", "is stored with other values or types", (), table)
