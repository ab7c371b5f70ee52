"""The exact text of messages is in one file, `messages.txt`; other tests compare an error's data.

After changing a message, update the file: `python -m pytest tests/test_messages.py` fails and
writes the new text to `messages.new.txt`; review the difference, then replace `messages.txt`.
"""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from project_under_test import ONE, TWO

from checkpoint import CheckpointError, data_file, load, save
from checkpoint.check.check import check
from checkpoint.edit.chain import new, rename
from checkpoint.lineage.accept import accept
from checkpoint.lineage.states import Lineage
from checkpoint.notebooks.parameters import parse_settings
from checkpoint.project.project import Project
from checkpoint.report.pictures import budget_of
from checkpoint.report.write import write
from checkpoint.share.unpack import unpack
from checkpoint.storage import clean, session

TABLE = pd.DataFrame({"a": [1]})
GOLDEN = Path(__file__).with_name("messages.txt")


def truncate(project):
    (project / "results" / ONE / "a.npy").write_bytes(b"x")


def swap(project):
    path = project / "results" / ONE / "a.npy"
    path.write_bytes(path.read_bytes()[::-1])


def save_handle():
    with h5py.File.in_memory() as file:
        save(ONE, {"a": {"counts": file.create_dataset("x", data=[1])}})


def two_figures():
    return [Figure().subplots(), Figure().subplots()]


def add_source(project):
    source = '{ urls = ["lesson.zip"], bytes = 48_000_000 }'
    project.add_settings(f"sources.{TWO} = {source}")


# title: what a user does in a project with one checkpoint, which raises an error
ERRORS = {
    "load what nobody saved": lambda project: load(TWO),
    "load what no notebook makes": lambda project: load("9_report"),
    "load a step that is not a text": lambda project: load(3),
    "save under a file name": lambda project: save(f"{ONE}.ipynb", {}),
    "ask for another key": lambda project: load(ONE)["b"],
    "load a truncated file": lambda project: (truncate(project), load(ONE)),
    "load a file with other content": lambda project: (swap(project), load(ONE)["a"]),
    "load a broken record": lambda project: (
        (project / "results" / ONE / "params.json").write_text("{"),
        load(ONE),
    ),
    "load a record of another type": lambda project: (
        project.edit_record(ONE, lambda c: c["checkpoint"].update(files=[])),
        load(ONE),
    ),
    "load a record that leads elsewhere": lambda project: (
        project.edit_record(ONE, lambda c: c["checkpoint"]["inputs"].update({"../x": None})),
        load(ONE),
    ),
    "load a newer record": lambda project: (
        project.edit_record(ONE, lambda c: c["checkpoint"].update(format=99)),
        load(ONE),
    ),
    "save something else than a dict": lambda project: save(ONE, [1]),
    "save under a name that is not a text": lambda project: save(ONE, {1: 1}),
    "save under a name that Windows refuses": lambda project: save(ONE, {"a:b": 1}),
    "save two objects in one file": lambda project: save(ONE, {"a": 1, "a.pkl": 2}),
    "save with a mistyped suffix": lambda project: save(
        ONE, {"a.parket": pd.DataFrame({"a": [1]})}
    ),
    "save in a format for other types": lambda project: save(ONE, {"a.h5ad": np.arange(3)}),
    "save a Path that leads nowhere": lambda project: save(ONE, {"a": Path("gone")}),
    "save a list in a format for arrays": lambda project: save(ONE, {"a.npy": [1]}),
    "save a dict of other things as sheets": lambda project: save(ONE, {"a.xlsx": {"b": 1}}),
    "save a handle of a file": lambda project: save_handle(),
    "save parts of two figures": lambda project: save(ONE, {"a.png": two_figures()}),
    "ask for a key of two files": lambda project: (
        save(ONE, {"a.csv": TABLE, "a.parquet": TABLE}),
        load(ONE)["a"],
    ),
    "open a table lazily": lambda project: (save(ONE, {"a": TABLE}), load(ONE).lazy("a")),
    "ask for a part of a table": lambda project: (
        save(ONE, {"a": TABLE}),
        load(ONE).part("a", "b"),
    ),
    "save NaN as a parameter": lambda project: save(ONE, {}, params={"a": {"b": float("nan")}}),
    "save a list of parameters": lambda project: save(ONE, {}, params=[1]),
    "save a reserved parameter": lambda project: save(ONE, {}, params={"timestamp": 1}),
    "read a raw file that is not there": lambda project: data_file("counts.csv"),
    "read a raw file elsewhere": lambda project: data_file("../counts.csv"),
    "accept what is current": lambda project: accept(Project(project), ONE, "x"),
    "accept without a reason": lambda project: accept(Project(project), ONE, " "),
    "accept what is missing": lambda project: accept(Project(project), TWO, "x"),
    "clean what is not there": lambda project: clean.find(Project(project), ["9_x"]),
    "rename to a taken name": lambda project: rename(Project(project), ONE, "integration"),
    "rename to a numbered name": lambda project: rename(Project(project), ONE, "2_x"),
    "add after a step that is not there": lambda project: new(Project(project), "x", "9_x"),
    "load what can be fetched": lambda project: (add_source(project), load(TWO)),
    "fetch from where nothing is": lambda project: (add_source(project), load(TWO, fetch=True)),
    "unpack what is not there": lambda project: unpack(Project(project), "x.zip", project),
    "set no value": lambda project: parse_settings(["SIZE"]),
    "give a page no size": lambda project: budget_of("ten"),
    "write a page that is not HTML": lambda project: write(Project(project), Path("page.pdf"), 1),
    "write a page over another file": lambda project: (
        (project / "mine.html").write_text("<p>"),
        write(Project(project), project / "mine.html", 1),
    ),
}
CHANGES = {
    "a raw file changed": lambda project: (project / "data" / "raw.txt").write_text("other"),
    "a raw file is gone": lambda project: (project / "data" / "raw.txt").unlink(),
    "a saved file was truncated": truncate,
    "a parameter was edited": lambda project: project.edit_record(ONE, lambda c: c.update(group=2)),
    "a save was interrupted": lambda project: (project / "results" / ONE / ".staging-1").mkdir(),
    "a module is gone": lambda project: project.edit_record(
        ONE, lambda c: c["checkpoint"]["modules"].update({"src/my_project/x.py": "0" * 16})
    ),
    "the upstream step was regenerated": lambda project: (
        session.forget(),
        save(ONE, {"a": np.arange(4)}),
    ),
}


def test_messages_are_those_of_the_file(project, tmp_path):
    lines = [*errors(project, tmp_path), "", *reasons(project, tmp_path), "", *problems(project)]
    text = "\n".join(lines).replace(str(project), "<project>").replace(str(tmp_path), "<tmp>")
    fresh = GOLDEN.with_name("messages.new.txt")
    if text + "\n" != GOLDEN.read_text(encoding="utf-8"):
        fresh.write_text(text + "\n", encoding="utf-8", newline="\n")
    assert (text + "\n").splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()
    fresh.unlink(missing_ok=True)


def errors(project, tmp_path):
    before = prepared(project, tmp_path / "errors")
    for title, do in ERRORS.items():
        restore(project, before)
        try:
            do(project)
        except CheckpointError as error:
            yield f"{title}\n    {type(error).__name__}: {error}"
        else:
            raise AssertionError(f"{title}: nothing was raised")


def reasons(project, tmp_path):
    before = prepared(project, tmp_path / "reasons", both=True)
    for title, do in CHANGES.items():
        restore(project, before)
        do(project)
        lineage = Lineage(Project(project))
        for step in (ONE, TWO):
            state = lineage.state(step)
            yield f"{title}\n    {step}: {state.state}: {'; '.join(state.reasons)}"


def problems(project):
    (project / "notebooks" / f"{TWO}.ipynb").write_text("{}", encoding="utf-8")
    (project / ".gitignore").unlink()
    return ["what check finds", *(f"    {problem}" for problem in check(project))]


def prepared(project, place, both=False):
    """Save one or both checkpoints, and return the path of a copy of the project."""
    (project / "data" / "raw.txt").write_text("raw")
    session.forget()
    data_file("raw.txt")
    save(ONE, {"a": np.arange(3)}, params={"group": 1})
    if both:
        session.forget()
        load(ONE)
        save(TWO, {"b": 1})
    session.forget()
    shutil.copytree(project, place)
    return place


def restore(project, before):
    shutil.copy(before / "pyproject.toml", project)
    for folder in ("results", "data"):
        shutil.rmtree(project / folder)
        shutil.copytree(before / folder, project / folder)
