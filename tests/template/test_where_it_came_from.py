"""What a project records about the template that generated it."""

import json
import subprocess
import sys
import tomllib

import pytest
from cookiecutter.main import cookiecutter
from project_under_test import ANSWERS, TEMPLATE, git

from answer_source import source_of
from checkpoint import __version__
from checkpoint.check.check import check
from checkpoint.project.project import Project
from checkpoint.project.settings import read_ignored


def record(root):
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return pyproject["tool"]["checkpoint"]["template"]


def test_version_and_answers(bake):
    answers = {"project_name": 'The "β" \\ `project`', "author_name": "Ada {{ x }}"}
    root = bake(pipeline="blank", project_slug="my_project", **answers)
    given = {**ANSWERS, **answers, "pipeline": "blank"}
    names = {"project_slug": "my_project", "package_name": "my_project"}
    assert record(root) == {"version": __version__, "answers": {**given, **names}}
    assert read_ignored(Project(root)) == []
    assert check(root) == []


def test_a_path_leaves_no_trace(bake):
    """The same answers must give the same bytes on every machine."""
    text = (bake(pipeline="blank") / "pyproject.toml").read_text(encoding="utf-8")
    assert str(TEMPLATE) not in text and "source" not in record(bake(project_slug="b"))


@pytest.mark.versions
def test_an_address_and_its_commit(template, tmp_path, monkeypatch):
    """An abbreviated address, which cookiecutter expands and clones, is recorded as typed."""
    git(template, "init", "-q")
    git(template, "add", "-Af")
    git(template, "commit", "-qm", "x")
    config = tmp_path / "config.yaml"
    (tmp_path / "c").mkdir()
    folders = f"cookiecutters_dir: {tmp_path / 'c'}\nreplay_dir: {tmp_path / 'r'}\n"
    config.write_text(f"{folders}abbreviations:\n  lab: git+file://{tmp_path}/{{0}}\n")
    root = cookiecutter(
        "lab:template",
        no_input=True,
        config_file=str(config),
        output_dir=str(tmp_path / "out"),
        extra_context={**ANSWERS, "pipeline": "blank"},
    )
    found = record(tmp_path / "out" / "my_project")
    assert root and found["source"] == "lab:template"
    assert found["commit"] == git(template, "rev-parse", "HEAD").strip()


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("gh:lab/template", "gh:lab/template"),
        ("git@example.org:lab/template.git", "git@example.org:lab/template.git"),
        ("https://me:token@example.org/template", "https://example.org/template"),
        ("ssh://git@example.org/template", "ssh://git@example.org/template"),
        ("C:\\template", None),
        ("../template", None),
        ("file:///home/me/template", None),
        ("", None),
    ],
)
def test_what_is_an_address(tmp_path, address, source):
    assert source_of(address, tmp_path) == (source, None)


def test_the_commit_of_a_packed_or_detached_clone(tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-qm", "x", "--allow-empty")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    assert source_of("gh:a/b", tmp_path)[1] == commit
    git(tmp_path, "pack-refs", "--all")
    assert source_of("gh:a/b", tmp_path)[1] == commit
    git(tmp_path, "checkout", "-q", "--detach")
    assert source_of("gh:a/b", tmp_path)[1] == commit


def test_the_address_of_an_installed_package(tmp_path):
    folder = tmp_path / "notebook_checkpoints" / "cookiecutter-notebook-checkpoints"
    information = tmp_path / "cookiecutter_notebook_checkpoints-0.1.0.dist-info"
    for path in (folder, information):
        path.mkdir(parents=True)
    installed = {"url": "https://example.org/t", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
    (information / "direct_url.json").write_text(json.dumps(installed))
    assert source_of(str(folder), folder) == ("https://example.org/t", "abc")
    (information / "direct_url.json").write_text('{"url": "file:///a", "dir_info": {}}')
    assert source_of(str(folder), folder) == (None, None)


@pytest.mark.versions
def test_after_a_version_that_stayed_in_memory(template, tmp_path):
    """The first versions named another extension and left their modules in `sys.modules`."""
    questions = (template / "cookiecutter.json").read_text(encoding="utf-8")
    questions = questions.replace("answer_extension", "answer_filters")
    (template / "cookiecutter.json").write_text(questions, encoding="utf-8")
    (template / "answer_extension.py").unlink()
    filters = (template / "answer_filters.py").read_text(encoding="utf-8")
    assert "        del sys.modules[module]" in filters
    filters = filters.replace("        del sys.modules[module]", "        pass")
    filters = filters.replace("def markdown(", "def in_markdown(")
    filters = filters.replace(" markdown,", " in_markdown,")
    for name in ("README.md", "AGENTS.md"):
        path = template / "{{cookiecutter.project_slug}}" / name
        text = path.read_text(encoding="utf-8").replace("| markdown", "| in_markdown")
        path.write_text(text, encoding="utf-8")
    (template / "answer_filters.py").write_text(filters, encoding="utf-8")
    script = (
        "import sys\n"
        "from cookiecutter.main import cookiecutter\n"
        "for number, version in enumerate(sys.argv[1:]):\n"
        "    cookiecutter(version, no_input=True, output_dir=str(number), default_config=True)\n"
    )
    versions = [str(template), str(TEMPLATE)]
    done = subprocess.run(
        [sys.executable, "-c", script, *versions], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "1").glob("*/README.md"))
