"""Time `save`, `load` and `status`, the first two against the bare writers and readers.

    python benchmarks/checkpoints.py [runs]

The two of each pair take turns, so that a drift in the machine's speed affects both; the medians
of the ratios are printed as a Markdown table. Peak memory is measured in separate processes.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1]
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # most people do not set it
SIZES = {"small": (1_000, 2_000), "large": (100_000, 2_000)}
DENSITY = 0.08
COMPRESSIONS = {"h5ad": ["none", "lzf", "gzip"], "zarr": ["none", "zstd", "gzip"]}

HEAD = f"""
import sys; sys.path.insert(0, {str(TEMPLATE)!r})
import os, io, contextlib, resource
from pathlib import Path
import numpy as np, scipy.sparse as sp, anndata as ad, h5py, pandas as pd
from checkpoint import load, save
import checkpoint.formats.h5ad
def quiet(call, *arguments):
    with contextlib.redirect_stdout(io.StringIO()):
        return call(*arguments)
def bare_save(adata, path):
    adata.write_h5ad(path)
    with open(path, "rb") as file:
        os.fsync(file.fileno())
def make(n_cells, n_genes):
    rng = np.random.default_rng(0)
    X = sp.random(n_cells, n_genes, {DENSITY}, format="csr", dtype="float32", rng=rng)
    adata = ad.AnnData(X)
    adata.obs["cell_type"] = pd.Categorical(rng.choice(list("ABCD"), n_cells))
    adata.obs["n_counts"] = rng.random(n_cells)
    return adata
"""

TIMES = (
    HEAD
    + """
import json, time
n_cells, n_genes, runs, what = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
path = Path("bare.h5ad")
adata = make(n_cells, n_genes)
bare_save(adata, path); quiet(save, "1_a", {"x": adata})
pairs = []
def timed(call, *arguments):
    start = time.perf_counter(); quiet(call, *arguments); return time.perf_counter() - start
for run in range(runs):
    if what == "save":
        pairs.append((timed(save, "1_a", {"x": adata}), timed(bare_save, adata, path)))
    else:
        pairs.append((timed(lambda: load("1_a")["x"]), timed(ad.read_h5ad, path)))
print(json.dumps(pairs))
"""
)

MEMORY = (
    HEAD
    + """
n_cells, n_genes, what = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if "save" in what:
    adata = make(n_cells, n_genes)
{
    "save": lambda: quiet(save, "1_a", {"x": adata}),
    "bare save": lambda: bare_save(adata, "m.h5ad"),
    "load": lambda: quiet(lambda: load("1_a")["x"]),
    "bare load": lambda: ad.read_h5ad("bare.h5ad"),
}[what]()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
)

MILLION = (
    HEAD
    + """
import json, time
adata = make(1_000_000, 100)
rng = np.random.default_rng(0)
for i in range(28):
    adata.obs[f"number_{i}"] = rng.random(adata.n_obs)
adata.obs["barcode"] = [f"cell-{i:08}" for i in range(adata.n_obs)]
adata.obs["sample"] = rng.choice([f"sample_{i}" for i in range(40)], adata.n_obs).astype(object)
adata.obs["clone"] = rng.choice([f"clone {i}" for i in range(9_000)], adata.n_obs).astype(object)
def timed(call, *arguments):
    start = time.perf_counter(); quiet(call, *arguments); return time.perf_counter() - start
def bare():
    copy = adata.copy()  # writing turns the text of what it writes into categories
    start = time.perf_counter(); bare_save(copy, Path("m.h5ad")); return time.perf_counter() - start
quiet(save, "1_m", {"x": adata}); bare()
print(json.dumps([(timed(save, "1_m", {"x": adata}), bare()) for _ in range(int(sys.argv[1]))]))
"""
)

FIVE_HUNDRED = (
    HEAD
    + """
import json, time
arrays = {f"a{i}": np.random.default_rng(i).random(1_000) for i in range(500)}
def bare():
    Path("bare").mkdir(exist_ok=True)
    for name, array in arrays.items():
        with open(f"bare/{name}.npy", "wb") as file:
            np.save(file, array); file.flush(); os.fsync(file.fileno())
def timed(call, *arguments):
    start = time.perf_counter(); quiet(call, *arguments); return time.perf_counter() - start
quiet(save, "1_arrays", arrays); bare()
print(json.dumps([(timed(save, "1_arrays", arrays), timed(bare)) for _ in range(int(sys.argv[1]))]))
"""
)

COMPRESSION = (
    HEAD
    + """
import json, statistics, time
adata = make(100_000, 2_000)
adata.X.data = np.random.default_rng(0).poisson(1.5, adata.X.nnz).astype("f4") + 1
def timed(call):
    start = time.perf_counter(); quiet(call); return time.perf_counter() - start
setting = "[project]\\nname = 'p'\\n[tool.checkpoint]\\n"
for kind, how in [(k, h) for k, hs in json.loads(sys.argv[2]).items() for h in hs]:
    text = f"{setting}anndata_format = '{kind}'\\ncompression = '{how}'\\n"
    Path("pyproject.toml").write_text(text, "utf-8")
    saves = [timed(lambda: save("1_a", {"x": adata})) for _ in range(int(sys.argv[1]))]
    loads = [timed(lambda: load("1_a")["x"]) for _ in range(int(sys.argv[1]))]
    with contextlib.redirect_stdout(io.StringIO()):
        size = load("1_a").files[f"x.{kind}"].bytes
    times = f"{statistics.median(saves):.1f} s | {statistics.median(loads):.1f} s"
    print(f"| `.{kind}` | {how} | {size / 1e6:.0f} MB | {times} |")
Path("pyproject.toml").write_text(setting, "utf-8")
"""
)

ONE_OF_TWENTY = (
    HEAD
    + """
import json, time
quiet(save, "1_many", {f"a{i}": np.random.default_rng(i).random(2_000_000) for i in range(20)})
pairs = []
for run in range(int(sys.argv[1])):
    start = time.perf_counter()
    quiet(lambda: load("1_many")["a7"])
    one = time.perf_counter() - start
    quiet(lambda: dict(load("1_many")))
    pairs.append((one, time.perf_counter() - start - one))
print(json.dumps(pairs))
"""
)


def main(runs: int) -> None:
    """Run all benchmarks and print their tables."""
    print("| what | size | checkpoint | bare | ratio |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        for name, (n_cells, n_genes) in SIZES.items():
            size = f"{n_cells:,} x {n_genes:,}"
            for what in ("save", "load"):
                repeats = runs if name == "large" else 3 * runs
                pairs = json.loads(
                    python(project, TIMES, str(n_cells), str(n_genes), str(repeats), what)
                )
                row(what, size, pairs, "ms", 1000)
        n_cells, n_genes = SIZES["large"]
        for what in ("save", "load"):
            peaks = [
                tuple(
                    int(python(project, MEMORY, str(n_cells), str(n_genes), one))
                    for one in (what, f"bare {what}")
                )
                for _ in range(3)
            ]
            row(f"peak memory of {what}", f"{n_cells:,} x {n_genes:,}", peaks, "MB", 1 / 1024)
        pairs = json.loads(python(project, MILLION, str(runs)))
        row("save", "1,000,000 x 100, 33 obs columns", pairs, "ms", 1000)
        pairs = json.loads(python(project, FIVE_HUNDRED, str(runs)))
        row("save", "500 arrays of 8 kB", pairs, "ms", 1000)
        pairs = json.loads(python(project, ONE_OF_TWENTY, str(runs)))
        row("one of twenty arrays (bare: all)", "20 x 16 MB", pairs, "ms", 1000)
        shutil.copytree(TEMPLATE / "checkpoint", Path(folder, "copy", "checkpoint"))
        pairs = [(imported(folder, True), imported(folder, False)) for _ in range(3 * runs)]
        row("import (bare: Python)", "", pairs, "ms", 1000)
        for steps in (10, 100, 1000):
            many = make_project(Path(folder) / str(steps), steps)
            command = [sys.executable, str(Path(folder, "copy", "checkpoint")), "status", "--json"]
            call = timer(command, many)
            call()
            times = [call() for _ in range(runs)]
            print(f"| `status` | {steps:,} steps | {1000 * statistics.median(times):.0f} ms | | |")
        print("\n| format | compression | size | save | load |\n|---|---|---|---|---|")
        print(python(project, COMPRESSION, str(runs), json.dumps(COMPRESSIONS)))


def row(what: str, size: str, pairs: list, unit: str, factor: float) -> None:
    """Print a table row: the medians of both, and the median of their ratios."""
    ours, bare = (factor * statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"| {what} | {size} | {ours:,.0f} {unit} | {bare:,.0f} {unit} | {ratio:.2f} |", flush=True
    )


def make_project(folder: Path, steps: int = 0) -> Path:
    """Make a folder a project, with a chain of `steps` saved steps; return the folder."""
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("[project]\nname = 'p'\n[tool.checkpoint]\n", "utf-8")
    if steps:
        code = (
            f"import sys; sys.path.insert(0, {str(TEMPLATE)!r})\n"
            "from checkpoint import load, save\n"
            "from checkpoint.notebooks.notebook import dumps\n"
            "from checkpoint.notebooks.skeleton import skeleton\n"
            "from pathlib import Path\n"
            f"for i in range(1, {steps} + 1):\n"
            "    previous = f'{i - 1}_step' if i > 1 else None\n"
            "    text = dumps(skeleton('p', f'{i}_step', previous))\n"
            "    Path('notebooks', f'{i}_step.ipynb').write_text(text, encoding='utf-8')\n"
            "    from checkpoint.storage import session; session.forget()\n"
            "    if previous: load(previous)\n"
            "    save(f'{i}_step', {'a': i})\n"
        )
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return folder


def python(folder: Path, code: str, *arguments: str) -> str:
    """Run code in a new process; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def imported(folder: str, ours: bool) -> float:
    """Return the seconds that a new process takes to import the package, or nothing.

    It imports from a copy, in which Python can keep its bytecode.
    """
    code = "from checkpoint import load, save, data_file, figures" if ours else "pass"
    return timer([sys.executable, "-c", code], Path(folder, "copy"))()


def timer(command: list[str], folder: Path) -> Callable[[], float]:
    """Return a function that runs a command and returns how many seconds it took."""

    def run() -> float:
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    return run


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
