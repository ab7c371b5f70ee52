"""Renaming steps in code, in the many forms in which people write them."""

import pytest

from checkpoint.edit.source import mentions, rename_code
from checkpoint.notebooks.calls import imported

NAMES = {"1_a": "2_a", "2_b": "3_b", "3_c": "1_c"}


def renamed(source):
    return rename_code(source, imported([source]), NAMES)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('x = load("1_a")', 'x = load("2_a")'),
        ("x = load('1_a')", "x = load('2_a')"),
        (
            'load("1_a"), load("2_b")["x"], load("3_c")',
            'load("2_a"), load("3_b")["x"], load("1_c")',
        ),
        ('load("2_b/part/x")', 'load("3_b/part/x")'),
        (
            'save(\n    "2_b",  # 2_b\n    {"2": x},\n)',
            'save(\n    "3_b",  # 2_b\n    {"2": x},\n)',
        ),
        ('save(step="2_b", objects={})', 'save(step="3_b", objects={})'),
        ('load("1_" "a")', 'load("2_a")'),
        ('load(f"1_a")', 'load("2_a")'),
        ('load(r"""1_a""")', 'load("2_a")'),
        ('save(f"1_a/{sample}", {})', 'save(f"2_a/{sample}", {})'),
        ("load(rf'1_a/x/{n}' + end)", "load(rf'2_a/x/{n}' + end)"),
        ('load("1_a/" + name)', 'load("2_a/" + name)'),
        ('sc.settings.figdir = figures("3_c")', 'sc.settings.figdir = figures("1_c")'),
        ('é = "ü"; load("1_a")', 'é = "ü"; load("2_a")'),
        ('%time x = load("1_a")', '%time x = load("2_a")'),
        ('%%time\nx = load("1_a")', '%%time\nx = load("2_a")'),
        ('!ls\nif x:\n\tload("1_a")', '!ls\nif x:\n\tload("2_a")'),
        ('load("1_a")\r\nload("2_b")\r\n', 'load("2_a")\r\nload("3_b")\r\n'),
        (
            'import p.checkpoint as ck\nck.save("2_b", {"m": ck.load("1_a")["m"]})',
            'import p.checkpoint as ck\nck.save("3_b", {"m": ck.load("2_a")["m"]})',
        ),
        (
            'from p.checkpoint import load as get\nget("1_a")',
            'from p.checkpoint import load as get\nget("2_a")',
        ),
        ('load("9_other")', 'load("9_other")'),
        ('data_file("1_a")', 'data_file("1_a")'),
        ('"""About 1_a: see results/1_a for it."""', '"""About 1_a: see results/1_a for it."""'),
        ("# load('1_a')", "# load('1_a')"),
        (
            'from joblib import load\nload("1_a.joblib")',
            'from joblib import load\nload("1_a.joblib")',
        ),
    ],
)
def test_what_is_renamed(source, expected):
    assert renamed(source) == (expected, [])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("load(STEP)", "`load(STEP)` names a step that is known only when it runs"),
        ('STEP = "1_a"\nload(STEP)', "names a step that is known only when it runs"),
        ('STEP = "1_a"', '`STEP = "1_a"` names 1_a in a string'),
        ('load(f"{n}_a")', "names a step that is known only when it runs"),
        (
            'for s in ["1_a", "2_b"]:\n    save(s, {})',
            "names a step that is known only when it runs",
        ),
        ("read = load", "names a step that is known only when it runs"),
        ('pd.read_csv("../results/1_a/x.csv")', "names 1_a in a string"),
        ('open(f"../results/1_a/{x}")', "names 1_a in a string"),
        (r'open("results\\2_b\\x.csv")', "names 2_b in a string"),
        ("%run 1_a.ipynb", "`%run 1_a.ipynb` names 1_a"),
        ("!cp ../results/2_b/x.csv .", "names 2_b"),
        ("%%bash\ncat results/3_c/x", "names 3_c"),
        ('load("1_a"', "1_a is named in a cell that is not Python"),
    ],
)
def test_what_is_not_safe_is_said(source, said):
    found = renamed(source)
    assert any(said in what for what in found.unsafe), found.unsafe


def test_a_step_that_goes_away_must_not_be_named():
    source = 'load("1_a")\nx = 1'
    found = rename_code(source, imported([source]), {"1_a": None})
    assert found.unsafe == ['`load("1_a")` names 1_a']


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1_a", True), ("`1_a.ipynb`", True), ("11_a", False), ("1_a_v2", False), ("x-1_a", False)],
)
def test_a_name_is_a_word(text, expected):
    assert mentions(text, "1_a") is expected


def test_a_name_that_is_put_together():
    assert renamed('load(f"9_x/{name}")') == ('load(f"9_x/{name}")', [])
    for source in ('load(f"1_a{name}")', 'load(f"{name}/1_a")'):
        assert renamed(source).unsafe, source
    assert renamed('load(f"1_" f"a/{x}")').unsafe
    assert rename_code('save(f"1_a/{x}", {})', {"save": "save"}, {"1_a": None}).unsafe
