"""The rooms of `checkpoint/`: each imports only from rooms further down, and none in a circle."""

import ast
import sys
from graphlib import TopologicalSorter

import pytest
from project_under_test import TEMPLATE

# from the top of the house to the ground; a line's rooms do not import each other
FLOORS = (
    ["cli"],
    ["api"],
    ["run", "edit", "check", "loop", "report", "share"],
    ["lineage"],
    ["storage"],
    ["replay"],
    ["notebooks"],
    ["formats"],
    ["project"],
    ["watch"],
    ["progress"],
    ["errors", "text", "files"],
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
CODE = TEMPLATE / "checkpoint"
MODULES = sorted(path for path in CODE.rglob("*.py") if path.parent != CODE or path.stem in FLOOR)


def imports_of(path):
    """Return the modules of `checkpoint` that a module imports, wherever it does, as paths."""
    package = path.relative_to(CODE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            base = [part for part in base if part]
            for name in node.names:
                for parts in ([*base, name.name], base):
                    for found in (CODE.joinpath(*parts, "__init__.py"), CODE.joinpath(*parts)):
                        found = found if found.suffix else found.with_suffix(".py")
                        if parts and found.is_file():
                            yield found
                            break
                    else:
                        continue
                    break


def room_of(path):
    return path.relative_to(CODE).parts[0].removesuffix(".py")


def test_every_module_has_a_room():
    assert {room_of(path) for path in MODULES} == FLOOR.keys()
    assert {path.stem for path in CODE.glob("*.py")} - FLOOR.keys() == {"__init__", "__main__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CODE).as_posix())
def test_a_room_imports_only_from_rooms_below(path):
    here = room_of(path)
    for other in imports_of(path):
        there = room_of(other)
        assert there == here or FLOOR[there] > FLOOR[here], f"imports {there}"


def test_no_modules_import_each_other_in_a_circle():
    graph = {path: set(imports_of(path)) - {path} for path in MODULES}
    list(TopologicalSorter(graph).static_order())


def test_no_module_shadows_the_standard_library():
    names = {path.stem for path in MODULES} & sys.stdlib_module_names
    assert not names
