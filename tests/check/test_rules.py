"""The registry of rules, and what uses it: docs, `ignore`, `--rules` and `--json`."""

import json
import re

import pytest
from project_under_test import TEMPLATE

from checkpoint.check.check import check
from checkpoint.check.rules import RULES


def test_the_docs_list_the_rules():
    page = (TEMPLATE / "docs" / "command.md").read_text(encoding="utf-8")
    section = page.partition("\n## `check`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `.*$", section, re.MULTILINE)
    expected = {f"| `{rule.name}` | {rule.finds} | {rule.why} |" for rule in RULES.values()}
    assert set(rows) == expected


@pytest.mark.slow
def test_the_command_lists_the_rules(bake):
    baked = bake(pipeline="blank")
    listed = json.loads(baked.command("check", "--rules", "--json").stdout)["rules"]
    assert {(rule["name"], rule["finds"], rule["why"]) for rule in listed} == {
        (rule.name, rule.finds, rule.why) for rule in RULES.values()
    }
    lines = baked.command("check", "--rules").stdout.splitlines()
    assert {line.partition(":")[0] for line in lines} == set(RULES)


def test_a_rule_can_be_ignored(project):
    (project / "results" / "2_integration_v2").mkdir()
    assert [problem.rule for problem in check(project)] == ["orphan-results"]
    project.add_settings('ignore = ["orphan-results"]')
    assert check(project) == []


def test_ignoring_an_unknown_rule_lists_the_rules(project):
    project.add_settings('ignore = ["absolute"]')
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("settings", "pyproject.toml")
    assert "'absolute'" in problem.what
    assert all(name in problem.todo for name in RULES)


@pytest.mark.parametrize("text", ["colour = 1", "ignore = ["])
def test_invalid_settings_are_a_problem(project, text):
    project.add_settings(text)
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("settings", "pyproject.toml")
    assert problem.what.startswith(("[tool.checkpoint] colour: expected", "is not valid TOML"))


def test_a_folder_that_is_not_a_project(tmp_path):
    (problem,) = check(tmp_path)
    assert (problem.rule, problem.file) == ("tree", ".")
