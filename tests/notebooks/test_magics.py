"""IPython syntax in cells: magics and other lines that are not Python."""

import pytest

from checkpoint.notebooks.calls import calls
from checkpoint.notebooks.magics import magics, parse_cell, without_magics


def test_lines_that_are_not_python():
    assert list(magics("%time x = 1\n!ls\ny = 2")) == ["!ls"]
    assert list(magics("%%bash\nls")) == ["%%bash", "ls"]


def test_python_without_its_magics_has_as_many_lines():
    assert without_magics("%cd ..\nx = (1\n  % 2)\nif x:\n    !ls") == (
        "pass\nx = (1\n  % 2)\nif x:\n    pass"
    )


@pytest.mark.parametrize(
    "source",
    [
        ' x = load("1_a")',
        '\n  if é:\n\n    x = load("1_a")\n  !ls\n',
        '\t%time x = load("1_a")\n\ty = """\n\tb"""',
        '\n\n%%time\nx = load("1_a")',
    ],
)
def test_ipython_takes_cells_that_are_indented_or_begin_with_empty_lines(source):
    assert parse_cell(source)
    (call,) = calls(source, {"load": "load"})
    assert source[slice(*call.span)] == '"1_a"'


def test_a_cell_in_another_language_may_begin_with_empty_lines():
    assert list(magics("\n%%R\nx <- 1")) == ["%%R", "x <- 1"]
    assert without_magics(" \n  %%bash\n  ls") == ""
