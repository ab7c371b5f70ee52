"""`checkpoint rename` after the notebook's file was renamed in JupyterLab's file browser."""

import pytest
from project_under_test import ONE, THREE, TWO, ProjectUnderTest, git, tree

from checkpoint import load, save
from checkpoint.check.check import check
from checkpoint.edit.chain import rename
from checkpoint.errors import ProjectError
from checkpoint.project.project import Project


def renamed(project, new):
    path = project / "notebooks" / f"{TWO}.ipynb"
    return path.rename(path.with_stem(new))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("2_matching", "matching"),
        ("2_matching", "2_matching"),
        ("2_matching", "notebooks/2_matching.ipynb"),
        ("matching", "matching"),  # its number is restored
    ],
)
def test_results_and_cells_follow_the_file(committed, file, name):
    renamed(committed, file)
    done = ProjectUnderTest(committed).command("rename", TWO, name)
    assert (done.returncode, done.stderr) == (0, "")
    said, *_, advice = done.stdout.splitlines()
    assert said == f"{TWO} is now 2_matching."
    assert "3_visualization.ipynb is open, reload it" in advice
    assert committed.steps() == [ONE, "2_matching", THREE]
    assert '"2_matching"' in committed.code("2_matching")
    assert 'load("2_matching")' in committed.code(THREE)
    assert not (committed / "results" / TWO).exists()
    assert load("2_matching")["value"] == (TWO, 1)
    assert load("2_matching/part")["x"] == 1
    assert set(committed.states().values()) == {"current"}
    assert check(committed) == []


@pytest.mark.slow
@pytest.mark.parametrize("staged", [False, True])
def test_git_follows(committed, staged):
    renamed(committed, "2_matching")
    if staged:
        git(committed, "add", "-A")
    rename(Project(committed), TWO, "matching")
    assert git(committed, "diff", "--name-only") == ""
    assert git(committed, "ls-files", "--others", "--exclude-standard") == ""
    moved = git(committed, "diff", "--cached", "--name-status", "-M").splitlines()
    pairs = [line.split("\t")[1:] for line in moved]
    assert [f"notebooks/{TWO}.ipynb", "notebooks/2_matching.ipynb"] in pairs


def test_edits_that_git_does_not_have_stop_it(committed):
    path = renamed(committed, "2_matching")
    path.write_text(path.read_text().replace("import", "import sys, "))
    before = tree(committed)
    with pytest.raises(ProjectError, match="has edits that git does not have"):
        rename(Project(committed), TWO, "matching")
    assert tree(committed) == before


def test_a_move_to_another_number(committed):
    renamed(committed, "5_matching")
    assert rename(Project(committed), TWO, "5_matching") == {TWO: "5_matching"}
    assert load("5_matching")["value"] == (TWO, 1)


def test_results_under_both_names_are_not_mixed(committed):
    renamed(committed, "2_matching")
    save("2_matching", {"value": "new"})
    before = tree(committed)
    with pytest.raises(ProjectError, match="results/2_matching already exists"):
        rename(Project(committed), TWO, "matching")
    assert tree(committed) == before


def test_an_empty_folder_under_the_new_name_is_in_nobodys_way(committed):
    renamed(committed, "2_matching")
    (committed / "results" / "2_matching").mkdir()
    (committed / "results" / "2_matching" / ".gitkeep").touch()
    rename(Project(committed), TWO, "matching")
    assert load("2_matching")["value"] == (TWO, 1)


def test_what_cannot_be_renamed_safely_stops_it(committed):
    path = renamed(committed, "2_matching")
    text = path.read_text().replace(f'\\"{TWO}\\"', f'\\"{TWO}\\".lower()')
    path.write_text(text)
    git(committed, "add", "-A")
    before = tree(committed)
    with pytest.raises(ProjectError, match="cannot be renamed safely"):
        rename(Project(committed), TWO, "matching")
    assert tree(committed) == before


@pytest.mark.parametrize("name", ["matching", "visualization", "3_visualization"])
def test_there_is_nothing_to_finish(committed, name):
    """A mistyped step is an ordinary error, also if the new name belongs to a notebook."""
    for old in ("2_integraton", "scran"):
        with pytest.raises(ProjectError, match=f"No notebook '{old}'"):
            rename(Project(committed), old, name)


def test_a_name_that_no_notebook_should_have(committed):
    renamed(committed, "2_a b")
    with pytest.raises(ProjectError, match=r"has ' '; letters, digits.*Rename the file to another"):
        rename(Project(committed), TWO, "a b")
