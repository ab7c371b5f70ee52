"""Steps that a run cannot make current: the reason, the advice and exit status 3."""

import pytest
from nbformat.v4 import new_code_cell
from project_under_test import steps_done, steps_ran

from checkpoint.errors import CheckpointError
from checkpoint.notebooks.graph import scripts_that_save
from checkpoint.notebooks.recipe import recipe_of
from checkpoint.project.project import Project
from checkpoint.run.kernels import kernel_of
from checkpoint.run.left_out import skipped

SCRAN = """
from my_project.checkpoint import load, save
save("scran", {"x": load("1_one")["x"] + 10})
"""


def choose_kernel(project, step, kernel):
    with project.edited(step) as notebook:
        notebook.metadata = {"kernelspec": kernel}


def let_the_second_load(project, name):
    path = project / "notebooks" / "2_two.ipynb"
    path.write_text(path.read_text().replace('load(\\"1_one\\")', f'load(\\"{name}\\")'))


def told(done):
    """Return the last line of stderr; a kernel under load may have written others before it."""
    return done.stderr.splitlines()[-1]


@pytest.fixture
def with_script(bake):
    """Return a project with a script between steps 1 and 2, and a step 3 that loads 2."""
    baked = bake(pipeline="blank", notebooks="one, two, three")
    baked.write_cells(one="SIZE = 1", two="SIZE = previous['x']", three="SIZE = previous['x']")
    let_the_second_load(baked, "scran")
    (baked / "scripts").mkdir(exist_ok=True)
    (baked / "scripts" / "scran.py").write_text(SCRAN)
    return baked


@pytest.mark.slow
def test_status_does_not_send_to_a_run_that_changes_nothing(bake):
    """If a step loads a sub-checkpoint that is no longer saved, running again cannot help."""
    baked = bake(pipeline="blank", notebooks="one, two")
    baked.write_cells(one="save('1_one/a', {'x': 1})\nSIZE = 1", two="SIZE = previous['x']")
    let_the_second_load(baked, "1_one/a")
    assert steps_done(baked.command("run")) == ["1_one", "2_two"]
    for size, due in ((1, []), (2, ["1_one"])):
        baked.write_cells(one=f"SIZE = {size}", two="SIZE = previous['x']")
        said = baked.command("status").stdout
        assert said.endswith("\nNext: checkpoint run\n") == bool(due)
        done = baked.command("run")
        assert (steps_ran(done), done.returncode) == (due, 3)
        said = baked.command("status").stdout
        assert "Next:" not in said
        assert told(done) == said.splitlines()[-1]
        assert ", and its notebook does not save it: load another, " in told(done)


@pytest.mark.slow
def test_a_sub_checkpoint_saved_before_its_step_is_made_again_on_request(bake):
    """If the sub-checkpoint's cell runs after the step's save, only `run --all` makes it again."""
    baked = bake(pipeline="blank", notebooks="one, two")
    baked.write_cells(one="SIZE = 1", two="SIZE = previous['x']")
    let_the_second_load(baked, "1_one/a")
    part = "save('1_one/a', {'x': SIZE + 1})"
    with baked.edited("1_one") as notebook:
        notebook.cells[-1].source, after = part, notebook.cells[-1].source
    with baked.edited("1_one") as notebook:
        notebook.cells.append(new_code_cell(after))
    assert steps_done(baked.command("run")) == ["1_one", "2_two"]
    with baked.edited("1_one") as notebook:
        notebook.cells[-2:] = notebook.cells[:-3:-1]
        notebook.cells[-1].source = "save('1_one/a', {'x': SIZE + 2})"
    done = baked.command("run")
    assert (steps_ran(done), done.returncode) == ([], 3)
    assert ", but 1_one is current. Run it again with `checkpoint run --all 1_one`; " in told(done)
    assert steps_done(baked.command("run", "--all", "1_one")) == ["1_one"]
    assert steps_done(baked.command("run")) == ["2_two"]


@pytest.mark.slow
def test_a_script_that_has_to_run_is_named_and_nothing_runs_on_what_it_made(with_script):
    done = with_script.command("run")
    assert (steps_ran(done), done.returncode) == (["1_one"], 3)
    assert told(done) == (
        "2_two, 3_three are not current: scran is missing, and no notebook makes it. "
        "Run scripts/scran.py, which saves it, then `checkpoint run`."
    )
    assert told(done) == with_script.command("status").stdout.splitlines()[-1]
    script = str(with_script / "scripts" / "scran.py")
    assert with_script.python(script).returncode == 0
    assert steps_done(with_script.command("run", "--jobs", "2")) == ["2_two", "3_three"]
    with_script.write_cells(one="SIZE = 2")
    assert with_script.command("status").stdout.endswith("\nNext: checkpoint run\n")
    for expected in (["1_one"], []):
        done = with_script.command("run", "--jobs", "2")
        assert (steps_ran(done), done.returncode) == (expected, 3)
        assert told(done).startswith("2_two, 3_three are not current: scran is stale (results/1")
        assert told(done).endswith(
            "), and no notebook makes it. "
            "Run scripts/scran.py, which saves it, then `checkpoint run`."
        )
    done = with_script.command("run", "--all", "2_two")
    assert (steps_ran(done), done.returncode) == (["2_two"], 3)
    assert told(done).startswith("2_two is not current: scran is stale (")
    assert with_script.python(script).returncode == 0
    assert steps_done(with_script.command("run")) == ["2_two", "3_three"]


@pytest.mark.slow
def test_a_script_that_makes_the_same_again_lets_the_steps_after_it_be(with_script):
    """Step 2 looks stale while 1 runs, but must not run if the script's results stay current."""
    with_script.command("run", "1_one")
    with_script.python("scripts/scran.py")
    assert steps_done(with_script.command("run")) == ["2_two", "3_three"]
    with_script.write_cells(one="SIZE = 2 - 1", three="SIZE = 3")
    assert steps_done(with_script.command("run", "--jobs", "3")) == ["1_one", "3_three"]


def crash(baked, value):
    """Let step 1 save a part, then crash before saving itself unless `value` is 1."""
    baked.change_cell("1_one", f"V = {value}\nsave('1_one/part', {{'v': V}})\nassert V == 1")
    baked.change_cell("1_one", "save('1_one', {'v': V})", "save")


@pytest.mark.slow
def test_a_step_that_crashed_between_its_saves_runs_again(bake):
    """Even if the part's name is computed, so that no cell shows what is loaded."""
    baked = bake(pipeline="blank", notebooks="one, two, three")
    crash(baked, 1)
    baked.write_cells(
        two="SIZE = load('1_one/part')['v']",
        three="part = 'part'\nSIZE = load(f'1_one/{part}')['v']",
    )
    assert steps_done(baked.command("run")) == ["1_one", "2_two", "3_three"]
    crash(baked, 2)
    assert baked.command("run").returncode == 2
    crash(baked, 1)
    assert baked.state("1_one")[0] == "current"
    assert steps_done(baked.command("run")) == ["1_one"]
    assert baked.command("run").stdout == "Nothing to run: everything is current.\n"


@pytest.mark.slow
@pytest.mark.parametrize("loaded", ["'1_one/part'", "'1_one/' + ''.join('part')"])
def test_a_part_that_its_notebook_no_longer_saves(bake, loaded):
    baked = bake(pipeline="blank", notebooks="one, two")
    crash(baked, 1)
    baked.write_cells(two=f"SIZE = load({loaded})['v']")
    assert steps_done(baked.command("run")) == ["1_one", "2_two"]
    baked.change_cell("1_one", "import time\ntime.sleep(1)\nV = 2")
    first = ["1_one"] if "join" not in loaded else ["1_one", "2_two"]  # its code names 1_one only
    for expected in (first, []):
        done = baked.command("run")
        assert (steps_ran(done), done.returncode) == (expected, 3)
        assert told(done).startswith("2_two is not current: 1_one/part is edited (cell ")
        assert "remove results/1_one/part/, or accept it with `checkpoint accept" in told(done)


@pytest.mark.slow
def test_a_notebook_without_a_save_is_told_before_others_run(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    baked.change_cell("2_two", "print(previous)", "save")
    reason = 'notebooks/2_two.ipynb never calls save; let its last cell call save("2_two", …).'
    done = baked.command("run")
    assert (steps_ran(done), done.returncode) == (["1_one"], 3)
    assert done.stdout.splitlines()[0] == f"Not run: {reason}"
    assert told(done) == f"2_two is not current: {reason}"
    done = baked.command("run")
    assert (done.stdout, done.returncode) == (
        f"Not run: {reason}\nNothing to run: everything else is current.\n",
        3,
    )
    # an unreadable notebook does not keep the others from running
    baked.notebook("2_two").write_text("<<<<<<< HEAD\n>>>>>>> x", encoding="utf-8")
    done = baked.command("run", "--all")
    assert (steps_ran(done), done.returncode) == (["1_one"], 3)
    merge = "notebooks/2_two.ipynb has an unfinished merge in line 1"
    assert told(done).startswith(f"2_two is not current: {merge}")
    named = baked.command("run", "2_two")
    assert (named.returncode, named.stderr) == (2, told(done).partition(": ")[2] + "\n")


@pytest.mark.slow
def test_what_a_notebook_changes_itself_is_not_current(bake):
    baked = bake(pipeline="blank", notebooks="one, two")
    baked.change_cell("1_one", "path = data_file('counts.csv')\ntext = path.read_text()")
    baked.change_cell("1_one", "save('1_one', {'x': text})\npath.write_text(text + 'a')", "save")
    (baked / "data" / "counts.csv").write_text("a")
    done = baked.command("run")
    assert (steps_ran(done), done.returncode) == (["1_one", "2_two"], 3)
    assert "1_one: done in" in done.stdout and "s, but stale\n" in done.stdout
    assert told(done).startswith("1_one, 2_two are not current: stale (data/counts.csv ")
    assert told(done).endswith(
        "). Run it again; if that does not help, its notebook changes what it is made from."
    )


@pytest.mark.parametrize(
    ("kernel", "expected", "in_python"),
    [
        ({"name": "ir", "display_name": "R", "language": "R"}, "ir", False),
        ({"name": "ir", "display_name": "not installed"}, "ir", False),
        ({"name": "my-env", "display_name": "x", "language": "python"}, "my-env", True),
        ({"name": "python3", "display_name": "x", "language": "R"}, "python3", False),
        ({"name": "python3", "display_name": "x"}, "python3", True),
        ({"display_name": "x"}, "python3", True),
    ],
)
def test_which_kernel_runs_a_notebook(project, kernel, expected, in_python):
    choose_kernel(project, "1_preprocessing", kernel)
    there = Project(project)
    step = there.steps()[0]
    assert kernel_of(there, step) == expected
    assert (recipe_of(there, step) is None) == in_python
    assert skipped(there, [step]) == {}


def test_a_notebook_in_another_language_that_names_no_kernel(project):
    """The default kernel, Python, would fail with a misleading syntax error."""
    with project.edited("1_preprocessing") as notebook:
        notebook.metadata = {"language_info": {"name": "R"}}
    there = Project(project)
    with pytest.raises(CheckpointError, match=r"1_preprocessing.ipynb is in r and names no kernel"):
        kernel_of(there, there.steps()[0])
    project.add_settings('kernels.1_preprocessing = "ir"')
    assert kernel_of(there, there.steps()[0]) == "ir"


@pytest.mark.parametrize(
    ("cell", "module", "skips"),
    [
        ("save('1_preprocessing', {})", "", False),
        ("save(STEP, {})", "", False),
        ("%%time\nsave('1_preprocessing', {})", "", False),
        ("if False save('1_preprocessing', {})", "", False),  # the cell fails with its own error
        ("fig.save('x.png')", "", True),
        ("np.save('x.npy', x)", "def f(path): np.save(path, 1)", True),
        ("finish(adata)", "from .checkpoint import save\n\ndef finish(x): save(x.step, {})", False),
    ],
)
def test_which_notebooks_never_save(project, cell, module, skips):
    project.change_cell("1_preprocessing", cell, "save")
    (project / "src" / "my_project" / "helpers.py").write_text(module)
    there = Project(project)
    assert list(skipped(there, there.steps())) == (["1_preprocessing"] if skips else [])


def test_a_notebook_that_was_renamed_in_a_file_browser(project):
    path = project.notebook("2_integration")
    path.rename(path.with_stem("2_joint"))
    there = Project(project)
    (skip,) = skipped(there, there.steps()).values()
    assert (skip.step.name, skip.has_results) == ("2_joint", True)
    assert skip.reason.endswith("you renamed it, run `checkpoint rename 2_integration 2_joint`")


def test_scripts_that_save_a_step(project):
    files = {
        "scripts/scran.py": SCRAN,
        "scripts/other.py": SCRAN.replace('"scran"', '"other"'),
        "scripts/computed.py": "import my_project.checkpoint as ck\nS = 'scran'\nck.save(S, {})",
        "scripts/reads.py": "from my_project.checkpoint import load\nload('scran')",
        "scripts/broken.py": "save('scran', {",
        "src/my_project/deep/make.py": "from ..checkpoint import save\nsave(step='scran', data={})",
        "notebooks/mine.py": "print('scran')",
    }
    for name, source in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    there = Project(project)
    names = [there.show(path) for path in scripts_that_save(there, "scran")]
    assert names == ["scripts/computed.py", "scripts/scran.py", "src/my_project/deep/make.py"]


def test_the_copy_of_this_package_is_no_script(project):
    assert scripts_that_save(Project(project)) == []
