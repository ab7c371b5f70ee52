"""What this kernel has done so far: the inputs it read and the cells it ran."""

import sys
from pathlib import Path
from typing import Any

from . import hashes
from .project import Project

# (root of the project, name of the input) -> what its content was
_inputs: dict[tuple[Path, str], dict[str, Any]] = {}


def remember(project: Project, name: str, content: dict[str, Any]) -> None:
    """Record that this kernel read an input: `data/…` or `results/<step>`."""
    _inputs[project.root, name] = content


def inputs_of(project: Project, step: str) -> dict[str, dict[str, Any]]:
    """Return the inputs that this kernel read in this project, by name; a step is not its own."""
    own = f"results/{step}"
    return {
        name: content
        for (root, name), content in sorted(_inputs.items())
        if root == project.root and name != own
    }


def cells_run() -> list[str] | None:
    """Return the hashes of the code cells that this kernel ran, in order.

    Returns
    -------
    list of str or None
        None outside IPython, where nothing is known of cells.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    history = getattr(shell, "history_manager", None)
    if history is None:
        return None
    sources = (hashes.code_hash(source) for source in history.input_hist_raw)
    return [source for source in sources if source]
