"""The students' copy: what it contains, what it leaves out, and that no solution leaks."""

import base64
import gzip
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from course.teaching import (
    CLUSTERS,
    DISTANCES,
    ONE,
    TWO,
    cells,
    code,
    save_points,
    solve,
    write_lessons,
)
from project_under_test import TEMPLATE, ProjectUnderTest, tree

from checkpoint import ProjectError, save
from checkpoint.check.check import check
from checkpoint.project.project import Project
from checkpoint.share.reset import reset
from checkpoint.storage import session
from notebook_checkpoints.handout.handout import handout

pytestmark = pytest.mark.slow

PIXEL = base64.b64encode(b"\x89PNG not really").decode()


@pytest.fixture
def teacher(project):
    """Return a project with two lessons and the results of the first."""
    write_lessons(project)
    save_points()
    session.forget()
    return project


def hand_out(teacher, target, **options):
    return handout(Project(teacher), [TWO], target, **{"proof": False, **options})


def refusal(teacher, target, **options):
    before = sorted(target.parent.iterdir())
    with pytest.raises(ProjectError) as raised:
        hand_out(teacher, target, **options)
    assert sorted(target.parent.iterdir()) == before
    return str(raised.value)


def test_what_students_get(teacher, tmp_path):
    solve()
    (teacher / "results" / TWO / "failed.ipynb").write_text("{}")
    (teacher / "notebooks" / "2_solution.ipynb").write_text("{}")
    (teacher / ".env").write_text("secret")
    (teacher / "data" / "raw.txt").write_text("raw")
    (teacher / "data" / "named.txt").write_text("named")
    teacher.add_cell(
        TWO, "from my_project.checkpoint import data_file\ndata_file('named.txt')", "load"
    )
    with teacher.edited(TWO) as notebook:
        for cell in notebook.cells[1:]:
            cell.execution_count = 3
            picture = nbformat.v4.new_output("display_data", {"image/png": PIXEL})
            cell.outputs = [picture, nbformat.v4.new_output("stream", text="the answer is 42")]
    teacher.add_settings(f'order = ["{ONE}", "{TWO}"]\nkernels = {{ {ONE} = "ir" }}')
    done = hand_out(teacher, tmp_path / "out", url="https://example.org/l/", figures=True)
    copy = ProjectUnderTest(done.path)
    assert done.removed == {f"{TWO}.ipynb": {"solution": 2, "hidden test": 1}}
    files = tree(copy)
    ours = [name for name in files if not name.startswith(("src/", "profiles/", ".github/"))]
    assert sorted(ours) == sorted(
        [
            *(".gitattributes", ".gitignore", ".pre-commit-config.yaml", "AGENTS.md"),
            *("LICENSE", "README.md"),
            *("Snakefile", "constraints.txt", "environment.yml", "pyproject.toml"),
            *("data/README.md", "data/named.txt", f"results/{TWO}/.gitkeep"),
            *(f"notebooks/{TWO}.ipynb", f"handout/notebooks/{TWO}.ipynb"),
            *(f"handout/packs/{ONE}.zip", f"handout/figures/{TWO}-1.png"),
            f"handout/figures/{TWO}-2.png",
        ]
    )
    text = files[f"notebooks/{TWO}.ipynb"].decode()
    assert (
        "the answer is" not in text
        and "image/png" not in text
        and '"execution_count": 3' not in text
    )
    assert f"![figure](../handout/figures/{TWO}-1.png)" in text
    notebook = nbformat.read(copy.notebook(TWO), as_version=4)
    nbformat.validate(notebook)
    by_id = {cell.id: cell.source for cell in notebook.cells}
    assert by_id["distances"].endswith("    # YOUR CODE HERE\n    raise NotImplementedError()")
    assert by_id["clusters"].endswith("center\n# YOUR CODE HERE\nraise NotImplementedError()")
    assert by_id["tests"] == "assert clusters.shape == (60,)"
    (cell,) = (cell for cell in notebook.cells if cell.id == "distances")
    assert cell.metadata["nbgrader"]["grade_id"] == "distances"
    settings = tomllib.loads(files["pyproject.toml"].decode())["tool"]["checkpoint"]
    assert (settings["order"], settings["kernels"]) == ([TWO], {})
    urls = [f"handout/packs/{ONE}.zip", f"https://example.org/l/{ONE}.zip"]
    assert settings["sources"][ONE]["urls"] == urls
    assert check(copy) == []


def test_in_git_only_what_it_tracks(teacher, tmp_path):
    teacher.commit()
    (teacher / "answers.txt").write_text("secret")
    (teacher / "README.md").write_text("new text")
    copy = hand_out(teacher, tmp_path / "out").path
    assert not (copy / "answers.txt").exists() and not (copy / ".git").exists()
    assert (copy / "README.md").read_text() == "new text"


LINE = "difference = points[:, None] - centers[None]"


@pytest.mark.parametrize(
    "file",
    ["src/my_project/tools.py", "docs/notes.md", "README.md", "notes.json", "data/README.md"],
)
def test_a_line_that_only_the_solution_has(teacher, tmp_path, file):
    path = teacher / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{{"x": ["y = 1\\n{LINE}"]}}' if file.endswith(".json") else f"x\n  {LINE}\n")
    said = refusal(teacher, tmp_path / "out")
    assert f"  {file}: {LINE}\n" in said
    assert hand_out(teacher, tmp_path / "out", allow=[LINE]).path.exists()


def test_lines_in_packs_and_other_notebooks(teacher, tmp_path):
    session.forget()
    save(ONE, {"points": 1, "hint.json": {"how": LINE}}, params={"trick": {"code": LINE}})
    said = refusal(teacher, tmp_path / "out")
    assert f"handout/packs/{ONE}.zip: {LINE}" in said
    save_points()
    teacher.add_cell(TWO, "np.bincount(clusters).min() > 10", "load")  # part of a hidden test
    assert hand_out(teacher, tmp_path / "out").path.exists()
    teacher.add_cell(TWO, f"# {LINE}", "load")
    assert f"notebooks/{TWO}.ipynb: {LINE}" in refusal(teacher, tmp_path / "out2")


def test_lines_in_compressed_tables_and_metadata(teacher, tmp_path):
    path = teacher / "docs" / "notes.csv.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(f"a\n{LINE}\n".encode()))
    with teacher.edited(TWO) as notebook:
        notebook.cells[0].metadata["hint"] = {"how": [LINE]}
    said = refusal(teacher, tmp_path / "out")
    assert f"docs/notes.csv.gz: {LINE}" in said and f"notebooks/{TWO}.ipynb: {LINE}" in said


def test_lines_that_tell_nothing(teacher, tmp_path):
    (teacher / "src" / "my_project" / "tools.py").write_text(
        "import numpy as np\n    return x\n)\n"
    )
    lesson = cells()
    lesson[3] = code(
        "### BEGIN SOLUTION\nimport numpy as np\ndef f(x):\n    return x\n"
        "clusters = f(\n    distances(points, centers)\n).argmin(axis=1)\n### END SOLUTION",
        "clusters",
    )
    write_lessons(teacher, lesson)
    assert hand_out(teacher, tmp_path / "out").path.exists()


def test_what_is_refused(teacher, tmp_path):
    (tmp_path / "there").mkdir()
    assert "exists. Choose a new folder" in refusal(teacher, tmp_path / "there")
    with pytest.raises(ProjectError, match="No notebook '9_x'"):
        handout(Project(teacher), ["9_x"], tmp_path / "out")
    teacher.add_cell(TWO, "x = 1 # SOLUTION", "load")
    assert "is not one of the markers of nbgrader" in refusal(teacher, tmp_path / "out")
    teacher.delete_cell(TWO, "x = 1 # SOLUTION")
    (teacher / "results" / ONE / "points.npy").unlink()
    assert f"results/{ONE}, which students shall load, is absent" in refusal(
        teacher, tmp_path / "out"
    )


def test_reset(teacher, tmp_path, monkeypatch):
    """`reset` must not lose a student's notebook: each is kept under a new name."""
    copy = ProjectUnderTest(hand_out(teacher, tmp_path / "out").path)
    place = Project(copy)
    handed_out = copy.notebook(TWO).read_bytes()
    assert reset(place, TWO) == (copy.notebook(TWO), None, False)
    copy.change_cell(TWO, "clusters = 1", "clusters")
    first = copy.notebook(TWO).read_bytes()
    assert reset(place, TWO).kept == copy / "notebooks" / f"my_{TWO}.ipynb"
    copy.change_cell(TWO, "clusters = 2", "clusters")
    kept = reset(place, TWO).kept
    assert kept == copy / "notebooks" / f"my_{TWO}-2.ipynb" and b"clusters = 2" in kept.read_bytes()
    assert (copy / "notebooks" / f"my_{TWO}.ipynb").read_bytes() == first
    copy.notebook(TWO).unlink()
    assert reset(place, TWO).kept is None
    assert copy.notebook(TWO).read_bytes() == handed_out
    assert [step.name for step in place.steps()] == [TWO]
    with pytest.raises(ProjectError, match=f"has no {ONE}.ipynb; there are {TWO}"):
        reset(place, ONE)


def test_from_planning_to_a_students_first_run(teacher, tmp_path):
    """The commands of docs/course.md work; a copy whose solutions do not run is not written."""

    def command(*arguments):
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "notebook_checkpoints",
                "handout",
                str(teacher),
                TWO,
                *arguments,
            ],
            cwd=TEMPLATE,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": ""},
        )

    done = command("-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert f"notebooks/{TWO}.ipynb: removed 2 solutions, 1 hidden test" in done.stdout
    assert "It runs with the solutions put back." in done.stdout
    teacher.change_cell(TWO, DISTANCES.replace("axis=2", "axis=7"), "distances")
    done = command("-o", str(tmp_path / "broken"))
    assert done.returncode == 1 and "AxisError" in done.stderr
    assert "With the solutions put back, the copy does not run" in done.stderr
    assert not (tmp_path / "broken").exists()
    copy = ProjectUnderTest(tmp_path / "out")
    assert copy.command("unpack", ONE).returncode == 0
    copy.change_cell(TWO, DISTANCES, "distances")
    copy.change_cell(TWO, CLUSTERS, "clusters")
    assert copy.command("run").returncode == 0
    assert copy.states() == {TWO: "current", ONE: "current"}
    said = copy.command("reset", TWO).stdout
    assert f"Yours is notebooks/my_{TWO}.ipynb." in said and "reload it" in said
    assert Path(copy / "results" / TWO / "clusters.csv").exists()
