"""Paths that are joined from parts, or derived from others by a method of str or `Path`."""

import ast
import re
import string
from collections.abc import Iterator
from itertools import product
from typing import Any

from .places import HOLE, Place

MANY = 16  # alternatives of one path
PERCENT = re.compile(r"%(?:\((\w+)\))?[-+ #0]*\d*(?:\.\d+)?([a-zA-Z%])")


def combinations(parts: list[list[Place]]) -> Iterator[tuple[Place, ...]]:
    """Yield the first `MANY` combinations of the alternatives of a path's parts."""
    for number, combination in enumerate(product(*parts)):
        if number == MANY:
            return
        yield combination


def joined(parts: tuple[Place, ...]) -> Place:
    """Return parts as one text."""
    values = tuple(value for part in parts for value in part.values)
    holes = tuple(hole for part in parts for hole in part.holes)
    return Place("".join(part.text for part in parts), holes, values)


def joined_path(parts: tuple[Place, ...]) -> Place:
    """Return parts joined by slashes; an absolute part replaces those before it."""
    absolute = [number for number, part in enumerate(parts) if part.is_absolute]
    parts = parts[absolute[-1] :] if absolute else parts
    first, *others = parts
    between = tuple(piece for part in others for piece in (Place("/"), part))
    return joined((first._replace(text=first.text.rstrip("/") or first.text), *between))


def parent(place: Place) -> Place:
    """Return the folder of a path."""
    folder, _, name = place.text.rstrip("/").rpartition("/")
    if place.text == HOLE:  # it may have folders itself
        return Place(HOLE, (f"{place.holes[0]}.parent",), (None,))
    if name in ("", ".", ".."):
        return place._replace(text=f"{place.text}/..")
    n_holes = len(place.holes) - name.count(HOLE)
    return Place(folder or ".", place.holes[:n_holes], place.values[:n_holes])


def formatted(text: str, node: ast.Call) -> list[Place]:
    """Return the path of `"a/{}.h5ad".format(sample)`."""
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    result, holes = "", []
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError:
        return []
    for number, (literal, field, spec, _) in enumerate(pieces):
        result += literal
        if field is None:
            continue
        index = int(field) if field.isdecimal() else number
        positional = ast.unparse(node.args[index]) if index < len(node.args) else None
        hole = positional if field == "" or field.isdecimal() else named.get(field)
        if hole is None:
            return []
        result += HOLE
        holes.append(f"{hole}:{spec}" if spec else hole)
    return [Place(result, tuple(holes), (None,) * len(holes))]


def percent(text: Place, right: ast.expr) -> list[Place]:
    """Return the path of `"a/%s.h5ad" % sample`."""
    if text.holes:
        return []
    given = right.elts if isinstance(right, ast.Tuple) else [right]
    values = iter(map(ast.unparse, given))
    holes = []

    def filled(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        key = f"{ast.unparse(right)}[{match[1]!r}]" if match[1] else next(values, "…")
        holes.append(key if match[0] == "%s" else f"{key} {match[0]}")
        return HOLE

    result = PERCENT.sub(filled, text.text)
    return [Place(result, tuple(holes), (None,) * len(holes))]


def renamed(place: Place, how: str, texts: list[Any]) -> list[Place]:
    """Return a path with another name or suffix, or with a part of its text replaced."""
    if not all(isinstance(text, str) for text in texts):
        return []
    if how == "replace":
        return [place._replace(text=place.text.replace(*texts))] if len(texts) == 2 else []
    folder, slash, name = place.text.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if len(texts) != 1 or HOLE in suffix or (how != "with_suffix" and HOLE in name):
        return []
    new = {
        "with_suffix": (stem if dot else name) + texts[0],
        "with_name": texts[0],
        "with_stem": texts[0] + dot + suffix,
    }[how]
    return [place._replace(text=f"{folder}{slash}{new}")]
