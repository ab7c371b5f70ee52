"""Names of `project_under_test` for tests that still use functions."""

import nbformat
from project_under_test import ONE, THREE, TWO, ProjectUnderTest, git, steps_done, tree

__all__ = ["ONE", "THREE", "TWO", "git", "steps_done", "tree"]

steps = ProjectUnderTest.steps
sources = ProjectUnderTest.code
states = ProjectUnderTest.explained_states
add_cell = ProjectUnderTest.change_cell
write_cells = ProjectUnderTest.write_cells


def set_source(path, source):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].source = source
    nbformat.write(notebook, path)
