"""Functions that walk folders, make them writable and remove them."""

import os
import stat
from pathlib import Path

import pytest

from checkpoint.files import below, make_writable, remove

posix = pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")


@posix
def test_what_could_not_be_written_to(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("")
    (folder / "a.txt").chmod(0o444)
    folder.chmod(0o555)
    make_writable(folder)
    assert folder.stat().st_mode & stat.S_IWUSR
    assert (folder / "a.txt").stat().st_mode & stat.S_IWUSR


@posix
def test_of_a_link_the_link_alone_is_removed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.txt").write_text("a")
    (tmp_path / "folder").mkdir()
    for link in (tmp_path / "link", tmp_path / "folder" / "link"):
        link.symlink_to(tmp_path / "there", target_is_directory=True)
    remove(tmp_path / "link")
    remove(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there" / "a.txt").exists()


def test_a_folder_that_goes_during_the_walk_is_left_out(tmp_path):
    for name in "abc":
        Path(tmp_path, name).mkdir()
        Path(tmp_path, name, "file").touch()
    walk = below(tmp_path)
    assert next(walk).name == "a"
    remove(tmp_path / "b")
    assert [path.relative_to(tmp_path).as_posix() for path in walk] == [
        "b",
        "c",
        "a/file",
        "c/file",
    ]
