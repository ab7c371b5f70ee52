"""Create empty notebooks with a load and a save cell, which run without changes."""

import sys

from ..project.names import number_of
from .notebook import LOAD_TAG, SAVE_TAG, code_cell

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# what a kernel of this Python reports about itself: if anything differs, JupyterLab shows a
# notebook as modified as soon as it is opened
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": sys.version.split()[0],
}


def skeleton(package: str, step: str, previous: str | None, depth: int = 1) -> dict:
    """Return the content of an empty notebook, `depth` folders below the top of the project.

    The notebook loads `previous`; if that is None, it is the first one and reads raw files.
    """
    number = number_of(step)
    title = (number.label if number else step).replace("_", " ").replace("-", " ").capitalize()
    # the text does not name the previous notebook, which may be renamed
    needs = "what its first cell loads" if previous else "raw files in `data/`"
    intro = (
        f"# {title}\n\n"
        "What this notebook does: …\n\n"
        f"It needs {needs}. If the import below fails, install the project with "
        f"`%pip install -e {'/'.join(['..'] * depth)}` and restart the kernel."
    )
    names, load = "data_file, save", '# counts = pd.read_csv(data_file("counts.csv"))'
    if previous:
        names, load = "load, save", f'previous = load("{previous}")'
    save = (
        "save(\n"
        f'    "{step}",\n'
        '    {},  # objects by name: {"adata": adata, "markers.csv": markers}\n'
        '    params={},  # values to record: {"filtering": {"min_genes": 200}}\n'
        ")"
    )
    cells = [
        markdown_cell("about", intro),
        code_cell("load", f"from {package}.checkpoint import {names}\n\n{load}", LOAD_TAG),
        markdown_cell("analysis", "## Analysis"),
        code_cell("analysis-code", "# The analysis goes here."),
        markdown_cell("results", "## Save"),
        code_cell("save", save, SAVE_TAG),
    ]
    return {
        "cells": cells,
        "metadata": {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def markdown_cell(cell_id: str, source: str) -> dict:
    """Return a Markdown cell."""
    return {
        "cell_type": "markdown",
        "id": cell_id,
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }
