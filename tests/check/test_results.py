"""Rules about what accumulates in `results/`."""

import subprocess

from checkpoint.check.check import check


def test_results_without_a_notebook(project):
    (project / "results" / "2_integration_v2").mkdir()
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("orphan-results", "results/2_integration_v2")


def test_large_results_in_git(project):
    table = project / "results" / "1_preprocessing" / "table.csv"
    table.write_bytes(b"x" * 5_000_001)
    assert check(project) == []
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("large-tracked", "results/1_preprocessing/table.csv")
