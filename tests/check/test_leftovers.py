"""Rules about orphaned results in `results/` and large results in git."""

from checkpoint.check.check import check


def test_results_without_a_notebook(project):
    (project / "results" / "2_integration_v2").mkdir()
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("orphan-results", "results/2_integration_v2")


def test_results_of_a_notebook_that_was_renamed(project):
    """As `status` does, each finding must first offer the command that renames the rest."""
    (project / "results" / "2_integration").mkdir(exist_ok=True)
    old = project / "notebooks" / "2_integration.ipynb"
    old.rename(old.with_name("2_merging.ipynb"))
    problems = check(project)
    assert {p.rule for p in problems} == {"load-unknown", "orphan-results", "save-step"}
    offer = "If you renamed 2_integration.ipynb to 2_merging.ipynb, run `checkpoint rename "
    assert all(p.todo.startswith(f"{offer}2_integration 2_merging`") for p in problems)
    assert project.command("rename", "2_integration", "2_merging").returncode == 0
    assert check(project) == []


def test_results_that_a_script_saves(project):
    """A script can make its results again, so they are not orphaned and may be loaded."""
    (project / "results" / "scran").mkdir()
    script = project / "scripts" / "scran.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text('from my_project.checkpoint import save\n\nsave("scran", {"x": 1})\n')
    with project.edited("2_integration") as notebook:
        cell = next(c for c in notebook.cells if "load(" in c.source)
        cell.source = cell.source.replace("1_preprocessing", "scran")
    assert check(project) == []
    script.unlink()
    assert {p.rule for p in check(project)} == {"load-unknown", "orphan-results"}


def test_large_results_in_git(project):
    table = project / "results" / "1_preprocessing" / "table.csv"
    table.write_bytes(b"x" * 5_000_001)
    assert check(project) == []
    project.git("init", "-q")
    project.git("add", ".")
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("large-tracked", "results/1_preprocessing/table.csv")
