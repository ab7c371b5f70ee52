"""Finding a project, its steps and its folders."""

import os
import shutil

import pytest
from project_under_test import ProjectUnderTest

from checkpoint import data_file, figures, load, save
from checkpoint.errors import CheckpointValueError, ProjectError
from checkpoint.project.chain import step_of
from checkpoint.project.project import Project, is_project


def test_the_table_marks_a_project(tmp_path):
    assert not is_project(tmp_path)
    for other in ("[tool.ruff]\n", "[tool.checkpoints]\n", "# [tool.checkpoint]\n"):
        (tmp_path / "pyproject.toml").write_text(other)
        assert not is_project(tmp_path)
    for table in ("[tool.checkpoint] # here", "[tool.checkpoint.kernels]", "[ tool . checkpoint ]"):
        (tmp_path / "pyproject.toml").write_text(f"[tool.ruff]\n{table}\n")
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


def test_names_as_projects_have_them(tmp_path):
    names = (
        *("2_x", "10_x", "01a_b", "01_a", "01b_c", "1_2_x", "1_10_x", "day2-1_x", "day1-10_x"),
        *("day1-2_x", "3d", "notes", "2024-01-05_try", "٣_x", "07-umap", ".ipynb_checkpoints/1_x"),
        *("20_more/1_b", "20_more/.x/1_y", "3_core/9_z", "other/0_x"),
    )
    for name in names:
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    project = Project(tmp_path)
    assert [project.show(step.path)[10:-6] for step in project.steps()] == [
        *("01_a", "1_2_x", "1_10_x", "01a_b", "01b_c", "2_x", "3_core/9_z", "3d", "10_x"),
        *("20_more/1_b", "day1-2_x", "day1-10_x", "day2-1_x", "other/0_x"),
    ]
    reasons = {path.stem: reason for path, reason in project.others()}
    assert reasons == {
        "notes": "does not begin with a number",
        "2024-01-05_try": "begins with a date, not with a number",
        "07-umap": "has no `_` after its number 07",
        "٣_x": "begins with '٣', and only the digits 0 to 9 count as a number",
    }


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


@pytest.mark.skipif(os.name == "nt", reason="symbolic links of POSIX")
@pytest.mark.parametrize("folder", ["results", "data"])
def test_a_link_to_a_disk_that_is_not_mounted(project, folder):
    """The error must not be "not found", which would suggest making or downloading it all again."""
    shutil.rmtree(project / folder)
    (project / folder).symlink_to("/mnt/not_mounted/lab")
    calls = {
        "results": (
            lambda: load("1_preprocessing"),
            lambda: save("1_preprocessing", {"a": 1}),
            lambda: figures("1_preprocessing"),
        ),
        "data": (lambda: data_file("counts.csv"), lambda: data_file("cohort/counts.csv")),
    }
    for call in calls[folder]:
        with pytest.raises(ProjectError, match=f"^{folder} is a link to /mnt/not_mounted/lab, "):
            call()
    done = ProjectUnderTest(project).command("status")
    said = f"{folder} is a link to /mnt/not_mounted/lab, which is not there. Mount the disk"
    assert said in done.stderr
    assert done.returncode == (2 if folder == "results" else 1)
