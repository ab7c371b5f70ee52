"""The names of fields: a column of a table, an entry of a dict, an attribute."""

from . import tables


def path_of(kind: str, parts: list[tuple[str, object]]) -> str | None:
    """Return the path of a field, `obs/batch`; None if these parts name none."""
    how, first = parts[0]
    if kind in ("dict", "loaded"):
        return repr(first) if len(parts) == 1 and how == "item" else None
    if not isinstance(first, str) or "/" in first:
        return None
    if kind == "instance":
        return first if len(parts) == 1 and how == "attribute" else None
    if kind == "frame":
        return first if len(parts) == 1 and _is_column(how, first) else None
    if how != "attribute" or first not in tables.ANNDATA_FIELDS:
        return None
    if len(parts) == 1:
        return first
    column = parts[1][1]
    inner = isinstance(column, str) and "/" not in column and first not in ("X", "raw")
    frames = first in ("obs", "var") and _is_column(*parts[1])
    return (
        f"{first}/{column}"
        if inner and len(parts) == 2 and (frames or parts[1][0] == "item")
        else None
    )


def _is_column(how: str, name: object) -> bool:
    return isinstance(name, str) and (how == "item" or name not in tables.FRAME_ATTRIBUTES)
