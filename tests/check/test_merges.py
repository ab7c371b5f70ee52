"""Unresolved merge conflicts, as `git merge` and updates of the template leave them."""

import pytest
from front_end import HEAD, FrontEnd
from project_under_test import ONE, TWO

from checkpoint import CheckpointDamagedError, ProjectError, load, save
from checkpoint.check.check import check
from checkpoint.text import unfinished_merge

WORDS = "has an unfinished merge in line 1"


def both(path):
    """Put the content of a file between git's conflict markers."""
    content = path.read_text(encoding="utf-8")
    marked = f"<<<<<<< HEAD\n{content}=======\n>>>>>>> theirs\n"
    path.write_text(marked, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        (".gitignore", "merge"),
        ("src/my_project/__init__.py", "merge"),
        (f"notebooks/{TWO}.ipynb", "nbformat"),
        ("pyproject.toml", "settings"),
    ],
)
def test_check_names_the_file(project, file, rule):
    both(project / file)
    found = [problem for problem in check(project) if problem.rule != "gitignore"]
    assert [(problem.rule, problem.file) for problem in found] == [(rule, file)]
    assert found[0].what.startswith(WORDS)


def test_load_and_save_stop_at_the_settings(project):
    save(ONE, {"x": 1})
    both(project / "pyproject.toml")
    for use in (lambda: load(ONE), lambda: save(TWO, {"x": 1})):
        with pytest.raises(ProjectError, match=rf"pyproject.toml {WORDS}: choose"):
            use()
    assert not (project / "results" / TWO / "params.json").exists()


def test_load_and_save_name_a_notebook(project, capsys):
    """A conflict in the notebook must not block `save`, but the step counts as edited."""
    save(ONE, {"x": 1})
    for step in (ONE, TWO):
        both(project.notebook(step))
    capsys.readouterr()
    load(ONE)
    assert f"is edited: notebooks/{ONE}.ipynb {WORDS}: choose between" in capsys.readouterr().out
    save(TWO, {"x": 1})
    said = capsys.readouterr().out
    assert f"Note: notebooks/{TWO}.ipynb {WORDS}: choose between" in said
    assert load(TWO)["x"] == 1 and project.states()[TWO] == "edited"


@pytest.mark.slow
def test_save_names_it_in_a_kernel(project):
    front = FrontEnd(project, TWO, [HEAD, f"save({TWO!r}, {{'x': 1}})"], {}, with_ids=True)
    try:
        both(project.notebook(TWO))
        front.run(0, 1)
        assert f"notebooks/{TWO}.ipynb {WORDS}" in front.printed
    finally:
        front.restart()
    assert project.states()[TWO] == "edited"


def test_load_stops_at_a_record(project):
    save(ONE, {"x": 1})
    both(project / "results" / ONE / "params.json")
    with pytest.raises(CheckpointDamagedError, match=f"params.json {WORDS}"):
        load(ONE)


def test_a_line_of_text_is_no_merge():
    assert unfinished_merge("<<<<<<< a\nb\n") is None
    assert unfinished_merge("Title\n=======\n>>>>>>> a\n") is None
    assert WORDS in unfinished_merge("<<<<<<< a\n=======\n>>>>>>> b\n")
