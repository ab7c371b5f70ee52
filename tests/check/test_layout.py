"""The layout rules, on new projects and on projects that were changed or damaged."""

import json
import shlex
import shutil
import subprocess
import sys

import nbformat
import pytest

from checkpoint.check.check import check
from checkpoint.check.layout import check_new


def edit(path, **changes):
    """Replace text in a file."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def second(project):
    return project / "notebooks" / "2_integration.ipynb"


def test_a_generated_project_has_no_problems(project):
    assert check_new(project) == []


@pytest.mark.parametrize(
    ("damage", "rule", "words"),
    [
        (lambda p: (p / "data" / "README.md").unlink(), "tree", "data/README.md"),
        (lambda p: shutil.rmtree(p / "results"), "tree", "results"),
        (lambda p: shutil.rmtree(p / "src" / "my_project" / "checkpoint"), "tree", "src"),
        (
            lambda p: edit(p / "pyproject.toml", **{"[tool.checkpoint": "[tool.other"}),
            "tree",
            "tool.checkpoint",
        ),
        (lambda p: edit(p / ".gitignore", **{"*.npy\n": ""}), "gitignore", "*.npy"),
        (
            lambda p: shutil.copy(second(p), p / "notebooks" / "2_other.ipynb"),
            "number",
            "same number as 2_integration",
        ),
        (lambda p: second(p).write_text("{"), "nbformat", "line 1, column 2"),
        (
            lambda p: edit(second(p), **{'"nbformat_minor": 5': '"nbformat_minor": 4'}),
            "nbformat",
            "4.4",
        ),
        (lambda p: edit(second(p), **{'"name": "python3"': '"name": "ir"'}), "kernel", "'ir'"),
        (lambda p: edit(second(p), **{"checkpoint-load": "other"}), "load-cell", "expected 1"),
        (lambda p: edit(second(p), **{"checkpoint-save": "other"}), "save-cell", "expected 1"),
        (
            lambda p: edit(second(p), **{"1_preprocessing": "3_visualization"}),
            "load-later",
            "loads '3_visualization', which runs later",
        ),
        (
            lambda p: edit(second(p), **{'\\"2_integration\\"': '\\"2_integration_v2\\"'}),
            "save-step",
            "saves as '2_integration_v2'",
        ),
        (
            lambda p: edit(second(p), **{"save(\\n": "print(\\n"}),
            "save-cell",
            "does not call save(…)",
        ),
        (
            lambda p: edit(second(p), **{"1_preprocessing": "1_prep"}),
            "load-unknown",
            "loads '1_prep', which has no notebook",
        ),
        (
            lambda p: edit(second(p), **{"from my_project.": "from other."}),
            "other-project",
            "imports other.checkpoint, which belongs to another project. Import from my_project.",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_place(project, damage, rule, words):
    damage(project)
    problems = check(project)
    assert [problem.rule for problem in problems if words in str(problem)] == [rule]


def test_outputs_are_for_new_projects_only(project):
    notebook = json.loads(second(project).read_text())
    notebook["cells"][1]["execution_count"] = 1
    second(project).write_text(json.dumps(notebook))
    assert check(project) == []
    assert [problem.rule for problem in check_new(project)] == ["outputs"]


@pytest.mark.parametrize(
    "change",
    [
        {'"kernelspec": {': '"kernelspec": null, "x": {'},
        {'"tags": [\n     "checkpoint-load"\n    ]': '"tags": null'},
    ],
)
def test_odd_metadata_are_a_problem_and_not_a_traceback(project, change):
    edit(second(project), **change)
    assert check(project)


def test_a_folder_named_as_a_notebook_is_none(project):
    (project / "notebooks" / "4_x.ipynb").mkdir()
    assert check(project) == []


def test_notes_need_neither_cells_nor_a_kernel(project):
    notes = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Notes")])
    nbformat.write(notes, project / "notebooks" / "4_notes.ipynb")
    assert check(project) == []


def test_a_gitignore_that_is_not_utf8(project):
    path = project / ".gitignore"
    path.write_bytes(path.read_bytes() + b"\xff\n")
    assert check(project) == []


@pytest.mark.versions
def test_an_old_notebook_is_upgraded_as_it_says(project):
    path = project / "notebooks" / "1_preprocessing.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["nbformat_minor"] = 4
    for cell in content["cells"]:
        del cell["id"]
    path.write_text(json.dumps(content), encoding="utf-8")
    (problem,) = check(project)
    assert problem.what == "is nbformat 4.4; expected 4.5"
    command = shlex.split(problem.todo.removeprefix("Upgrade it: "))
    subprocess.run([sys.executable, *command[1:]], cwd=project, check=True)
    assert check(project) == []
