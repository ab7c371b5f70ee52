"""A fixture for notebooks that run cell by cell in a kernel."""

import pytest
from front_end import FrontEnd


@pytest.fixture
def notebook_of(project):
    """Return a function that opens a notebook with some cells."""
    opened = []

    def make(cells, step="1_preprocessing"):
        opened.append(FrontEnd(project, step, cells, {}, with_ids=True))
        return opened[-1]

    yield make
    for front_end in opened:
        front_end.restart()
