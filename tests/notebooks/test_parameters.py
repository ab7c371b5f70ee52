"""`checkpoint run --set`: parameter values and the cell that they are written to."""

import json

import nbformat
import pytest
from project_under_test import steps_done

from checkpoint.notebooks.parameters import parse_settings

pytestmark = pytest.mark.slow


def test_a_parameter_is_set_in_the_notebooks_that_have_it(bake):
    baked = bake(pipeline="blank", notebooks="one, two, three")
    baked.write_cells(one="SIZE = 3\nNAME: str = 'a'", two="SIZE = previous['x']")
    assert steps_done(baked.command("run")) == ["1_one", "2_two", "3_three"]
    done = baked.command("run", "1_one", "--set", "SIZE=5", "--set", "NAME=CD8 'T'")
    assert steps_done(done) == ["1_one"]
    assert "1_one: set SIZE = 5, NAME = \"CD8 'T'\" in a new cell below its" in done.stdout
    path = baked / "notebooks" / "1_one.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert (
        notebook.cells[4].source
        == "# Parameters set by checkpoint run\nSIZE = 5\nNAME = \"CD8 'T'\""
    )
    assert notebook.cells[4].metadata.tags == ["injected-parameters"]
    run = baked.record("1_one")["checkpoint"]["run"]
    assert list(run["parameters"].values()) == [notebook.cells[4].source]
    # the notebook contains what ran, so the step is current, and the next steps use the value
    assert steps_done(baked.command("run")) == ["2_two", "3_three"]
    assert baked.command("status").returncode == 0
    # a formatter may break a long value over several lines
    path.write_text(path.read_text().replace("SIZE = 5", "SIZE = (\\n    5\\n)"))
    # a new value replaces the first, and the other name keeps its value
    assert steps_done(baked.command("run", "1_one", "--set", "SIZE=[1, None]")) == ["1_one"]
    (cell,) = [
        cell for cell in nbformat.read(path, as_version=4).cells if "# Parameters" in cell.source
    ]
    assert cell.source == "# Parameters set by checkpoint run\nNAME = \"CD8 'T'\"\nSIZE = [1, None]"


def test_a_value_that_was_edited_or_taken_out_of_the_notebook(bake):
    baked = bake(pipeline="blank", notebooks="one")
    baked.write_cells(one="# Parameters\nSIZE = 3")  # as many people write it
    assert steps_done(baked.command("run", "--set", "SIZE=5")) == ["1_one"]
    path = baked / "notebooks" / "1_one.ipynb"
    as_run = path.read_text()

    def status():
        (step,) = json.loads(baked.command("status", "--json").stdout)["steps"]
        return step["state"], step["reasons"], step["notes"]

    assert status() == ("current", [], [])
    path.write_text(as_run.replace("SIZE = 5", "SIZE = 6"))
    changed = "cell `# Parameters set by checkpoint run` of notebooks/1_one.ipynb changed"
    assert status() == ("edited", [changed], [])
    path.write_text(as_run.replace('"# Parameters\\n"', '"# How many\\n"'))
    assert status() == ("current", [], [])
    path.write_text(as_run)
    baked.delete_cell("1_one", "# Parameters set by checkpoint run")
    state, (gone,), notes = status()
    assert (state, notes) == ("edited", []) and "SIZE = 5" in gone
    assert steps_done(baked.command("run")) == ["1_one"]
    assert status() == ("current", [], [])


def test_papermill_leaves_the_step_current_and_a_note(bake, tmp_path):
    baked = bake(pipeline="blank", notebooks="one")
    baked.write_cells(one="SIZE = 3")
    arguments = ("notebooks/1_one.ipynb", str(tmp_path / "out.ipynb"), "-p", "SIZE", "5")
    assert baked.python("-m", "papermill", *arguments).returncode == 0
    (step,) = json.loads(baked.command("status", "--json").stdout)["steps"]
    assert (step["state"], step["clean"]) == ("current", True)
    assert step["notes"] == ["ran with parameters that the notebook does not have: SIZE = 5"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("3", "3"),
        (" None ", "None"),
        ('["a", 1]', "['a', 1]"),
        ("CD8 T", "'CD8 T'"),
        ("it's", '"it\'s"'),
        ("{[1]: 2}", "'{[1]: 2}'"),
        ("{{1}}", "'{{1}}'"),
        ("1e999", "'1e999'"),
        ("nan", "'nan'"),
        ("0x" + "f" * 5000, repr("0x" + "f" * 5000)),
        ("a=b", "'a=b'"),
    ],
)
def test_a_value_is_python_if_it_can_be_and_else_text(text, code):
    assert parse_settings([f"X={text}"]) == {"X": code}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("SIZE", "--set: expected name=value, such as MIN_COUNTS=300, but got 'SIZE'."),
        ("2=3", "--set: expected name=value, such as MIN_COUNTS=300, but got '2=3'."),
        ("SISE=3", "--set SISE=…: no cell tagged `parameters` assigns SISE; there are SIZE."),
    ],
)
def test_a_parameter_that_is_not_there(bake, setting, said):
    baked = bake(pipeline="blank", notebooks="one")
    baked.write_cells(one="SIZE = 3")
    done = baked.command("run", "--set", setting)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said + "\n")
