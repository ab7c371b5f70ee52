"""Adding, renaming, moving and removing notebooks, with everything that names them."""

import pytest
from project_under_test import ONE, THREE, TWO, tree

from checkpoint import load
from checkpoint.check.check import check
from checkpoint.edit.chain import loaded_too_early, move, new, remove, rename
from checkpoint.errors import ProjectError
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
    assert committed.git("diff", "--name-only") == ""  # rewritten files are staged, too
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
