"""A project with every kind of content, and hostile text wherever users can enter text."""

import pandas as pd
import pytest
from hostile import MARKDOWN, RUNS, drawn, outputs
from project_under_test import ONE, TWO, ProjectUnderTest

from checkpoint import data_file, load, save
from checkpoint.storage import session


@pytest.fixture
def told(project: ProjectUnderTest) -> ProjectUnderTest:
    """Return a project whose first step was regenerated with another parameter after a commit."""
    (project / "data" / "raw.txt").write_text("raw")
    first(project, min_counts=1)
    session.forget()
    load(ONE)
    save(f"{TWO}/donor_1", {"figures/umap.png": drawn()}, params={"n": 1})
    save(TWO, {"table.csv": pd.DataFrame({"a": range(60)}), "figures/umap.png": drawn()})
    with project.edited(TWO) as notebook:
        notebook.cells[0].source = MARKDOWN
        notebook.cells[3].source = "axes = {'umap': 1}\nprint('<i>')"
        notebook.cells[3].outputs = outputs()
    project.edit_record(TWO, lambda c: c["checkpoint"].update(notes=[f"A note {RUNS}"]))
    project.commit()
    first(project, min_counts=500)
    return project


def first(project, min_counts):
    """Save the first step with a parameter."""
    session.forget()
    data_file("raw.txt")
    params = {"filter": {"min_counts": min_counts, RUNS: RUNS}, "seed": 0}
    save(ONE, {"table.csv": pd.DataFrame({"a": range(100), "b": min_counts})}, params=params)
