"""Results that their owner accepts as they are, until the next change."""

import json
import shutil
import threading
import time

import numpy as np
import pandas as pd
import pytest
from project_under_test import ONE, THREE, TWO

from checkpoint import CheckpointError, data_file, load, save
from checkpoint.edit.chain import move, rename
from checkpoint.lineage.accept import accept
from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project
from checkpoint.storage import session, store


@pytest.fixture
def chain(project):
    (project / "data" / "raw.txt").write_text("raw")
    loads = {ONE: lambda: data_file("raw.txt"), TWO: lambda: load(ONE), THREE: lambda: load(TWO)}
    for step, read in loads.items():
        session.forget()
        read()
        save(step, {"value": step}, params={"group": {"size": 1}})
    return project


def state(project, step):
    return Lineage(Project(project)).state(step)


def test_a_raw_file_that_changed(chain):
    raw = chain / "data" / "raw.txt"
    raw.write_text("a comment was added")
    assert set(chain.states().values()) == {"stale"}
    assert accept(Project(chain), ONE, " only a comment ") == ["data/raw.txt changed"]
    assert chain.states() == dict.fromkeys((ONE, TWO, THREE), "current")
    (entry,) = chain.record(ONE)["checkpoint"]["accepted"]
    assert entry["why"] == "only a comment"
    assert entry["reasons"] == ["data/raw.txt changed"]
    (note,) = state(chain, ONE).notes
    assert note == f"accepted on {entry['date'][:10]}: only a comment (data/raw.txt changed)"
    # the record still contains the inputs that the results were made from
    assert chain.record(ONE)["checkpoint"]["inputs"]["data/raw.txt"]["bytes"] == 3
    raw.write_text("the data changed")
    assert state(chain, ONE).state == "stale"
    accept(Project(chain), ONE, "again")
    assert len(state(chain, ONE).notes) == 2
    data_file("raw.txt")
    save(ONE, {"value": ONE})
    assert state(chain, ONE).notes == []


def test_a_raw_file_that_is_gone_and_comes_back(chain):
    raw = chain / "data" / "raw.txt"
    raw.unlink()
    accept(Project(chain), ONE, "it was too large to keep")
    assert chain.states()[TWO] == "current"
    raw.write_text("other")
    assert state(chain, ONE).reasons == ["data/raw.txt was missing and is there now"]


def test_only_the_step_that_was_accepted(chain):
    """Upstream steps stay stale, and another change there makes the accepted step stale again."""
    raw = chain / "data" / "raw.txt"
    raw.write_text("other")
    accept(Project(chain), TWO, "the file's last line is not used here")
    assert chain.states() == {ONE: "stale", TWO: "current", THREE: "current"}
    raw.touch()
    assert chain.states()[TWO] == "current"
    raw.write_text("another")
    assert chain.states() == {ONE: "stale", TWO: "stale", THREE: "stale"}


def test_what_was_accepted_stays_so_when_steps_are_renamed(chain):
    (chain / "data" / "raw.txt").write_text("other")
    accept(Project(chain), TWO, "not used here")
    before = list(chain.states().values())
    rename(Project(chain), ONE, "qc")
    move(Project(chain), "1_qc", 3)
    assert sorted(chain.states().values()) == sorted(before)
    assert state(chain, "1_integration").state == "current"
    (chain / "data" / "raw.txt").write_text("another")
    assert state(chain, "1_integration").state == "stale"


def test_damage_upstream_is_told_whatever_was_accepted(chain):
    (chain / "data" / "raw.txt").write_text("other")
    accept(Project(chain), TWO, "not used here")
    with (chain / "results" / ONE / "value.pkl").open("ab") as file:
        file.write(b"x")
    assert chain.states()[TWO] == "stale"


def test_a_step_is_named_as_its_file_too(chain):
    (chain / "data" / "raw.txt").write_text("other")
    accept(Project(chain), f"notebooks/{ONE}.ipynb", "x")
    assert chain.states()[ONE] == "current"


def test_an_upstream_that_is_removed_and_made_again(chain):
    shutil.rmtree(chain / "results" / ONE)
    accept(Project(chain), TWO, "its results are archived")
    assert chain.states() == {ONE: "missing", TWO: "current", THREE: "current"}
    save(ONE, {"value": "other"})
    assert state(chain, TWO).reasons == ["results/1_preprocessing was regenerated"]


def test_a_module_of_the_project(chain):
    helper = chain / "src" / "my_project" / "helper.py"
    path = chain / "results" / ONE / "params.json"
    made = json.loads(path.read_text())
    made["checkpoint"]["modules"] = {"src/my_project/helper.py": "0" * 16}
    path.write_text(json.dumps(made))
    helper.write_text("x = 1")
    assert state(chain, ONE).state == "edited"
    accept(Project(chain), ONE, "renamed a variable")
    assert state(chain, ONE).state == "current"
    helper.write_text("x = 2")
    assert state(chain, ONE).state == "edited"


def test_parameters_that_were_mended_by_hand(chain):
    path = chain / "results" / ONE / "params.json"
    path.write_text(path.read_text().replace('"size": 1', '"size": 2'))
    assert state(chain, ONE).state == "damaged"
    accept(Project(chain), ONE, "a typing error")
    assert state(chain, ONE).state == "current"


def test_a_folder_that_was_filled_by_hand(chain):
    folder = chain / "results" / TWO
    shutil.rmtree(folder)
    folder.mkdir()
    pd.DataFrame({"a": [1, 2]}).to_csv(folder / "table.csv", index=False)
    np.save(folder / "counts.npy", np.arange(3))
    (folder / "2_integration_params.json").write_text('{"seed": 7, "data_shapes": {"counts": [3]}}')
    assert state(chain, TWO).state == "unrecorded"
    accept(Project(chain), TWO, "made before this project had checkpoints")
    found = state(chain, TWO)
    assert (found.state, found.reasons) == ("current", [])
    assert found.timestamp and found.bytes == sum(
        (folder / name).stat().st_size for name in ("table.csv", "counts.npy")
    )
    loaded = load(TWO)
    assert loaded.record and loaded.params["seed"] == 7
    assert loaded.rows() and loaded._repr_html_()
    np.testing.assert_array_equal(loaded["counts"], np.arange(3))
    # its load cell loads 1, so that is its input
    session.forget()
    save(ONE, {"value": "other"})
    assert state(chain, TWO).reasons == [
        "results/1_preprocessing was regenerated with different content"
    ]
    (folder / "counts.npy").write_bytes(b"x")
    assert state(chain, TWO).state == "damaged"


@pytest.mark.parametrize(
    ("change", "why", "said"),
    [
        (lambda p: None, "x", "1_preprocessing is current; there is nothing to accept."),
        (lambda p: (p / "data" / "raw.txt").write_text("y"), " ", "--why is empty"),
        (lambda p: shutil.rmtree(p / "results" / ONE), "x", "Run 1_preprocessing.ipynb first."),
        (
            lambda p: (p / "results" / ONE / "value.pkl").write_bytes(b"x"),
            "x",
            "results/1_preprocessing/value.pkl is 1 byte; expected",
        ),
        (
            lambda p: (p / "notebooks" / f"{ONE}.ipynb").write_text("<<<<<<< HEAD"),
            "x",
            "1_preprocessing.ipynb is not valid JSON",
        ),
        (
            lambda p: (p / "results" / ONE / ".staging-1").mkdir(),
            "x",
            "a save was interrupted. Save again, then accept.",
        ),
    ],
)
def test_what_cannot_be_accepted(chain, change, why, said):
    change(chain)
    before = (chain / "results").rglob("params.json")
    texts = {path: path.read_text() for path in before}
    with pytest.raises(CheckpointError) as raised:
        accept(Project(chain), ONE, why)
    assert said in str(raised.value)
    assert all(path.read_text() == text for path, text in texts.items())


def test_a_file_of_the_same_size_that_was_swapped(chain):
    file = chain / "results" / ONE / "value.pkl"
    file.write_bytes(file.read_bytes()[::-1])
    with pytest.raises(CheckpointError, match="is not what was saved, which cannot be accepted"):
        accept(Project(chain), ONE, "x")


@pytest.mark.slow
def test_the_command_and_a_cell_that_was_edited(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    assert baked.command("run").returncode == 0
    baked.change_cell("1_one", 'label = str("cells")')
    assert baked.command("status").returncode == 1
    assert baked.command("accept", "1_one").returncode == 2
    done = baked.command("accept", "1_one", "--why", "a label")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "1_one is current: accepted that "
        'cell `label = str("cells")` of notebooks/1_one.ipynb changed.\n'
    )
    status = baked.command("status", "--json")
    assert status.returncode == 0
    one, two = json.loads(status.stdout)["steps"]
    assert (one["state"], two["state"]) == ("current", "current")
    assert "a label" in one["notes"][0] and two["notes"] == []
    assert baked.command("run").stdout == "Nothing to run: everything is current.\n"
    baked.change_cell("1_one", 'label = str("genes")')
    assert baked.command("status").returncode == 1


def test_a_save_meanwhile_is_not_lost(chain):
    """`accept` must not overwrite a record that another process saved while `accept` waited."""
    (chain / "data" / "raw.txt").write_text("changed")
    folder = chain / "results" / ONE
    said = []

    def accepting():
        try:
            accept(Project(chain), ONE, "no matter")
        except CheckpointError as error:
            said.append(str(error))

    with store.locked(folder):
        thread = threading.Thread(target=accepting)
        thread.start()
        time.sleep(0.5)
        made = chain.record(ONE)
        made["timestamp"] = "2026-01-01T00:00:00+00:00"
        (folder / "params.json").write_text(json.dumps(made))
    thread.join(timeout=30)
    assert said == [f"results/{ONE} was saved again meanwhile. Look at it, and try again."]
    assert chain.record(ONE) == made
