"""A comparison as text, and as JSON."""

import json
from collections.abc import Iterator

from .compare import Compared

SHOWN = 4  # differences of a student's results that are listed


def as_text(rows: list[Compared]) -> str:
    """Return a line per student and step, and the differences below it."""
    lines: list[str] = []
    width = max((len(row.student) for row in rows), default=0)
    steps = {row.step for row in rows}
    for row in rows:
        step = f"{row.step}  " if len(steps) > 1 else ""
        lines.append(f"{row.student.ljust(width)}  {step}{'; '.join(_summary(row))}")
        lines += [f"    {line}" for line in _details(row)]
    return "\n".join(lines)


def as_json_text(rows: list[Compared]) -> str:
    """Return the comparison as JSON."""
    dicts = [{**row._asdict(), "cells": row.cells._asdict() if row.cells else None} for row in rows]
    return json.dumps({"students": dicts}, indent=2, ensure_ascii=False)


def _summary(row: Compared) -> Iterator[str]:
    cells = row.cells
    if cells is None:
        yield "no notebook"
    elif cells.problem:
        yield f"the notebook {cells.problem}"
    else:
        yield f"{len(cells.answered)} of {len(cells.answered) + len(cells.open)} answered"
        if cells.changed or cells.missing:
            yield f"{len(cells.changed)} changed, {len(cells.missing)} missing"
        if cells.added:
            yield f"{cells.added} added"
    if row.results is not None:
        yield "results as expected" if not row.results else "results differ"


def _details(row: Compared) -> Iterator[str]:
    if row.others:
        yield f"compared {row.file}; there is also {', '.join(row.others)}"
    elif row.file and row.file.rpartition("/")[2] != f"{row.step}.ipynb":
        yield f"compared {row.file}"
    if row.cells:
        yield from (f"not answered: `{name}`" for name in row.cells.open)
        yield from (f"changed: `{name}`" for name in row.cells.changed)
        yield from (f"missing: `{name}`" for name in row.cells.missing)
    results = row.results or []
    yield from results[:SHOWN]
    if len(results) > SHOWN:
        yield f"and {len(results) - SHOWN} more differences"
    if row.not_opened:
        yield f"not compared: {', '.join(row.not_opened)}"
