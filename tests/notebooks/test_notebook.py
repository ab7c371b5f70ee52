"""Reading notebooks and finding the calls in their cells."""

import copy

import nbformat
import pytest

from checkpoint.errors import ProjectError
from checkpoint.notebooks import notebook
from checkpoint.notebooks.skeleton import skeleton

GOOD = skeleton("my_project", "2_b", "1_a")


def test_a_good_notebook():
    nbformat.validate(GOOD)
    assert list(notebook.invalid(GOOD)) == []


def drop(*path):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


def put(value, *path):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        drop("cells"),
        drop("metadata"),
        drop("nbformat"),
        drop("cells", 1, "id"),
        drop("cells", 1, "outputs"),
        drop("cells", 1, "execution_count"),
        drop("cells", 1, "source"),
        drop("cells", 1, "metadata"),
        put("heading", "cells", 0, "cell_type"),
        put("not an id!", "cells", 0, "id"),
        put("x" * 65, "cells", 0, "id"),
        put(7, "cells", 0, "source"),
        put("text", "cells", 1, "execution_count"),
        put([], "cells", 0, "outputs"),
        put("x", "cells", 1, "attachments"),
        put("x", "a part"),
        put(["a", "a"], "cells", 1, "metadata", "tags"),
        put("a", "cells", 1, "metadata", "tags"),
        drop("metadata", "kernelspec", "display_name"),
    ],
)
def test_what_nbformat_refuses_is_refused(change):
    content = copy.deepcopy(GOOD)
    change(content)
    assert list(nbformat.validator.get_validator(4, 5).iter_errors(content))
    assert list(notebook.invalid(content))


def test_ids_are_unique():
    content = copy.deepcopy(GOOD)
    content["cells"][1]["id"] = content["cells"][0]["id"]
    assert list(notebook.invalid(content)) == ["has two cells with the id 'about'"]


def test_broken_json_names_line_and_column(tmp_path):
    path = tmp_path / "1_a.ipynb"
    path.write_text('{"cells": [\n  oops]}')
    with pytest.raises(ProjectError) as raised:
        notebook.read(path)
    assert raised.value.file == str(path)
    assert "line 2, column 3" in raised.value.found


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("\n\nx = 1  # the first\ny = 2", "x = 1"),
        ("# only a comment", "# only a comment"),
        ("x" * 100, "x" * 59 + "…"),
        ("", ""),
    ],
)
def test_a_cell_is_known_by_its_first_line(source, line):
    assert notebook.first_line(source) == line


def test_a_notebook_of_version_3_has_its_cells_elsewhere():
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
    assert list(notebook.broken(old)) == ["is nbformat 3.0; expected 4.5"]
    assert list(notebook.invalid(old)) == ["is nbformat 3.0; expected 4.5"]
    assert list(notebook.broken({**old, "nbformat": 4})) == ["has no cells"]
