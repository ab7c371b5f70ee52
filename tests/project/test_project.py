"""Where the project is, whatever the working directory."""

import shutil

import pytest

from checkpoint.errors import CheckpointValueError, ProjectError
from checkpoint.project.chain import step_of
from checkpoint.project.project import Project, find_project, is_project


@pytest.mark.parametrize("folder", [".", "notebooks", "results/1_preprocessing", "src/my_project"])
def test_found_from_any_folder_inside(project, monkeypatch, folder):
    monkeypatch.chdir(project / folder)
    assert find_project().root == project


def test_a_copy_uses_its_own_folders(project, tmp_path, monkeypatch):
    copy = shutil.copytree(project, tmp_path / "copy")
    monkeypatch.chdir(copy / "notebooks")
    assert find_project().root == copy


def test_an_unrelated_pyproject_in_between_does_not_count(project, monkeypatch):
    inner = project / "notebooks" / "tool"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("this is = not [valid TOML\n# [tool.checkpoint]\n")
    monkeypatch.chdir(inner)
    assert find_project().root == project


def test_outside_it_is_the_one_that_the_package_lies_in(project, tmp_path):
    code = (
        "from my_project.checkpoint.project.project import find_project; print(find_project().root)"
    )
    done = project.python("-c", code, cwd=tmp_path)
    assert done.stdout.strip() == str(project)


def test_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "checkpoint.project.project.__file__", str(tmp_path / "a/b/c/d/e/project.py")
    )
    said = r"No project found.*pip install -c constraints\.txt -e \."
    with pytest.raises(ProjectError, match=said):
        find_project()


def test_the_table_marks_a_project(tmp_path):
    assert not is_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    assert not is_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n[tool.checkpoint] # here\n")
    assert is_project(tmp_path)


def test_steps_run_in_the_order_of_their_numbers(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("10_last", "2_second", "1_first", "scratch", "5_fifth", "²_x"):
        (tmp_path / "notebooks" / f"{name}.ipynb").touch()
    project = Project(tmp_path)
    steps = [step.name for step in project.steps()]
    assert steps == ["1_first", "2_second", "5_fifth", "10_last"]
    assert project.after("2_second").name == "5_fifth"
    assert project.after("10_last") is None
    assert project.after("scratch") is None
    (tmp_path / "notebooks" / "2_second-Copy1.ipynb").touch()
    assert project.after("2_second").name == "5_fifth"


@pytest.mark.parametrize("step", ["", "../1_a", "/1_a", "1_a/", "con", "1_a/../2_b", "a\\b", None])
def test_a_step_stays_in_results(tmp_path, step):
    with pytest.raises(CheckpointValueError, match="step"):
        Project(tmp_path).results_of(step)


@pytest.mark.parametrize(
    "argument",
    [
        *("1_a", "1_a.ipynb", "notebooks/1_a.ipynb", "./1_a.ipynb", "/x/notebooks/1_a.ipynb"),
        *("results/1_a", "results/1_a/", "../results/1_a/", "./1_a", "/results/x/results/1_a"),
        *(r"notebooks\1_a.ipynb", "results\\1_a\\"),
    ],
)
def test_a_step_is_named_as_the_shell_completes_it(argument):
    assert step_of(argument) == "1_a"
    assert step_of("results/1_a/part/") == "1_a/part"
