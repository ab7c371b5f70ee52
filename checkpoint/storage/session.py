"""What this kernel has done: the inputs that it read, the cells and modules that it ran."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..notebooks.parameters import looks_injected
from ..project.project import Project
from . import hashes
from .schema import InputEntry, Run

# (top of the project, name of the input) -> its content
_inputs: dict[tuple[Path, str], InputEntry] = {}


def remember(project: Project, name: str, content: InputEntry) -> None:
    """Record that this kernel read an input: `data/…` or `results/<step>`."""
    _inputs[project.root, name] = content


def remember_raw(project: Project, path: Path) -> None:
    """Record that this kernel reads a raw file, or all files of a raw folder."""
    if path.is_dir():
        listing = InputEntry(hashes.listing_hash(path))
        remember(project, f"{project.show(path)}/", listing)
    for file in hashes.files_below(path) if path.is_dir() else [path]:
        remember(project, project.show(file), InputEntry.of(hashes.content_of(file)))


def changed_since_read(project: Project, inputs: Mapping[str, InputEntry | None]) -> Iterator[str]:
    """Say which raw files are no longer what this kernel read, as when a cell has written them."""
    for name, entry in inputs.items():
        path = project.root / name
        if not entry or entry.bytes is None:
            continue  # a checkpoint, or the list of a folder's files
        if not path.is_file() or not hashes.is_unchanged(path, entry):
            yield (
                f"{name} changed after this notebook read it. Raw files are never written: restore "
                "it, then restart the kernel and run all."
            )


def forget() -> None:
    """Forget all inputs, as a new kernel would."""
    _inputs.clear()


def inputs_of(project: Project, step: str) -> dict[str, InputEntry | None]:
    """Return the inputs that this kernel read in this project, by name, without the step itself."""
    own = f"results/{step}"
    return {
        name: content
        for (root, name), content in sorted(_inputs.items(), key=lambda item: item[0])
        if root == project.root and name != own
    }


def run() -> Run | None:
    """Return the code cells that this kernel ran; None outside IPython."""
    history = _history()
    if history is None:
        return None
    hashed = [(code, source) for source in history if (code := hashes.code_hash(source))]
    parameters = {code: source for code, source in hashed if looks_injected(source)}
    return Run([code for code, _ in hashed], parameters)


def modules_of(project: Project) -> dict[str, str | None]:
    """Return the project's modules that this kernel imported, by path, with the hash of their code.

    `checkpoint` itself is left out: its version is in the record.
    """
    root, checkpoint = project.root.resolve(), Path(__file__).resolve().parents[1]
    # A kernel has thousands of modules, and every save asks: only those are resolved that were
    # found through the project, however its path is written, and not in its .venv.
    here = Path.cwd()  # Python joins relative entries of sys.path to it
    ways = tuple(str(here / way) for way in sys.path if (here / way).resolve().is_relative_to(root))
    files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    paths = sorted(
        Path(file).resolve()
        for file in files
        if file.startswith(ways) and file.endswith(".py") and "site-packages" not in file
    )
    codes = {
        path.relative_to(root).as_posix(): hashes.module_hash(path)
        for path in paths
        if path.is_relative_to(root / "src") and not path.is_relative_to(checkpoint)
    }
    return {path: code for path, code in codes.items() if code}


def _history() -> list[str] | None:
    """Return the sources that this kernel has run; None outside IPython."""
    manager = getattr(_shell(), "history_manager", None)
    return manager and list(manager.input_hist_raw)


def _shell() -> Any:
    """Return the running IPython, or None; it is not imported for this."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
