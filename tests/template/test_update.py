"""`notebook-checkpoints update`: updating projects in use to a newer template version."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib

import nbformat
import pytest
from project_under_test import ANSWERS, ONE, TEMPLATE, THREE, ProjectUnderTest, generate, git, tree

from checkpoint import __version__
from notebook_checkpoints.repository import files_of
from notebook_checkpoints.update import RECORD, merge, with_record

pytestmark = pytest.mark.slow

OLD = "019e0556312caf8ff31508859a6047f1741075b6"  # an early commit, not in shallow clones
PROJECT = "{{cookiecutter.project_slug}}"


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


class Lab:
    """A template in a git repository, with projects generated from it."""

    def __init__(self, folder):
        self.folder = folder
        self.template = folder / "template"
        ignored = shutil.ignore_patterns(".git", ".venv", ".nox", "demo", "__pycache__", ".*_cache")
        shutil.copytree(TEMPLATE, self.template, ignore=ignored, dirs_exist_ok=True)
        if not (self.template / ".git").exists():
            git(self.template, "init", "-q")
        self.commit()

    def commit(self):
        git(self.template, "add", "-Af")
        git(self.template, "commit", "-qm", "x", "--allow-empty")

    def second_version(self):
        """Commit a version that changes files of the template and files that users own."""
        edit(self.template / "checkpoint" / "__init__.py", f'"{__version__}"', '"7.0"')
        (self.template / "checkpoint" / "helper.py").write_text("x = 1\n")
        edit(self.template / PROJECT / ".gitignore", "*.h5ad\n", "*.h5ad\n*.theirs\n")
        edit(
            self.template / PROJECT / "pyproject.toml",
            '"jinja2>=3.1.6",',
            '"jinja2>=3.2",\n    "newlib>=1",',
        )
        edit(self.template / "checkpoint" / "api.py", "from coll", "import newlib\nfrom coll")
        edit(self.template / PROJECT / "README.md", "## Install", "## How to install")
        edit(self.template / "checkpoint" / "notebooks" / "skeleton.py", "kernel", "Kernel")
        edit(self.template / "pipelines" / "blank" / "data" / "README.md", "Raw", "Our raw")
        self.commit()

    def third_version(self):
        (self.template / "checkpoint" / "helper.py").write_text("x = 2\n")
        edit(self.template / PROJECT / "pyproject.toml", '"tomlkit>=0.13"', '"tomlkit>=0.13.1"')
        self.commit()

    def project(self, name):
        """Generate a project with cookiecutter and commit it."""
        root = generate(self.folder, self.template, pipeline="blank", project_name=name)
        root.commit()
        return root

    def adopted(self, name):
        """Adopt a project with one notebook, existing settings and an environment.yml."""
        root = self.folder / name
        root.mkdir()
        nbformat.write(nbformat.v4.new_notebook(cells=[]), root / "1_a.ipynb")
        (root / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
        (root / "environment.yml").write_text("name: ours\n")
        root = ProjectUnderTest(root)
        root.commit()
        command = [sys.executable, "-m", "notebook_checkpoints", "adopt", str(root), "--write"]
        done = subprocess.run(
            [*command, "--yes"], cwd=self.template, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        root.commit("adopted")
        return root

    def update(self, *arguments, address=None):
        """Run `update`; return its exit status and the result for each project."""
        command = [sys.executable, "-m", "notebook_checkpoints", "update", "--json"]
        done = subprocess.run(
            [*command, "--template", address or str(self.template), *map(str, arguments)],
            cwd=TEMPLATE,
            capture_output=True,
            text=True,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)["projects"]


def code_of(root):
    return (root / "src" / root.package / "checkpoint" / "helper.py").read_text()


def pyproject(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def yours(root):
    """Return the files that users own, with their content."""
    files = {name: content for name, content in tree(root).items() if name.startswith("src/") < 1}
    theirs = (".gitignore", "pyproject.toml", "constraints.txt", "Snakefile", "AGENTS.md")
    return {name: content for name, content in files.items() if name not in theirs}


def test_a_weeks_work_over_three_versions(tmp_path):
    lab = Lab(tmp_path)
    roots = [lab.project(name) for name in ("Worked", "Clash", "Dirty", "Elsewhere", "Touched")]
    worked, clash, dirty, elsewhere, touched = roots

    # a week of work: a new and a renamed notebook, notes, a dependency, an ignored file
    for arguments in (("new", "qc", "--after", ONE), ("rename", "4_visualization", "figures")):
        done = worked.command(*arguments)
        assert done.returncode == 0, done.stderr
    worked.change_cell("3_integration", "x = 1")
    (worked / "scripts").mkdir()
    (worked / "scripts" / "plot.py").write_text("x = 1\n")
    edit(worked / "README.md", "## Run", "## Our way to run")
    edit(worked / "pyproject.toml", '    "typer>=0.16",\n', '    "typer>=0.16",\n    "seaborn",\n')
    edit(worked / ".gitignore", "desktop.ini\n", "desktop.ini\n*.mine\n")
    worked.commit("a week")
    before = yours(worked)
    # changes of lines that the template will change as well
    edit(clash / "pyproject.toml", '"jinja2>=3.1.6"', '"jinja2==3.1.7"')
    edit(clash / ".gitignore", "*.h5ad\n", "*.h5ad\n*.mine\n")
    clash.commit()
    edit(dirty / "README.md", "## Run", "## Our way to run")
    shutil.rmtree(elsewhere / ".git")
    edit(touched / "src" / "touched" / "checkpoint" / "text.py", '"""', '"""Ours. ')
    touched.commit()

    adopted = lab.adopted("by_hand")
    lab.second_version()
    broken = ProjectUnderTest(shutil.copytree(touched, tmp_path / "broken"))
    edit(broken / "pyproject.toml", "[project]", "[project")
    broken.commit()
    both = [shutil.copytree(elsewhere, tmp_path / "both" / name) for name in "ab"]
    ProjectUnderTest(tmp_path / "both").commit()
    asked = (*roots, tmp_path, broken, adopted, *both)
    status, done = lab.update(*asked)
    assert status == 1
    assert [one["project"] for one in done] == [*map(str, asked)]
    results = [one["result"] for one in done]
    assert results[:8] == ["updated", "conflicts", *["not updated"] * 5, "conflicts"]
    assert sorted(results[8:]) == ["not updated", "updated"]  # two projects in one repository
    notes = [one["notes"] for one in done]
    waits = notes[8 + results[8:].index("not updated")][0]
    assert "has changes without a commit: " in waits and waits.endswith("; commit or stash them")

    assert (done[0]["before"], done[0]["after"]) == (__version__, "7.0")
    assert notes[0] == ["install it again: pip install -c constraints.txt -e ."]
    assert code_of(worked) == "x = 1\n"
    assert yours(worked) == before
    needed = pyproject(worked)["project"]["dependencies"]
    assert {"seaborn", "jinja2>=3.2", "newlib>=1"} <= set(needed)
    ignored = (worked / ".gitignore").read_text().splitlines()
    assert {"*.mine", "*.theirs"} <= set(ignored)
    assert worked.command("check").returncode == 0

    assert "jinja2==3.1.7" in pyproject(clash)["project"]["dependencies"]
    assert notes[1][:4] == [
        "left pyproject.toml as it is; take over what you need:",
        'not in pyproject.toml: -    "jinja2>=3.1.6",',
        'not in pyproject.toml: +    "jinja2>=3.2",',
        'not in pyproject.toml: +    "newlib>=1",',
    ]
    for name in ("load", "save"):
        said = clash.python("-c", f"from clash.checkpoint import {name}").stderr
        assert "MissingPackageError: The package 'newlib' is not installed in this" in said
        assert "If its pyproject.toml does not list 'newlib', add it there first." in said
    assert "decide: .gitignore has conflict markers" in notes[1]
    assert code_of(clash) == "x = 1\n"
    said = clash.command("check")
    assert said.returncode == 1 and ".gitignore: has an unfinished merge" in said.stdout

    assert notes[2] == ["has changes without a commit: README.md; commit or stash them"]
    assert notes[3][0].startswith("is in no git repository")
    assert notes[4][0].startswith("src/touched/checkpoint is that of no version of the template")
    assert notes[5][0].startswith("is not a project")
    assert notes[6][0].startswith("pyproject.toml is not valid TOML")
    assert not files_of(touched, "--others") and not (elsewhere / ".cruft.json").exists()

    # an adopted project: files that it had before adoption are not updated
    assert code_of(adopted) == "x = 1\n"
    assert (adopted / "environment.yml").read_text() == "name: ours\n"
    assert not (adopted / "notebooks" / "1_notebook_of_nobody.ipynb").exists()
    assert pyproject(adopted)["project"]["name"] == "x"
    assert notes[7][0].startswith("left pyproject.toml as it is; take over")
    assert [line for line in notes[7] if "+" in line] == [
        'not in pyproject.toml: +    "jinja2>=3.2",',
        'not in pyproject.toml: +    "newlib>=1",',
    ]
    assert pyproject(adopted)["tool"]["checkpoint"]["template"]["version"] == "7.0"
    assert not list(adopted.glob("*.rej"))

    worked.commit("updated")
    assert lab.update(worked)[1][0]["result"] == "up to date"
    lab.third_version()
    status, (one,) = lab.update(worked)
    assert (status, one["result"]) == (0, "updated")
    assert code_of(worked) == "x = 2\n" and yours(worked) == before
    assert "tomlkit>=0.13.1" in pyproject(worked)["project"]["dependencies"]
    record = pyproject(worked)["tool"]["checkpoint"]["template"]
    assert record["commit"] == git(lab.template, "rev-parse", "HEAD").strip()
    assert not (worked / ".cruft.json").exists()


def test_a_project_of_crufts_and_crufts_own_update(tmp_path):
    lab = Lab(tmp_path)
    answers = json.dumps({**ANSWERS, "pipeline": "blank"})
    create = ("cruft", "create", str(lab.template), "--no-input", "--extra-context", answers)
    subprocess.run([sys.executable, "-m", *create], cwd=tmp_path, check=True, capture_output=True)
    ours = ProjectUnderTest(tmp_path / "my_project")
    ours.commit()
    plain = ProjectUnderTest(shutil.copytree(ours, tmp_path / "plain"))
    plain.change_cell(THREE, "x = 1")
    plain.commit()
    before = yours(plain)
    lab.second_version()
    status, (one,) = lab.update(ours)
    assert (status, one["result"]) == (0, "updated")
    state = json.loads((ours / ".cruft.json").read_text())
    assert state["commit"] == git(lab.template, "rev-parse", "HEAD").strip()
    assert "skip" not in state and state["template"] == str(lab.template)
    update = [sys.executable, "-m", "cruft", "update", "--skip-apply-ask"]
    subprocess.run(update, cwd=plain, check=True, capture_output=True)
    assert code_of(plain) == code_of(ours) == "x = 1\n"
    del before[".cruft.json"]
    assert before.items() <= yours(plain).items()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_update_that_is_killed_can_be_taken_back_and_run_again(tmp_path, monkeypatch):
    lab = Lab(tmp_path)
    roots = recorded, linked = [lab.project(name) for name in ("Recorded", "Linked")]
    answers = pyproject(linked)["tool"]["checkpoint"]["template"]["answers"]
    recorded_answers = pyproject(recorded)["tool"]["checkpoint"]["template"]["answers"]
    commit = git(lab.template, "rev-parse", "HEAD").strip()
    known = {"template": str(lab.template), "commit": commit, "checkout": None, "directory": None}
    text = json.dumps({**known, "context": {"cookiecutter": answers}})
    (linked / ".cruft.json").write_text(text)
    linked.commit("linked")
    lab.second_version()

    command = [sys.executable, "-m", "notebook_checkpoints", "update", "--template"]
    started = subprocess.Popen(
        [*command, str(lab.template), *map(str, roots)], cwd=TEMPLATE, start_new_session=True
    )
    states = [root / ".cruft.json" for root in roots]
    while not all(state.is_file() and state.read_text() != text for state in states):
        assert started.poll() is None
        time.sleep(0.01)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    for root in roots:  # as if the update had been killed while writing a file
        (root / "src" / root.package / "checkpoint" / "text.py").write_text("half")

    status, done = lab.update(*roots)
    assert (status, [one["result"] for one in done]) == (1, ["not updated"] * 2)
    for root, one in zip(roots, done, strict=True):
        assert one["notes"][0].startswith("an update was cut short here; take it back with `git")
        git(root, "reset", "--hard")
    address = "https://git.example.org/ours/template"  # the address of a fork
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{lab.template}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", address.replace("//", "//token@"))
    status, done = lab.update(*roots, address=address.replace("//", "//token@"))
    assert (status, [one["result"] for one in done]) == (0, ["updated"] * 2)
    assert [code_of(root) for root in roots] == ["x = 1\n"] * 2
    assert not (recorded / ".cruft.json").exists()
    state = json.loads((linked / ".cruft.json").read_text())
    assert state.keys() == json.loads(text).keys() and state["commit"] != commit
    record = pyproject(recorded)["tool"]["checkpoint"]["template"]
    assert record["source"] == state["template"] == address
    assert (record["commit"], record["answers"]) == (state["commit"], recorded_answers)
    assert ".cruft.json" in git(linked, "diff", "--name-only", "HEAD")


def test_a_project_of_the_first_versions(tmp_path):
    if not git(TEMPLATE, "log", "--format=%H").count(OLD):
        pytest.skip("this clone does not go back that far")
    git(tmp_path, "clone", "-q", str(TEMPLATE), "template")
    git(tmp_path / "template", "checkout", "-q", "-B", "main")
    lab = Lab(tmp_path)
    answers = json.dumps({"pipeline": "blank", "project_name": "My project"})
    create = ("cruft", "create", str(lab.template), "--checkout", OLD, "--no-input")
    subprocess.run(
        [sys.executable, "-m", *create, "--extra-context", answers],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    root = ProjectUnderTest(tmp_path / "my_project")
    root.change_cell(ONE, "x = 1", cell="save")
    root.commit()
    notebook = root.notebook(ONE).read_bytes()
    status, (one,) = lab.update(root)
    assert (status, one["result"], one["after"]) == (0, "updated", __version__), one
    assert root.notebook(ONE).read_bytes() == notebook
    assert (root / "src" / "my_project" / "checkpoint" / "api.py").is_file()
    assert "blake3>=1.0" in pyproject(root)["project"]["dependencies"]
    assert pyproject(root)["tool"]["checkpoint"]["template"]["answers"]["pipeline"] == "blank"


RECORDED = '[tool.checkpoint]\n\n[tool.checkpoint.template]\nversion = "1"\n\n'


def test_the_record_is_replaced_alone():
    text = f'{RECORDED}[tool.checkpoint.template.answers]\na = "[x]"\n\n# mine\n[tool.x]\ny = 1\n'
    assert RECORD.search(text)[0].endswith('a = "[x]"\n\n')
    other = text.replace('"1"', '"2"')
    assert with_record(text, other) == other
    assert with_record("[tool.y]\n", other).startswith("[tool.y]\n\n[tool.checkpoint.template]\n")
    assert with_record(text, "[tool.y]\n") == text


def test_texts_merge_or_people_decide():
    base = "a\nb\nc\nd\ne\n"
    assert merge(base, base.replace("a", "A"), base.replace("e", "E")) == "A\nb\nc\nd\nE\n"
    assert merge(base, base.replace("a", "A"), base.replace("a", "X")) is None
