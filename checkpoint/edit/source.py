"""Rename steps in the code of a cell or module.

Names are found in the syntax tree, as arguments of `load`, `save` and `figures`. Other uses of a
name, such as one that is computed or part of a path, are reported and not rewritten.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..notebooks.calls import Call, calls, texts
from ..notebooks.magics import magics
from ..notebooks.notebook import shortened

FUNCTIONS = ("load", "save", "figures", "parts")

# new names of steps by their old ones; None for a step that is removed
NewNames = Mapping[str, str | None]


class Renamed(NamedTuple):
    """Code with steps renamed, and messages about what cannot be renamed safely."""

    source: str
    unsafe: list[str]


def rename_code(source: str, functions: Mapping[str, str], new_names: NewNames) -> Renamed:
    """Rename steps in one cell or module.

    `functions` maps the names in this code to `load`, `save` and `figures`; from `imported`.
    """
    ours = calls(source, functions)
    if ours is None:
        named = [step for step in new_names if mentions(source, step)]
        return Renamed(source, [f"{step} is named in a cell that is not Python" for step in named])
    renamed, unsafe = source, [*_in_magics(source, new_names)]
    for call in reversed(ours):  # from the end, so that the positions before it stay valid
        if call.function not in FUNCTIONS:
            continue
        step = call.step
        if step is None:
            unsafe.append(f"`{call.line}` names a step that is known only when it runs")
            continue
        new_name = new_names.get(step)
        if new_name and call.argument is not None:
            part = call.argument.removeprefix(step)
            renamed = _replace(renamed, call, f"{new_name}{part}")
        elif new_name:
            changed = _replace_beginning(renamed, call, step, new_name)
            if changed is None:
                unsafe.append(f"`{call.line}` names {step} in a way that cannot be rewritten")
            renamed = changed or renamed
        elif step in new_names:
            unsafe.append(f"`{call.line}` names {step}")
    return Renamed(renamed, [*unsafe, *_in_texts(renamed, functions, new_names)])


def rename_paths(text: str, new_names: NewNames) -> str:
    """Rename steps in code of any language: in `results/1_a/x.csv`, `"1_a"` and `"1_a/part"`."""
    kept = {old: new for old, new in new_names.items() if new is not None}
    if not kept:
        return text
    steps = "|".join(map(re.escape, sorted(kept, key=len, reverse=True)))
    before = r"""(?<![\w-])results[/\\]+|(?<=["'])"""
    pattern = rf"""({before})({steps})(?=["'/\\]|[^\w.-]|$)"""
    return re.sub(pattern, lambda match: match[1] + kept[match[2]], text)


def mentions(text: str, step: str) -> bool:
    """Tell whether a text contains the name of a step as a whole word."""
    return re.search(rf"(?<![\w-]){re.escape(step)}(?![\w-])", text) is not None


def _in_magics(source: str, new_names: NewNames) -> Iterator[str]:
    for line in magics(source):
        for step in new_names:
            if mentions(line, step):
                yield f"`{shortened(line)}` names {step}"


def _in_texts(source: str, functions: Mapping[str, str], new_names: NewNames) -> Iterator[str]:
    """Yield messages about strings that are the name of a step or a path through its folder."""
    for text in texts(source, functions) or ():
        parts = re.split(r"[/\\]", text.value)
        for step in new_names:
            if {step, f"{step}.ipynb"}.intersection(parts):
                yield f"`{text.line}` names {step} in a string"


def _replace_beginning(source: str, call: Call, step: str, new_name: str) -> str | None:
    """Rename the step at the start of an f-string or concatenation; None if it is not found."""
    start, end = call.span
    text, changes = re.subn(
        rf"""^(\(*\w{{0,2}}(?:\"{{3}}|'{{3}}|["'])){re.escape(step)}/""",
        lambda match: f"{match[1]}{new_name}/",
        source[start:end],
    )
    return source[:start] + text + source[end:] if changes else None


def _replace(source: str, call: Call, argument: str) -> str:
    start, end = call.span
    quote = '"' if source[start:end].endswith('"') else "'"
    plain = argument.isprintable() and quote not in argument and "\\" not in argument
    text = f"{quote}{argument}{quote}" if plain else repr(argument)
    return source[:start] + text + source[end:]
