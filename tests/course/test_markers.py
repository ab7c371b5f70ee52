"""Solutions are removed as nbgrader and otter-grader remove them."""

import re
import sys
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from itertools import pairwise
from types import ModuleType

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoint import ProjectError
from checkpoint.notebooks.notebook import source_of
from notebook_checkpoints.handout.markers import cleared

pytestmark = pytest.mark.slow

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def notebook(*sources, **metadata):
    """Return a notebook; each source is the code of a cell, or a cell."""
    nb = nbformat.v4.new_notebook()
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "x", "language": "python"}
    nb.cells = [
        nbformat.v4.new_code_cell(source) if isinstance(source, str) else source
        for source in sources
    ]
    return nb


def student(*sources, markers="nbgrader"):
    content = cleared(notebook(*sources), "x.ipynb", markers).content
    return [source_of(cell) for cell in content["cells"]]


def tagged(kind, source, *tags, **metadata):
    cell = getattr(nbformat.v4, f"new_{kind}_cell")(source)
    cell.metadata.update(metadata, tags=list(tags))
    return cell


def test_stubs_are_indented_as_the_code_was():
    source = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n\nf()"
    assert student(source) == [
        "def f():\n    # YOUR CODE HERE\n    raise NotImplementedError()\n\nf()"
    ]


def test_whole_cells_texts_and_mark_schemes():
    solution = {"nbgrader": {"solution": True, "grade": False}}
    cells = [
        tagged("code", "x = 1", "solution"),
        tagged("markdown", "Because.", "solution", "kept"),
        tagged("code", "y = 2", **solution),
        tagged("markdown", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION", **solution),
        tagged("markdown", "Why?\n=== BEGIN MARK SCHEME ===\n2 points\n=== END MARK SCHEME ==="),
    ]
    done = cleared(notebook(*cells), "x.ipynb", "nbgrader")
    assert [source_of(cell) for cell in done.content["cells"]] == [
        *(STUB, "YOUR ANSWER HERE", STUB, "YOUR ANSWER HERE", "Why?"),
    ]
    assert done.content["cells"][1]["metadata"]["tags"] == ["kept"]
    assert done.removed == ["x = 1", "Because.", "y = 2", "Because.", "2 points"]


def test_nothing_tells_of_a_run():
    cell = nbformat.v4.new_code_cell("1 + 1", execution_count=7)
    cell.outputs = [nbformat.v4.new_output("stream", text="2")]
    cell.metadata["execution"] = {"iopub.execute_input": "2026"}
    text = nbformat.v4.new_markdown_cell("see ![a](attachment:a.png)")
    text["attachments"] = {"a.png": {"image/png": "AAAA"}}
    nb = notebook(cell, text)
    nb.metadata["widgets"] = {"x": 1}
    done = cleared(nb, "x.ipynb", "nbgrader").content
    code, markdown = done["cells"]
    assert (code["outputs"], code["execution_count"], code["metadata"]) == ([], None, {})
    assert "attachments" not in markdown and source_of(markdown) == "see "
    assert set(done["metadata"]) == {"kernelspec"}
    nbformat.validate(nbformat.from_dict(done))


@pytest.mark.parametrize(
    ("source", "markers", "said"),
    [
        ("### BEGIN SOLUTION\nx", "nbgrader", "BEGIN SOLUTION without END SOLUTION"),
        ("x\n### END SOLUTION", "nbgrader", "END SOLUTION without BEGIN SOLUTION"),
        ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION", "nbgrader", "twice before"),
        ("x = 1 # SOLUTION", "nbgrader", "not one of the markers of nbgrader"),
        ("### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS", "otter", "of otter"),
        ("# BEGIN SOLUTION\nx", "otter", "BEGIN SOLUTION without END SOLUTION"),
        ("x\n# END SOLUTION", "otter", "END SOLUTION without BEGIN SOLUTION"),
        ("### begin solution\nx\n### end solution", "nbgrader", "not one of the markers"),
        ("### BEGIN  SOLUTION\nx\n### END  SOLUTION", "nbgrader", "not one of the markers"),
        ("### BEGIN SOLTUION\nx\n### END SOLTUION", "nbgrader", "not one of the markers"),
        ("# BEGIN SOLUTON\nx\n# END SOLUTON", "otter", "not one of the markers"),
        ("# BEGIN IGNORE\nx", "otter", "BEGIN IGNORE without END IGNORE"),
        ("x = 1  # solution", "otter", "has '# solution', which is not one of the markers"),
        ("x = 1 #Solution no prompt", "nbgrader", "not one of the markers of nbgrader"),
        ("x = [  # SOLUTION\n    1,\n]", "otter", "not valid Python without its solution"),
        ("def f(x): # SOLUTION\n    return x # SOLUTION", "otter", "not valid Python without"),
    ],
)
def test_markers_that_do_not_belong_together(source, markers, said):
    with pytest.raises(ProjectError, match=said):
        student(source, markers=markers)


OTTER = [
    "x = 1  # SOLUTION\nprint(x)",
    "def f(a, b):\n    return a + b # SOLUTION",
    "a, b = 1, 2 # SOLUTION\nd['k'] = 3 # SOLUTION",
    "x.y = f(z=1) # SOLUTION",
    "x = 1 # SOLUTION NO PROMPT\ny = 2",
    "# BEGIN SOLUTION\nx = 1\nx += 1\n# END SOLUTION\nx",
    "for i in range(3):\n    # BEGIN SOLUTION\n    print(i)\n    # END SOLUTION\n    pass",
    "# BEGIN SOLUTION NO PROMPT\nx = 1\n# END SOLUTION\ny = ...",
    "x = 1 # SOLUTION because of this\ny = 2 #SOLUTION",
    "x += 1 # SOLUTION\nf(a=3) # SOLUTION\nassert x == 3 # SOLUTION",
    "x = 1 # SOLUTION\r\ny = 2",
    "%%sql\nselect 1 # SOLUTION",
    "np.random.seed(3) # SEED\nx = 1",
    '"""; # BEGIN PROMPT\nx = ...\n"""; # END PROMPT\ny = 1',
]


@pytest.fixture(scope="module")
def otter():
    """Yield the module of otter-grader that removes solutions.

    Otter finds its templates with `pkg_resources`, which setuptools no longer has.
    """
    pytest.importorskip("otter", reason="otter-grader")
    with pytest.MonkeyPatch.context() as patch:
        if not find_spec("pkg_resources"):
            module = ModuleType("pkg_resources")
            module.resource_filename = lambda package, name: str(files(package) / name)
            patch.setitem(sys.modules, "pkg_resources", module)
        yield import_module("otter.assign.solutions")


@pytest.mark.parametrize("source", OTTER)
def test_as_otter_does(source, otter):
    expected = "\n".join(otter.replace_solutions(source.split("\n"), "python"))
    assert student(source, markers="otter") == [expected]


R = ["x <- 1 # SOLUTION\nprint(x)", "f(x) # SOLUTION", "# BEGIN SOLUTION\nx <- 1\n# END SOLUTION"]


@pytest.mark.parametrize("source", R)
def test_r_as_otter_does(source, otter):
    expected = "\n".join(otter.replace_solutions(source.split("\n"), "r"))
    nb = notebook(source)
    nb.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    (cell,) = cleared(nb, "x.ipynb", "otter").content["cells"]
    assert source_of(cell) == expected


def test_words_that_are_no_markers():
    sources = ["# Solution\nx = 1", "x = 1  # a solution of the equation"]
    assert student(*sources, markers="otter") == sources
    assert student(tagged("markdown", "x = ...\n\n## Solution")) == ["x = ...\n\n## Solution"]
    with pytest.raises(ProjectError, match="has the tag 'Solutions'; that of solutions is"):
        student(tagged("code", "x = 1", "Solutions"))


def test_the_parts_of_an_otter_notebook():
    cells = [
        nbformat.v4.new_raw_cell("# BEGIN QUESTION\nname: q1"),
        nbformat.v4.new_raw_cell("# BEGIN SOLUTION"),
        "x = 1 # SOLUTION",
        nbformat.v4.new_markdown_cell("Because."),
        nbformat.v4.new_raw_cell("# END SOLUTION"),
        nbformat.v4.new_raw_cell("# BEGIN TESTS"),
        "x == 1",
        "# HIDDEN\nx < 2",
        "# hidden\nx < 3",
        '""" # BEGIN TEST CONFIG\npoints: 1\nhidden: true\n""" # END TEST CONFIG\nx < 4',
        nbformat.v4.new_raw_cell("# END TESTS"),
        nbformat.v4.new_raw_cell("# END QUESTION"),
        nbformat.v4.new_raw_cell("some text"),
    ]
    assert student(*cells, markers="otter") == ["x = ...", "x == 1", "some text"]


LINES = ["x = 1", "    y = 2", "", "def f():", "\tz", "### BEGIN SOLUTION", "### END SOLUTION"]
LINES += ["    ### BEGIN SOLUTION", "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(LINES), max_size=12).map("\n".join))
def test_as_nbgrader_does(source):
    """The result must equal nbgrader's, and be an error if nbgrader raises one.

    Unlike nbgrader, `cleared` also refuses an END without a BEGIN, and a solution without
    which Python no longer reads the cell.
    """
    preprocessors = pytest.importorskip("nbgrader.preprocessors", reason="nbgrader")
    solutions = preprocessors.ClearSolutions(enforce_metadata=False)
    tests = preprocessors.ClearHiddenTests(enforce_metadata=False)
    nb = notebook(source)
    try:
        nb, _ = solutions.preprocess(nb, {})
        # what is inside a solution is gone by now, also markers of hidden tests
        lone = has_lone_end(source, "SOLUTION") or has_lone_end(nb.cells[0].source, "HIDDEN TESTS")
        nb, _ = tests.preprocess(nb, {})
        expected = None if lone else nb.cells[0].source
    except RuntimeError:
        expected = None
    if expected is None or (is_python(source) and not is_python(expected)):
        with pytest.raises(ProjectError, match=r"has (BEGIN|END) |is not valid Python"):
            student(source)
    else:
        assert student(source) == [expected]


def is_python(source):
    try:
        compile(source, "cell", "exec")
    except SyntaxError:
        return False
    return True


def has_lone_end(source, name):
    markers = re.findall(f"(BEGIN|END) {name}", source)
    return any(a == b == "END" for a, b in pairwise(["END", *markers]))
