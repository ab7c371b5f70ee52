"""Handing out lessons of chains other than numbered notebooks in one folder."""

import base64
import re
import tomllib

import nbformat
import pytest
from course.teaching import code
from project_under_test import ProjectUnderTest, tree

from checkpoint import ProjectError, load, save
from checkpoint.edit.chain import rename
from checkpoint.project.project import Project
from checkpoint.share.reset import reset
from checkpoint.storage import session
from notebook_checkpoints.handout.handout import handout

pytestmark = pytest.mark.slow

SETTINGS = """order = ["core/01_import", "scran", "core/02_qc", "lessons/clusters", "lessons/later"]
[tool.checkpoint.steps.scran]
run = "python scripts/scran.py"
code = ["scripts/scran.py"]
"""
SCRIPT = """import os
from pathlib import Path
(Path(os.environ["CHECKPOINT_OUTPUT"]) / "table.csv").write_text("a\\n1\\n")
"""
IMPORT = "from my_project.checkpoint import load, save"
LATER = "later = np.linalg.svd(counts - counts.mean(axis=0))"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
SECRET = b"\0\0\0\x0ctEXtsecret\0hello\0\0\0\0"  # a text chunk


def write(project, name, *sources):
    """Write a notebook with a cell that imports, followed by cells with these sources."""
    path = project / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nb = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
    nb.cells = [code(source, f"cell-{k}") for k, source in enumerate([IMPORT, *sources])]
    nbformat.write(nb, path)


def solved(source):
    return f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"


@pytest.fixture
def teacher(project):
    """Return a project with notebooks in folders, an order, a command and sub-checkpoints."""
    for path in project.glob("notebooks/*.ipynb"):
        path.unlink()
    write(project, "core/01_import", 'save("01_import", {"x": 1})')
    write(
        project, "core/02_qc", 'save("02_qc/a", {"x": 1})\nsave("02_qc/b", {"x": 2})\nsave("02_qc")'
    )
    lesson = ['load("01_import"), load("scran")', 'counts = load("02_qc/a")["x"]']
    write(project, "lessons/clusters", *lesson, solved("n = counts + 41 - 7"), 'save("clusters")')
    write(project, "lessons/later", solved(LATER), 'save("later", {})')
    write(project, "begun", "### BEGIN SOLUTION")
    (project / "scripts").mkdir()
    (project / "scripts" / "scran.py").write_text(SCRIPT)
    project.add_settings(SETTINGS)
    for step in ("01_import", "02_qc/a", "02_qc/b", "02_qc"):
        save(step, {"x": step})
        session.forget()
    done = project.command("run", "scran")
    assert done.returncode == 0, done.stderr
    return project


def refusal(teacher, target):
    with pytest.raises(ProjectError) as raised:
        handout(Project(teacher), ["clusters"], target, proof=False)
    return str(raised.value)


def test_other_chains(teacher, tmp_path, monkeypatch):
    """The copy contains what the lesson loads, but no solutions of later lessons in any file."""
    with pytest.raises(ProjectError, match="scran is made by a command"):
        handout(Project(teacher), ["scran"], tmp_path / "x")
    for name in ("clusters.py", "later.slides.html"):
        (teacher / "notebooks" / "lessons" / name).write_text(LATER)
    (teacher / "notebooks" / "helpers.py").write_text("x = 1\n")
    for folder in ("submitted", "src/.ipynb_checkpoints", "first"):
        (teacher / folder).mkdir()
        (teacher / folder / "ada.txt").write_text(LATER)
    (teacher / "gradebook.db").write_text(LATER)
    (teacher / "src" / "exercise-3_Solution.py").write_text("x = 3\n")
    (teacher / "first" / "pyproject.toml").write_text("[tool.checkpoint]\n")  # an earlier copy
    teacher.commit()  # including these files
    teacher.git("rm", "-rq", "--cached", "first")
    (teacher / "doc.md").write_text(f"Next week: `{LATER}`")
    teacher.git("add", "doc.md")
    path = teacher / "notebooks" / "lessons" / "clusters.ipynb"
    nb = nbformat.read(path, as_version=4)
    picture = base64.b64encode(PNG[:33] + SECRET + PNG[33:] + b"more").decode()
    nb.cells[3].outputs = [nbformat.v4.new_output("display_data", {"image/png": picture})]
    nbformat.write(nb, path)

    assert f"  doc.md: {LATER}\n" in refusal(teacher, tmp_path / "out")
    teacher.git("rm", "-qf", "doc.md")
    (teacher / "scripts" / "scran.py").write_text(SCRIPT + "### BEGIN SOLUTION\n")
    assert "  scripts/scran.py: ### BEGIN SOLUTION\n" in refusal(teacher, tmp_path / "out")
    (teacher / "scripts" / "scran.py").write_text(SCRIPT)

    done = handout(Project(teacher), ["clusters"], tmp_path / "out", figures=True, proof=False)
    assert list(done.packs) == ["01_import", "scran", "02_qc"]
    assert done.notes[:3] == [
        "left out notebooks/lessons/clusters.py, a notebook in another form",
        "left out notebooks/lessons/later.slides.html, a notebook in another form",
        "left out src/exercise-3_Solution.py, a solution by its name",
    ]
    assert done.notes[3] == (
        "not searched for the solutions of another notebook: notebooks/begun.ipynb, cell "
        "`### BEGIN SOLUTION`: has BEGIN SOLUTION without END SOLUTION"
    )
    copy = ProjectUnderTest(done.path)
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert "notebooks/helpers.py" in names and "notebooks/lessons/clusters.ipynb" in names
    assert not [name for name in names if re.search("ada|gradebook|later|Solution", name)]
    assert (copy / "handout" / "figures" / "clusters-1.png").read_bytes() == PNG
    text = copy.joinpath("notebooks/lessons/clusters.ipynb").read_text(encoding="utf-8")
    assert "![figure](../../handout/figures/clusters-1.png)" in text
    settings = tomllib.loads((copy / "pyproject.toml").read_text())["tool"]["checkpoint"]
    assert (settings["order"], settings.get("steps", {})) == (["lessons/clusters"], {})

    monkeypatch.chdir(copy)
    session.forget()
    assert load("02_qc/a", fetch=True)["x"] == "02_qc/a"
    assert load("scran", fetch=True)["table"].shape == (1, 1)


def test_reset_of_a_notebook_with_another_place_or_name(teacher, tmp_path, monkeypatch):
    """A moved notebook is reset in place; for a renamed one, the error gives the original name."""
    copy = handout(Project(teacher), ["clusters", "later"], tmp_path / "out", proof=False).path
    place, notebooks = Project(copy), copy / "notebooks"
    monkeypatch.chdir(copy)
    fresh = (notebooks / "lessons" / "clusters.ipynb").read_bytes()
    solution = fresh.replace(b"raise NotImplementedError()", b"n = 1")

    (copy / "pyproject.toml").write_text("[tool.checkpoint]\norder = ['mine/clusters', 'later']\n")
    (notebooks / "mine").mkdir()
    (notebooks / "lessons" / "later.ipynb").rename(notebooks / "later.ipynb")
    (notebooks / "lessons" / "clusters.ipynb").unlink()
    (notebooks / "mine" / "clusters.ipynb").write_bytes(solution)
    done = reset(place, "clusters")
    assert done.notebook == notebooks / "mine" / "clusters.ipynb"
    assert done.notebook.read_bytes() == fresh and done.kept.read_bytes() == solution
    place.refuse_unclear()

    rename(place, "clusters", "groups")
    before = tree(copy)
    for name in ("groups", "clusters"):
        with pytest.raises(ProjectError, match="groups was handed out as clusters") as raised:
            reset(place, name)
        assert "`checkpoint rename groups clusters`" in str(raised.value)
    assert tree(copy) == before
    rename(place, "groups", "clusters")
    assert reset(place, "clusters").notebook.read_bytes() == fresh
