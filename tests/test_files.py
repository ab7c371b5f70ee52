"""Folders that are copied and removed."""

import os
import stat

import pytest

from checkpoint.files import copy, make_writable, remove

posix = pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")


def test_a_copy_has_no_leftovers(tmp_path):
    for name in ("a.py", "inner/b.py", "__pycache__/a.pyc", "inner/.DS_Store"):
        path = tmp_path / "from" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine.txt").write_text("mine")
    copy(tmp_path / "from", tmp_path / "to")
    files = {path.relative_to(tmp_path / "to").as_posix() for path in tmp_path.rglob("to/**/*.*")}
    assert files == {"a.py", "inner/b.py", "mine.txt"}


@posix
def test_a_copy_may_be_run_and_written(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "run.sh").write_text("")
    (tmp_path / "from" / "run.sh").chmod(0o555)
    (tmp_path / "from" / "read.txt").write_text("")
    (tmp_path / "from" / "read.txt").chmod(0o444)
    (tmp_path / "from" / "linked").symlink_to(tmp_path / "from" / "read.txt")
    copy(tmp_path / "from", tmp_path / "to")
    assert (tmp_path / "to" / "run.sh").stat().st_mode & 0o700 == 0o700
    assert (tmp_path / "to" / "read.txt").stat().st_mode & 0o700 == 0o600
    assert not (tmp_path / "to" / "linked").is_symlink()


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
