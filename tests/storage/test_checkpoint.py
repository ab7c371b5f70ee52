"""Loading checkpoints: intact, damaged, or filled by hand."""

import enum
import json
import os
import subprocess

import numpy as np
import pandas as pd
import pytest

from checkpoint import (
    CheckpointDamagedError,
    CheckpointError,
    CheckpointKeyError,
    figures,
    load,
    save,
)
from checkpoint.storage import hashes, store

STEP, NEXT = "1_preprocessing", "2_integration"


def test_the_mapping(project):
    save(STEP, {"counts": np.arange(3), "pairs.csv": pd.DataFrame({"a": [1]})})
    loaded = load(STEP)
    for checkpoint in (loaded, load(STEP)):
        assert list(checkpoint) == ["counts", "pairs.csv"]
        assert len(checkpoint) == 2
        assert "counts" in checkpoint
        np.testing.assert_array_equal(checkpoint["counts"], np.arange(3))
        np.testing.assert_array_equal(checkpoint["counts.npy"], np.arange(3))
        assert checkpoint["counts"] is not checkpoint["counts"]
    with pytest.raises(CheckpointKeyError) as raised:
        loaded["count"]
    assert str(raised.value) == "results/1_preprocessing has no 'count'; it has counts, pairs.csv."
    assert repr(loaded) == (
        f"results/1_preprocessing, saved {loaded.timestamp}\n"
        "  counts.npy  3 int64             152 B\n"
        "  pairs.csv   1 rows x 1 columns  4 B\n"
        "current when it was loaded"
    )
    save(STEP, {"a&b": 1}, params={"p<q": 1})
    html = load(STEP)._repr_html_()
    assert "a&amp;b" in html and "results/1_preprocessing" in html and "p&lt;q" in html


def test_names_as_loops_over_samples_have_them(project):
    class Sample(str, enum.Enum):  # noqa: UP042 -- whose `str` is not its value
        SECOND = "s2"

    save(STEP, {np.str_("s1"): 1, Sample.SECOND: 2})
    assert dict(load(STEP)) == {"s1": 1, "s2": 2}
    assert {type(name) for name in load(STEP)} == {str}


def test_asking_for_a_name_reads_nothing(project, monkeypatch):
    save(STEP, {"a": 1})
    loaded = load(STEP)
    (project / "results" / STEP / "a.pkl").unlink()
    assert "a" in loaded and "a.pkl" in loaded and "b" not in loaded and 3 not in loaded


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), r"results/1_preprocessing/a.npy is missing\."),
        (lambda path: path.write_bytes(b"x"), r"is 1 byte; expected 152 bytes\."),
        (lambda path: path.write_bytes(b"x" * 152), "is not what was saved: expected blake3"),
    ],
)
def test_damage_is_told(project, damage, said):
    save(STEP, {"a": np.arange(3), "b": np.arange(3)})
    damage(project / "results" / STEP / "a.npy")
    with pytest.raises(CheckpointDamagedError, match=said) as raised:
        load(STEP)["a"]
    assert str(raised.value).endswith("Run 1_preprocessing.ipynb again.")


def test_broken_json_names_line_and_column(project):
    save(STEP, {})
    (project / "results" / STEP / "params.json").write_text('{\n  "timestamp" 1\n}')
    with pytest.raises(CheckpointDamagedError, match=r"params\.json .* line 2, column 15"):
        load(STEP)


@pytest.mark.parametrize("text", ["", "[]", '{"timestamp": '])
def test_a_broken_record_names_the_notebook_to_run(project, text):
    save(STEP, {})
    (project / "results" / STEP / "params.json").write_text(text)
    with pytest.raises(
        CheckpointDamagedError, match=r"^results/1_preprocessing/params\.json "
    ) as r:
        load(STEP)
    assert str(r.value).endswith("Run 1_preprocessing.ipynb again.")


@pytest.mark.parametrize("part", ["key", "bytes", "blake3"])
def test_a_record_without_a_part_is_damaged(project, part):
    save(STEP, {"a": 1})
    path = project / "results" / STEP / "params.json"
    content = project.record()
    del content["checkpoint"]["files"]["a.pkl"][part]
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointDamagedError, match=f"`{part}`"):
        load(STEP)


def test_a_newer_format_says_update(project):
    save(STEP, {})
    path = project / "results" / STEP / "params.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(CheckpointError, match="Update the project"):
        load(STEP)


def test_saved_again_since_it_was_loaded(project):
    save(STEP, {"a": np.arange(3)})
    loaded = load(STEP)
    save(STEP, {"a": np.arange(4)})
    with pytest.raises(CheckpointError, match="was saved again since it was loaded"):
        loaded["a"]


@pytest.mark.parametrize("name", ["params.json", "preprocessing_params.json", None])
def test_a_folder_made_by_hand(project, capsys, name):
    folder = project / "results" / STEP
    np.save(folder / "arrays.npy", np.arange(3))
    pd.DataFrame({"a": [1]}).to_csv(folder / "table.csv")
    pd.DataFrame({"a": [1]}).to_parquet(folder / "table.parquet")
    pd.to_pickle({"x": 1}, folder / "matching.pkl")
    np.savez(folder / "many.npz", a=np.arange(2))
    (folder / "notes.txt").write_text("not ours")
    if name:
        (folder / name).write_text('{"timestamp": "2024-05-06", "resolution": 0.5}')
    loaded = load(STEP)
    said = capsys.readouterr().out
    assert said.count("not written by save") == 1
    assert f"previous run: {'2024-05-06' if name else 'unknown'}" in said
    assert set(loaded) == {"arrays", "table.csv", "table.parquet", "matching", "many"}
    np.testing.assert_array_equal(loaded["arrays"], np.arange(3))
    assert loaded["matching"] == {"x": 1}
    assert list(loaded["table.csv"].columns) == ["a"]
    assert list(loaded["many"]) == ["a"]
    assert loaded.params == ({"timestamp": "2024-05-06", "resolution": 0.5} if name else {})
    save(NEXT, {})
    assert f"results/{STEP}" in project.record(NEXT)["checkpoint"]["inputs"]


def test_a_folder_made_by_hand_with_objects_figures_and_a_group_named_as_ours(project):
    folder = project / "results" / STEP
    np.save(folder / "obj.npy", {"a": 1}, allow_pickle=True)
    figures(STEP).joinpath("umap.png").write_bytes(b"x")
    (folder / "params.json").write_text('{"checkpoint": {"dir": "/x"}}')
    loaded = load(STEP)
    assert loaded["obj"].item() == {"a": 1}
    assert loaded["figures/umap"] == folder / "figures" / "umap.png"
    assert loaded.params == {"checkpoint": {"dir": "/x"}}


def test_a_checkpoint_that_git_carried_is_whole(project, tmp_path):
    """Git must not change Windows line endings in saved text during add, commit and clone."""
    frame = pd.DataFrame({"note": ["line1\r\nline2", "x"]})
    save(STEP, {"notes.csv": frame, "genes.json": {"a": "\r\n"}})

    def git(*arguments, cwd=project):
        person = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", *person, *arguments], cwd=cwd, check=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "results")
    git("clone", "-q", ".", str(tmp_path / "clone"))
    os.chdir(tmp_path / "clone")
    pd.testing.assert_frame_equal(load(STEP)["notes.csv"], frame)


def test_a_file_that_moves_into_place_while_it_is_read(project, monkeypatch):
    """Loading works even if another process moves the file just before it is opened."""
    save(STEP, {"a": 1})
    loaded = load(STEP)
    folder = project / "results" / STEP
    (folder / ".commit").mkdir()
    for file in ("a.pkl", "params.json"):
        (folder / file).rename(folder / ".commit" / file)
    hash_now = hashes.file_hash

    def hash_after_the_move(path, advance):
        store.recover(folder)
        return hash_now(path, advance)

    monkeypatch.setattr(hashes, "file_hash", hash_after_the_move)
    assert loaded["a"] == 1
    assert not (folder / ".commit").exists()
