"""Which project `load`, `save` and the command use."""

import shutil
import sys
from types import SimpleNamespace

import pytest
from project_under_test import ONE, ProjectUnderTest, generate

from checkpoint import data_file, figures, load, save
from checkpoint.errors import CheckpointError, ProjectError
from checkpoint.project import caller
from checkpoint.project.find import project_to_read, project_to_write
from checkpoint.watch import cells


@pytest.fixture
def other(tmp_path):
    """Return a second project with another package."""
    return generate(tmp_path, project_name="Other", pipeline="blank")


def run(project, code, cwd):
    """Run code that imports a project's package, in the folder `cwd`; return the result."""
    return ProjectUnderTest(project).python(
        "-c", f"from my_project.checkpoint import *\n{code}", cwd=cwd
    )


def saved_in(project):
    return sorted(path.parent.name for path in project.glob("results/*/params.json"))


@pytest.mark.parametrize("folder", [".", "notebooks", "results/1_preprocessing", "src/my_project"])
def test_found_from_any_folder_inside(project, monkeypatch, folder):
    monkeypatch.chdir(project / folder)
    assert project_to_read().root == project_to_write(ONE).root == project


@pytest.mark.slow
def test_a_copy_uses_its_own_folders(project, tmp_path):
    copy = shutil.copytree(project, tmp_path / "copy")
    done = run(project, f"save({ONE!r}, {{}})", copy / "notebooks")
    assert done.returncode == 0, done.stderr
    assert (saved_in(copy), saved_in(project)) == ([ONE], [])


@pytest.mark.slow
def test_a_project_without_a_package_is_the_one(project, other):
    shutil.rmtree(other / "src" / "other")
    done = run(project, f"save({ONE!r}, {{}})", other)
    assert done.returncode == 0, done.stderr
    assert (saved_in(other), saved_in(project)) == ([ONE], [])


def test_an_unrelated_pyproject_in_between_does_not_count(project, monkeypatch):
    inner = project / "notebooks" / "tool"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("this is = not [valid TOML\n# [tool.checkpoint]\n")
    monkeypatch.chdir(inner)
    assert project_to_read().root == project


@pytest.mark.slow
def test_elsewhere_load_reads_and_save_refuses(project, other, tmp_path):
    """Outside the project or in another one, `load` works but `save` must not replace results."""
    save(ONE, {"a": 1})
    (project / "data" / "raw.txt").write_text("x")
    for folder in (tmp_path, other / "notebooks"):
        done = run(project, f"print(load({ONE!r})['a'], data_file('raw.txt'))", folder)
        said = done.stdout.splitlines()
        assert said[0].startswith(f"Loaded from {project / 'results' / ONE}/ ("), done.stderr
        assert said[-1] == f"1 {project / 'data' / 'raw.txt'}"
        assert "does not belong to this project, so save will refuse here" in done.stdout
        for code in (f"save({ONE!r}, {{'a': 2}})", f"figures({ONE!r})"):
            done = run(project, code, folder)
            assert done.returncode == 1
            assert f"this would replace {project / 'results' / ONE}." in done.stderr
            assert f"papermill --cwd {project / 'notebooks'}" in done.stderr
            assert f"CHECKPOINT_PROJECT={project}" in done.stderr
        named = "whose package is other, not my_project. Import from other.checkpoint"
        where = "is in no project" if folder == tmp_path else named
        assert where.partition(". ")[0] in done.stderr
    assert load(ONE)["a"] == 1
    assert saved_in(other) == []


def test_a_save_that_is_refused_has_data(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("checkpoint.project.find.installed_project", lambda: project)
    with pytest.raises(CheckpointError) as raised:
        save(ONE, {})
    error = raised.value
    assert (error.step, error.expected, error.found) == (ONE, str(project), None)
    assert error.file == str(project / "results" / ONE)
    assert f"this would write {project / 'results' / ONE}" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("cwd", ["the other project", "no project", "the project"])
def test_a_script_belongs_to_the_project_of_its_file(project, other, tmp_path, cwd):
    script = project / "scripts" / "make.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"from my_project.checkpoint import save\nsave({ONE!r}, {{}})\n")
    folder = {"the project": project, "no project": tmp_path, "the other project": other}[cwd]
    done = ProjectUnderTest(project).python(str(script), cwd=folder)
    assert done.returncode == 0, done.stderr
    inside = cwd == "the project"
    where = f"results/{ONE}" if inside else str(project / "results" / ONE)
    assert done.stdout.splitlines()[0] == f"Saved to {where}/"
    assert (saved_in(project), saved_in(other)) == ([ONE], [])


@pytest.mark.slow
def test_a_script_in_no_project_belongs_to_its_working_directory(project, tmp_path):
    script = tmp_path / "make.py"
    script.write_text(f"from my_project.checkpoint import save\nsave({ONE!r}, {{}})\n")
    done = ProjectUnderTest(project).python(str(script), cwd=project)
    assert done.returncode == 0, done.stderr
    assert saved_in(project) == [ONE]
    done = ProjectUnderTest(project).python(str(script), cwd=tmp_path)
    assert f"Nothing was saved: {script} is in no project" in done.stderr


def test_a_notebook_belongs_to_the_project_of_its_file(project, other, monkeypatch):
    """The file that the front end names decides, not the working directory."""
    names = {"__vsc_ipynb_file__": str(project / "notebooks" / f"{ONE}.ipynb")}
    monkeypatch.setattr(cells, "running_shell", lambda: SimpleNamespace(user_ns=names))
    monkeypatch.chdir(other)
    save(ONE, {})
    assert (saved_in(project), saved_in(other)) == ([ONE], [])
    names["__vsc_ipynb_file__"] = str(other / "notebooks" / f"{ONE}.ipynb")
    monkeypatch.chdir(project)
    assert project_to_write(ONE).root == other  # here `checkpoint` is in no project's package


def test_the_variables_overrule(project, other, tmp_path, monkeypatch):
    save(ONE, {"a": "project"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHECKPOINT_PROJECT", str(project))
    assert load(ONE)["a"] == "project"
    save("2_integration", {})
    assert saved_in(project) == [ONE, "2_integration"]
    for value in ("", str(tmp_path), "nowhere"):
        monkeypatch.setenv("CHECKPOINT_PROJECT", value)
        for call in (lambda: load(ONE), lambda: save(ONE, {}), lambda: data_file("x")):
            with pytest.raises(
                ProjectError, match=r"CHECKPOINT_PROJECT is '.*'; expected"
            ) as error:
                call()
            assert (error.value.key, error.value.found) == ("CHECKPOINT_PROJECT", value)


def test_results_of_an_autograder(project, tmp_path, monkeypatch, capsys):
    save(ONE, {"a": "teacher"})
    save(f"{ONE}/part", {"p": "teacher"})
    monkeypatch.setattr("checkpoint.project.find.installed_project", lambda: project)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHECKPOINT_RESULTS", "out")  # a separate folder for each submission
    capsys.readouterr()
    assert load(ONE)["a"] == "teacher"
    assert capsys.readouterr().out.startswith(f"Loaded from {project / 'results' / ONE}/ (")
    save("2_integration", {"b": "student"})
    assert capsys.readouterr().out.startswith(f"Saved to {tmp_path / 'out' / '2_integration'}/\n")
    assert load("2_integration")["b"] == "student"
    save(f"{ONE}/mine", {"m": 1})
    assert load(ONE)["a"] == "teacher"  # the step's folder in `out` has only a sub-checkpoint
    save(ONE, {"a": "student"})
    assert load(ONE)["a"] == "student"
    assert load(f"{ONE}/part")["p"] == "teacher"
    assert figures(ONE) == tmp_path / "out" / ONE / "figures"
    assert saved_in(project) == [ONE]
    monkeypatch.delenv("CHECKPOINT_RESULTS")
    assert load(ONE)["a"] == "teacher"


@pytest.mark.parametrize("value", ["", "file", "no/such/folder"])
def test_a_folder_for_results_that_cannot_be(project, monkeypatch, value):
    (project / "notebooks" / "file").touch()
    monkeypatch.setenv("CHECKPOINT_RESULTS", value)
    for call in (lambda: load(ONE), lambda: save(ONE, {})):
        with pytest.raises(ProjectError, match=f"CHECKPOINT_RESULTS is '{value}'; expected"):
            call()


def test_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("checkpoint.project.find.__file__", str(tmp_path / "a/b/c/d/e/find.py"))
    said = r"No project found.*pip install -c constraints\.txt -e \."
    for find in (project_to_read, lambda: project_to_write(ONE)):
        with pytest.raises(ProjectError, match=said):
            find()


@pytest.mark.slow
def test_the_command_of_another_project(project, other, tmp_path):
    baked = ProjectUnderTest(project)
    for arguments in (["status"], ["run", ONE], ["check"]):
        done = baked.python("-m", "my_project.checkpoint", *arguments, cwd=other / "data")
        assert done.returncode == 2
        assert f"run `python -m other.checkpoint {' '.join(arguments)}`" in done.stderr
        assert str(other) in done.stderr
        done = baked.python("-m", "my_project.checkpoint", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert f"Run this inside the project, such as {project}" in done.stderr
    done = baked.python("-m", "my_project.checkpoint", "check", str(other), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    copy = shutil.copytree(project, tmp_path / "copy")
    done = baked.python("-m", "my_project.checkpoint", "check", cwd=copy)
    assert (done.returncode, done.stdout) == (0, "copy follows the rules.\n")


@pytest.mark.slow
def test_the_command_does_not_follow_the_results_of_an_autograder(project, monkeypatch):
    monkeypatch.setenv("CHECKPOINT_RESULTS", "out")
    done = ProjectUnderTest(project).command("status")
    assert done.returncode == 2
    assert "CHECKPOINT_RESULTS is set, which only load and save in notebooks follow" in done.stderr
    monkeypatch.delenv("CHECKPOINT_RESULTS")
    monkeypatch.setenv("CHECKPOINT_PROJECT", str(project))
    done = ProjectUnderTest(project).python(
        "-m", "my_project.checkpoint", "check", cwd=project.parent
    )
    assert done.stdout == "my_project follows the rules.\n"


def test_an_environment_in_the_project_is_not_a_script_of_it(monkeypatch, project):
    import sysconfig

    tool = sysconfig.get_path("scripts") + "/papermill"
    monkeypatch.setattr(sys.modules["__main__"], "__file__", tool, raising=False)
    assert caller.script() is None


@pytest.mark.slow
def test_a_cell_that_goes_to_a_folder_of_no_project(project, tmp_path):
    code = f"import os\nfrom my_project.checkpoint import save\nos.chdir({str(tmp_path)!r})\n"
    done = project.python("-c", f"{code}save({ONE!r}, {{'x': 1}})", cwd=project / "notebooks")
    assert done.returncode == 0, done.stderr
    assert project.record(ONE)["checkpoint"]["files"]
