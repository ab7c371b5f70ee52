"""A typical project from before the template, with synthetic data, and helpers to adopt it."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import nbformat
from project_under_test import git

from notebook_checkpoints.command import command

SAMPLES = ("donor_1", "donor_2", "donor_3")

# cells of each notebook; a single line that begins with # and a space is a Markdown cell
QC = [
    "# Quality control",
    "import os\nimport numpy as np\nimport pandas as pd\nimport yaml",
    'with open("../config.yaml") as f:\n    config = yaml.safe_load(f)\n'
    'SAMPLES = config["samples"]\nMIN_COUNTS = 4\n'
    'OUT = os.path.join("..", config["paths"]["results"], "qc")',
    "os.makedirs(OUT, exist_ok=True)",
    "kept = {}\nfor sample in SAMPLES:\n"
    '    counts = pd.read_csv(f"../data/{sample}.csv", index_col=0).to_numpy()\n'
    "    counts = counts[counts.sum(axis=1) >= MIN_COUNTS]\n"
    "    kept[sample] = len(counts)\n"
    '    np.save(f"{OUT}/{sample}_qc.npy", counts)',
    "print(kept)",
]
INTEGRATE = [
    "# Integration",
    "import os\nimport pickle\nfrom pathlib import Path\nimport numpy as np\nimport pandas as pd",
    'RESULTS = Path("../results")\nSAMPLES = ["donor_1", "donor_2", "donor_3"]\nN_COMPONENTS = 2',
    'matrices = [np.load(f"../results/qc/{s}_qc.npy") for s in SAMPLES]\n'
    "joint = np.concatenate(matrices)",
    'np.save(RESULTS / "joint.npy", joint)',
    "joint -= joint.mean(axis=0)\n"
    "_, _, vt = np.linalg.svd(joint, full_matrices=False)\n"
    "embedding = joint @ vt[:N_COMPONENTS].T\n"
    'table = pd.DataFrame(embedding.round(6), columns=["x", "y"])\n'
    'model = {"components": vt[:N_COMPONENTS], "samples": SAMPLES}',
    'os.makedirs("../results/tables", exist_ok=True)\n'
    'if "embedding" in dir():\n'
    '    np.save("../results/embedding.npy", embedding)\n'
    'with open(RESULTS / "model.pkl", "wb") as f:\n'
    "    pickle.dump(model, f)\n"
    'table.to_csv("../results/tables/embedding.tsv", sep="\\t")\n'
    'print("Saved to ../results")',
]
SCORES = '''"""Scores of cells, between two notebooks."""

import numpy as np

embedding = np.load("results/embedding.npy")
np.savetxt("results/scores.csv", np.abs(embedding).sum(axis=1), delimiter=",")
'''
FACTORS = """table <- read.delim("results/tables/embedding.tsv", row.names = 1)
factors <- rowSums(table)  # "results/not_this.csv"
write.csv(factors, file.path("results", "factors.csv"))
"""
REPORT = [
    "# Report",
    "import pickle\nimport numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt",
    'embedding = np.load("../results/embedding.npy")\n'
    'joint = np.load("../results/joint.npy")\n'
    'model = pickle.load(open("../results/model.pkl", "rb"))\n'
    'table = pd.read_csv("../results/tables/embedding.tsv", sep="\\t", index_col=0)\n'
    'scores = np.loadtxt("../results/scores.csv")',
    'summary = {"cells": len(joint), "spread": float(embedding.std().round(6)),\n'
    '           "components": model["components"].shape, "top": float(scores.max().round(6)),\n'
    '           "first": float(table["x"].iloc[0])}\n'
    "summary",
    'plt.scatter(*embedding.T)\nplt.savefig("../figures/embedding.png")',
    'pd.Series(summary, dtype=object).to_json("../results/summary.json")',
]
# an older copy that was never deleted
OLD_REPORT = [
    "import numpy as np",
    'embedding = np.load("../results/embedding_v2.npy")\n'
    'other = np.load("/home/somebody/project/results/joint.npy")',
    'np.save("../results/embedding_v2_final.npy", embedding[::-1])',
]


def write_notebook(path: Path, cells: list[str], minor: int = 2, **metadata: object) -> None:
    """Write a notebook as older tools do, without cell ids and with outputs that must be kept."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "language": "python",
        "display_name": "Python 3",
    }
    notebook.metadata.update(metadata)
    for number, source in enumerate(cells, start=1):
        if source.startswith("# ") and "\n" not in source:
            cell = nbformat.v4.new_markdown_cell(source)
        else:
            cell = nbformat.v4.new_code_cell(source, execution_count=number)
            cell.outputs = [nbformat.v4.new_output("stream", text=f"output of cell {number}\n")]
        del cell["id"]
        notebook.cells.append(cell)
    notebook.nbformat_minor = minor
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def write_samples(root: Path) -> None:
    """Write simulated counts of three donors to `data/`."""
    import numpy as np
    import pandas as pd

    (root / "data").mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(SAMPLES):
        counts = np.random.default_rng(number).poisson(1.5, (20, 4)).astype(float)
        pd.DataFrame(counts).to_csv(root / "data" / f"{sample}.csv")


def chain(root: Path) -> Path:
    """Write a project with a config, a loop over samples, and a Python and an R script."""
    write_samples(root)
    (root / "config.yaml").write_text(
        "samples: [donor_1, donor_2, donor_3]\npaths:\n  results: results\n", encoding="utf-8"
    )
    for name, cells in {"1_qc": QC, "2_integrate": INTEGRATE, "3_report": REPORT}.items():
        write_notebook(root / "notebooks" / f"{name}.ipynb", cells)
    for name, text in {"scores.py": SCORES, "factors.R": FACTORS}.items():
        (root / "scripts").mkdir(exist_ok=True)
        (root / "scripts" / name).write_text(text, encoding="utf-8")
    for folder in ("results", "figures"):
        (root / folder).mkdir()
        (root / folder / ".gitkeep").touch()
    (root / ".gitignore").write_text("*.pyc\n.ipynb_checkpoints/\n", encoding="utf-8")
    return root


def commit(root: Path) -> Path:
    """Commit a project to a new git repository."""
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "as it was")
    return root


def clone(root: Path, target: Path) -> Path:
    """Clone a project, as users do before they adopt it."""
    git(root.parent, "clone", "-q", str(root), str(target))
    return target


class Done(NamedTuple):
    """The result of a command."""

    returncode: int
    stdout: str
    stderr: str


def adopt(*arguments: str | Path) -> Done:
    """Run `notebook-checkpoints adopt` in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            command.main(["adopt", *map(str, arguments)], prog_name="notebook-checkpoints")
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def notebooks(root, **cells):
    """Write notebooks of one cell each, whose names may begin with an underscore."""
    for name, source in cells.items():
        write_notebook(root / "notebooks" / f"{name.lstrip('_')}.ipynb", [source])
