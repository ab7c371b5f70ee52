"""The graph of the steps, in all its output formats."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from checkpoint.cli.look import graph
from checkpoint.cli.render import mermaid, tree
from checkpoint.errors import CheckpointValueError
from checkpoint.report.drawing import as_svg, draw

LOADS = {"1_a & <b>": [], "2_x#35;": ["1_a & <b>"], "3_WW": ["1_a & <b>", "2_x#35;"], "4": []}


def test_a_picture_has_each_step_and_each_line():
    top = ElementTree.fromstring(as_svg(LOADS))
    space = {"s": "http://www.w3.org/2000/svg"}
    assert [text.text for text in top.findall("s:text", space)] == list(LOADS)
    assert len(top.findall("s:path", space)) == 3
    assert top.findtext("s:title", "", space).endswith("3_WW loads 1_a & <b> and 2_x#35;")
    assert all(
        float(text.get("x")) < float(top.get("width")) for text in top.findall("s:text", space)
    )
    assert ElementTree.fromstring(as_svg({})).findall("s:text", space) == []
    ours = as_svg({"1": ["2"], "2": ["1"]})  # a cycle
    assert ours.count("<path") == 2


def test_a_picture_goes_into_a_picture(project):
    (project / "README.md").write_text("mine")
    with pytest.raises(CheckpointValueError, match=r"ends in \.svg, got"):
        graph(svg=project / "README.md")
    assert (project / "README.md").read_text() == "mine"
    graph(svg=project / "docs" / "chain.svg")
    assert (project / "docs" / "chain.svg").read_bytes().startswith(b"<svg")


def test_mermaid_takes_names_as_they_are():
    lines = mermaid(LOADS).splitlines()
    assert lines[1:3] == ['    s1["1_a #38; <b>"]', '    s2["2_x#35;35#59;"]']


def test_a_tree_that_is_deeper_than_the_terminal_is_wide():
    loads = {f"{n}_step": [f"{n - 1}_step"] if n > 1 else [] for n in range(1, 40)}
    console = Console(width=40, record=True)
    tree(console, loads, {step: ["9_step"] if step == "3_step" else [] for step in loads})
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert [line.strip("└─ ").partition(" ")[0] for line in lines] == list(loads)
    assert lines[2].endswith("3_step  loads 9_step, which does not run before it")


@settings(max_examples=60)
@given(st.lists(st.sets(st.integers(0, 11)), max_size=12))
def test_no_line_of_the_graph_runs_through_another_step(numbers):
    loads = {str(n): [str(m) for m in sorted(chosen) if m < n] for n, chosen in enumerate(numbers)}
    graph = draw(loads, 40)
    places = {(node.x, node.y) for node in graph.nodes}
    assert len(places) == len(loads) and len(graph.paths) == sum(map(len, loads.values()))
    at = {node.name: (node.x, node.y) for node in graph.nodes}
    edges = [(at[before], at[name]) for name, loaded in loads.items() for before in loaded]
    for (x, top), (end, bottom) in edges:
        # edges go straight down in their lane, and cross over to the step in the last row
        straight = bottom if x == end else bottom - 40
        assert not [
            1
            for px, py in places
            if px == x and top < py < (straight if x == end else straight + 1)
        ]
