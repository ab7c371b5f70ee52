"""Copying files from the template to a project."""

import os

import pytest

from notebook_checkpoints.layout import copy

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


def test_a_copy_lacks_the_description_of_its_pipeline_alone(tmp_path):
    for name in ("pipeline.toml", "inner/pipeline.toml"):
        (tmp_path / "from" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "from" / name).touch()
    copy(tmp_path / "from", tmp_path / "to")
    assert [path.parent.name for path in tmp_path.glob("to/**/*.toml")] == ["inner"]
