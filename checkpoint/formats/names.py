"""The names that keys and columns have in a file, where not every text can be one."""

import itertools
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..project.names import unportable

ODD = re.compile(r"[^\w .,;()+=@~%&!-]")  # what a name does not have if it cannot stay as it is


def names_in_file(keys: Iterable[Any], *, paths: bool = True, folders: bool = False) -> list[str]:
    """Return the names that keys or column names have in a file.

    Parameters
    ----------
    keys
        The keys.
    paths
        Whether names are paths in the file, as in HDF5 and zarr: `/` would be a level of groups,
        and dots the group itself.
    folders
        Whether names are those of folders, as in zarr, which have to differ in more than case.

    Returns
    -------
    list of str
        Text, each once.
    """
    keys = list(keys)
    is_plain = partial(_is_plain, paths=paths, folders=folders)
    fold = str.casefold if folders else str
    plain = {fold(key) for key in keys if isinstance(key, str) and is_plain(key)}
    names: dict[str, str] = {}  # by what has to differ
    for key in keys:
        as_it_is = isinstance(key, str) and is_plain(key) and fold(key) not in names
        free = str(key) if as_it_is else _free_name(key, plain | names.keys(), is_plain, fold)
        names[fold(free)] = free
    return list(names.values())


def _is_plain(name: str, *, paths: bool, folders: bool) -> bool:
    """Return whether a name can stand in a file as it is."""
    if folders and (name == "zarr.json" or unportable(name)):
        return False
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    # zarr takes a backslash for a slash
    in_paths = bool(name.strip(".")) and not {"/", "\\"} & set(name) and name != "_index"
    in_tables = not name.startswith("__index_level_")
    return "\0" not in name and (in_paths if paths else in_tables)


def _free_name(
    key: Any, taken: set[str], is_plain: Callable[[str], bool], fold: Callable[[str], str]
) -> str:
    """Return a name for a key that cannot stand in a file as it is, or that is taken."""
    text = "_".join(map(str, key)) if isinstance(key, tuple) else str(key)
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "_")
    forms = (text, ODD.sub("_", text), f"{ODD.sub('_', text)}_", f"_{ODD.sub('_', text)[:40]}_")
    text = next(form for form in forms if is_plain(form))
    numbered = (f"{text}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([text], numbered) if fold(name) not in taken)
