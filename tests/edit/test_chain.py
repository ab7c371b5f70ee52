"""Notebooks that are added, renamed, moved and removed, with all that names them."""

import shutil

import pytest
from project_under_test import ONE, THREE, TWO, ProjectUnderTest, tree

from checkpoint import load
from checkpoint.check.check import check
from checkpoint.edit.chain import loaded_too_early, move, new, remove, rename
from checkpoint.errors import ProjectError
from checkpoint.notebooks.graph import Graph
from checkpoint.notebooks.notebook import dumps, read, sources
from checkpoint.notebooks.skeleton import skeleton
from checkpoint.project.project import Project
from checkpoint.project.servers import CLOSE


def test_a_notebook_in_between(committed):
    made = new(Project(committed), "quality", after=ONE)
    assert made.step == "2_quality"
    assert committed.steps() == [ONE, "2_quality", "3_integration", "4_visualization"]
    assert 'load("1_preprocessing")' in committed.code("2_quality")
    assert 'load("1_preprocessing")' in committed.code("3_integration")
    assert '"3_integration"' in committed.code("3_integration")
    assert 'load("3_integration")' in committed.code("4_visualization")
    assert check(committed) == []
    assert committed.states() == {
        ONE: "current",
        "2_quality": "missing",
        "3_integration": "current",
        "4_visualization": "current",
    }
    assert committed.record("3_integration")["checkpoint"]["step"] == "3_integration"
    assert committed.record("3_integration/part")["checkpoint"]["step"] == "3_integration/part"
    assert list(committed.record("4_visualization")["checkpoint"]["inputs"]) == [
        "results/3_integration"
    ]
    assert load("3_integration")["value"] == (TWO, 1)
    moved = committed.git("diff", "--cached", "--name-status", "-M").splitlines()
    assert {line[0] for line in moved} == {"R"}
    pairs = [line.split("\t")[1:] for line in moved]
    assert ["notebooks/2_integration.ipynb", "notebooks/3_integration.ipynb"] in pairs
    assert ["results/2_integration/table.csv", "results/3_integration/table.csv"] in pairs
    assert committed.git("diff", "--name-only") == ""  # what was rewritten is staged, too
    committed.git("commit", "-qm", "second")
    log = committed.git("log", "--oneline", "--follow", "notebooks/3_integration.ipynb")
    assert len(log.splitlines()) == 2


def test_a_notebook_at_the_end_and_in_a_gap(committed):
    assert new(Project(committed), "report").step == "4_report"
    remove(Project(committed), "4_report")
    (committed / "notebooks" / f"{THREE}.ipynb").rename(
        committed / "notebooks" / "5_visualization.ipynb"
    )
    made = new(Project(committed), "clusters", after=TWO)
    assert (made.step, made.renamed) == ("3_clusters", {})
    assert committed.steps() == [ONE, TWO, "3_clusters", "5_visualization"]


def test_leading_zeros_are_kept(project):
    for step in (ONE, TWO, THREE):
        path = project / "notebooks" / f"{step}.ipynb"
        path.rename(path.with_name(f"0{step}.ipynb"))
    assert new(Project(project), "x", after=f"0{ONE}").step == "02_x"
    assert project.steps()[2:] == ["03_integration", "04_visualization"]


def arranged(project, *names):
    """Let the project have these notebooks, below `notebooks/`, each loading the one before."""
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
    # between a number and its letters, there is room only among the letters
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
    # a rename in the file browser
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
        rename(there, project.steps()[0], text)  # a number that it is given counts
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
    """Each has its own place; one without a number is not counted; messages name their tables."""
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


def test_rename(committed):
    assert rename(Project(committed), TWO, "matching") == {TWO: "2_matching"}
    assert committed.steps() == [ONE, "2_matching", THREE]
    assert 'load("2_matching")' in committed.code(THREE)
    assert check(committed) == []
    assert rename(Project(committed), "2_matching", "matching") == {}
    assert rename(Project(committed), "2_matching", "2_matching") == {}


def test_move_to_the_front_and_back(committed):
    before = tree(committed)
    assert move(Project(committed), THREE, 1) == {
        ONE: "2_preprocessing",
        TWO: "3_integration",
        THREE: "1_visualization",
    }
    assert loaded_too_early(Project(committed)) == [("1_visualization", "3_integration")]
    assert [problem.rule for problem in check(committed)] == ["load-later"]
    move(Project(committed), "1_visualization", 3)
    assert tree(committed) == before
    assert committed.git("status", "--porcelain") == ""
    assert move(Project(committed), THREE, 3) == {}


def test_move_into_a_gap_moves_nothing_else(committed):
    (committed / "notebooks" / f"{THREE}.ipynb").rename(
        committed / "notebooks" / "5_visualization.ipynb"
    )
    assert move(Project(committed), TWO, 4) == {TWO: "4_integration"}


def test_remove_closes_the_gap_and_nothing_behind_the_next(committed):
    new(Project(committed), "report")
    (committed / "notebooks" / "4_report.ipynb").rename(committed / "notebooks" / "7_report.ipynb")
    made = new(Project(committed), "extra", after=ONE)
    assert remove(Project(committed), made.step) == {"3_integration": TWO, "4_visualization": THREE}
    assert committed.steps() == [ONE, TWO, THREE, "7_report"]
    assert not (committed / "results" / made.step).exists()


def test_a_step_that_is_loaded_is_not_removed(committed):
    before = tree(committed)
    with pytest.raises(ProjectError, match="is loaded by 2_integration") as raised:
        remove(Project(committed), ONE)
    assert (raised.value.step, raised.value.found) == (ONE, [TWO])
    assert tree(committed) == before
    later = 'from my_project.checkpoint import load\nload("3_visualization")'
    committed.add_cell(ONE, later)
    with pytest.raises(ProjectError, match="is loaded by 1_preprocessing"):
        remove(Project(committed), THREE)


def test_modules_and_settings(committed):
    module = committed / "src" / "my_project" / "help.py"
    module.write_bytes(b'from .checkpoint import load\r\n\r\nx = lambda: load("2_integration")\r\n')
    latin = committed / "scripts" / "latin.py"
    latin.parent.mkdir()
    before = '# coding: latin-1\nfrom p.checkpoint import load\nload("2_integration")  # ü\n'
    before = before.encode("latin-1")
    latin.write_bytes(before)
    (committed / "scripts" / "other.py").write_text("from joblib import load\nload(name)")
    (committed / "scripts" / ".#lock.py").symlink_to("nowhere")
    settings_ = committed / "pyproject.toml"
    text = settings_.read_text().replace(
        "[tool.checkpoint]\n",
        '[tool.checkpoint]\nignore = ["chdir"]\n\n[tool.checkpoint.resources]\n'
        "3_visualization = { mem_mb = 2000 }\n\n"
        "[tool.checkpoint.resources.2_integration]\nruntime = 30  # 2_integration\n",
    )
    settings_.write_text(text)
    committed.git("add", ".")
    move(Project(committed), TWO, 1)
    assert b'load("1_integration")\r\n' in module.read_bytes()
    assert latin.read_bytes() == before.replace(b"2_integration", b"1_integration")
    after = settings_.read_text()
    assert "[tool.checkpoint.resources.1_integration]\nruntime = 30  # 2_integration\n" in after
    assert "\n3_visualization = { mem_mb = 2000 }" in after


@pytest.mark.parametrize(
    ("step", "source", "said"),
    [
        (
            THREE,
            "load(STEP)",
            "cell `load(STEP)`: `load(STEP)` names a step that is known only when",
        ),
        (ONE, 'pd.read_csv("../results/2_integration/x.csv")', "names 2_integration in a string"),
        (ONE, "!ls ../results/2_integration", "names 2_integration"),
    ],
)
def test_what_cannot_be_changed_safely_is_listed_and_nothing_touched(committed, step, source, said):
    committed.change_cell(step, source)
    before = tree(committed)
    index = committed.git("ls-files", "--stage")
    for change in (
        lambda: rename(Project(committed), TWO, "x"),
        lambda: move(Project(committed), TWO, 1),
        lambda: new(Project(committed), "x", after=ONE),
    ):
        with pytest.raises(ProjectError) as raised:
            change()
        assert str(raised.value).startswith("Nothing was changed, since")
        assert f"notebooks/{step}.ipynb" in str(raised.value) and said in str(raised.value)
    assert tree(committed) == before
    assert committed.git("ls-files", "--stage") == index


@pytest.mark.parametrize(
    ("change", "data"),
    [
        (lambda p: new(p, "a b"), {"found": "a b"}),
        (lambda p: new(p, "4_x"), {"found": "4_x"}),
        (lambda p: new(p, "con"), {"found": "con"}),
        (lambda p: new(p, "Integration"), {"step": TWO, "found": "Integration"}),
        (lambda p: rename(p, TWO, "visualization"), {"step": THREE, "found": "visualization"}),
        (lambda p: rename(p, TWO, ""), {"found": ""}),
        (lambda p: move(p, TWO, 0), {"step": TWO, "found": 0, "expected": range(1, 4)}),
        (lambda p: move(p, TWO, 9), {"step": TWO, "found": 9, "expected": range(1, 4)}),
    ],
)
def test_what_is_refused(project, change, data):
    before = tree(project)
    with pytest.raises(ProjectError) as raised:
        change(Project(project))
    assert {key: getattr(raised.value, key) for key in data} == data
    assert tree(project) == before


@pytest.mark.parametrize("change", [lambda p: new(p, "x", after="9_y"), lambda p: remove(p, "9_y")])
def test_a_step_without_a_notebook(project, change):
    with pytest.raises(ProjectError, match="9_y"):
        change(Project(project))


def test_the_longest_name(project):
    with pytest.raises(ProjectError, match="is longer than 100 characters"):
        new(Project(project), "a" * 99)
    assert project.steps() == [ONE, TWO, THREE]


def test_a_folder_with_results_of_somebody_is_not_taken_over(project):
    folder = project / "results" / "4_new"
    folder.mkdir()
    (folder / ".gitkeep").touch()
    new(Project(project), "new")
    remove(Project(project), "4_new")
    folder.mkdir()
    (folder / "x.csv").write_text("x")
    with pytest.raises(ProjectError) as raised:
        new(Project(project), "new")
    assert raised.value.step == "4_new"


def test_an_unnumbered_notebook_that_cannot_be_read(committed):
    scratch = committed / "notebooks" / "scratch.ipynb"
    scratch.write_text("")
    rename(Project(committed), TWO, "matching")
    scratch.write_text("2_matching")
    with pytest.raises(ProjectError, match=r"scratch.ipynb names 2_matching, but cannot be read"):
        rename(Project(committed), "2_matching", "x")


def test_settings_of_a_step_that_is_removed_or_named(committed):
    path = committed / "pyproject.toml"
    text = path.read_text()
    path.write_text(text.replace("[tool.checkpoint]\n", "[tool.checkpoint]\nresources.3_x = {}\n"))
    with pytest.raises(ProjectError, match="already has settings of 3_x"):
        rename(Project(committed), THREE, "x")
    path.write_text(
        text.replace("[tool.checkpoint]\n", f"[tool.checkpoint]\nresources.{THREE} = {{}}\n")
    )
    with pytest.raises(ProjectError) as raised:
        remove(Project(committed), THREE)
    assert (raised.value.step, raised.value.file) == (THREE, "pyproject.toml")


def test_the_number_of_a_heading_follows(project):
    titles = {ONE: "# 1 · Load\n\n1 · not a heading", TWO: "## 02. Match", THREE: "# 3 figures"}
    for step, title in titles.items():
        with project.edited(step) as notebook:
            notebook.cells[0].source = title
    new(Project(project), "first")
    move(Project(project), "4_first", 1)
    found = {}
    for step in project.steps():
        with project.edited(step) as notebook:
            found[step] = notebook.cells[0].source
    assert found["2_preprocessing"] == "# 2 · Load\n\n1 · not a heading"
    assert found["3_integration"] == "## 03. Match"
    assert found["4_visualization"] == "# 3 figures"


@pytest.mark.slow
def test_the_commands(bake):
    baked = bake(pipeline="blank", notebooks="one, two, three")
    assert baked.command("run").returncode == 0
    done = baked.command("new", "quality", "--after", "1_one")
    assert done.stdout.splitlines() == [
        "Made notebooks/2_quality.ipynb, which loads 1_one.",
        "2_two is now 3_two.",
        "3_three is now 4_three.",
        f"If 2_two.ipynb or 3_three.ipynb is open, c{CLOSE[1:]}",
    ]
    readme = baked / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8") + "\nSee 3_two.\n", encoding="utf-8")
    arguments = ("rename", "3_two", "pairs")
    done = baked.python("-m", "my_project.checkpoint", *arguments, cwd=baked / "data")
    assert done.stdout.splitlines()[0] == "3_two is now 3_pairs."
    assert done.stdout.splitlines()[1] == "Remaining mentions of the old name:"
    assert done.stdout.splitlines()[2].endswith(": `See 3_two.`")
    done = baked.command("run")
    ran = [line for line in done.stdout.splitlines() if ": done" in line]
    assert [line.partition(":")[0] for line in ran] == ["2_quality"]
    assert "3_pairs" not in done.stdout and "4_three" not in done.stdout  # they are current
    done = baked.command("move", "4_three", "1")
    assert "1_three loads 4_pairs, which now runs after it. Change its load cell." in done.stdout
    refused = baked.command("remove", "3_quality")
    assert (refused.returncode, refused.stderr) == (
        2,
        "Nothing was removed: not an interactive terminal; pass --yes to confirm.\n",
    )
    done = baked.command("remove", "3_quality", "--yes")
    assert done.stdout.splitlines()[1:3] == ["Removed 3_quality.", "4_pairs is now 3_pairs."]
    assert baked.command("check").stdout.endswith("[load-later]\n")
