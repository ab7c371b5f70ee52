"""Finding calls of `checkpoint` in code, in the many forms that people write them."""

import ast
from textwrap import indent

import pytest

from checkpoint.edit.source import rename_code
from checkpoint.notebooks import calls as module
from checkpoint.notebooks.calls import calls, imported, imported_packages, texts
from checkpoint.notebooks.graph import is_foreign, named_in


def called(source, names=None):
    found = calls(source, imported([source]) if names is None else names)
    return found and [(call.function, call.argument) for call in found]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('previous = load("1_preprocessing")', [("load", "1_preprocessing")]),
        ("x, y = load('1_a'), load('2_b')", [("load", "1_a"), ("load", "2_b")]),
        ('checkpoint.save("1_a", {})', [("save", "1_a")]),
        ('load(step="1_a")', [("load", "1_a")]),
        ('load("1_" "a")', [("load", "1_a")]),
        ('load(f"1_a")', [("load", "1_a")]),
        ('load(r"""1_a""")', [("load", "1_a")]),
        ('load("1_a")["x"].obs', [("load", "1_a")]),
        ('[load("1_a") for _ in x]', [("load", "1_a")]),
        ('def f():\n    return load("1_a")', [("load", "1_a")]),
        ("load(name)", [("load", None)]),
        ('load(f"{number}_a")', [("load", None)]),
        ('load("1_" + name)', [("load", None)]),
        ("load(*names)", [("load", None)]),
        ("load(**names)", [("load", None)]),
        ("read = load", [("load", None)]),
        ('list(map(load, ["1_a"]))', [("load", None)]),
        ('np.load("x.npy")', []),
        ('joblib.checkpoint.load("x")', []),
        ('# load("1_a")\n"""load("1_b")"""', []),
        ('%matplotlib inline\nload("1_a")', [("load", "1_a")]),
        ('if x:\n    !ls\n    load("1_a")', [("load", "1_a")]),
        ('%%bash\nload("1_a")', []),
        ('pip install -q x\nload("1_a")', [("load", "1_a")]),
        ('cd ..\nload("1_a")', [("load", "1_a")]),
        ("this is not python (", None),
        ('%%time\nload("1_a")', [("load", "1_a")]),
        ('%time x = load("1_a")', [("load", "1_a")]),
        ('if x:\n    %time y = load("1_a")', [("load", "1_a")]),
        ('files = !ls\nload?\nload("1_a")', [("load", "1_a")]),
        ('save(\n    # why not?\n    "1_a", {}\n)', [("save", "1_a")]),
        ('import p.checkpoint as ck\nck.save("1_a", {})', [("save", "1_a")]),
        ('import p.checkpoint\np.checkpoint.save("1_a", {})', [("save", "1_a")]),
        ('from p.checkpoint import save as keep\nkeep("1_a", {})', [("save", "1_a")]),
        ('from p.checkpoint import *\nsave("1_a", {})', [("save", "1_a")]),
        ('from p import checkpoint as c\nc.load("1_a")', [("load", "1_a")]),
        ('from joblib import load\nload("x.joblib")', []),
    ],
)
def test_calls(source, expected):
    assert called(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        'x = load("1_a")',
        'é = "ü"; x = load("1_a")',
        '"""ü\nü"""; x = load(\n    "1_a"\n)',
        'if True:\r\n    load("1_a")\r\n',
        '%time é = load("1_a")',
        'x\x0c = 3\nload("1_a")',
    ],
)
def test_the_span_is_where_the_argument_stands(source):
    (call,) = calls(source, imported([source]))
    assert source[slice(*call.span)] == '"1_a"'
    assert "load(" in call.line


def test_names_are_of_the_whole_notebook():
    names = imported(["import numpy as np", "from p.checkpoint import load as get, save"])
    assert names == {"get": "load", "save": "save"}
    assert called('get("1_a"), load("x")', names) == [("load", "1_a")]
    assert imported(["from joblib import load", "from p.checkpoint import load"]) == {
        "load": "load"
    }
    assert imported(["x = 1", "from ("]) == module.OWN_NAMES


def test_a_part_of_a_loop_loads():
    """`part.load` and `part.data_file` are found whatever the loop variable is called."""
    head = "from my_project.checkpoint import load, parts"
    body = 'x = donor.load(f"1_preprocessing/{donor.name}")\ny = donor.data_file("a.h5")'
    for head_of_loop in (
        'for donor in parts("2_x", S):',
        'for i, donor in enumerate(parts("2_x", S)):',
    ):
        loop = f"{head_of_loop}\n{indent(body, '    ')}"
        named = named_in([head, loop])
        assert named == (["1_preprocessing/"], ["a.h5"], False)
        renamed = rename_code(loop, imported([head, loop]), {"1_preprocessing": "1_qc"})
        assert (renamed.source, renamed.unsafe) == (loop.replace("1_preprocessing", "1_qc"), [])
    assert named_in([head, body]) == ([], [], False)  # `donor` is another object here


def test_texts_that_are_no_argument():
    found = texts('x = load("1_a")\nopen(f"../results/1_a/{y}")', module.OWN_NAMES)
    assert [(text.value, text.line) for text in found] == [
        ("../results/1_a/", 'open(f"../results/1_a/{y}")')
    ]


@pytest.mark.parametrize(
    ("code", "packages"),
    [
        ("from other.checkpoint import load, save", ["other"]),
        ("from other.checkpoint import *", ["other"]),
        ("import other.checkpoint as ck\nck.load('1_a')", ["other"]),
        ("from other import checkpoint\ncheckpoint.save('1_a', {})", ["other"]),
        ("import other.checkpoint\nother.checkpoint.save('1_a', {})", ["other"]),
        ("from orbax import checkpoint as ocp\nocp.PyTreeCheckpointer()", []),
        ("import orbax.checkpoint", []),
        ("from torch.utils.checkpoint import checkpoint", []),
        ("from torch.distributed.checkpoint import load, save", []),
        ("from .checkpoint import load", []),
        ("from checkpoint import load", []),
        ("from joblib import load", []),
    ],
)
def test_packages_whose_functions_are_imported(code, packages):
    assert imported_packages(ast.parse(code), code) == packages


@pytest.mark.parametrize(
    ("sources", "foreign"),
    [
        (["import numpy as np\nnp.save('x.npy', x)"], True),
        (["from joblib import load", "load('1_a')"], True),
        (["x = = 1"], True),
        ([""], False),
        (["%run setup.ipynb", "save('1_a', {})"], False),
        (["from my_project.checkpoint import load"], False),
        (["import my_project.checkpoint as c", "c.load('1_a')"], False),
    ],
)
def test_notebooks_that_have_nothing_to_do_with_checkpoints(sources, foreign):
    assert is_foreign(sources) is foreign
