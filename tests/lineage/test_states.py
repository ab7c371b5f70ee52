"""States of steps: what changed since their results were made."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from msgspec import structs
from project_under_test import ONE, THREE, TWO, ProjectUnderTest

from checkpoint import data_file, load, save
from checkpoint.lineage.accept import accept
from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project
from checkpoint.storage import session
from checkpoint.storage.checkpoint import Checkpoint
from checkpoint.storage.hashes import code_hash
from checkpoint.storage.json_record import to_json
from checkpoint.storage.schema import InputEntry


def states(project):
    return project.explained_states()


def all_are(project, state):
    return states(project) == dict.fromkeys((ONE, TWO, THREE), (state, []))


@pytest.fixture
def chain(project):
    """Return a project whose three steps are current, the first made from a raw file."""
    (project / "data" / "raw.txt").write_text("raw")
    project.make()
    assert all_are(project, "current")
    return project


def test_missing(project):
    assert all_are(project, "missing")


def test_a_changed_raw_file_is_the_reason_all_the_way_down(chain):
    (chain / "data" / "raw.txt").write_text("other")
    assert states(chain) == dict.fromkeys((ONE, TWO, THREE), ("stale", ["data/raw.txt changed"]))
    (chain / "data" / "raw.txt").unlink()
    assert states(chain)[ONE] == ("unverifiable", ["data/raw.txt is missing"])
    assert states(chain)[THREE] == ("current", [])


def test_a_raw_file_that_was_only_touched_is_the_same(chain):
    (chain / "data" / "raw.txt").write_text("raw")
    assert states(chain)[ONE] == ("current", [])


def test_a_copy_of_the_project_is_current(chain, tmp_path):
    copy = ProjectUnderTest(tmp_path / "copy")
    shutil.copytree(chain, copy, copy_function=shutil.copyfile)
    assert all_are(copy, "current")


def test_made_again_with_another_result(chain):
    chain.make(value=2, steps=[ONE])
    reason = "results/1_preprocessing was regenerated with different content"
    assert states(chain) == {
        ONE: ("current", []),
        TWO: ("stale", [reason]),
        THREE: ("stale", [reason]),
    }


def test_made_again_to_the_same(chain):
    chain.make(steps=[ONE])
    assert all_are(chain, "current")


def test_an_upstream_that_is_gone(chain):
    shutil.rmtree(chain / "results" / ONE)
    assert states(chain)[ONE] == ("missing", [])
    assert states(chain)[THREE] == ("stale", ["results/1_preprocessing is missing"])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(b"x"), "is not what was saved"),
        (lambda path: path.write_bytes(path.read_bytes()[::-1]), "is not what was saved"),
    ],
)
def test_damaged(chain, damage, reason):
    damage(chain / "results" / ONE / "value.pkl")
    said = f"results/1_preprocessing/value.pkl {reason}"
    assert states(chain)[ONE] == ("damaged", [said])
    assert states(chain)[TWO] == ("stale", [said])


def test_parameters_edited_by_hand(chain):
    chain.edit_record(ONE, lambda record: record["group"].update(value=9))
    said = "'group' in results/1_preprocessing/params.json was edited by hand"
    assert states(chain)[ONE] == ("damaged", [said])


def test_a_notebook_that_cannot_be_read(chain):
    """A merge conflict must not stop the listing of states."""
    path = chain / "notebooks" / f"{TWO}.ipynb"
    path.write_text("<<<<<<< HEAD\n" + path.read_text())
    state, (reason,) = states(chain)[TWO]
    assert state == "edited"
    assert reason.startswith("notebooks/2_integration.ipynb is not valid JSON")
    shutil.rmtree(chain / "results" / TWO)
    assert states(chain)[TWO] == ("missing", [reason])


def test_a_folder_with_files_that_are_no_results(chain, capsys):
    folder = chain / "results" / ONE
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    assert states(chain)[ONE] == ("missing", [])
    assert states(chain)[TWO] == ("stale", ["results/1_preprocessing is missing"])
    load(TWO)
    assert "is missing" in capsys.readouterr().out


def test_broken_json(chain):
    (chain / "results" / ONE / "params.json").write_text('{"a": }')
    state, reasons = states(chain)[ONE]
    assert state == "damaged"
    assert "line 1, column 7" in reasons[0]


def test_interrupted(chain):
    staging = chain / "results" / ONE / ".staging-dead"
    staging.mkdir()
    assert states(chain)[ONE] == ("interrupted", ["a save was interrupted"])
    assert states(chain)[TWO] == ("current", [])  # its inputs are still there
    chain.make(steps=[ONE])
    assert states(chain)[ONE] == ("current", [])


def test_filled_by_hand(project):
    (project / "results" / ONE / "notes.json").write_text("{}")
    load(ONE)
    save(TWO, {})
    assert states(project)[ONE] == ("unrecorded", ["not written by save"])
    assert states(project)[TWO] == ("current", [])
    (project / "results" / ONE / "notes.json").write_text("[]")
    assert states(project)[TWO][0] == "stale"


def test_a_session_without_its_record_is_no_result(project):
    (project / "results" / ONE / "session.json").write_text("[]")
    assert states(project)[ONE][0] == "missing"


def test_a_step_without_a_notebook_is_listed(chain):
    save("scripted", {"a": 1})
    assert states(chain)["scripted"] == ("current", [])


def test_a_notebook_that_is_gone(ran):
    """Nothing makes its results now, unless a script does, or they can be fetched."""
    notebook_of(ran, ONE).unlink()
    gone = "notebooks/1_preprocessing.ipynb does not exist"
    assert states(ran)[ONE] == ("edited", [gone])
    assert states(ran)[THREE] == ("stale", [gone])
    script = ran / "src" / "my_project" / "first.py"
    script.write_text('from my_project.checkpoint import save\n\nsave("1_preprocessing", {})\n')
    assert all_are(ran, "current")
    script.unlink()
    assert states(ran)[ONE] == ("edited", [gone])
    assert accept(Project(ran), ONE, "as published") == [gone]
    assert all_are(ran, "current")


def test_a_notebook_that_is_gone_and_whose_results_can_be_fetched(ran):
    notebook_of(ran, ONE).unlink()
    source = f'{{ urls = ["https://example.org/x.zip"], hash = "blake3:{"0" * 64}" }}'
    settings = ran / "pyproject.toml"
    settings.write_text(f"{settings.read_text()}\n[tool.checkpoint.sources]\n{ONE} = {source}\n")
    assert all_are(ran, "current")


def notebook_of(project, step):
    return project / "notebooks" / f"{step}.ipynb"


@pytest.fixture
def ran(chain):
    """Return the project with a record as if the first notebook's cells had run in a kernel."""
    cells = nbformat.read(notebook_of(chain, ONE), as_version=4).cells
    hashes = [code_hash(cell.source) for cell in cells if cell.cell_type == "code"]
    record_run(chain, [code for code in hashes if code])
    return chain


def record_run(project, hashes):
    project.edit_record(ONE, lambda record: record["checkpoint"].update(run={"cells": hashes}))


def rewrite(project, change):
    notebook = nbformat.read(notebook_of(project, ONE), as_version=4)
    change(notebook)
    nbformat.write(notebook, notebook_of(project, ONE))


def set_source(index, source):
    return lambda notebook: notebook.cells[index].update(source=source)


@pytest.mark.parametrize(
    "change",
    [
        set_source(0, "# Another title"),
        set_source(
            1, "from my_project.checkpoint import (\n    data_file,\n    save,\n)  # a comment"
        ),
        set_source(3, "\n\n# another comment\n"),
        lambda notebook: notebook.cells[1].update(execution_count=7),
        lambda notebook: notebook.cells[1].update(
            outputs=[nbformat.v4.new_output("stream", text="x")]
        ),
        lambda notebook: notebook.cells.append(nbformat.v4.new_code_cell("after_the_save = 1")),
    ],
)
def test_what_does_not_count_as_an_edit(ran, change):
    assert states(ran)[ONE] == ("current", [])
    rewrite(ran, change)
    assert states(ran)[ONE] == ("current", [])


@pytest.mark.parametrize("source", ["x = 2", "%timeit x", "broken ("])
def test_edited(ran, source):
    rewrite(ran, set_source(3, source))
    said = f"cell `{source}` of notebooks/1_preprocessing.ipynb changed"
    assert states(ran)[ONE] == ("edited", [said])
    assert states(ran)[THREE] == ("stale", [said])


def test_a_clean_run_and_others(ran):
    hashes = json.loads((ran / "results" / ONE / "params.json").read_text())["checkpoint"]["run"][
        "cells"
    ]

    def clean():
        return Lineage(Project(ran)).state(ONE).clean

    assert clean() is True
    for cells in (hashes[::-1], [hashes[0], *hashes], [code_hash("gone = 1"), *hashes]):
        record_run(ran, cells)
        assert states(ran)[ONE] == ("unclean", ["other cells ran, or in another order"])
        assert states(ran)[TWO] == ("current", [])
        assert clean() is False
    record_run(ran, hashes)
    rewrite(ran, lambda notebook: notebook.cells.__delitem__(slice(1, None)))
    assert clean() is False
    ran.edit_record(ONE, lambda record: record["checkpoint"].pop("run"))
    assert clean() is None


def test_a_chain_longer_than_the_stack(project):
    for path in (project / "notebooks").glob("*"):
        path.unlink()
    (project / "data" / "raw.txt").write_text("raw")
    data_file("raw.txt")
    save("step0", {})
    made = Checkpoint(Project(project), "step0").record
    for i in range(1, 400):
        inputs = {f"results/step{i - 1}": InputEntry(made.content_hash)}
        made = structs.replace(made, step=f"step{i}", inputs=inputs)
        folder = project / "results" / made.step
        folder.mkdir()
        (folder / "params.json").write_text(json.dumps(to_json(made)))
    (project / "data" / "raw.txt").write_text("other")
    assert Lineage(Project(project)).state("step399")[1:3] == ("stale", ["data/raw.txt changed"])


def test_steps_that_load_each_other(chain):
    session.forget()
    load(THREE)
    data_file("raw.txt")
    save(ONE, {"value": (ONE, 1)}, params={"group": {"value": 1}})
    assert states(chain)[ONE] == ("current", [])


def test_the_size_includes_sub_checkpoints(chain):
    whole = Lineage(Project(chain)).state(TWO).bytes
    save(f"{TWO}/a", {"x": b"0" * 1000})
    save(f"{TWO}/a/b", {"x": b"0" * 1000})
    lineage = Lineage(Project(chain))
    parts = lineage.state(f"{TWO}/a").bytes
    assert parts > 2000
    assert lineage.state(TWO).bytes == whole + parts


def test_load_notes_what_is_stale(chain, capsys):
    (chain / "data" / "raw.txt").write_text("other")
    load(TWO)
    assert (
        "Note: results/2_integration is stale: data/raw.txt changed. "
        "Open and run 1_preprocessing.ipynb, then 2_integration.ipynb.\n"
    ) in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal of POSIX")
@pytest.mark.parametrize("columns", [80, 200])
def test_reasons_stand_below_the_table_in_a_narrow_terminal(project, columns):
    raw = project / "data" / "counts.csv"
    raw.write_text("1")
    data_file("counts.csv")
    save(ONE, {})
    raw.write_text("2")
    terminal, inner = os.openpty()
    subprocess.run(
        [sys.executable, "-m", "my_project.checkpoint", "status"],
        env={**project.environment(), "COLUMNS": str(columns)},
        stdout=inner,
    )
    said = os.read(terminal, 10_000).decode()
    os.close(terminal)
    os.close(inner)
    assert ("\n1_preprocessing: data/counts.csv changed" in said) == (columns == 80)
    row = next(line for line in said.splitlines() if line.startswith("1_preprocessing "))
    assert ("data/counts.csv changed" in row) == (columns == 200)


@pytest.mark.slow
def test_status_and_its_exit_status(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    done = baked.command("status")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Next: checkpoint run"
    script = (
        "from my_project.checkpoint import load, save;"
        "save('1_one', {'a': 1}); load('1_one'); save('2_two', {})"
    )
    assert baked.python("-c", script).returncode == 0
    done = baked.command("status", "--json")
    assert done.returncode == 0
    steps = json.loads(done.stdout)["steps"]
    assert [step["step"] for step in steps] == ["1_one", "2_two"]
    names = ("step", "state", "reasons", "clean", "timestamp", "bytes", "notes", "loads", "origin")
    assert list(steps[0]) == list(names)
    assert baked.command("run").stdout == "Nothing to run: everything is current.\n"
    (baked / "pyproject.toml").unlink()
    done = baked.python("-m", "my_project.checkpoint", "status", cwd=baked)
    assert done.returncode == 2
    assert done.stderr.startswith("No project found")


def test_a_part_that_another_step_was_made_from(project):
    """The step that saves the part is damaged; to run the step that loads it would not help."""
    save(ONE, {"a": 1})
    save(f"{ONE}/part", {"b": 1})
    session.forget()
    load(f"{ONE}/part")
    save(TWO, {})
    assert states(project)[ONE] == ("current", [])
    (project / "results" / ONE / "part" / "b.pkl").write_bytes(b"cut")
    said = "results/1_preprocessing/part/b.pkl is not what was saved"
    assert states(project)[ONE] == ("damaged", [said])
    shutil.rmtree(project / "results" / ONE / "part")
    assert states(project)[ONE] == ("damaged", ["results/1_preprocessing/part is missing"])


def test_folders_in_results_that_are_no_steps(project):
    save(ONE, {})
    shutil.copytree(project / "results" / ONE, project / "results" / ".old")
    assert ".old" not in states(project)


def test_a_step_without_objects(project):
    (project / "data" / "raw.txt").write_text("1")
    data_file("raw.txt")
    save(ONE)
    assert project.state(ONE) == ("current", [])
    assert dict(load(ONE)) == {}
    (project / "data" / "raw.txt").write_text("2")
    assert project.state(ONE) == ("stale", ["data/raw.txt changed"])
