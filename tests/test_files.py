"""Folders that are made writable and removed."""

import os
import stat

import pytest

from checkpoint.files import make_writable, remove

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
