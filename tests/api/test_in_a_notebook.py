"""Output of cells in a real kernel: errors, and summaries of saves and loads."""

import re

import pytest
from front_end import HEAD, FrontEnd
from project_under_test import ONE

pytestmark = pytest.mark.slow


@pytest.fixture
def notebook(project):
    """Yield a notebook whose first cell has run."""
    opened = FrontEnd(project, "0_scratch", [HEAD], {}, with_ids=True)
    opened.run_all()
    yield opened
    opened.restart()


LONG = f"""save(
    "{ONE}",
    {{}},
    params={{
        "a": 1,
        "b": 2,
        "c": 3,
        "d": load("2_integration"),
        "e": 5,
        "f": 6,
    }},
)"""


def test_an_error_is_its_message(notebook):
    nb = notebook
    assert nb.execute("import math\nprevious = load('1_preprocesing')\nx = 1") == (
        "CheckpointNotFoundError"
    )
    head, place, _, line, _, message = filter(None, nb.error.splitlines()[1:])
    assert head.startswith("CheckpointNotFoundError")
    assert place.endswith("In[2], line 2")
    assert line == "----> 2 previous = load('1_preprocesing')"
    assert message.startswith("CheckpointNotFoundError: Results directory 'results/1_preprocesing'")
    nb.execute("def keep(x):\n    save('1_preprocessing', {}, params={'a': x})\nkeep(float('nan'))")
    assert "----> 3 keep(float('nan'))" in nb.error
    assert re.search(r"----> 2 +save\('1_preprocessing', {}, params={'a': x}\)", nb.error)
    assert nb.error.count("File ") == 0 and "params['a'] is nan" in nb.error
    nb.execute(LONG)
    assert re.search(r'----> 8 +"d": load\("2_integration"\),', nb.error)
    assert '"a": 1' not in nb.error and len(nb.error.splitlines()) <= 11


def test_the_full_traceback_is_there_when_it_is_asked_for(notebook):
    nb = notebook
    nb.execute("save('1_preprocessing', {'x': lambda: 0})")
    assert len(nb.error.splitlines()) <= 6
    nb.execute("%xmode Verbose")
    nb.execute("%tb")
    assert "The above exception was the direct cause" in nb.error
    assert "saving.py" in nb.error
    nb.execute("%xmode Minimal")
    nb.execute("load('2_integration')")
    assert nb.error.strip().startswith("CheckpointNotFoundError: Results directory")


def test_a_save_and_a_load_are_shown_once_each(notebook, project):
    nb = notebook
    (project / "notebooks" / "2_integration.ipynb").rename(project / "notebooks" / "2_a & b#.ipynb")
    nb.execute("import pandas as pd")
    nb.execute("t = pd.DataFrame({'a': [1]})\nsave('1_preprocessing', {'x&b.csv': t})")
    assert nb.shown, nb.error
    (shown,) = nb.shown
    lines = shown["text/plain"].splitlines()
    assert lines[:2] == [
        "Saved to results/1_preprocessing/",
        "  x&b.csv  1 rows x 1 columns  4 B",
    ]
    assert lines[-1] == "Run 2_a & b#.ipynb next."
    html = shown["text/html"]
    assert ">x&amp;b.csv</td>" in html and "color" not in html
    assert '<a href="2_a%20%26%20b%23.ipynb">2_a &amp; b#.ipynb</a>' in html
    nb.execute("previous = load('1_preprocessing.ipynb')")
    assert nb.shown, nb.error
    (shown,) = nb.shown
    line = shown["text/plain"].splitlines()[0]
    assert line.startswith("Loaded from results/1_preprocessing/ (previous run: 20")
    nb.execute("previous")
    assert nb.shown, nb.error
    (shown,) = nb.shown
    assert "1 rows x 1 columns" in shown["text/plain"]
    assert ">x&amp;b.csv</td>" in shown["text/html"]
    for said in shown.values():
        assert "saved 20" in said and "when it was loaded" in said


def test_notes_link_to_the_notebooks_to_run(notebook, project):
    nb = notebook
    (project / "data" / "raw.txt").write_text("1")
    project.make()
    (project / "data" / "raw.txt").write_text("22")
    nb.execute("a = load('2_integration')\nb = load('1_preprocessing')")
    two, one = nb.shown
    assert "stale: data/raw.txt changed" in two["text/plain"]
    assert (
        'Open and run <a href="1_preprocessing.ipynb">1_preprocessing.ipynb</a>, then '
        '<a href="2_integration.ipynb">2_integration.ipynb</a>.'
    ) in two["text/html"]
    assert (
        "results/1_preprocessing is stale for the same reason as results/2_integration."
        in (one["text/plain"])
    )
