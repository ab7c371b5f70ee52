"""The layers of `checkpoint/` and `adopt`: each room (subpackage) imports only from lower ones."""

import ast
import sys
from graphlib import TopologicalSorter

import pytest
from project_under_test import TEMPLATE

from checkpoint import errors

# from the top layer to the bottom; rooms on the same line do not import each other
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
ADOPT_FLOORS = (
    ["verb"],
    ["adopt"],
    ["takeover", "template_files"],
    ["rewrite"],
    ["scan"],
    ["changes"],
)
CODE, ADOPT = TEMPLATE / "checkpoint", TEMPLATE / "notebook_checkpoints" / "adopt"
FLOOR = {
    house: {room: number for number, rooms in enumerate(floors) for room in rooms}
    for house, floors in ((CODE, FLOORS), (ADOPT, ADOPT_FLOORS))
}
MODULES = [
    pytest.param(house, path, id=path.relative_to(TEMPLATE).as_posix())
    for house, rooms in FLOOR.items()
    for path in sorted(house.rglob("*.py"))
    if path.parent != house or path.stem in rooms
]


def imports_of(house, path):
    """Yield the paths of a house's modules that one of its modules imports anywhere in its code."""
    package = path.relative_to(house).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            if node.level > len(package) + 1:
                continue  # imported from outside the house
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            base = [part for part in base if part]
            for name in node.names:
                for parts in ([*base, name.name], base):
                    for found in (house.joinpath(*parts, "__init__.py"), house.joinpath(*parts)):
                        found = found if found.suffix else found.with_suffix(".py")
                        if parts and found.is_file():
                            yield found
                            break
                    else:
                        continue
                    break


def room_of(house, path):
    return path.relative_to(house).parts[0].removesuffix(".py")


@pytest.mark.parametrize("house", FLOOR, ids=lambda house: house.name)
def test_every_module_has_a_room(house):
    rooms = {room_of(house, path) for path in house.rglob("*.py")}
    assert rooms - {"__init__", "__main__"} == FLOOR[house].keys()


@pytest.mark.parametrize(("house", "path"), MODULES)
def test_a_room_imports_only_from_rooms_below(house, path):
    here, floor = room_of(house, path), FLOOR[house]
    for other in imports_of(house, path):
        there = room_of(house, other)
        assert there == here or floor[there] > floor[here], f"imports {there}"


@pytest.mark.parametrize("house", FLOOR, ids=lambda house: house.name)
def test_no_modules_import_each_other_in_a_circle(house):
    paths = [path for path in house.rglob("*.py") if path.stem not in ("__init__", "__main__")]
    graph = {path: set(imports_of(house, path)) - {path} for path in paths}
    list(TopologicalSorter(graph).static_order())


def test_no_module_shadows_the_standard_library():
    names = {path.stem for house in FLOOR for path in house.rglob("*.py")}
    assert not (names - {"__init__", "__main__"}) & sys.stdlib_module_names


def test_an_error_says_what_it_is_about():
    """Errors carry data; the error that completes an "it …" of formats or archives adds it."""
    kinds = {kind for kind in vars(errors) if kind.endswith("Error")}
    for path in (
        path for house in (CODE, TEMPLATE / "notebook_checkpoints") for path in house.rglob("*.py")
    ):
        if path.parent.name in ("formats", "share"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds:
                assert node.keywords, f"{path}:{node.lineno} has no data"
