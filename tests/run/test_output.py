"""Output folders of commands and of notebooks in other languages."""

import os
import re

import pytest

from checkpoint import CheckpointError, CheckpointValueError, load, save
from checkpoint.check.check import check
from checkpoint.lineage.outdated import outdated
from checkpoint.notebooks.recipe import recipe_of
from checkpoint.project.project import Project
from checkpoint.run.command import output

SETTINGS = """
[tool.checkpoint.steps.2_scran]
run = "Rscript R/scran.R"
loads = ["1_one"]
code = ["R"]
"""


@pytest.fixture
def write(bake, monkeypatch, capsys):
    """Return a function that saves results as the command of step 2_scran would."""
    project = bake(pipeline="blank", notebooks="one")
    with (project / "pyproject.toml").open("a") as file:
        file.write(SETTINGS)
    (project / "R" / "__pycache__").mkdir(parents=True)
    (project / "R" / "scran.R").write_text("1")
    monkeypatch.chdir(project)
    save("1_one", {"x": 1})
    assert capsys.readouterr().out.endswith("\nRun `checkpoint run 2_scran` next.\n")

    def write(do):
        found = Project(project)
        (step,) = found.select(["2_scran"])
        with output(found, step, recipe_of(found, step), print) as folder:
            (folder / "made.csv").write_text("a\n1\n")
            do(folder)

    write.project = project
    return write


UNFIT = {
    "a.csv": (lambda f: (f / "a.csv").symlink_to("made.csv"), "is a link"),
    "a.zarr/b": (
        lambda f: ((f / "a.zarr").mkdir(), (f / "a.zarr" / "b").symlink_to("/")),
        "is a link",
    ),
    "pipe": (lambda f: os.mkfifo(f / "pipe"), "is neither a file nor a folder"),
    "run.log": (lambda f: (f / "run.log").touch(), "is the name of a file that `checkpoint run`"),
    "Failed.log": (lambda f: (f / "Failed.log").touch(), "is the name of a file that"),
    "failed.ipynb": (lambda f: (f / "failed.ipynb").touch(), "is the name of a file that"),
    "made.csv": (lambda f: (f / "made.CSV").touch(), "is the same file as 'made.CSV' on Windows"),
    "é": (lambda f: [(f / name).touch() for name in ("é", "e\u0301")], "is the same file as"),
}


@pytest.mark.skipif(os.name == "nt", reason="makes what Windows cannot")
def test_what_cannot_be_committed_leaves_what_was_there(write):
    write(lambda folder: None)
    before = write.project.files("2_scran")
    for file, (do, reason) in UNFIT.items():
        with pytest.raises(CheckpointValueError, match=re.escape(reason)) as raised:
            write(do)
        assert (raised.value.step, raised.value.file) == ("2_scran", file)
        assert write.project.files("2_scran") == before


def test_a_folder_as_code(write):
    """Every file in a code folder counts as code, except Python's caches."""
    write(lambda folder: None)
    code = write.project / "R"
    (code / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert list(write.project.record("2_scran")["checkpoint"]["modules"]) == [
        "R/scran.R",
        "pyproject.toml",
    ]
    assert write.project.state("2_scran") == ("current", [])
    (code / "helper.R").write_text("2")
    assert write.project.state("2_scran") == ("edited", ["R/helper.R changed"])
    write(lambda folder: None)
    (code / "helper.R").unlink()
    assert write.project.state("2_scran") == ("edited", ["R/helper.R is missing"])
    # the note on loading names the command, since no notebook makes this step
    note = "results/2_scran is edited: R/helper.R is missing. Run `checkpoint run 2_scran`."
    assert outdated(Project(write.project), "2_scran")[1] == note
    assert list(load("2_scran")) == ["made"]


def test_a_step_that_runs_later_cannot_come_first(write):
    settings = write.project / "pyproject.toml"
    text = settings.read_text().replace('["1_one"]', '["3_later"]')
    settings.write_text(f'{text}\n[tool.checkpoint.steps.3_later]\nrun = "Rscript x.R"\n')
    with pytest.raises(CheckpointError, match="2_scran loads 3_later, which runs after it"):
        write(lambda folder: None)
    # for a Python notebook, the session recording knows what it reads
    settings.write_text(f'{text}\n[tool.checkpoint.steps.1_one]\nreads = ["config.yaml"]\n')
    problems = [str(problem) for problem in check(write.project)]
    assert any("steps.1_one] has no effect: the notebook itself tells" in one for one in problems)
