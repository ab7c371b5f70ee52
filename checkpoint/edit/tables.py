"""Rename steps in `[tool.checkpoint]` of a `pyproject.toml`, keeping comments and layout."""

import copy
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ..errors import ProjectError
from ..project.settings import Entry
from .change import Change
from .source import rename_paths

FILE = "pyproject.toml"
TABLE = ("tool", "checkpoint")
BY_STEP = ("resources", "kernels", "steps", "sources")  # tables with an entry per step
UNUSUAL = f"{FILE}: [tool.checkpoint] is written in an unusual way"


def _whole(name: str, new_names: Mapping[str, str]) -> str:
    """Return the new name of a step or sub-checkpoint."""
    step, slash, part = name.partition("/")
    return f"{new_names.get(step, step)}{slash}{part}"


def _in_folder(name: str, new_names: Mapping[str, str]) -> str:
    """Return the new name of a notebook in a folder."""
    folder, slash, step = name.rpartition("/")
    return f"{folder}{slash}{new_names.get(step, step)}"


# the values that name steps, by their place in the table, with the function that renames them
NAMING = (
    (("order",), _in_folder),
    (("steps", "", "loads"), _whole),
    (("steps", "", "run"), rename_paths),
)


def named_in(settings: Mapping[str, Any]) -> set[str]:
    """Return the steps that a `[tool.checkpoint]` table names as keys."""
    return {step for table in BY_STEP for step in settings.get(table, {})}


def rename_in(text: str, new_names: Mapping[str, str]) -> str | None:
    """Return the text of a `pyproject.toml` with steps renamed; None if that fails."""

    def renamed(value: Any, rename_text: Callable[[str, Mapping[str, str]], str]) -> Any:
        """Return a text, or each text of a list, with steps renamed."""
        if isinstance(value, str):
            return rename_text(value, new_names)
        return [rename_text(text, new_names) for text in value]

    def rename(settings: dict[str, Any]) -> None:
        for name in BY_STEP:
            if isinstance(table := settings.get(name), dict):
                settings[name] = {new_names.get(step, step): table[step] for step in table}
        for table in [settings, *settings.get("steps", {}).values()]:
            for (*_, key), rename_text in NAMING:
                if key in table:
                    table[key] = renamed(table[key], rename_text)

    def edit(document: Any) -> None:
        for name in BY_STEP:
            for body, index in _places(document, (*TABLE, name, "")):
                _rename_key(body, index, new_names)
        for path, rename_text in NAMING:
            for body, index in _places(document, (*TABLE, *path)):
                _rewrite(body, index, partial(renamed, rename_text=rename_text))

    return _edited(text, rename, edit)


def renamed_entry(entry: Entry, new_names: Mapping[str, str]) -> Entry:
    """Return an entry of `[tool.checkpoint.steps]` with the steps that it names renamed."""
    return entry._replace(
        run=[rename_paths(word, new_names) for word in entry.run],
        loads=[_whole(name, new_names) for name in entry.loads],
    )


def write_order(change: Change, order: list[str]) -> None:
    """Add to a change the setting `order`; raises `ProjectError` if it cannot be written."""

    def edit(document: Any) -> None:
        for body, index in _places(document, (*TABLE, "order")):
            _rewrite(body, index, lambda _: order)

    path = change.project.root / FILE
    on_disk = path.read_bytes()
    before, now = change.writes.get(FILE, (on_disk, on_disk))
    after = _edited(now.decode("utf-8"), lambda settings: settings.update(order=order), edit)
    if after is None:
        raise ProjectError(f"{UNUSUAL}. Change `order` by hand.", file=FILE, key="order")
    change.writes[FILE] = before, after.encode()


def _edited(
    text: str, expect: Callable[[dict[str, Any]], object], edit: Callable[[Any], None]
) -> str | None:
    """Return a text edited with tomlkit; None if its content is then not what is expected."""
    import tomlkit

    expected = tomllib.loads(text)
    expect(expected["tool"]["checkpoint"])
    document = tomlkit.parse(text)
    edit(document)
    edited = tomlkit.dumps(document)
    return edited if tomllib.loads(edited) == expected else None


def _places(container: Any, path: tuple[str, ...]) -> Iterator[tuple[list, int]]:
    """Yield the places in a document that match a path; an empty part matches any key."""
    from tomlkit.items import AbstractTable

    for index, (key, item) in enumerate(container.body):
        if key and path[0] in ("", key.key):
            if len(path) == 1:
                yield container.body, index
            elif isinstance(item, AbstractTable):
                yield from _places(item.value, path[1:])


def _rewrite(body: list, index: int, function: Callable[[Any], Any]) -> None:
    """Replace a text, or the texts of a list."""
    import tomlkit
    from tomlkit.items import Array

    key, item = body[index]
    if isinstance(item, Array):
        _refill(item, function(list(item)))
    elif function(str(item)) != item:
        text = tomlkit.item(function(str(item)))
        text._trivia = item.trivia
        body[index] = (key, text)


def _refill(array: Any, texts: list[str]) -> None:
    """Set the texts of a list; those that stay keep their lines and comments."""
    for place, text in enumerate(texts):
        if place < len(array) and array[place] == text:
            continue
        if len(array) < len(texts):
            array.insert(place, text)
        elif len(array) > len(texts):
            while place < len(array) and array[place] != text:
                del array[place]
        else:
            array[place] = text
    while len(array) > len(texts):
        del array[len(array) - 1]


def _rename_key(body: list, index: int, new_names: Mapping[str, str]) -> None:
    """Rename a key in place.

    tomlkit can only remove a key and add another, which would lose its place and its comments.
    """
    from tomlkit.items import Table

    key, item = body[index]
    if key.key in new_names:
        renamed = copy.copy(key)
        renamed.key = new_names[key.key]
        renamed._original = key._original.replace(key.key, renamed.key)  # keeps its quotes
        body[index] = (renamed, item)
        if isinstance(item, Table):
            item.display_name = None  # otherwise its header keeps the old name
