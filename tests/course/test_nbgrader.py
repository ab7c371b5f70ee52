"""nbgrader itself on a generated project: generate_assignment, autograde, validate.

Its commands take seconds to start, so this calls what they call, in one process.
"""

import io
import os
import shutil
import sysconfig

import pytest
from course.teaching import CLUSTERS, DISTANCES, TWO, save_points, write_lessons
from project_under_test import tree

from checkpoint.project.project import Project
from checkpoint.storage import session
from notebook_checkpoints.compare.compare import compare
from notebook_checkpoints.compare.values import Tolerance

pytestmark = pytest.mark.slow


@pytest.fixture
def course(project, tmp_path, monkeypatch):
    """Return a project whose second lesson is an assignment, and the folder of a course."""
    write_lessons(project)
    save_points()
    session.forget()
    folder = tmp_path / "course"
    (folder / "source" / "ps1").mkdir(parents=True)
    shutil.copy(project.notebook(TWO), folder / "source" / "ps1")
    scripts = sysconfig.get_path("scripts")  # nbgrader calls alembic
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(project / "src"))
    monkeypatch.setenv("CHECKPOINT_RESULTS", "results")
    monkeypatch.chdir(folder)
    return folder


def test_a_project_is_graded(project, course):
    pytest.importorskip("nbgrader", reason="nbgrader is installed for `make test` alone")
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.validator import Validator
    from traitlets.config import Config

    nbgrader = NbGraderAPI(config=Config(CourseDirectory={"root": str(course), "course_id": "x"}))
    results = tree(project / "results")

    done = nbgrader.generate_assignment("ps1")
    assert done["success"], done["log"]
    release = course / "release" / "ps1" / f"{TWO}.ipynb"
    assert "raise NotImplementedError()" in release.read_text(encoding="utf-8")
    assert "bincount" not in release.read_text(encoding="utf-8")
    for name in ("ada", "bob"):
        (course / "submitted" / name / "ps1").mkdir(parents=True)
        shutil.copy(release, course / "submitted" / name / "ps1")
    shutil.copy(release, project.notebook(TWO))
    project.change_cell(TWO, DISTANCES.replace("###", "#"), "distances")
    project.change_cell(TWO, CLUSTERS.replace("###", "#"), "clusters")
    solved = shutil.copy(project.notebook(TWO), course / "submitted" / "ada" / "ps1")
    validator = Validator()
    validator.stream = io.StringIO()  # else what was sys.stdout when nbgrader was imported
    validator.validate_and_print(str(solved))
    assert "Success! Your notebook passes all the tests." in validator.stream.getvalue()
    for name in ("ada", "bob"):
        done = nbgrader.autograde("ps1", name)
        assert done["success"], done["log"]
    assert tree(project / "results") == results
    ours = course / "autograded" / "ada" / "ps1" / "results" / TWO
    assert (ours / "clusters.csv").is_file()
    assert not (course / "autograded" / "bob" / "ps1" / "results" / TWO).exists()
    with nbgrader.gradebook as gradebook:
        scores = {one.student.id: one.score for one in gradebook.assignment_submissions("ps1")}
    assert scores == {"ada": 2, "bob": 0}
    shutil.copytree(ours, project / "results" / TWO, dirs_exist_ok=True)
    place = Project(project)
    rows = compare(place, course / "autograded", place, Tolerance())
    ada, bob = (row for row in rows if row.step == TWO)
    assert (ada.results, len(bob.results), len(bob.cells.answered)) == ([], 3, 0)
