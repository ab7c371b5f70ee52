"""The cells of a rewritten notebook: edited, split around the save cell, valid in nbformat 4.5."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from checkpoint.notebooks import notebook
from checkpoint.notebooks.magics import has_cell_magic
from checkpoint.notebooks.notebook import LOAD_TAG, SAVE_TAG

from .statements import Edit

CUT = "\1"  # where a cell is split, around the save cell


def edited(source: str, edits: Sequence[Edit]) -> str:
    """Return the code of a cell after edits, of which none overlap.

    Insertions at the same place keep the order of the edits.
    """
    for edit in sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end))[::-1]:
        source = source[: edit.start] + edit.text + source[edit.end :]
    return source


def rewritten(
    content: Mapping[str, Any],
    edits: Sequence[Edit],
    load_cell: str,
    save_cell: str | None,
) -> dict[str, Any]:
    """Return a notebook after edits, with its load and save cells, in nbformat 4.5.

    Parameters
    ----------
    content
        The notebook, in nbformat 4.
    edits
        The edits of its code cells. `CUT` on both sides marks the save cell.
    load_cell
        The code of the new first cell; empty to add none.
    save_cell
        The code of a new last cell; None if a cell saves.
    """
    result = {**content, "nbformat": 4, "nbformat_minor": 5}
    cells: list[dict[str, Any]] = []
    number = -1
    for cell in content["cells"]:
        if cell["cell_type"] != "code":
            cells.append(dict(cell))
            continue
        number += 1
        cell_edits = [edit for edit in edits if edit.cell == number]
        if not cell_edits:
            cells.append(dict(cell))
            continue
        cells += _split(cell, edited(notebook.source_of(cell), cell_edits))
    if load_cell:
        first = next(
            (place for place, cell in enumerate(cells) if cell["cell_type"] == "code"), len(cells)
        )
        cells.insert(first, notebook.code_cell("", load_cell, LOAD_TAG))
    if save_cell is not None:
        cells.append(notebook.code_cell("", save_cell, SAVE_TAG))
    result["cells"] = _with_ids(cells)
    return result


def _split(cell: Mapping[str, Any], source: str) -> list[dict[str, Any]]:
    """Return a cell, split around the save cell; one of the parts keeps the outputs."""
    if CUT not in source:
        return [_with_source(cell, source)] if source.strip() else []
    before, save, after = source.split(CUT)
    if has_cell_magic(before):  # a magic for the whole cell
        return [_tagged(_with_source(cell, before + save + after))]
    parts = [(before, False), (save, True), (after, False)]
    parts = [(text.strip("\n"), saves) for text, saves in parts if text.strip()]
    rests = [place for place, (_, saves) in enumerate(parts) if not saves]
    holder = rests[-1] if rests else 0
    new = []
    for place, (text, saves) in enumerate(parts):
        new_cell = _with_source(cell, text) if place == holder else notebook.code_cell("", text)
        new.append(_tagged(new_cell) if saves else new_cell)
    return new


def _with_source(cell: Mapping[str, Any], source: str) -> dict[str, Any]:
    return {**cell, "source": source.rstrip("\n").splitlines(keepends=True)}


def _tagged(cell: dict[str, Any]) -> dict[str, Any]:
    tags = [tag for tag in notebook.tags_of(cell) if tag != SAVE_TAG]
    return {**cell, "metadata": {**cell["metadata"], "tags": [*tags, SAVE_TAG]}}


def _with_ids(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return cells with unique ids, the same each time."""
    seen = {cell["id"] for cell in cells if cell.get("id")}
    used: set[str] = set()
    result = []
    for number, cell in enumerate(cells):
        cell_id = cell.get("id")
        if not cell_id or cell_id in used or not notebook.ID.fullmatch(cell_id):
            text = f"{number} {notebook.source_of(cell)}"
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            cell_id = next(
                candidate
                for length in range(8, 64)
                if (candidate := digest[:length]) not in seen | used
            )
        used.add(cell_id)
        order = ("cell_type", "execution_count", "id", "metadata", "outputs", "source")
        with_id = {**cell, "id": cell_id}
        ordered = {key: with_id[key] for key in order if key in with_id}
        result.append({**ordered, **with_id})
    return result
