"""What cells show in a real kernel: errors, and what was saved and loaded."""

import re

import pytest
from front_end import HEAD, FrontEnd
from project_under_test import ONE

pytestmark = pytest.mark.slow


@pytest.fixture
def notebook(project):
    """Yield a notebook whose first cell has run."""
    opened = FrontEnd(project, ONE, [HEAD], {}, with_ids=True)
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
