"""Pipelines: each folder in `pipelines/` is listed, documented and runs."""

import ast
import json
import os
import shutil
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from cookiecutter.exceptions import FailedHookException
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project_under_test import TEMPLATE, ProjectUnderTest, generate

from answer_pipelines import read_pipeline

packages_distributions = cache(metadata.packages_distributions)  # a call takes a second
QUESTIONS = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
PIPELINES = sorted(path.name for path in (TEMPLATE / "pipelines").iterdir() if path.is_dir())
LISTED = ", ".join(PIPELINES)
# pipelines with their own test file are run there
OWN_TESTS = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
RUN_HERE = [name for name in PIPELINES if f"test_{name.replace('-', '_')}" not in OWN_TESTS]


def requirements(path):
    """Return the dependencies of a generated project, by distribution name."""
    pyproject = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))
    parsed = map(Requirement, pyproject["project"]["dependencies"])
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def imported(path):
    """Yield the top-level modules that a project's notebooks and scripts import."""
    sources = [file.read_text(encoding="utf-8") for file in path.glob("scripts/**/*.py")]
    for file in path.glob("notebooks/*.ipynb"):
        cells = nbformat.read(file, as_version=4).cells
        sources += [cell.source for cell in cells if cell.cell_type == "code"]
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def test_the_question_lists_the_folders():
    listed = sorted(QUESTIONS["pipeline"])
    assert listed == PIPELINES, "`pipeline` in cookiecutter.json names the folders in pipelines/"


@pytest.mark.parametrize("name", PIPELINES)
def test_the_prompt_is_the_pipelines(name):
    """If `cookiecutter.json` has a prompt for a pipeline, it is the one in its pipeline.toml."""
    prompts = QUESTIONS["__prompts__"]["pipeline"]
    assert prompts.get(name, read_pipeline(name)["prompt"]) == read_pipeline(name)["prompt"]


@pytest.mark.parametrize("name", PIPELINES)
def test_a_project_has_what_the_pipeline_says(bake, name):
    path = bake(pipeline=name)
    fields = read_pipeline(name)
    needed = requirements(path)
    for requirement in map(Requirement, fields["dependencies"]):
        assert needed[canonicalize_name(requirement.name)] == requirement
    assert fields["readme"].strip() in (path / "README.md").read_text(encoding="utf-8")
    assert not list(path.rglob("pipeline.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINES)
def test_a_project_depends_on_what_its_notebooks_import(bake, name):
    baked, distributions = bake(pipeline=name), packages_distributions()
    modules = set(imported(baked)) - sys.stdlib_module_names - {baked.package}
    for module in modules:
        names = set(map(canonicalize_name, distributions[module]))
        assert names & requirements(baked).keys(), f"imports {module}"


@pytest.mark.parametrize("name", PIPELINES)
def test_the_tests_run_with_what_the_pipeline_asks_for(name):
    for requirement in map(Requirement, read_pipeline(name)["dependencies"]):
        assert metadata.version(requirement.name) in requirement.specifier


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN_HERE)
def test_it_runs_as_generated(bake, name):
    baked = bake(pipeline=name)
    for verb in ("run", "status", "check"):
        done = baked.command(verb)
        assert done.returncode == 0, done.stdout + done.stderr


OURS = "added_by_tests"  # a name that no fork's pipeline has


def add_pipeline(template, name):
    """Copy the single-cell pipeline under a new name and list it, as CONTRIBUTING describes."""
    questions = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
    questions["pipeline"].append(name)
    (template / "cookiecutter.json").write_text(json.dumps(questions), encoding="utf-8")
    return shutil.copytree(template / "pipelines" / "single-cell", template / "pipelines" / name)


def test_a_pipeline_of_ones_own(template, tmp_path):
    """The project gets its dependencies, notice and files, and scripts stay executable."""
    ours = add_pipeline(template, OURS)
    description = (ours / "pipeline.toml").read_text(encoding="utf-8")
    description = description.replace('"scanpy>=1.11"', "'tables >=3 ; python_version < \"4\"'")
    (ours / "pipeline.toml").write_text(description, encoding="utf-8")
    script = ours / "scripts" / "do.py"
    script.write_text("import project.checkpoint as ck\n")
    script.chmod(0o755)
    (ours / ".ipynb_checkpoints").mkdir()
    (ours / ".ipynb_checkpoints" / "1_x.ipynb").write_text("{}")
    path = generate(tmp_path / "out", template, pipeline=OURS)
    copied = path / "scripts" / "do.py"
    assert copied.read_text() == "import my_project.checkpoint as ck\n"
    assert os.name == "nt" or os.access(copied, os.X_OK)
    assert not (path / ".ipynb_checkpoints").exists()
    assert "scanpy" not in requirements(path)
    assert requirements(path)["tables"] == Requirement('tables>=3; python_version < "4"')
    assert "are simulated" in (path / "README.md").read_text(encoding="utf-8")


def test_a_pipeline_without_dependencies(template, tmp_path):
    ours = add_pipeline(template, OURS)
    shutil.rmtree(ours)
    (ours / "data").mkdir(parents=True)
    (ours / "data" / "README.md").touch()
    (ours / "pipeline.toml").write_text(
        'prompt = "ours"\nasks_for_notebooks = true\ndependencies = []\nreadme = ""\n'
    )
    path = generate(tmp_path / "out", template, pipeline=OURS, notebooks="one")
    assert [p.name for p in path.glob("notebooks/*")] == ["1_one.ipynb"]
    assert not {"anndata", "numpy", "pandas", "scipy"} & requirements(path).keys()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda ours: shutil.rmtree(ours), f"is not a pipeline of this template ({LISTED})"),
        (lambda ours: (ours / "pipeline.toml").unlink(), "is not a pipeline of this template"),
        (
            lambda ours: (ours / "pipeline.toml").write_text("x = "),
            "pipeline.toml cannot be read: ",
        ),
        (
            lambda ours: (ours / "pipeline.toml").write_bytes(b"\xff"),
            "pipeline.toml cannot be read: ",
        ),
        (
            lambda ours: (ours / "pipeline.toml").write_text("prompt = 1"),
            "pipeline.toml: prompt must be a str, got 1",
        ),
        (
            lambda ours: (ours / "pipeline.toml").write_text('prompt = "x"'),
            "pipeline.toml: asks_for_notebooks must be a bool, got nothing",
        ),
    ],
)
def test_a_pipeline_that_cannot_be_read_is_rejected(capfd, template, tmp_path, change, reason):
    change(add_pipeline(template, OURS))
    with pytest.raises(FailedHookException):
        generate(tmp_path / "out", template, pipeline=OURS)
    assert f"pipeline {OURS!r}: {reason}" in capfd.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_misspelled_pipeline_is_rejected_with_the_list(tmp_path):
    with pytest.raises(ValueError, match=r"single_cell .*single-cell"):
        generate(tmp_path, pipeline="single_cell")
    assert list(tmp_path.iterdir()) == []


WITHOUT = """
import sys
for library in ("anndata", "h5py", "igraph", "scanpy", "scipy"):
    sys.modules[library] = None  # importing it fails
import pandas as pd
from my_project.checkpoint import load, save
table = pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["x", "y"])})
save("1_preprocessing", {"table": table, "table.csv": table, "words": ["x"]}, params={"n": 2})
loaded = load("1_preprocessing")
assert loaded["table"].equals(table) and loaded["table.csv"].equals(table)
assert loaded["words"] == ["x"]
"""


@pytest.mark.versions
def test_a_project_about_tables_needs_no_anndata(blank_project, tmp_path):
    copy = ProjectUnderTest(shutil.copytree(blank_project, tmp_path / "my_project"))
    done = copy.python("-c", WITHOUT)
    assert done.returncode == 0, done.stderr
