"""The setting `data`, for raw files outside the project."""

import pytest
from front_end import FrontEnd

from checkpoint import data_file
from checkpoint.errors import CheckpointError, CheckpointNotFoundError, CheckpointValueError


@pytest.fixture
def raw(project, tmp_path):
    """Return a folder outside the project that the setting `data` names on this machine."""
    folder = tmp_path / "mount" / "raw"
    (folder / "run 1").mkdir(parents=True)
    (folder / "run 1" / "a.csv").write_text("a\n1\n", encoding="utf-8")
    local = project / "checkpoint.local.toml"
    local.write_text(f"data = {str(folder)!r}\n", encoding="utf-8")
    return folder


def test_it_is_where_data_file_looks(project, raw):
    assert data_file("run 1/a.csv") == raw / "run 1" / "a.csv"
    assert data_file("run 1") == raw / "run 1"
    with pytest.raises(CheckpointNotFoundError, match=r"Raw file 'data/b\.csv' not found"):
        data_file("b.csv")
    with pytest.raises(CheckpointValueError):
        data_file("../b.csv")


@pytest.mark.versions
@pytest.mark.parametrize("found_by", ["data_file", "path"])
def test_it_is_an_input_as_in_the_project(project, raw, found_by):
    read = 'open(data_file("run 1/a.csv")).read()'
    if found_by == "path":
        read = f"open({str(raw / 'run 1' / 'a.csv')!r}).read()"
    step = "1_preprocessing"
    cells = ["from my_project.checkpoint import data_file, save", f"x = {read}"]
    notebook = FrontEnd(project, step, [*cells, f'save("{step}", {{"x": x}})'], {}, with_ids=True)
    notebook.run_all()
    assert notebook.error == ""
    assert list(project.record(step)["checkpoint"]["inputs"]) == ["data/run 1/a.csv"]
    assert notebook.state() == ("current", [])
    (raw / "run 1" / "a.csv").write_text("a\n2\n", encoding="utf-8")
    assert notebook.state() == ("stale", ["data/run 1/a.csv changed"])
    (raw / "run 1" / "a.csv").unlink()
    assert notebook.state()[0] == "unverifiable"
    notebook.restart()


def test_a_disk_that_is_not_there(project, raw):
    raw.rename(raw.with_name("gone"))
    with pytest.raises(CheckpointError, match=r"data = .*raw is not there\. Mount its disk"):
        data_file("run 1/a.csv")
    said = project.command("status")
    assert said.returncode == 1
    assert "is not there. Mount its disk" in said.stderr.replace("\n", " ")


def test_other_settings_of_one_machine(project):
    (project / "checkpoint.local.toml").write_text("datta = 1\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match="`results`, `data` or the table"):
        data_file("a.csv")
