"""Time `save` and the bare writers from 10 MB to 4 GB, and plot time against size.

    python benchmarks/growth.py [picture]

The writers take turns. Each replaces its last file and flushes it to disk; medians are shown.
"""

import contextlib
import io
import os
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import joblib
import numpy as np
import scipy.sparse as sp

TEMPLATE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TEMPLATE))
SIZES = [10, 100, 1_000, 4_000]  # MB
RUNS = {10: 15, 100: 9, 1_000: 7, 4_000: 3}
Times = dict[str, list[float]]


def main(picture: Path | None) -> None:
    """Print a table for each object, and plot the times if `picture` is given."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("notebooks").mkdir()
        Path("pyproject.toml").write_text("[project]\nname = 'p'\n[tool.checkpoint]\n", "utf-8")
        measured = {"an array": measure(array), "an AnnData": measure(cells)}
    for what, times in measured.items():
        print(f"\n| {what} | {' | '.join(f'{size:,} MB' for size in SIZES)} |")
        print(f"|---{'|---' * len(SIZES)}|")
        for name, seconds in times.items():
            print(f"| {name} | {' | '.join(f'{second:.2f} s' for second in seconds)} |")
    if picture:
        draw(measured, picture)


def measure(make: Callable[[int], tuple[Any, Callable[[Any, Path], None]]]) -> Times:
    """Return the median seconds of each writer, one number for each size."""
    times: Times = {}
    for size in SIZES:
        obj, bare = make(size)
        writers = {
            "save": save_it,
            "bare writer": flushed(bare, Path("bare.npy")),
            "joblib": flushed(joblib.dump, Path("dumped.joblib")),
            "pickle": flushed(pickled, Path("pickled.pkl")),
        }
        runs: Times = {name: [] for name in writers}
        for run in range(RUNS[size] + 1):
            # each writer goes first in turn, since a disk may be slow after writing a lot
            for name in rotated(list(writers), run):
                start = time.perf_counter()
                writers[name](obj)
                if run:  # the first run creates the file
                    runs[name].append(time.perf_counter() - start)
        for name, seconds in runs.items():
            times.setdefault(name, []).append(statistics.median(seconds))
    return times


def rotated(names: list[str], turns: int) -> list[str]:
    """Return the names rotated by a number of positions."""
    first = turns % len(names)
    return [*names[first:], *names[:first]]


def array(size: int) -> tuple[Any, Callable[[Any, Path], None]]:
    """Return an array of `size` megabytes and the function that writes it by hand."""
    return np.random.default_rng(0).random(size * 125_000), lambda obj, path: np.save(path, obj)


def cells(size: int) -> tuple[Any, Callable[[Any, Path], None]]:
    """Return an AnnData of `size` megabytes and the function that writes it by hand."""
    n_genes, stored = 2_000, 160
    n_cells = size * 1_000_000 // (8 * stored)
    rng = np.random.default_rng(0)
    columns = np.tile(np.arange(0, n_genes, n_genes // stored, dtype="int32")[:stored], n_cells)
    ends = np.arange(n_cells + 1, dtype="int64") * stored
    values = rng.random(n_cells * stored, dtype="float32")
    adata = ad.AnnData(sp.csr_matrix((values, columns, ends), shape=(n_cells, n_genes)))
    adata.obs["n_counts"] = rng.random(n_cells)
    return adata, lambda obj, path: obj.write_h5ad(path)


def save_it(obj: Any) -> None:
    """Save an object in a checkpoint."""
    from checkpoint import save

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        save("1_a", {"x": obj})


def flushed(write: Callable[[Any, Path], Any], path: Path) -> Callable[[Any], None]:
    """Return a writer that writes a file and flushes it to disk."""

    def writer(obj: Any) -> None:
        write(obj, path)
        with path.open("rb") as file:
            os.fsync(file.fileno())

    return writer


def pickled(obj: Any, path: Path) -> None:
    """Pickle an object."""
    with path.open("wb") as file:
        pickle.dump(obj, file, protocol=5)


def draw(measured: dict[str, Times], picture: Path) -> None:
    """Plot time against size, one panel for each object."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
    marks = {"save": "o-", "bare writer": "s-", "joblib": "^--", "pickle": "v:"}
    for panel, (what, times) in zip(panels, measured.items(), strict=True):
        for name, seconds in times.items():
            panel.loglog(SIZES, seconds, marks[name], label=name, markersize=5)
        panel.set(title=what, xlabel="MB")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("seconds, flushed to disk")
    panels[0].legend(frameon=False)
    figure.savefig(picture, dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else None)
