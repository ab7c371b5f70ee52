"""`checkpoint run` in a clone without large files, and with missing raw files."""

import shutil

import pytest
from project_under_test import ProjectUnderTest, generate, git

pytestmark = pytest.mark.slow

CELLS = {
    "1_one": 'import numpy as np\nn = np.arange(int(data_file("raw.txt").read_text()))',
    "2_two": 'm = load("1_one")["n"] * 2',
    "3_three": 'total = load("2_two")["m"].sum()',
}
SAVES = {
    "1_one": 'save("1_one", {"n": n})',
    "2_two": 'save("2_two", {"m": m})',
    "3_three": 'save("3_three", {}, params={"result": {"total": int(total)}})',
}


@pytest.fixture(scope="module")
def run_once(tmp_path_factory):
    """Return a committed project with three current steps, for tests to copy."""
    folder = tmp_path_factory.mktemp("run")
    project = generate(folder, pipeline="blank", notebooks="one, two, three")
    (project / "data" / "raw.txt").write_text("3")
    for step in CELLS:
        with project.edited(step) as notebook:
            notebook.cells[1].source = "from my_project.checkpoint import data_file, load, save"
            notebook.cells[3].source = CELLS[step]
            notebook.cells[-1].source = SAVES[step]
    done = project.command("run")
    assert done.returncode == 0, done.stderr + done.stdout
    assert set(project.states().values()) == {"current"}
    project.git("init", "-q")
    project.commit()
    return project


@pytest.fixture
def made(run_once, tmp_path):
    """Return a copy of that project which the test may change."""
    return ProjectUnderTest(shutil.copytree(run_once, tmp_path / "my_project"))


def test_a_clone_with_its_raw_data(made, tmp_path):
    git(tmp_path, "clone", "-q", str(made), str(tmp_path / "clone"))
    clone = ProjectUnderTest(tmp_path / "clone")
    (clone / "data" / "raw.txt").write_text("3")
    assert clone.states() == {"1_one": "absent", "2_two": "absent", "3_three": "current"}
    reason = clone.state("1_one")[1]
    assert reason == [
        "the files that git ignores are missing, as in a new clone (results/1_one/n.npy); run the "
        "notebook, or copy results/1_one/ from where it was made"
    ]
    assert clone.command("status").returncode == 1
    done = clone.python("-c", "from my_project.checkpoint import load; load('1_one')")
    assert "CheckpointNotFoundError: results/1_one" in done.stderr
    assert "Run 1_one.ipynb, or copy results/1_one/ from where it was made" in done.stderr
    done = clone.command("run")
    assert done.returncode == 3
    assert done.stdout == "Nothing to run: everything else is current.\n"
    assert done.stderr.count("absent") == 2
    # steps that a changed step needs are run as well
    clone.change_cell("3_three", 'total = load("2_two")["m"].sum() + 1')
    done = clone.command("run")
    assert done.returncode == 0, done.stderr
    assert set(clone.states().values()) == {"current"}


def test_a_named_step_that_is_absent(made, tmp_path):
    git(tmp_path, "clone", "-q", str(made), str(tmp_path / "clone"))
    clone = ProjectUnderTest(tmp_path / "clone")
    (clone / "data" / "raw.txt").write_text("3")
    done = clone.command("run", "1_one")
    assert done.returncode == 0, done.stderr
    assert clone.states() == {"1_one": "current", "2_two": "absent", "3_three": "current"}


def test_a_raw_file_that_is_not_here(made):
    (made / "data" / "raw.txt").unlink()
    assert made.states() == {"1_one": "unverifiable", "2_two": "current", "3_three": "current"}
    done = made.command("run")
    assert done.returncode == 3
    assert "1_one is not current: unverifiable (data/raw.txt is missing)" in done.stderr
    made.change_cell("3_three", 'total = load("2_two")["m"].sum() + 1')
    done = made.command("run")
    assert done.returncode == 3
    assert made.states() == {"1_one": "unverifiable", "2_two": "current", "3_three": "current"}


def test_a_file_that_git_keeps_is_missed(made):
    (made / "results" / "1_one" / "environment.txt").unlink()
    assert made.states()["1_one"] == "current"
    (made / "results" / "1_one" / "n.npy").write_bytes(b"x")
    assert made.states()["1_one"] == "damaged"


def test_a_sample_that_was_dropped(bake):
    project = bake(pipeline="blank", notebooks="multi, next")
    loop = 'for sample in {}:\n    save(f"1_multi/{{sample}}", {{"s": sample}})'
    with project.edited("1_multi") as notebook:
        notebook.cells[3].source = loop.format(["a", "b"])
        notebook.cells[-1].source = 'save("1_multi", {})'
    with project.edited("2_next") as notebook:
        notebook.cells[3].source = 'b = load("1_multi/b")["s"]'
    assert project.command("run", "1_multi").returncode == 0
    project.change_cell("1_multi", loop.format(["a"]))
    assert project.command("run", "1_multi").returncode == 0
    status = project.command("status")
    said = "results/1_multi/b is from an earlier run; the last one did not save it"
    assert said in " ".join(status.stdout.split())
    done = project.python("-c", "from my_project.checkpoint import load; load('1_multi/b')")
    assert (
        "Note: It is from an earlier run of 1_multi; the last one did not save it." in done.stdout
    )


def test_the_flags_of_a_workflow_in_a_clone(made, tmp_path):
    """A changed step needs its absent inputs, so Snakemake must run their steps first."""
    git(tmp_path, "clone", "-q", str(made), str(tmp_path / "clone"))
    clone = ProjectUnderTest(tmp_path / "clone")
    (clone / "data" / "raw.txt").write_text("3")

    def flagged():
        code = "from my_project.checkpoint.run.workflow import jobs, renew_flags; renew_flags('.')"
        done = clone.python("-c", f"{code}; print(*[job.flag for job in jobs('.')])")
        assert done.returncode == 0, done.stderr
        return [(clone / flag).exists() for flag in done.stdout.split()]

    assert flagged() == [True, True, True]
    clone.change_cell("3_three", 'total = load("2_two")["m"].sum() + 1')
    assert flagged() == [False, False, False]


@pytest.mark.parametrize(
    ("cell", "loads"),
    [
        (
            'for part in parts("1_one", ["a", "b"]):\n    part.save({"n": np.arange(3)})',
            'load("1_one").parts["b"]["n"]',
        ),
        (
            'save("1_one/b", {"n": np.arange(3)})\nsave("1_one", {"t.json": {}})',
            'load("1_one/b")["n"]',
        ),
    ],
)
def test_the_parts_of_a_step_are_absent(tmp_path, cell, loads):
    made = generate(tmp_path / "made", pipeline="blank", notebooks="one, two")
    head = "import numpy as np\nfrom my_project.checkpoint import load, parts, save"
    codes = {
        "1_one": ("1", cell),
        "2_two": (f"n = {loads}", 'save("2_two", {"n.json": int(n.sum())})'),
    }
    for step, (code, save) in codes.items():
        with made.edited(step) as notebook:
            notebook.cells[1].source = head
            notebook.cells[3].source = code
            notebook.cells[-1].source = save
    done = made.command("run")
    assert done.returncode == 0, done.stderr + done.stdout
    made.git("init", "-q")
    made.commit()
    git(tmp_path, "clone", "-q", str(made), str(tmp_path / "clone"))
    clone = ProjectUnderTest(tmp_path / "clone")
    assert clone.states() == {"1_one": "absent", "2_two": "current"}
    assert clone.command("run").stdout == "Nothing to run: everything else is current.\n"
    clone.change_cell("2_two", f"n = 1 * {loads}")
    done = clone.command("run")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "absent" not in done.stderr
    assert set(clone.states().values()) == {"current"}
