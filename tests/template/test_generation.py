"""The files of a generated project, and where and how it can be generated."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import nbformat
import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from project_under_test import ANSWERS, TEMPLATE, arguments, generate, tree

from checkpoint import __version__
from checkpoint.cli.command import VERBS

QUESTIONS = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
RENDERED = TEMPLATE / "{{cookiecutter.project_slug}}"
PIPELINES = sorted(path.name for path in (TEMPLATE / "pipelines").iterdir() if path.is_dir())


@pytest.mark.versions
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_tree(bake, pipeline):
    path = bake(pipeline=pipeline)
    steps = sorted(p.stem for p in path.glob("notebooks/*"))
    assert steps
    assert sorted(p.name for p in path.glob("results/*")) == steps
    for step in steps:
        assert [p.name for p in (path / "results" / step).iterdir()] == [".gitkeep"]
    brought = {p.name for p in (TEMPLATE / "pipelines" / pipeline).iterdir()} - {"pipeline.toml"}
    assert {p.name for p in path.iterdir()} == {
        *(p.name for p in RENDERED.iterdir()),
        *brought,
        *("LICENSE", "data", "notebooks", "results", "src"),
    }
    assert not list(path.rglob("__pycache__"))


@pytest.mark.versions
def test_the_example_and_the_empty_notebooks_have_the_same_names(bake):
    names = ["1_preprocessing", "2_integration", "3_visualization"]
    for slug, pipeline in (("a", "single-cell"), ("b", "blank")):
        path = bake(project_slug=slug, pipeline=pipeline)
        assert sorted(p.stem for p in path.glob("notebooks/*")) == names


@pytest.mark.versions
def test_the_code_says_what_it_is(bake):
    baked = bake(pipeline="blank")
    copied = baked / "src" / "my_project" / "checkpoint"
    assert "cruft update" in (copied / "README.md").read_text(encoding="utf-8")
    assert baked.python("-c", "import my_project.checkpoint as c; print(c.__version__)").stdout == (
        f"{__version__}\n"
    )
    attribute = ("git", "check-attr", "linguist-vendored", "--", "src/my_project/checkpoint/api.py")
    subprocess.run(["git", "init", "-q"], cwd=baked, check=True)
    done = subprocess.run(attribute, cwd=baked, check=True, capture_output=True, text=True)
    assert done.stdout.endswith(": set\n")


@pytest.mark.versions
@pytest.mark.parametrize("document", ["AGENTS.md", "README.md"])
def test_documents_name_what_there_is(bake, document):
    """The commands, options, tags and folders that a document mentions exist in the project."""
    root = bake(pipeline="blank", package_name="of_its_own")
    text = (root / document).read_text(encoding="utf-8")
    assert "of_its_own" in text and "cookiecutter" not in text
    verbs = {verb.__name__ for group in VERBS.values() for verb in group}
    named = set(re.findall(r"`checkpoint ([a-z]+)", text))
    assert named and named <= verbs
    options = set(re.findall(r"`checkpoint ([a-z]+)[^`]* (--[a-z]+)", text))
    helped = {verb: root.command(verb, "--help").stdout for verb, _ in options}
    for verb, option in options:
        assert option in helped[verb]
    tags = set(re.findall(r"tagged `([a-z-]+)`", text))
    assert tags <= {"checkpoint-load", "checkpoint-save", "parameters"}
    for folder in re.findall(r"`((?:data|notebooks|src|results)/[\w./]*)`", text):
        assert (root / folder).exists(), folder


@pytest.mark.versions
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_notebooks_are_what_nbformat_calls_valid(bake, pipeline):
    baked = bake(pipeline=pipeline, package_name="of_its_own")
    for path in baked.glob("notebooks/*.ipynb"):
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.kernelspec.name == "python3"
        tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
        assert tags.count("checkpoint-load") == tags.count("checkpoint-save") == 1
        text = path.read_text(encoding="utf-8")
        assert "from of_its_own.checkpoint import" in text
        assert "from project." not in text


@pytest.mark.versions
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_same_answers_give_the_same_bytes(bake, tmp_path, pipeline):
    first = bake(pipeline=pipeline)
    again = generate(tmp_path / "again", pipeline=pipeline)
    assert tree(first) == tree(again)


@pytest.mark.versions
@pytest.mark.parametrize("license_name", QUESTIONS["license"])
def test_license(bake, license_name):
    path = bake(pipeline="blank", license=license_name, author_name="Ada")
    if license_name == "none":
        assert not (path / "LICENSE").exists()
        metadata = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))
        assert not [field for field in metadata["project"] if "license" in field]
    else:
        text = (TEMPLATE / "licenses" / license_name).read_text(encoding="utf-8")
        expected = text.replace("<owner>", "Ada")
        assert (path / "LICENSE").read_text(encoding="utf-8") == expected
        metadata = (path / "pyproject.toml").read_text(encoding="utf-8")
        assert f'license = "{license_name}"' in metadata


@pytest.mark.parametrize("license_name", sorted({*QUESTIONS["license"]} - {"none"}))
def test_licenses_have_names_that_an_installation_takes(license_name):
    """Names must be valid license expressions of SPDX, including `LicenseRef-` names."""
    licenses = pytest.importorskip("packaging.licenses", reason="packaging is older than 24.2")
    assert licenses.canonicalize_license_expression(license_name) == license_name


@pytest.mark.versions
@pytest.mark.parametrize("license_name", ["MIT", "BSD-3-Clause", "Apache-2.0"])
def test_licenses_name_their_owner(bake, license_name):
    path = bake(pipeline="blank", license=license_name, author_name="Ada")
    assert " Ada\n" in (path / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.versions
def test_notebooks_are_in_the_order_of_the_answer(bake):
    path = bake(pipeline="blank", notebooks="load , qc,cell_typing")
    assert sorted(p.name for p in path.glob("notebooks/*")) == [
        "1_load.ipynb",
        "2_qc.ipynb",
        "3_cell_typing.ipynb",
    ]
    assert 'load(\\"1_load\\")' in (path / "notebooks" / "2_qc.ipynb").read_text()


def test_every_question_has_a_prompt():
    questions = {name for name in QUESTIONS if not name.startswith("_")}
    assert questions == set(QUESTIONS["__prompts__"])


@pytest.mark.versions
def test_into_a_folder_that_the_user_made(tmp_path):
    (tmp_path / "my_project" / "notebooks").mkdir(parents=True)
    (tmp_path / "my_project" / "mine.txt").write_text("mine")
    path = generate(tmp_path, pipeline="blank", overwrite=True)
    assert len(list(path.glob("notebooks/*.ipynb"))) == 3
    assert (path / "mine.txt").read_text() == "mine"


@pytest.mark.versions
def test_it_says_what_to_type_next(capfd, bake):
    path = bake(pipeline="blank")
    said = capfd.readouterr().out.splitlines()
    assert said[-3:] == [
        f"  cd {path}",
        "  pip install -c constraints.txt -e .",
        "  jupyter lab notebooks/1_preprocessing.ipynb",
    ]


@pytest.mark.versions
def test_a_failed_check_ends_the_generation_and_leaves_nothing(capfd, template, tmp_path):
    (template / "{{cookiecutter.project_slug}}" / ".gitignore").write_text("*.npy\n")
    with pytest.raises(FailedHookException):
        generate(tmp_path / "out", template)
    said = capfd.readouterr().err
    assert ".gitignore: " in said and "*.h5ad" in said
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.versions
def test_bytecode_in_the_template_is_not_handed_on(template, tmp_path):
    cache = template / "checkpoint" / "__pycache__"
    cache.mkdir()
    (cache / "view.cpython-311.pyc").write_bytes(b"x")
    assert not list(generate(tmp_path / "out", template).rglob("__pycache__"))


@pytest.mark.versions
def test_hooks_import_nothing_from_the_temporary_folder(bake, monkeypatch, tmp_path):
    """Cookiecutter runs hooks from the temporary folder, where anyone may have put a `json.py`."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for module in ("keyword", "json", "ast", "pathlib"):
        (temporary / f"{module}.py").write_text("raise SystemExit('not the standard library')")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert bake().is_dir()
    assert list(temporary.glob("tmp*.py"))


@pytest.mark.versions
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_configuration_files_are_valid(bake, pipeline):
    baked = bake(pipeline=pipeline, project_slug="on", package_name="on_")
    assert yaml.safe_load((baked / "environment.yml").read_text())["name"] == "on"
    done = baked.python("-m", "pre_commit", "validate-config", ".pre-commit-config.yaml")
    assert done.returncode == 0, done.stdout


@pytest.mark.versions
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_ruff_has_nothing_to_say(bake, pipeline):
    baked = bake(pipeline=pipeline)
    for options in (["check"], ["format", "--check"]):
        done = baked.python("-m", "ruff", *options, "--no-cache", ".")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_generation_needs_cookiecutter_alone(tmp_path):
    """Generation works in an environment without the dependencies of the notebooks."""
    env = tmp_path / "env"
    venv.create(env, with_pip=False)
    python = next(path for path in env.glob("*/python*") if path.stem == "python")
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)),
            *("--constraint", str(TEMPLATE / "constraints.txt"), "cookiecutter"),
        ],
        check=True,
    )
    for module in ("nbformat", "anndata", "numpy"):
        assert subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode
    done = subprocess.run(
        [python, "-m", "cookiecutter", *command_line(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "my_project is ready." in done.stdout


@pytest.mark.slow
def test_generation_under_uvx(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "tool", "run", "--quiet"),
            *("cookiecutter", *command_line(tmp_path)),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "my_project" / "notebooks" / "1_preprocessing.ipynb").is_file()


@pytest.mark.slow
def test_cruft_creates_and_updates(tmp_path):
    """An update brings in the template's changes and keeps those of the users."""

    def run(*command, cwd):
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def commit(folder):
        run("git", "add", "-A", cwd=folder)
        author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        run("git", *author, "commit", "-qm", "x", cwd=folder)

    template = tmp_path / "template"
    ignored = shutil.ignore_patterns(".*", "demo", "__pycache__")
    shutil.copytree(TEMPLATE, template, ignore=ignored)
    project = "{{cookiecutter.project_slug}}"
    shutil.rmtree(template / project)
    shutil.copytree(TEMPLATE / project, template / project)
    run("git", "init", "-q", cwd=template)
    run("git", "add", "-Af", cwd=template)
    commit(template)
    cruft = (sys.executable, "-m", "cruft")
    answers = ("--extra-context", json.dumps(ANSWERS))
    run(*cruft, "create", str(template), "--no-input", *answers, cwd=tmp_path)
    path = tmp_path / "my_project"
    run("git", "init", "-q", cwd=path)
    readme = path / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8") + "\nOurs.\n", encoding="utf-8")
    commit(path)
    (template / "checkpoint" / "helper.py").write_text("x = 1\n")
    commit(template)
    run(*cruft, "update", "--skip-apply-ask", cwd=path)
    helper = path / "src" / "my_project" / "checkpoint" / "helper.py"
    assert helper.read_text() == "x = 1\n"
    assert readme.read_text(encoding="utf-8").endswith("\nOurs.\n")
    run("git", "diff", "--quiet", "--", "notebooks", cwd=path)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["piped away", "ascii"])
def test_a_project_stays_whose_last_words_nobody_reads(tmp_path, where):
    output = tmp_path / "日本"
    command = [sys.executable, "-m", "cookiecutter", *command_line(output)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        stdout=writing if where == "piped away" else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert done.returncode == 0, done.stderr
    assert (output / "my_project" / "notebooks").is_dir()


@pytest.mark.versions
@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_from_a_template_that_is_read_only(template, tmp_path):
    """Files copied from a read-only template, such as in a shared folder, must be writable."""
    for path in [*template.rglob("*"), template]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    path = generate(tmp_path / "out", template)
    assert all(each.stat().st_mode & 0o200 for each in [path, *path.rglob("*")])


@pytest.mark.slow
def test_two_versions_of_the_template_in_one_process(template, tmp_path):
    """Cruft generates two versions in one process; each must use its own filters."""
    filters = template / "answer_filters.py"
    filters.write_text(
        filters.read_text()
        .replace("def toml(", "def as_toml(")
        .replace("refusals, toml,", "refusals, as_toml,")
    )
    pyproject = template / "{{cookiecutter.project_slug}}" / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("| toml", "| as_toml"))
    script = (
        "import sys\n"
        "from cookiecutter.main import cookiecutter\n"
        "for number, version in enumerate(sys.argv[1:]):\n"
        "    cookiecutter(version, no_input=True, output_dir=str(number), default_config=True)\n"
    )
    versions = [str(TEMPLATE), str(template), str(TEMPLATE)]
    done = subprocess.run(
        [sys.executable, "-c", script, *versions], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def command_line(output: Path) -> list[str]:
    """Return the arguments with which cookiecutter generates the tests' project."""
    return ["--no-input", "--default-config", str(TEMPLATE), *arguments(), "-o", str(output)]
