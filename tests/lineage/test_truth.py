"""States after typical work in real kernels: `current` is true, and looking changes nothing."""

import pytest
from front_end import HEAD, FrontEnd

ONE = "1_preprocessing"
SAVE = f'save("{ONE}", {{"x": x}}, params={{"group": {{"n": N}}}})'
CELLS = [HEAD, "N = 10", "x = [i for i in range(20)]", "x = [i for i in x if i < N]", SAVE]


@pytest.fixture(params=[True, False], ids=["with ids", "without ids"])
def notebook(request, project):
    """Return a function that opens a notebook with some cells."""
    opened = []

    def make(cells=None, tags=None):
        front_end = FrontEnd(project, ONE, cells or CELLS, tags or {}, request.param)
        opened.append(front_end)
        return front_end

    yield make
    for front_end in opened:
        front_end.restart()


pytestmark = pytest.mark.slow


def test_run_all_is_clean(notebook):
    nb = notebook()
    nb.run_all()
    assert nb.state() == ("current", [])
    assert "Note" not in nb.printed
    nb.run_all()
    assert nb.state() == ("current", [])


LOOKS = ["x[:3]", "len(x)", "x", "%who", "print(x)", "x.count(3)", "import math"]


def test_looks_in_between_cost_nothing(notebook):
    nb = notebook()
    nb.run(0, 1, 2)
    for look in LOOKS:
        assert nb.execute(look) == "ok", look
    nb.run(3)
    nb.execute("x = = 1")  # a syntax error, so nothing ran
    nb.run(4)
    nb.execute("y = 5")  # after the save
    assert nb.state() == ("current", [])
    assert "Note" not in nb.printed


def test_run_all_with_another_value_and_put_back(notebook):
    nb = notebook()
    nb.run_all()
    nb.edit(1, "N = 8")
    nb.run_all()
    nb.edit(1, "N = 10")
    state, reasons = nb.state()
    assert state == "unclean"
    assert "N = 8" in reasons[0]


def test_a_cell_is_deleted_or_moved_after_a_clean_run(notebook):
    nb = notebook()
    nb.run_all()
    nb.remove(3)
    state, reasons = nb.state()
    assert state == "edited"
    assert "x = [i for i in x if i < N]" in reasons[0]


def test_two_cells_are_swapped_after_a_clean_run(notebook):
    nb = notebook([HEAD, "N = 10", "x = [1, 2]", "x = x + [N]", "x = x * 2", SAVE])
    nb.run_all()
    nb.swap(3, 4)
    assert nb.state()[0] == "edited"


def test_a_parameter_changed_and_only_its_cell_and_the_save_ran(notebook):
    nb = notebook()
    nb.run_all()
    nb.edit(1, "N = 5")
    nb.run(1, 4)
    if nb.with_ids:
        assert "Note: Not a clean run: cell `N = 5` ran after cells that use it" in nb.printed
        assert "restart the kernel and run all" in nb.printed
    state, reasons = nb.state()
    assert state == "unclean"
    assert reasons == ["cell `N = 5` ran after cells that use it; restart the kernel and run all"]


@pytest.mark.parametrize("scratch", ["x.append(99)", "x[0] = 7", "x = x[:2]"])
def test_a_scratch_cell_that_changed_an_object(notebook, scratch):
    nb = notebook()
    nb.run(0, 1, 2, 3)
    nb.execute(scratch)
    nb.run(4)
    state, reasons = nb.state()
    assert state == "unclean"
    assert scratch in reasons[0] and "not in the notebook" in reasons[0]


def test_a_cell_that_is_not_the_same_twice(notebook):
    nb = notebook([HEAD, "N = 1", "x = []", "x = x + [1]", SAVE])
    nb.run(0, 1, 2, 3, 3, 4)
    assert nb.state() == (
        "unclean",
        [
            "cell `x = x + [1]` ran more than once and changes `x` each time; "
            "restart the kernel and run all"
        ],
    )
    nb.restart()
    nb.run_all()
    assert nb.state() == ("current", [])


def test_two_tabs_on_one_kernel(notebook):
    nb = notebook()
    nb.run(0, 1, 2)
    nb.execute("N = 3", "other-notebook-1")
    nb.run(3, 4)
    assert nb.state()[0] == "unclean"


def test_a_cell_that_is_skipped(notebook):
    nb = notebook([*CELLS[:4], "raise RuntimeError", SAVE], tags={4: "skip-execution"})
    nb.run_all()
    assert nb.state() == ("current", [])


def test_a_typo_that_was_fixed(notebook):
    nb = notebook()
    nb.run(0, 1, 2)
    nb.edit(3, "x = [i for i in xx if i < N]")
    nb.run(3)
    nb.edit(3, CELLS[3])
    nb.run(3, 4)
    assert nb.state() == ("current", [])


def test_a_cell_that_failed_half_way(notebook):
    nb = notebook([HEAD, "N = 1", "x = [1]", "x.append(2)\nassert N == 2", SAVE])
    nb.run(0, 1, 2, 3)
    nb.edit(3, "x.append(2)\nassert N == 1")
    nb.run(3, 4)
    assert nb.state()[0] == "unclean"


def test_code_before_the_import_counts(notebook):
    nb = notebook(["N = 3", "x = [N]", HEAD, SAVE])
    nb.run_all()
    assert nb.state() == ("current", [])
    nb.restart()
    nb.run(0)
    nb.execute("N = 4")
    nb.run(1, 2, 3)
    assert nb.state()[0] == "unclean"


def test_several_sub_checkpoints(notebook):
    cells = [HEAD, "N = 1", "for s in 'ab':", "x = [N]"]
    cells[2] = f"for s in 'ab':\n    save(f'{ONE}/{{s}}', {{'s': s * N}})"
    nb = notebook([*cells, SAVE])
    nb.run_all()
    assert nb.state() == ("current", [])
    assert nb.state(f"{ONE}/a") == ("current", [])
    nb.edit(1, "N = 2")
    nb.run(1, 4)
    assert nb.state()[0] == "unclean"
    assert nb.state(f"{ONE}/a")[0] == "edited"


def test_the_file_is_older_than_the_screen(notebook):
    """Front ends run cells before they save the notebook, so the file may be outdated."""
    nb = notebook()
    new = nb.add(4, "x = x + [N]")
    nb.run_all()
    if nb.with_ids:
        assert "Note" not in nb.printed
    assert new in nb.ids
    assert nb.state() == ("current", [])


def test_accept_overrules(notebook, project):
    from checkpoint.lineage.accept import accept
    from checkpoint.project.project import Project

    nb = notebook()
    nb.run(0, 1, 2, 3)
    nb.execute("x.append(99)")
    nb.run(4)
    assert nb.state()[0] == "unclean"
    accept(Project(project), ONE, "99 is meant")
    assert nb.state() == ("current", [])
    nb.edit(1, "N = 2")
    assert nb.state()[0] == "edited"


def test_a_renamed_step_knows_its_session(notebook, project):
    """Without a record of the cells that ran, any change of the code would count as an edit."""
    from checkpoint.edit.chain import rename
    from checkpoint.project.project import Project

    nb = notebook()
    nb.run_all()
    rename(Project(project), ONE, "filtering")
    state = project.state("1_filtering")
    assert state == ("current", [])
    project.add_cell("1_filtering", "x", after="cell-3")
    assert project.state("1_filtering") == ("current", [])
    project.change_cell("1_filtering", "N = 9", cell="cell-1")
    assert project.state("1_filtering")[0] == "edited"


def test_an_unclean_step_that_is_stale_too(notebook, project):
    """Downstream steps must be stale even if the step itself is shown as unclean."""
    from checkpoint import load, save
    from checkpoint.storage import session

    (project / "data" / "raw.txt").write_text("1")
    nb = notebook([HEAD, "N = 1", 'x = [data_file("raw.txt").read_text()]', SAVE])
    nb.run(0, 1, 2)
    nb.execute("x.append(99)")
    nb.run(3)
    assert nb.state()[0] == "unclean"
    session.forget()
    load(ONE)
    save("2_integration", {"a": 1})
    assert project.state("2_integration") == ("current", [])
    (project / "data" / "raw.txt").write_text("2")
    assert nb.state()[0] == "unclean"
    assert project.state("2_integration") == ("stale", ["data/raw.txt changed"])


def test_a_function_of_a_module_saves(notebook, project):
    code = f"from .checkpoint import save\n\n\ndef finish(x):\n    save('{ONE}', {{'x': x}})\n"
    (project / "src" / "my_project" / "tools.py").write_text(code)
    nb = notebook([HEAD, "from my_project.tools import finish", "x = [1]", "finish(x)"])
    nb.run_all()
    assert "Note" not in nb.printed
    assert nb.state() == ("current", [])
    nb.execute("x")
    nb.run_all()
    assert nb.state() == ("current", [])
    nb.execute("x.append(2)")
    nb.run(3)
    assert nb.state()[0] == "unclean"
