"""nbgrader on a generated project, from generate_assignment to generate_feedback.

The test calls nbgrader's API in one process, since its commands take seconds to start.
"""

import io
import os
import shutil
import sysconfig

import pytest
from course.teaching import CLUSTERS, DISTANCES, ONE, TWO, save_points, write_lessons
from project_under_test import tree

from checkpoint.project.project import Project
from checkpoint.storage import session
from notebook_checkpoints.compare.compare import compare
from notebook_checkpoints.compare.values import Tolerance
from notebook_checkpoints.handout.handout import handout

pytestmark = pytest.mark.slow


@pytest.fixture
def course(project, tmp_path, monkeypatch):
    """Return the folder of a course whose assignment is the project's second lesson."""
    write_lessons(project)
    save_points()
    session.forget()
    folder = tmp_path / "course"
    (folder / "source" / "ps1").mkdir(parents=True)
    shutil.copy(project.notebook(TWO), folder / "source" / "ps1")
    scripts = sysconfig.get_path("scripts")  # nbgrader runs alembic
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(project / "src"))
    monkeypatch.setenv("CHECKPOINT_RESULTS", "results")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="nbgrader has no exchange on Windows")
def test_a_project_is_graded(project, course, tmp_path, monkeypatch):
    pytest.importorskip("nbgrader", reason="nbgrader is installed for `make test` alone")
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default import ExchangeFetchAssignment, ExchangeSubmit
    from nbgrader.utils import get_username
    from nbgrader.validator import Validator
    from traitlets.config import Config

    exchange, kept = tmp_path / "exchange", ["*.pyc", "results"]
    exchange.mkdir()
    exchange.chmod(0o777)
    config = Config(
        CourseDirectory={"root": str(course), "course_id": "x", "ignore": kept},
        Exchange={"root": str(exchange), "cache": str(tmp_path / "cache")},
    )
    nbgrader = NbGraderAPI(config=config)
    results = tree(project / "results")

    done = nbgrader.generate_assignment("ps1")
    assert done["success"], done["log"]
    release = course / "release" / "ps1" / f"{TWO}.ipynb"
    assert "raise NotImplementedError()" in release.read_text(encoding="utf-8")
    assert "bincount" not in release.read_text(encoding="utf-8")
    (course / "submitted" / "bob" / "ps1").mkdir(parents=True)
    shutil.copy(release, course / "submitted" / "bob" / "ps1")

    def answer(path):
        original = project.notebook(TWO).read_bytes()
        shutil.copy(path, project.notebook(TWO))
        project.change_cell(TWO, DISTANCES.replace("###", "#"), "distances")
        project.change_cell(TWO, CLUSTERS.replace("###", "#"), "clusters")
        shutil.copy(project.notebook(TWO), path)
        project.notebook(TWO).write_bytes(original)

    # a student with the name of this user fetches, answers, validates and submits
    ada, home = get_username(), tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    done = nbgrader.release_assignment("ps1")
    assert done["success"], done["log"]
    theirs = CourseDirectory(config=config)
    theirs.assignment_id = "ps1"
    exchanging = {"coursedir": theirs, "authenticator": Authenticator(config=config)}
    ExchangeFetchAssignment(**exchanging, config=config).start()
    solved = home / "ps1" / f"{TWO}.ipynb"
    answer(solved)
    validator = Validator()
    validator.stream = io.StringIO()  # default: sys.stdout when nbgrader was imported
    validator.validate_and_print(str(solved))
    assert "Success! Your notebook passes all the tests." in validator.stream.getvalue()
    assert (home / "ps1" / "results" / TWO / "clusters.csv").is_file()
    (home / "ps1" / "results" / ONE).mkdir()  # not the teacher's results
    (home / "ps1" / "results" / ONE / "points.csv").write_text("a\n1\n")
    ExchangeSubmit(**exchanging, config=config).start()
    monkeypatch.chdir(course)
    done = nbgrader.collect("ps1")
    assert done["success"], done["log"]
    assert not (course / "submitted" / ada / "ps1" / "results").exists()
    for name in (ada, "bob"):
        done = nbgrader.autograde("ps1", name)
        assert done["success"], done["log"]
    done = nbgrader.generate_feedback("ps1")
    assert done["success"], done["log"]
    assert "bincount" in (course / "feedback" / ada / "ps1" / f"{TWO}.html").read_text("utf-8")
    assert tree(project / "results") == results
    ours = course / "autograded" / ada / "ps1" / "results" / TWO
    assert (ours / "clusters.csv").is_file()
    assert not (course / "autograded" / "bob" / "ps1" / "results" / TWO).exists()
    with nbgrader.gradebook as gradebook:
        scores = {one.student.id: one.score for one in gradebook.assignment_submissions("ps1")}
    assert scores == {ada: 2, "bob": 0}
    shutil.copytree(ours, project / "results" / TWO, dirs_exist_ok=True)
    place = Project(project)
    students = handout(place, [TWO], tmp_path / "students", proof=False).path
    rows = list(compare(Project(students), course / "autograded", place, Tolerance()))
    first, second = (row for row in sorted(rows, key=lambda row: row.student == "bob"))
    assert (first.results, len(second.results), len(second.cells.answered)) == ([], 3, 0)
    assert first.cells.changed == second.cells.changed == []  # despite hidden tests
