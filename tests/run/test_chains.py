"""Chains modelled on published projects, run on synthetic data from no results to `current`."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from project_under_test import steps_done
from published import HEAD, PYTHON, SHELL, Chain, cells, changed, install_kernel

from checkpoint import load
from checkpoint.check.check import check

pytestmark = pytest.mark.slow

# reports that the pause is reached, and waits until the test removes the file
PAUSE = """\
def pause(at):
    place = Path("../../../pauses")
    (place / "pid").write_text(str(os.getpid()))
    while (place / at).exists():
        (place / "reached").touch()
"""
CONFIG = 'MIN_COUNT = int(Path("../../config.yaml").read_text().split()[1])'
LOOP = """\
for part in parts("01_qc", SAMPLES):
    table = pd.read_csv(part.data_file(f"{part.name}.csv"))
    pause(part.name)
    kept = table[table["count"] >= MIN_COUNT]
    part.save({"counts.csv": kept}, params={"qc": {"n_kept": len(kept)}})
"""
MERGE = """\
found = load("01_qc").parts.items()
merged = pd.concat([part["counts"].assign(sample=name) for name, part in found])
"""
SCORE = """\
import csv, os
from pathlib import Path

least = int(Path("config.yaml").read_text().split()[1])
with open("results/01a_merge/merged.csv") as file:
    counts = [int(row["count"]) for row in csv.DictReader(file)]
out = Path(os.environ["CHECKPOINT_OUTPUT"])
(out / "scores.csv").write_text("score\\n" + "".join(f"{n - least}\\n" for n in counts))
"""
SAMPLES_NOTEBOOKS = {
    "1_core/01_qc": (
        PYTHON,
        cells(f"{HEAD}\nimport pandas as pd", PAUSE + CONFIG, 'SAMPLES = ["a", "b", "c"]', LOOP),
    ),
    "1_core/01a_merge": (
        PYTHON,
        cells(f"{HEAD}\nimport pandas as pd", MERGE, 'save("01a_merge", {"merged.csv": merged})'),
    ),
    "2_models/03_model": (
        PYTHON,
        cells(
            f'{HEAD}\nscores = load("02_score")["scores"]',
            CONFIG,
            'model = {"mean": float(scores["score"].mean()), "in": os.environ["WHICH"]}',
            'save("03_model", {"model": model})',
        ),
    ),
    "view": (
        PYTHON,
        cells(f'{HEAD}\nprint(load("03_model")["model"], len(load("01a_merge")))', 'save("view")'),
    ),
}
SAMPLES_SETTINGS = """
[tool.checkpoint.steps.02_score]
run = "python scripts/score.py"
loads = ["01a_merge"]
code = ["scripts/score.py"]
"""
QC, MERGED, SCORED, MODEL, VIEW = "01_qc", "01a_merge", "02_score", "03_model", "view"
ORDER = 'order = ["1_core/01_qc", "1_core/01a_merge", "02_score", "2_models/03_model", "view"]'


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Yield a chain with a loop over samples, a script and a second kernel, without results."""
    folder = tmp_path_factory.mktemp("samples")
    chain = Chain(folder, SAMPLES_NOTEBOOKS, {"score.py": SCORE}, SAMPLES_SETTINGS)
    project = chain.project
    project.add_settings(ORDER + '\nkernels.03_model = "second"')
    for number, sample in enumerate("abc"):
        rows = "".join(f"g{gene},{(gene * 7 + number) % 5}\n" for gene in range(6))
        (project / "data" / f"{sample}.csv").write_text(f"gene,count\n{rows}")
    python = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    install_kernel(folder, "second", python, WHICH="second")
    os.environ["JUPYTER_PATH"] = str(folder / "jupyter")
    (folder / "pauses").mkdir()
    yield chain
    del os.environ["JUPYTER_PATH"]


def test_a_chain_with_samples(samples):
    """After its kernel and then the run are killed, the chain resumes and keeps finished parts."""
    project = samples.project
    notebooks = project / "notebooks"
    assert project.steps() == [QC, MERGED, SCORED, MODEL, VIEW]
    assert check(project) == []
    for sample, victim, said in (
        ("b", "kernel", "1 part of it is saved, a; its loop did not end"),
        ("c", "run", "2 parts of it are saved, a, b; its loop did not end"),
    ):
        assert samples.killed(sample, victim) == []
        assert set(project.states().values()) == {"missing"}
        assert samples.state(f"{QC}/a").state == "current"
        assert samples.state(QC).notes == [said]
    done = project.command("run")
    assert steps_done(done) == [QC, MERGED, SCORED, MODEL, VIEW]
    assert "made 1 of 3 parts (c)" in (notebooks / "1_core" / "01_qc.ipynb").read_text()
    assert project.record(MODEL)["checkpoint"]["inputs"].keys() == {
        "config.yaml",
        f"results/{SCORED}",
    }
    graph = project.command("graph").stdout
    assert graph.split() == [
        QC,
        "└──",
        MERGED,
        "└──",
        SCORED,
        "└──",
        MODEL,
        "└──",
        VIEW,
        "also",
        "from",
        MERGED,
    ]
    # the inputs column lists the step, not its parts
    assert re.search(rf"\n{MERGED} +{QC} +current", project.command("status").stdout)

    current = dict.fromkeys(project.steps(), "current")
    assert project.states() == current
    loop, model = notebooks / "1_core" / "01_qc.ipynb", notebooks / "2_models" / "03_model.ipynb"
    listed, cell = '[\\"a\\", ', '`for part in parts("01_qc", SAMPLES):`'
    after_qc = dict.fromkeys(project.steps(), "stale")
    edited_qc = {**after_qc, QC: "edited"}
    after_score = {**current, SCORED: "edited", MODEL: "stale", VIEW: "stale"}
    after_model = {**current, MODEL: "edited", VIEW: "stale"}
    config, settings = project / "config.yaml", project / "pyproject.toml"
    raw, script = project / "data" / "b.csv", project / "scripts" / "score.py"
    all_current = ["current"] * 3
    for path, old, new, states, parts, reason in (
        (raw, "g0,1", "g0,9", after_qc, ["current", "stale", "current"], "data/b.csv changed"),
        (config, "2", "3", after_qc, ["stale"] * 3, "config.yaml changed"),
        (loop, "len(kept)", "len(table)", edited_qc, ["edited"] * 3, f"cell {cell} of notebooks/"),
        (loop, listed, f'{listed}\\"z\\", ', edited_qc, all_current, 'cell `SAMPLES = ["a", "z"'),
        (script, " - least", " + least", after_score, all_current, "scripts/score.py changed"),
        (model, ".mean()", ".max()", after_model, all_current, "cell `model = {"),
        (settings, '"second"', '"nowhere"', current, all_current, ""),
    ):
        with changed(path, old, new):
            assert project.states() == states, new
            assert [samples.state(f"{QC}/{name}").state for name in "abc"] == parts, new
            # every step that is not current names the root cause
            found = {tuple(why) for _, why in project.explained_states().values() if why}
            assert [why.startswith(reason) for (why,) in found] == [True] * bool(reason), found

    (project / "data" / "b.csv").write_text("gene,count\ng1,9\n")
    (project / "data" / "d.csv").write_text("gene,count\ng1,9\n")
    loop.write_text(loop.read_text().replace('\\"c\\"]', '\\"d\\"]'))
    assert steps_done(project.command("run")) == list(current)
    assert "made 2 of 3 parts (b, d)" in loop.read_text()
    assert project.command("rename", QC, "01_quality").returncode == 0
    assert set(project.states().values()) == {"current"}
    os.environ["CHECKPOINT_PROJECT"] = str(project)
    try:
        assert list(load("01_quality").parts) == ["a", "b", "d"]
        assert load(MODEL)["model"] == {
            "mean": load(SCORED)["scores"]["score"].mean(),
            "in": "second",
        }
    finally:
        del os.environ["CHECKPOINT_PROJECT"]


SCRAN = """\
counts <- read.csv("results/1_counts/counts.csv")
least <- as.integer(sub("min_count: ", "", readLines("config.yaml")))
out <- Sys.getenv("CHECKPOINT_OUTPUT")
write.csv(counts[counts$count >= least, ], file.path(out, "kept.csv"), row.names = FALSE)
saveRDS(counts, file.path(out, "counts.rds"))
cat("kept those of at least", least, "\\n")
"""
GENES = """\
tail -n +2 ../results/2_scran/kept.csv | cut -d, -f1 | tr -d '"' > "$CHECKPOINT_OUTPUT/genes.tsv"
echo done
"""
R_NOTEBOOKS = {
    "1_counts": (
        PYTHON,
        cells(
            HEAD,
            "import pandas as pd\ncounts = pd.DataFrame({'gene': list('abc'), 'count': [1, 2, 3]})",
            'save("1_counts", {"counts.csv": counts})',
        ),
    ),
    "2a_genes": (SHELL, cells(GENES, saves=False)),
    "3_report": (
        PYTHON,
        cells(
            f'{HEAD}\nscran, genes = load("2_scran"), load("2a_genes")',
            'print(scran["counts"].name, list(scran["kept"]["gene"]), len(genes["genes"]))',
            'save("3_report")',
        ),
    ),
}
R_SETTINGS = """
[tool.checkpoint.steps.2_scran]
run = "Rscript scripts/scran.R"
code = ["scripts/scran.R"]

[tool.checkpoint.kernels]
2a_genes = "shell"
"""


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_a_chain_with_r_and_a_kernel_of_another_language(tmp_path, monkeypatch):
    project = Chain(tmp_path, R_NOTEBOOKS, {"scran.R": SCRAN}, R_SETTINGS).project
    shell = [sys.executable, str(Path(__file__).with_name("shell_kernel.py"))]
    install_kernel(tmp_path, "shell", [*shell, "-f", "{connection_file}"], "bash")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.chdir(project)
    steps = ["1_counts", "2_scran", "2a_genes", "3_report"]
    assert project.steps() == steps
    assert check(project) == []
    done = project.command("run")
    assert steps_done(done) == steps
    current = dict.fromkeys(steps, "current")
    assert project.states() == current
    made = load("2_scran")
    assert list(made["kept"]["gene"]) == ["b", "c"]
    assert made["counts"].name == "counts.rds"  # a format that only R can read
    assert list(project.record("2_scran")["checkpoint"]["inputs"]) == [
        "results/1_counts",
        "config.yaml",
    ]
    assert (
        project / "results" / "2_scran" / "run.log"
    ).read_text() == "kept those of at least 2 \n"
    assert project.command("graph", "--mermaid").stdout.count("-->") == 4

    script, genes = project / "scripts" / "scran.R", project.notebook("2a_genes")
    config, settings = project / "config.yaml", project / "pyproject.toml"
    after = {**current, "2a_genes": "stale", "3_report": "stale"}
    edited, of_genes = {**after, "2_scran": "edited"}, {**current, "3_report": "stale"}
    for path, old, new, states, reason in (
        (script, ">= least", "> least", edited, "scripts/scran.R changed"),
        (config, "2", "3", {**after, "2_scran": "stale"}, "config.yaml changed"),
        (genes, "-f1", "-f2", {**of_genes, "2a_genes": "edited"}, "notebooks/2a_genes.ipynb"),
        (settings, 'scran.R"\n', 'scran.R --all"\n', edited, "[tool.checkpoint.steps.2_scran] of"),
    ):
        with changed(path, old, new):
            found = project.explained_states()
            assert {step: state for step, (state, _) in found.items()} == states, new
            for state, why in found.values():
                assert [one.startswith(reason) for one in why] == [True] * (state != "current")

    # R fails, then R is killed with the run: the previous results stay each time
    before = project.files("2_scran")
    script.write_text(SCRAN + 'stop("no convergence")\n')
    failed = project.command("run")
    assert (failed.returncode, "no convergence" in failed.stderr) == (2, True)
    left = project.files("2_scran")
    assert left.pop("failed.log").decode().endswith("Execution halted\n")
    assert left == before
    script.write_text(SCRAN + 'cat(Sys.getpid(), file = "../pid")\nSys.sleep(600)\n')
    run = project.start("run")
    while not (tmp_path / "pid").exists():
        assert run.poll() is None
        time.sleep(0.1)
    run.kill()
    run.wait()
    assert project.states() == {**after, "2_scran": "interrupted"}
    assert before.items() <= project.files("2_scran").items()
    script.write_text(SCRAN.replace(">= least", "> least"))
    done = project.command("run")
    left = int((tmp_path / "pid").read_text())
    assert f"2_scran: ended R (process {left}), which an earlier run left" in done.stdout
    assert not psutil.pid_exists(left)
    assert steps_done(done) == ["2_scran", "2a_genes", "3_report"]
    assert project.states() == current
    assert project.files("2_scran").keys() == before.keys()
    assert list(load("2_scran")["kept"]["gene"]) == ["c"]


R = {
    "kernelspec": {"name": "ir", "display_name": "R", "language": "R"},
    "language_info": {"name": "R"},
}
R_CELL = (
    'counts <- read.csv("../results/1_counts/counts.csv")\nout <- Sys.getenv("CHECKPOINT_OUTPUT")'
)
KEPT = 'write.csv(counts[counts$count >= 2, ], file.path(out, "kept.csv"), row.names = FALSE)'
# R flushes the rest of the file when it exits
OPEN = 'kept <- file(file.path(out, "kept.csv"), "w")\nwriteLines("gene,count\\nd,4", kept)'
COUNTS = """\
import os
from pathlib import Path

Path(os.environ["CHECKPOINT_OUTPUT"], "counts.csv").write_text("gene,count\\na,1\\nb,2\\nc,3\\n")
"""
COUNTS_SETTINGS = """
[tool.checkpoint.steps.1_counts]
run = "python scripts/counts.py"
code = ["scripts/counts.py"]
"""


def test_a_notebook_in_r(tmp_path, monkeypatch):
    """An R notebook keeps its last results through an error and kills, and can then run again."""
    if "ir" not in KernelSpecManager().find_kernel_specs():
        pytest.skip("IRkernel is not installed")
    notebooks = {"2_seurat": (R, cells(R_CELL, KEPT, saves=False))}
    project = Chain(tmp_path, notebooks, {"counts.py": COUNTS}, COUNTS_SETTINGS).project
    monkeypatch.chdir(project)
    notebook, pid = project.notebook("2_seurat"), tmp_path / "pid"
    assert check(project) == []
    assert steps_done(project.command("run")) == ["1_counts", "2_seurat"]
    assert list(load("2_seurat")["kept"]["gene"]) == ["b", "c"]
    assert list(project.record("2_seurat")["checkpoint"]["inputs"]) == ["results/1_counts"]
    current = {"1_counts": "current", "2_seurat": "current"}
    assert project.states() == current
    with changed(notebook, ">= 2", "> 2"):
        reasons = ["notebooks/2_seurat.ipynb changed"]
        assert project.state("2_seurat") == ("edited", reasons)
    with changed(project / "scripts" / "counts.py", "a,1", "a,2"):
        assert project.states() == {"1_counts": "edited", "2_seurat": "stale"}

    before = project.files("2_seurat")
    project.change_cell("2_seurat", f'{KEPT}\nstop("no convergence")', KEPT)
    done = project.command("run")
    assert done.returncode == 2
    assert "2_seurat.ipynb failed; executed copy: results/2_seurat/failed.ipynb" in done.stderr
    assert "Error in eval(expr, envir, enclos): no convergence" in done.stderr
    waits = f'{KEPT}\ncat(Sys.getpid(), file = "../../pid")\nSys.sleep(600)'
    project.change_cell("2_seurat", waits, KEPT)
    for victim, state in (("kernel", "edited"), ("run", "interrupted")):
        pid.unlink(missing_ok=True)
        run = project.start("run", stderr=subprocess.PIPE)
        while not pid.exists() or not pid.read_text():
            assert run.poll() is None
            time.sleep(0.1)
        os.kill(int(pid.read_text()) if victim == "kernel" else run.pid, signal.SIGKILL)
        assert run.wait(30) == (2 if victim == "kernel" else -signal.SIGKILL)
        if victim == "kernel":  # otherwise R still runs and holds the pipe open
            assert "2_seurat.ipynb: the kernel died" in run.stderr.read()
        assert project.states() == {**current, "2_seurat": state}
        left = project.files("2_seurat")
        assert "failed.ipynb" in left
        assert before.items() <= left.items()

    # an R kernel does not notice that its run has died
    project.change_cell("2_seurat", OPEN, KEPT)
    done = project.command("run")
    assert f"2_seurat: ended R (process {pid.read_text()}), which an earlier" in done.stdout
    assert not psutil.pid_exists(int(pid.read_text()))
    assert steps_done(done) == ["2_seurat"]
    assert project.states() == current
    assert project.files("2_seurat").keys() == before.keys()
    assert load("2_seurat")["kept"].to_dict("list") == {"gene": ["d"], "count": [4]}
