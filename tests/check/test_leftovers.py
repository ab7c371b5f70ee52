"""Rules about what is left over in `results/` and in git."""

from checkpoint.check.check import check


def test_results_without_a_notebook(project):
    (project / "results" / "2_integration_v2").mkdir()
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("orphan-results", "results/2_integration_v2")


def test_large_results_in_git(project):
    table = project / "results" / "1_preprocessing" / "table.csv"
    table.write_bytes(b"x" * 5_000_001)
    assert check(project) == []
    project.git("init", "-q")
    project.git("add", ".")
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("large-tracked", "results/1_preprocessing/table.csv")
