"""The `load-key` rule: notebooks must not ask for keys that no step saves."""

import pytest
from front_end import HEAD

from checkpoint.check.check import check

ONE, TWO = "1_preprocessing", "2_integration"


def found(project, saving, asking):
    """Change a save cell, add a cell that loads, and return the `load-key` problems."""
    project.change_cell(ONE, saving, "save")
    project.add_cell(TWO, asking)
    return [problem for problem in check(project) if problem.rule == "load-key"]


@pytest.mark.parametrize(
    "asking",
    [
        f'load("{ONE}")["tabel"]',
        f'p = load("{ONE}")\nx = p["tabel"]',
        f'p = load("{ONE}"); q = p["tabel.parquet"]',
    ],
)
def test_a_key_that_nobody_saves(project, asking):
    saving = f'save("{ONE}", {{"table": 1, "n.json": 2}})'
    (problem,) = found(project, saving, f"{HEAD}\n{asking}")
    assert "for 'tabel" in problem.what
    assert problem.todo == f"{ONE} saves table, n.json"
    assert problem.cell == HEAD


@pytest.mark.parametrize(
    ("saving", "asking"),
    [
        ('{"table": 1, "n.json": 2}', 'p["table.parquet"], p["n"], p["n.json"]'),
        ('{"table": 1, **more}', 'p["tabel"]'),
        ("objects", 'p["tabel"]'),
        ('{"table": 1}', 'p = {}\np["tabel"]'),
        ('{"table": 1}', 'try:\n    p["tabel"]\nexcept KeyError:\n    x = 1'),
        ('{"table": 1}', 'p[key], p["table"]["tabel"]'),
        ('{"table": 1}', 'def f(p):\n    return p["tabel"]'),
    ],
)
def test_a_key_that_may_be_there(project, saving, asking):
    asking = f'{HEAD}\np = load("{ONE}")\n{asking}'
    assert found(project, f'save("{ONE}", {saving})', asking) == []


def test_a_step_that_is_saved_by_a_computed_name(project):
    saving = f'step = "{ONE}"\nsave("{ONE}", {{"a": 1}})\nsave(step, {{"b": 1}})'
    assert found(project, saving, f'{HEAD}\nload("{ONE}")["b"]') == []
