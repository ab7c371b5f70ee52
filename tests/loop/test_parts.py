"""Loops that save one checkpoint for each sample, in real kernels."""

import re
import time

import nbformat
import pytest
from front_end import FrontEnd

from checkpoint import load
from checkpoint.lineage.accept import accept
from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project

pytestmark = pytest.mark.slow
HEAD = "from my_project.checkpoint import data_file, load, parts, save"
LOOP = """\
for part in parts("1_qc", SAMPLES):
    text = part.data_file(f"{part.name}.txt").read_text()
    if STOP == part.name:
        raise SystemError
    part.save({"n": len(text) * FACTOR}, params={"n": {"n": len(text)}})
"""


@pytest.fixture
def nb(project):
    """Yield a notebook with a loop over three samples."""
    for name in "abcd":
        (project / "data" / f"{name}.txt").write_text(name)
    for path in (project / "notebooks").iterdir():
        path.unlink()
    cells = [HEAD, "FACTOR = 2", 'SAMPLES = ["a", "b", "c"]', 'STOP = ""', LOOP]
    notebook = FrontEnd(project, "1_qc", cells, {}, with_ids=True)
    yield notebook
    notebook.restart()


def made(nb):
    """Return the parts that the last cell made."""
    at = re.search(r"ended at part \d+ of \d+ \((.+?)\)", nb.printed)
    saved = re.search(r"(?:made \d+ of \d+ parts|after \d+) \((.*?)\)", nb.printed)
    return [*(saved[1].split(", ") if saved else []), *([at[1]] if at else [])]


def notes(project):
    return project.command("status").stdout


def test_which_parts_are_made(nb, project):
    nb.run_all()
    assert made(nb) == ["a", "b", "c"]
    assert nb.state() == ("current", [])
    assert project.record("1_qc")["checkpoint"]["inputs"] == {}
    assert list(project.record("1_qc/b")["checkpoint"]["inputs"]) == ["data/b.txt"]
    assert {name: part["n"] for name, part in load("1_qc").parts.items()} == {
        "a": 2,
        "b": 2,
        "c": 2,
    }

    # a changed raw file: only its part is made again
    (project / "data" / "b.txt").write_text("bbb")
    assert nb.state() == ("stale", ["data/b.txt changed"])
    assert nb.state("1_qc/a") == ("current", [])
    assert "2 of 3 parts are current, not b" in notes(project)
    nb.run(4)
    assert made(nb) == ["b"]
    assert nb.state() == ("current", [])
    assert list(project.record("1_qc/b")["checkpoint"]["inputs"]) == ["data/b.txt"]
    nb.run(4)
    assert made(nb) == []
    assert nb.state() == ("current", [])

    # another list: only the new part is made, and the dropped one is removed when the loop ends
    nb.edit(2, 'SAMPLES = ["a", "c", "d"]')
    nb.edit(3, 'STOP = "d"')
    nb.run(2, 3, 4)
    assert made(nb) == ["a", "c", "d"]  # STOP is code of all
    assert (project / "results" / "1_qc" / "b" / "params.json").exists()
    nb.edit(3, 'STOP = ""')
    nb.restart()
    nb.run_all()
    nb.edit(2, 'SAMPLES = ["d", "a"]')
    nb.run(2, 4)
    assert made(nb) == []
    assert sorted(load("1_qc").parts) == ["a", "d"]
    assert not (project / "results" / "1_qc" / "c" / "params.json").exists()
    assert nb.state() == ("current", [])

    # another cell changed: all parts are made again, even if the notebook on disk is outdated
    nb.edit(1, "FACTOR = 3")
    nb.run(1, 4)
    assert made(nb) == ["d", "a"]
    nb.restart()
    assert nb.state("1_qc/a")[0] == "current"


def test_parts_are_kept_by_a_kernel_that_is_told_no_cell_ids(nb, project):
    nb.with_ids = False  # as with `checkpoint run`, papermill and nbconvert
    nb.run_all()
    nb.restart()
    (project / "data" / "b.txt").write_text("bbb")
    nb.run_all()
    assert made(nb) == ["b"]
    assert nb.state() == ("current", [])


def test_what_a_crash_leaves_is_kept(nb, monkeypatch):
    nb.edit(3, "import os")
    nb.edit(4, LOOP.replace("STOP ==", 'os.environ.get("STOP") =='))
    monkeypatch.setenv("STOP", "c")
    nb.run_all()
    assert made(nb) == ["a", "b", "c"]
    assert nb.state()[0] == "missing"
    monkeypatch.delenv("STOP")
    nb.restart()
    nb.run_all()
    assert made(nb) == ["c"]
    assert nb.state() == ("current", [])
    # leaving the loop with `break` removes no part
    assert nb.execute("for part in parts('1_qc', ['x']):\n    break") == "ok"
    assert sorted(load("1_qc").parts) == ["a", "b", "c"]
    # nor does an empty list, such as a glob returns if a disk is not mounted
    assert nb.execute("for part in parts('1_qc', []):\n    pass") == "CheckpointValueError"
    assert "all 3 parts of 1_qc would be removed" in nb.error
    assert sorted(load("1_qc").parts) == ["a", "b", "c"]


def test_parts_that_depend_on_each_other_are_all_made(nb, project):
    nb.edit(3, 'STOP = ""\nseen = []')
    nb.edit(4, LOOP.replace("    if STOP", "    seen.append(text)\n    if STOP"))
    nb.run_all()
    assert "seen is carried on by the loop" in nb.printed
    assert list(project.record("1_qc/b")["checkpoint"]["inputs"]) == ["data/a.txt", "data/b.txt"]
    assert nb.state() == ("current", [])
    (project / "data" / "a.txt").write_text("aaa")
    assert nb.state("1_qc/c")[0] == "stale"
    nb.restart()
    nb.run_all()
    assert made(nb) == ["a", "b", "c"]
    # a function may change the list without the loop's code showing it
    nb.restart()
    nb.edit(3, 'STOP = ""\nseen = []\ndef note(x):\n    seen.append(x)')
    nb.edit(4, LOOP.replace("    if STOP", "    note(text)\n    if STOP"))
    nb.run_all()
    assert "the loop changes seen, so a part may depend on those before it" in nb.printed
    nb.restart()
    nb.run_all()
    assert made(nb) == ["a", "b", "c"]


def test_a_change_after_a_part_was_saved(nb, project):
    nb.edit(2, 'SAMPLES = ["a"]')
    nb.edit(3, 'STOP = ""\nseen = []\ndef note(x):\n    seen.append(x)')
    nb.edit(4, LOOP + "    note(text)")
    nb.run_all()
    assert "the loop changes seen" in nb.printed
    nb.restart()
    nb.edit(2, 'SAMPLES = ["a", "b"]')
    nb.run_all()
    assert made(nb) == ["a", "b"]  # b may depend on a
    assert nb.state() == ("current", [])


def test_a_generator_of_random_numbers(nb, project):
    nb.edit(3, 'import numpy as np\nSTOP = ""\nrng = np.random.default_rng(0)')
    nb.edit(4, LOOP.replace("* FACTOR", "+ rng.normal()"))
    nb.save_file()
    nb.run_all()
    drawn = load("1_qc").parts["c"]["n"]
    for text in ("C", "c"):
        (project / "data" / "c.txt").write_text(text)
        nb.restart()
        nb.run_all()
        assert made(nb) == ["c"]
        assert load("1_qc").parts["c"]["n"] == drawn
        assert nb.state() == ("current", [])


def test_a_file_that_all_parts_read_and_what_the_loop_leaves(nb, project):
    (project / "data" / "ref.txt").write_text("1")
    read = '    ref = open("../data/ref.txt").read()\n'
    nb.edit(4, LOOP.replace("    if STOP", read + "    if STOP"))
    nb.add(5, 'save("1_qc/last", {"text": text})')
    nb.run_all()
    assert nb.state("1_qc/last") == ("current", [])
    for name in "abc":
        inputs = project.record(f"1_qc/{name}")["checkpoint"]["inputs"]
        assert list(inputs) == [f"data/{name}.txt", "data/ref.txt"]
    (project / "data" / "a.txt").write_text("aaa")
    nb.restart()
    nb.run_all()
    assert made(nb) == []  # of the last cell
    assert nb.state() == ("current", [])
    assert nb.state("1_qc/last")[0] == "unclean"  # `text` is from part a, not from c
    (project / "data" / "b.txt").write_text("bbb")
    accept(Project(project), "1_qc/b", "a blank line")
    assert nb.state() == ("current", [])


def test_many_parts(nb, project):
    """The overhead must be milliseconds for each part, so that loops over many parts stay fast."""
    nb.edit(2, "SAMPLES = [f'n{i}' for i in range(100)]")
    nb.edit(4, "for part in parts('1_qc', SAMPLES):\n    part.save({'n': FACTOR})")
    nb.save_file()
    nb.run_all()
    nb.restart()
    nb.run(0, 1, 2, 3)
    start = time.monotonic()
    nb.run(4)
    looped = time.monotonic() - start
    assert made(nb) == []
    start = time.monotonic()
    assert nb.state() == ("current", [])
    took = time.monotonic() - start
    assert (took < 2, looped < 5) == (True, True), (took, looped)


def test_a_kill_in_the_loop_then_rename_and_clean(nb, project):
    dying = LOOP.replace("raise SystemError", "import os; os.kill(os.getpid(), 9)")
    nb.edit(4, dying)
    nb.edit(3, 'STOP = "b" if not __import__("os").path.exists("../../go") else ""')
    nb.save_file()
    said = project.command("run")
    assert said.returncode != 0
    assert "died" in (said.stdout + said.stderr)
    assert nb.state("1_qc/a")[0] == "current"
    assert nb.state("1_qc/b")[0] == "missing"
    (project.parent / "go").touch()  # outside the project, so not an input
    said = project.command("run", "1_qc")
    assert said.returncode == 0, said.stderr
    outputs = nbformat.read(project / "notebooks" / "1_qc.ipynb", 4).cells[4].outputs
    shown = outputs[0].data["text/plain"]
    assert re.fullmatch(r"1_qc: made 2 of 3 parts \(b, c\) in \d+ s; 1 were current\.", shown)

    assert project.command("rename", "1_qc", "quality").returncode == 0
    lineage = Lineage(Project(project))
    assert {lineage.state(f"1_quality{part}").state for part in ("", "/a", "/b")} == {"current"}
    assert load("1_quality").parts["a"]["n"] == 2
    said = project.command("clean", "--yes", "1_quality/x")
    assert said.stderr.endswith("there are 1_quality/a, 1_quality/b, 1_quality/c.\n")
    assert project.command("clean", "--yes", "1_quality/b").returncode == 0
    assert Lineage(Project(project)).state("1_quality").reasons == [
        "results/1_quality/b is missing"
    ]
    assert project.command("run", "1_quality/b").returncode == 0
    assert "made 1 of 3 parts (b)" in project.notebook("1_quality").read_text()
    assert project.command("clean", "--yes").returncode == 0
    assert not list((project / "results").rglob("params.json"))


def test_what_is_no_plain_loop_loses_nothing(nb, project):
    nb.run_all()
    assert nb.execute('list(parts("1_qc", SAMPLES))') == "CheckpointError"
    assert "for which all 3 that were saved before would be removed" in nb.error
    assert nb.execute('part.save({"n": 0})') == "CheckpointError"
    assert "1_qc/c: part.save was called after its round of the loop" in nb.error
    assert [part["n"] for part in load("1_qc").parts.values()] == [2, 2, 2]
    # a loop around the loop: its second pass must make the parts again
    body = "\n".join(f"    {line}" for line in LOOP.splitlines())
    nb.edit(4, f"for FACTOR in (3, 4):\n{body}")
    nb.restart()
    nb.run_all()
    assert "has no plain `for part in parts" in nb.printed
    assert [part["n"] for part in load("1_qc").parts.values()] == [4, 4, 4]
    assert nb.state() == ("current", [])
