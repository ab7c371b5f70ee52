"""A small course: lesson 1 makes points, lesson 2 finds clusters and contains solutions."""

import nbformat
import numpy as np
from project_under_test import ProjectUnderTest

from checkpoint import load, save
from checkpoint.storage import session

ONE, TWO = "1_preprocessing", "2_integration"
LOAD = """import numpy as np
import pandas as pd

from my_project.checkpoint import load, save

points = load("1_preprocessing")["points"]
centers = np.array([[0, 0], [5, 5], [10, 10]])"""
DISTANCES = '''def distances(points, centers):
    """Return the distance of each point to each center."""
    ### BEGIN SOLUTION
    difference = points[:, None] - centers[None]
    return np.linalg.norm(difference, axis=2)
    ### END SOLUTION'''
CLUSTERS = """# Assign each point to its nearest center
### BEGIN SOLUTION
clusters = distances(points, centers).argmin(axis=1)
### END SOLUTION"""
TESTS = """assert clusters.shape == (60,)
### BEGIN HIDDEN TESTS
assert np.bincount(clusters).min() > 10
### END HIDDEN TESTS"""
SAVE = """table = pd.DataFrame({"cluster": [f"c{k}" for k in clusters]})
table["distance"] = distances(points, centers).min(axis=1)
model = {"centers": centers}
save("2_integration", {"clusters.csv": table, "labels": clusters, "model.pkl": model})"""
POINTS = np.concatenate([np.random.default_rng(k).normal(5 * k, 1, (20, 2)) for k in range(3)])


def code(source, cell_id, *tags, **metadata):
    cell = nbformat.v4.new_code_cell(source, id=cell_id)
    cell.metadata.update({"tags": list(tags)} if tags else {}, **metadata)
    return cell


def graded(grade_id, *, solution=False, points=None):
    """Return the metadata that nbgrader adds to a cell."""
    grade = points is not None
    entry = {"schema_version": 3, "grade_id": grade_id, "solution": solution, "grade": grade}
    entry |= {"locked": grade and not solution, "task": False}
    return {"nbgrader": entry | ({"points": points} if grade else {})}


def cells():
    return [
        nbformat.v4.new_markdown_cell("# 2 · Clusters", id="title"),
        code(LOAD, "load", "checkpoint-load"),
        code(DISTANCES, "distances", **graded("distances", solution=True)),
        code(CLUSTERS, "clusters", **graded("clusters", solution=True)),
        code(TESTS, "tests", **graded("tests", points=2)),
        code(SAVE, "save", "checkpoint-save"),
    ]


def write_lessons(project: ProjectUnderTest, lesson=None) -> None:
    """Write both notebooks of the course into a project."""
    with project.edited(TWO) as notebook:
        notebook.cells = cells() if lesson is None else lesson
    with project.edited(ONE) as notebook:
        notebook.cells = [
            code("from my_project.checkpoint import load, save", "load", "checkpoint-load"),
            code(
                "import numpy as np\n"
                "parts = [np.random.default_rng(k).normal(5 * k, 1, (20, 2)) for k in range(3)]",
                "points",
            ),
            code(f'save("{ONE}", {{"points": np.concatenate(parts)}})', "save", "checkpoint-save"),
        ]


def save_points() -> None:
    """Save the results of lesson 1 from this process."""
    session.forget()
    save(ONE, {"points": POINTS})


def solve() -> None:
    """Save the results of lesson 2 from this process."""
    import pandas as pd

    session.forget()
    points = load(ONE)["points"]
    centers = np.array([[0, 0], [5, 5], [10, 10]])
    distances = np.linalg.norm(points[:, None] - centers[None], axis=2)
    clusters = distances.argmin(axis=1)
    table = pd.DataFrame({"cluster": [f"c{k}" for k in clusters]})
    table["distance"] = distances.min(axis=1)
    save(TWO, {"clusters.csv": table, "labels": clusters, "model.pkl": {"centers": centers}})
    session.forget()
