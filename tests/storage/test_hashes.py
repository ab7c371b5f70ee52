"""Raw folders as inputs: the hashes of their files and of their listings."""

import os
import shutil

import pytest
from project_under_test import ONE

from checkpoint import data_file, save
from checkpoint.storage.hashes import listing_hash


def test_files_of_a_raw_folder(project):
    folder = project / "data" / "runs"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    data_file("runs")
    save(ONE, {})
    (folder / ".DS_Store").write_text("opened in a file manager")
    assert project.state(ONE) == ("current", [])
    (folder / "b.txt").write_text("b")
    assert project.state(ONE) == ("stale", ["data/runs/ contains other files"])
    shutil.rmtree(folder)
    reasons = ["data/runs/ is missing", "data/runs/a.txt is missing"]
    assert project.state(ONE) == ("unverifiable", reasons)


@pytest.mark.skipif(os.name == "nt", reason="symbolic links of POSIX")
def test_raw_folders_that_are_links(project, tmp_path):
    """Linked folders, common on clusters, are followed; cycles end, and .git does not count."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.txt").write_text("a")
    folder = project / "data" / "runs"
    (folder / ".git").mkdir(parents=True)
    (folder / "one").symlink_to(tmp_path / "run", target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    data_file("runs")
    save(ONE, {})
    (folder / ".git" / "index").write_text("x")
    assert project.state(ONE) == ("current", [])
    (tmp_path / "run" / "a.txt").write_text("b")
    assert project.state(ONE) == ("stale", ["data/runs/one/a.txt changed"])


def test_the_list_of_a_folder_is_the_same_on_every_system(tmp_path):
    """The hash must not depend on how a system sorts names or encodes accents."""
    for name in ("Features.tsv", "a.txt", "caf\u00e9.txt"):
        (tmp_path / "one" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "one" / name).touch()
    for name in ("cafe\u0301.txt", "a.txt", "Features.tsv"):
        (tmp_path / "two" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "two" / name).touch()
    assert listing_hash(tmp_path / "one") == listing_hash(tmp_path / "two")
