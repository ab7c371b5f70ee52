"""Lines of a cell that IPython understands and Python does not."""

from checkpoint.notebooks.magics import magics, without_magics


def test_lines_that_are_not_python():
    assert list(magics("%time x = 1\n!ls\ny = 2")) == ["!ls"]
    assert list(magics("%%bash\nls")) == ["%%bash", "ls"]


def test_python_without_its_magics_has_as_many_lines():
    assert without_magics("%cd ..\nx = (1\n  % 2)\nif x:\n    !ls") == (
        "pass\nx = (1\n  % 2)\nif x:\n    pass"
    )
