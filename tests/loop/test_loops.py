"""Which variables a loop carries from one part to the next, and what counts as a part's code."""

import ast

import pytest

from checkpoint.notebooks.loops import carried, loop_in, without_list

NAMES = {"parts": "parts", "save": "save"}


def found(body):
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    loop = loop_in(f'for part in parts("1_qc", S):\n{lines}', NAMES, "1_qc")
    assert isinstance(loop, ast.For)
    return carried(loop)


@pytest.mark.parametrize(
    "body",
    [
        "x = read(part.name)\nx = x + 1\npart.save({'x': x})",
        "x = [y for y in f(part.name)]\nx.append(1)",
        "with open(part.name) as file:\n    x = file.read()\npart.save(x)",
        "if a:\n    x = 1\nelse:\n    x = 2\npart.save(x)",
        "for y in ys:\n    z = y\n    use(z)",
        "import numpy as np\nx = np.zeros(3)\nx[0] = CONSTANT",
        "x = 1\nx += 2",
        "f = lambda a: a + CONSTANT\nx = f(1)",
        "ref.plot()\nx = ref.get('a')",
        "x = ref[ref.obs.sample == part.name]\nx.obs['a'] = 1",
        "x = read()\ny = x\ny.append(1)",
    ],
)
def test_nothing_is_carried(body):
    assert found(body) == []


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("n += 1", ["n"]),
        ("n = n + 1", ["n"]),
        ("results.append(part.name)", ["results"]),
        ("cache[part.name] = 1", ["cache"]),
        ("ref.obs['a'] = 1", ["ref"]),
        ("del cache['a']", ["cache"]),
        ("if ref is None:\n    ref = read()\nuse(ref)", ["ref"]),
        ("if a:\n    x = 1\nuse(x)", ["x"]),
        ("for y in ys:\n    z = y\nuse(z)", ["z"]),
        ("try:\n    x = read()\nexcept OSError:\n    pass\nuse(x)", ["x"]),
        ("def f():\n    global n\n    n = 1\nf()", ["n"]),
        ("x = next(numbers)", ["numbers"]),
        ("ref.drop(columns=['a'], inplace=True)", ["ref"]),
        ("x = ref\nx['a'] = 1", ["ref"]),
        ("obs = ref.obs\ny = obs\ny['a'] = 1", ["ref"]),
    ],
)
def test_what_is_carried(body, names):
    assert found(body) == names


@pytest.mark.parametrize(
    "source",
    [
        'for part in parts("2_x", S):\n    pass',
        'ps = list(parts("1_qc", S))\nfor part in ps:\n    pass',
        'for x in (1, 2):\n    for part in parts("1_qc", S):\n        part.save({"x": x})',
        'def f(x):\n    for part in parts("1_qc", S):\n        part.save({"x": x})\nf(1); f(2)',
        'while more():\n    for part in parts("1_qc", S):\n        pass',
        '%time\nfor part in parts("1_qc", S):\n    pass',
        'for part in parts("1_qc", S):\n    pass\nfor part in parts("1_qc", T):\n    pass',
    ],
)
def test_loops_that_are_not_plain(source):
    assert loop_in(source, NAMES, "1_qc") is None


@pytest.mark.parametrize(
    "source",
    [
        'if S:\n    for part in parts("1_qc", S):\n        pass',
        'with x:\n  try:\n    for part in parts("1_qc", S):\n      pass\n  finally:\n    y()',
    ],
)
def test_a_loop_that_runs_once(source):
    assert loop_in(source, NAMES, "1_qc") is not None


LOOP = 'for part in parts("1_qc", S):\n    part.save()'


@pytest.mark.parametrize(
    ("cells", "same"),
    [
        (['S = ["a"]\nT = 1', LOOP], True),
        (["import x", 'S = ["a"]', LOOP], True),
        ([LOOP.replace("S)", '["a"])')], True),
        (['S = ["a"]', "print(S)", LOOP], False),
        (['S = ["a"] + T', LOOP], False),
        (['S = ["a"]', LOOP, LOOP], False),
        (['S = ["a"]', LOOP.replace("1_qc", "2_x")], False),
        (['S = ["a"]', LOOP + "\nS"], False),
    ],
)
def test_the_list_of_parts(cells, same):
    other = [cell.replace('["a"]', '["b", "c"]') for cell in cells]
    assert (without_list(cells, "1_qc/a") == without_list(other, "1_qc/a")) == same
