"""Rename steps in the `[tool.checkpoint.resources]` table of a `pyproject.toml`."""

import copy
import tomllib
from collections.abc import Mapping
from typing import Any


def rename_resources(text: str, new_names: Mapping[str, str]) -> str | None:
    """Return the text of a `pyproject.toml` with steps renamed; comments and formatting stay.

    Returns None if the table is written in a way in which its steps cannot be renamed.
    """
    import tomlkit

    expected = tomllib.loads(text)
    settings = expected["tool"]["checkpoint"]
    settings["resources"] = {
        new_names.get(step, step): asked for step, asked in settings["resources"].items()
    }
    document = tomlkit.parse(text)
    _rename_keys(document, ("tool", "checkpoint", "resources"), new_names)
    renamed = tomlkit.dumps(document)
    return renamed if tomllib.loads(renamed) == expected else None


def _rename_keys(container: Any, path: tuple[str, ...], new_names: Mapping[str, str]) -> None:
    """Rename keys of a table wherever the document has a part of it.

    tomlkit can only remove a key and add another, which would lose its place and its comments.
    """
    from tomlkit.items import AbstractTable, Table

    for index, (key, item) in enumerate(container.body):
        if key and path and key.key == path[0] and isinstance(item, AbstractTable):
            _rename_keys(item.value, path[1:], new_names)
        elif key and not path and key.key in new_names:
            renamed = copy.copy(key)
            renamed.key = new_names[key.key]
            renamed._original = key._original.replace(key.key, renamed.key)  # has its quotes
            container.body[index] = (renamed, item)
            if isinstance(item, Table):
                item.display_name = None  # else its header keeps the old name
