"""Names for keys and columns in files that do not allow every text as a name."""

import itertools
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..project.names import unportable

ODD = re.compile(r"[^\w .,;()+=@~%&!-]")  # replaced by `_` in a name that is not allowed


def names_in_file(keys: Iterable[Any], *, paths: bool = True, folders: bool = False) -> list[str]:
    """Return the names under which a file stores keys or columns.

    Parameters
    ----------
    keys
        The keys or column names.
    paths
        Whether names are paths in the file, as in HDF5 and zarr, where `/` separates groups and
        dots mean the group itself.
    folders
        Whether names are folder names, as in zarr, which must differ in more than case.

    Returns
    -------
    list of str
        Unique names, in the order of `keys`.
    """
    keys = list(keys)
    is_plain = partial(_is_plain, paths=paths, folders=folders)
    fold = str.casefold if folders else str
    plain = {fold(key) for key in keys if isinstance(key, str) and is_plain(key)}
    names: dict[str, str] = {}  # by the form that must be unique
    for key in keys:
        as_it_is = isinstance(key, str) and is_plain(key) and fold(key) not in names
        free = str(key) if as_it_is else _free_name(key, plain | names.keys(), is_plain, fold)
        names[fold(free)] = free
    return list(names.values())


def _is_plain(name: str, *, paths: bool, folders: bool) -> bool:
    """Return whether a file can use a name unchanged."""
    if folders and (name == "zarr.json" or unportable(name)):
        return False
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    # zarr treats a backslash as a slash
    in_paths = bool(name.strip(".")) and not {"/", "\\"} & set(name) and name != "_index"
    in_tables = not name.startswith("__index_level_")
    return "\0" not in name and (in_paths if paths else in_tables)


def _free_name(
    key: Any, taken: set[str], is_plain: Callable[[str], bool], fold: Callable[[str], str]
) -> str:
    """Return an unused name for a key whose own name is not allowed or already taken."""
    text = "_".join(map(str, key)) if isinstance(key, tuple) else str(key)
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "_")
    forms = (text, ODD.sub("_", text), f"{ODD.sub('_', text)}_", f"_{ODD.sub('_', text)[:40]}_")
    text = next(form for form in forms if is_plain(form))
    numbered = (f"{text}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([text], numbered) if fold(name) not in taken)
