"""Chains with unusual names, notebooks in folders, a given order, or commands as steps."""

import shutil

import pytest
from project_under_test import ONE, THREE, TWO, ProjectUnderTest

from checkpoint.check.check import check
from checkpoint.edit.chain import move, new, remove, rename
from checkpoint.errors import ProjectError
from checkpoint.notebooks.graph import Graph
from checkpoint.notebooks.notebook import dumps, read, sources
from checkpoint.notebooks.skeleton import skeleton
from checkpoint.project.project import Project


def test_leading_zeros_are_kept(project):
    for step in (ONE, TWO, THREE):
        path = project / "notebooks" / f"{step}.ipynb"
        path.rename(path.with_name(f"0{step}.ipynb"))
    assert new(Project(project), "x", after=f"0{ONE}").step == "02_x"
    assert project.steps()[2:] == ["03_integration", "04_visualization"]


def arranged(project, *names):
    """Replace the project's notebooks with these, each of which loads the one before."""
    for path in (project / "notebooks").iterdir():
        path.unlink()
        shutil.rmtree(project / "results" / path.stem, ignore_errors=True)
    before = None
    for name in names:
        path = project / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        content = skeleton("my_project", path.stem, before)
        path.write_text(dumps(content), encoding="utf-8")
        before = path.stem
    return Project(project)


def test_letters_and_levels_are_kept(project):
    there = arranged(project, "01_x", "01a_y", "01b_z", "02_w")
    assert new(there, "n", after="01a_y").step == "01b_n"
    assert project.steps() == ["01_x", "01a_y", "01b_n", "01c_z", "02_w"]
    # a step between 01 and 01a gets a letter, and the other letters are shifted
    assert new(there, "m", after="01_x").step == "01a_m"
    assert project.steps() == ["01_x", "01a_m", "01b_y", "01c_n", "01d_z", "02_w"]
    assert new(there, "o", after="01d_z").step == "01e_o"
    assert rename(there, "01e_o", "p") == {"01e_o": "01e_p"}
    assert move(there, "01e_p", "b")["01e_p"] == "01b_p"
    assert remove_all(there, "01b_p", "01a_m") == ["01_x", "01a_y", "01b_n", "01c_z", "02_w"]
    with pytest.raises(ProjectError, match="from a to c, got z"):
        move(there, "01a_y", "z")
    there = arranged(project, "day1-1_x", "day1-2_y", "day2-1_z")
    assert new(there, "n", after="day1-1_x").step == "day1-2_n"
    assert project.steps() == ["day1-1_x", "day1-2_n", "day1-3_y", "day2-1_z"]


def remove_all(project, *steps):
    for step in steps:
        for later in project.steps():
            text = later.path.read_text(encoding="utf-8")
            text = text.replace(f'load(\\"{step}\\")', "None")
            later.path.write_text(text, encoding="utf-8")
        remove(project, step)
    return [step.name for step in project.steps()]


def test_steps_in_folders(project):
    there = arranged(project, "1_core/01_x", "1_core/02_y", "2_more/03_z")
    made = new(there, "n", after="01_x")
    assert (made.path, made.renamed) == ("notebooks/1_core/02_n.ipynb", {"02_y": "03_y"})
    assert "%pip install -e ../..`" in made_by(project, made.path)
    assert project.steps() == ["01_x", "02_n", "03_y", "03_z"]
    rename(there, "03_z", "w")
    assert (project / "notebooks" / "2_more" / "03_w.ipynb").is_file()
    # renamed in the file browser before
    path = project / "notebooks" / "2_more" / "03_w.ipynb"
    path.rename(path.with_stem("03_v"))
    assert rename(there, "03_w", "v") == {"03_w": "03_v"}
    assert 'save(\n    "03_v"' in "\n".join(notebook_sources(path.with_stem("03_v")))
    assert check(project) == []


def made_by(project, path):
    return (project / path).read_text(encoding="utf-8")


def notebook_sources(path):
    return sources(read(path))


def test_the_chain_in_a_given_order(project):
    there = arranged(project, "import", "b/umap", "b/qc", "notes")
    project.add_settings('order = [\n    "import",  # first\n    "b/qc",\n    "b/umap",\n]')
    assert project.steps() == ["import", "qc", "umap"]
    made = new(there, "doublets", after="qc")
    assert (made.path, made.previous) == ("notebooks/b/doublets.ipynb", "qc")
    assert rename(there, "qc", "quality") == {"qc": "quality"}
    assert project.steps() == ["import", "quality", "doublets", "umap"]
    assert '    "import",  # first\n' in (project / "pyproject.toml").read_text()
    assert 'load("quality")' in "\n".join(
        notebook_sources(project / "notebooks" / "b" / "doublets.ipynb")
    )
    move(there, "umap", 1)
    remove(there, "doublets")
    assert project.steps() == ["umap", "import", "quality"]
    (problem,) = [one for one in check(project) if one.rule == "not-a-step"]
    assert str(problem).startswith("notebooks/notes.ipynb: is not listed in `order`")
    (project / "notebooks" / "b" / "notes.ipynb").touch()
    with pytest.raises(ProjectError, match=r"b/notes.ipynb already exists, though it is not a"):
        new(there, "notes")
    (project / "notebooks" / "b" / "notes.ipynb").unlink()
    for text, name in (("01_raw", "01_raw"), ("clean", "01_clean"), ("02_raw", "02_raw")):
        rename(there, project.steps()[0], text)  # a number in the new name is kept
        assert project.steps() == [name, "import", "quality"]
    (project / "notebooks" / "import.ipynb").unlink()
    with pytest.raises(ProjectError, match="order lists 'import', but"):
        there.refuse_unclear()


COMMANDS = """
[tool.checkpoint.steps.2_scran]
run = "Rscript a.R"

[tool.checkpoint.steps.import]
run = "Rscript b.R"
loads = ["fetch"]

[tool.checkpoint.steps.fetch]
run = "Rscript c.R"
"""


def test_commands_beside_notebooks(project):
    """Commands are steps, too: errors name their tables, and those without a number cannot move."""
    there = arranged(project, "1_a", "2_b", "3_c")
    with (project / "pyproject.toml").open("a") as file:
        file.write(COMMANDS)
    assert project.steps() == ["1_a", "2_b", "2_scran", "3_c", "fetch", "import"]
    assert Graph(there).loads["import"] == ["fetch"]
    table = r"\[tool.checkpoint.steps.2_scran\] of pyproject.toml"
    (same,) = [problem for problem in check(project) if problem.rule == "number"]
    assert "has the same number as 2_b.ipynb" in str(same)
    with pytest.raises(ProjectError, match=f"2_b.ipynb and {table} have the same number"):
        move(there, "2_b", 1)
    with pytest.raises(ProjectError, match=f"{table} already has the name 'scran'"):
        new(there, "scran")
    settings_ = project / "pyproject.toml"
    settings_.write_text(settings_.read_text().replace("2_scran", "4_scran"))
    assert new(there, "last").step == "5_last"
    for change in (
        lambda: move(there, "fetch", 1),
        lambda: new(there, "later", after="import"),
    ):
        with pytest.raises(ProjectError, match="has no number, by which it could be moved"):
            change()
    with pytest.raises(ProjectError, match=r"fetch is loaded by import. Change what they load"):
        remove(there, "fetch")
    assert rename(there, "import", "0_import") == {"import": "0_import"}

    (project / "notebooks" / "4_scran.ipynb").touch()
    with pytest.raises(ProjectError, match=r"both make 4_scran\. Remove its `run`, or rename"):
        there.refuse_unclear()
    assert project.steps().count("4_scran") == 1
    project.add_settings('order = ["1_a", "4_scran"]')
    assert [step.is_script for step in there.steps()] == [False, False]
    with pytest.raises(ProjectError, match="both make 4_scran"):
        there.refuse_unclear()
    text = (project / "pyproject.toml").read_text()
    text = text.replace("steps.4_scran", "steps.1_A").replace(', "4_scran"', ', "1_A"')
    (project / "pyproject.toml").write_text(text)
    table = table.replace("2_scran", "1_A")
    with pytest.raises(ProjectError, match=f"notebooks/1_a.ipynb and {table} have the same name"):
        there.refuse_unclear()


def test_a_name_that_two_notebooks_have(project):
    there = arranged(project, "1_a/1_x", "2_b/1_x")
    with pytest.raises(ProjectError, match="have the same name"):
        there.refuse_unclear()
    done = ProjectUnderTest(project).command("status")
    assert (done.returncode, "have the same name" in done.stderr) == (2, True)
    assert [problem.rule for problem in check(project)] == ["not-a-step"]
