"""The names of files and sub-checkpoints in a checkpoint, from the paths that code writes."""

import re

from ..scan.places import HOLE, Place
from .replaceable import Form

RESERVED = {"params.json": "parameters.json", "environment.txt": "environment.list.txt"}


def key_of(place: Place, form: Form | None) -> str:
    """Return the name of a file in its checkpoint."""
    name = place.name.replace(HOLE, "").strip("_-. ") or "object"
    if HOLE in place.name and name.startswith(("h5ad", "npy", "pkl", "csv", "tsv", "npz")):
        name = f"object.{name}"
    if form and form.suffix == ".pkl":
        name = re.sub(r"\.pickle$", ".pkl", name)
    if "." not in name:
        name = f"object.{name}"
    return RESERVED.get(name, name)


def part_name(place: Place) -> str:
    """Return the name of a sub-checkpoint: of the file's stem, and of folders that vary."""
    *folders, name = place.text.split("/")
    stem = name.partition(".")[0] if name.partition(".")[0] else name
    if HOLE in name and HOLE not in stem:
        stem = name.replace(".", "_")
    parts = [folder for folder in folders if HOLE in folder]
    text = "_".join([*parts, stem])
    if not text.replace(HOLE, ""):
        text = f"{folders[-1]}_{text}" if folders else f"part_{text}"
    return text


def stems_of(key: str) -> list[str]:
    """Return a name without its last suffix, without the last two, and so on."""
    parts = key.split(".")
    return [".".join(parts[:number]) for number in range(len(parts) - 1, 0, -1)]
