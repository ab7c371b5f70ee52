"""Rename steps in the `[tool.checkpoint]` table of a `pyproject.toml`; comments and layout stay."""

import copy
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import ProjectError
from ..project.settings import Entry
from .change import Change
from .source import rename_paths

FILE = "pyproject.toml"
BY_STEP = ("resources", "kernels", "steps", "sources")  # tables with an entry per step
UNUSUAL = f"{FILE}: [tool.checkpoint] is written in an unusual way"


def named_in(settings: Mapping[str, Any]) -> set[str]:
    """Return the steps that a `[tool.checkpoint]` table names as keys."""
    return {step for table in BY_STEP for step in settings.get(table, {})}


def rename_in(text: str, new_names: Mapping[str, str]) -> str | None:
    """Return the text of a `pyproject.toml` with steps renamed.

    Returns None if the table is written in a way in which its steps cannot be renamed.
    """

    def renamed_order(order: list[str]) -> list[str]:
        return [_in_folder(name, new_names) for name in order]

    def renamed_loads(loads: list[str]) -> list[str]:
        return [_whole(name, new_names) for name in loads]

    def renamed_run(run: Any) -> Any:
        if isinstance(run, str):
            return rename_paths(run, new_names)
        return [rename_paths(word, new_names) for word in run]

    def rename(settings: dict[str, Any]) -> None:
        for name in BY_STEP:
            if isinstance(table := settings.get(name), dict):
                settings[name] = {new_names.get(step, step): table[step] for step in table}
        if "order" in settings:
            settings["order"] = renamed_order(settings["order"])
        for step in settings.get("steps", {}).values():
            if "loads" in step:
                step["loads"] = renamed_loads(step["loads"])
            if "run" in step:
                step["run"] = renamed_run(step["run"])

    def edit(document: Any) -> None:
        path = ("tool", "checkpoint")
        for name in BY_STEP:
            _rename_keys(document, (*path, name), new_names)
        for array in _values(document, (*path, "order")):
            _refill(array, renamed_order(list(array)))
        for array in _values(document, (*path, "steps", "", "loads")):
            _refill(array, renamed_loads(list(array)))
        _rewrite(document, (*path, "steps", "", "run"), renamed_run)

    return _edited(text, rename, edit)


def renamed_entry(entry: Entry, new_names: Mapping[str, str]) -> Entry:
    """Return what `[tool.checkpoint.steps]` says of a step after others were renamed."""
    return entry._replace(
        run=[rename_paths(word, new_names) for word in entry.run],
        loads=[_whole(name, new_names) for name in entry.loads],
    )


def write_order(change: Change, order: list[str]) -> None:
    """Add to a change that the setting `order` lists these notebooks; raises `ProjectError`."""

    def edit(document: Any) -> None:
        for array in _values(document, ("tool", "checkpoint", "order")):
            _refill(array, order)

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
    """Return a text that was edited with tomlkit, unless it does not say what is expected."""
    import tomlkit

    expected = tomllib.loads(text)
    expect(expected["tool"]["checkpoint"])
    document = tomlkit.parse(text)
    edit(document)
    edited = tomlkit.dumps(document)
    return edited if tomllib.loads(edited) == expected else None


def _whole(name: str, new_names: Mapping[str, str]) -> str:
    """Return the new name of a step or sub-checkpoint."""
    step, slash, part = name.partition("/")
    return f"{new_names.get(step, step)}{slash}{part}"


def _in_folder(name: str, new_names: Mapping[str, str]) -> str:
    """Return the new name of a notebook in a folder."""
    folder, slash, step = name.rpartition("/")
    return f"{folder}{slash}{new_names.get(step, step)}"


def _values(container: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what the document has at a path; an empty part of it stands for any key."""
    from tomlkit.items import AbstractTable

    for key, item in container.body:
        if key and path[0] in ("", key.key):
            if len(path) == 1:
                yield item
            elif isinstance(item, AbstractTable):
                yield from _values(item.value, path[1:])


def _rewrite(container: Any, path: tuple[str, ...], function: Callable[[Any], Any]) -> None:
    """Replace a text, or the texts of a list, wherever the document has one at a path."""
    import tomlkit
    from tomlkit.items import AbstractTable, Array

    for index, (key, item) in enumerate(container.body):
        if not key or path[0] not in ("", key.key):
            continue
        if len(path) > 1 and isinstance(item, AbstractTable):
            _rewrite(item.value, path[1:], function)
        elif len(path) == 1 and isinstance(item, Array):
            _refill(item, function(list(item)))
        elif len(path) == 1 and function(str(item)) != item:
            text = tomlkit.item(function(str(item)))
            text._trivia = item.trivia
            container.body[index] = (key, text)


def _refill(array: Any, texts: list[str]) -> None:
    """Let a list hold these texts; those that stay keep their lines and comments."""
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
