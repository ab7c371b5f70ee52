"""Sessions and the notebooks that they are compared with, made by hand: most of them to fool it."""

import pytest

from checkpoint.replay import Cell, Execution, Verdict, judge

SAVE = 'save("1_a", {"x": x})'


def session(text: str, **options) -> list[Execution]:
    """Return executions, a line each: `!` after an error, `?` for what is not Python.

    A comment after an error is the name that was missing. `; ` and a written newline end a line.
    """
    return [
        Execution(
            line.lstrip("!?").strip().replace("; ", "\n").replace("\\n", "\n"),
            error=line[0] == "!",
            line=1 if line[0] == "!" else 0,
            missing=line.partition("# ")[2] if line[0] == "!" else "",
            ran=line[0] != "?",
            draws=frozenset(),
            **options,
        )
        for line in map(str.strip, text.strip().splitlines())
        if line
    ]


def notebook(text: str) -> list[Cell]:
    return [Cell(execution.source) for execution in session(text)]


def verdict(run: str, cells: str | None = None, **options) -> Verdict:
    """Judge a session, by default against the cells that it ran first."""
    return judge(session(run, **options), notebook(cells or run), "1_a")


# name, what ran, the notebook as it stands
CLEAN = {
    "from top to bottom": (f"x = [1]; x.append(2)\n{SAVE}", None),
    "comments and formatting": (f"x = [1,2]\n{SAVE}", f"x = [1, 2]  # two\n{SAVE}"),
    "a second Run All": (
        f"n = 1\nx = [n]\nx.append(n)\n{SAVE}\n" * 2,
        f"n = 1\nx = [n]\nx.append(n)\n{SAVE}",
    ),
    "a look in between": (
        f"x = [1, 2, 3]\nx[:2]\nlen(x)\nprint(x)\nx\n%who\ntype(x)\nsorted(x)\n{SAVE}",
        f"x = [1, 2, 3]\n{SAVE}",
    ),
    "a look at a DataFrame": (
        f"import pandas as pd\nx = pd.read_csv('a.csv')\nx.head()\nx.describe()\nx['a'].mean()\nx.plot()\n{SAVE}",
        f"import pandas as pd\nx = pd.read_csv('a.csv')\n{SAVE}",
    ),
    "a look that is in the notebook and never ran": (
        f"x = 1\n{SAVE}",
        f"x = 1\nx\nprint(x)\n{SAVE}",
    ),
    "cells after the save": (f"x = 1\n{SAVE}", f"x = 1\n{SAVE}\nx = 2\nnonsense()"),
    "not Python": (f"x = [1]\n?x.append(1\n{SAVE}", f"x = [1]\n{SAVE}"),
    "a name that is not there": (f"x = [1]\n!y.append(x)  # y\n{SAVE}", f"x = [1]\n{SAVE}"),
    "a scratch cell on a copy": (f"x = [1]\ny = list(x); y.append(2)\n{SAVE}", f"x = [1]\n{SAVE}"),
    "a scratch name": (f"x = [1]\nz = 5\n{SAVE}", f"x = [1]\n{SAVE}"),
    "a value put back, and all after it run": (
        f"n = 8\nx = [n]\n{SAVE}\nn = 10\nx = [n]\n{SAVE}",
        f"n = 10\nx = [n]\n{SAVE}",
    ),
    "a cell that makes the same again": (
        f"x = {{}}\nx['a'] = 1\nx['a'] = 1\n{SAVE}",
        f"x = {{}}\nx['a'] = 1\n{SAVE}",
    ),
    "a plot tried out": (
        f"import matplotlib.pyplot as plt\nx = [1]\nplt.hist(x, bins=2)\nplt.hist(x, bins=3)\n{SAVE}",
        f"import matplotlib.pyplot as plt\nx = [1]\nplt.hist(x, bins=3)\n{SAVE}",
    ),
    "a seed, and all again": (
        f"import numpy as np; np.random.seed(0)\nx = np.random.rand(3)\n{SAVE}\n" * 2,
        f"import numpy as np; np.random.seed(0)\nx = np.random.rand(3)\n{SAVE}",
    ),
    "a generator made and drawn again": (
        f"import numpy as np\nrng = np.random.default_rng(0); x = rng.normal()\nrng = np.random.default_rng(0); x = rng.normal()\n{SAVE}",
        f"import numpy as np\nrng = np.random.default_rng(0); x = rng.normal()\n{SAVE}",
    ),
    "a function that reads": (
        f"x = [1]\ndef f(v):\\n    return len(v)\nf(x)\nf(x)\n{SAVE}",
        f"x = [1]\ndef f(v):\\n    return len(v)\nf(x)\n{SAVE}",
    ),
    "an independent cell moved": (f"y = 2\nx = [1]\n{SAVE}", f"x = [1]\ny = 2\n{SAVE}"),
    "exec of what does not matter": (f"x = [1]\nexec('k = 9')\n{SAVE}", f"x = [1]\n{SAVE}"),
    "another name saved before": (
        f"x = [1]\nsave('1_a/part', {{'x': x}})\nx = [x, 2]\n{SAVE}",
        None,
    ),
    "the time taken": (
        f"import time; t = time.time()\nx = [1]\nprint(time.time() - t)\n{SAVE}",
        None,
    ),
    "a shell command": (
        f"x = [1]\n!ls\n%timeit len(x)\n{SAVE}",
        f"x = [1]\n%timeit len(x)\n{SAVE}",
    ),
}

UNCLEAN = {
    "a value put back, and nothing run": (
        f"n = 10\nx = [n]\n{SAVE}\nn = 8\nx = [n]\n{SAVE}\nn = 10",
        f"n = 10\nx = [n]\n{SAVE}",
    ),
    "a cell deleted": (f"x = [3, 1]\nx.sort()\n{SAVE}", f"x = [3, 1]\n{SAVE}"),
    "two cells swapped": (
        f"x = [3, 1]\nx.append(0)\nx.sort()\n{SAVE}",
        f"x = [3, 1]\nx.sort()\nx.append(0)\n{SAVE}",
    ),
    "a parameter changed, that cell and the save run": (
        f"m = 500\nx = [m]\n{SAVE}\nm = 600\n{SAVE}",
        f"m = 600\nx = [m]\n{SAVE}",
    ),
    "a scratch cell on an object": (f"x = [1]\nx.append(2)\n{SAVE}", f"x = [1]\n{SAVE}"),
    "a cell that is not the same twice": (
        f"x = [0]\nx = x + [1]\nx = x + [1]\n{SAVE}",
        f"x = [0]\nx = x + [1]\n{SAVE}",
    ),
    "two tabs on one kernel": (f"x = [1]\nx = [2]\n{SAVE}", f"x = [1]\n{SAVE}"),
    "an alias": (f"x = [1]\ny = x\ny.append(2)\n{SAVE}", f"x = [1]\ny = x\n{SAVE}"),
    "an alias by a container": (
        f"x = [1]\nd = {{'k': x}}\nd['k'].append(2)\n{SAVE}",
        f"x = [1]\nd = {{'k': x}}\n{SAVE}",
    ),
    "an alias by a loop": (f"x = [[1]]\nfor y in x: y.append(2)\n{SAVE}", f"x = [[1]]\n{SAVE}"),
    "an alias by items": (
        f"x = {{'a': []}}\nfor k, v in x.items(): v.append(2)\n{SAVE}",
        f"x = {{'a': []}}\n{SAVE}",
    ),
    "an alias by zip": (
        f"x = [[1]]\nfor a, b in zip(x, x): b.append(2)\n{SAVE}",
        f"x = [[1]]\n{SAVE}",
    ),
    "an alias by a tuple": (
        f"x = [1]\na, b = x, 1\na.append(2)\n{SAVE}",
        f"x = [1]\na, b = x, 1\n{SAVE}",
    ),
    "an alias by a default": (
        f"x = [1]\ndef f(v=x):\\n    v.append(2)\nf()\n{SAVE}",
        f"x = [1]\ndef f(v=x):\\n    v.append(2)\n{SAVE}",
    ),
    "an alias by getattr": (
        f"x = [1]\ny = getattr(x, 'copy') and x\ny.append(2)\n{SAVE}",
        f"x = [1]\ny = getattr(x, 'copy') and x\n{SAVE}",
    ),
    "a view of an array": (
        f"import numpy as np\nx = np.zeros(9)\ny = x[:3]\ny[0] = 1\n{SAVE}",
        f"import numpy as np\nx = np.zeros(9)\ny = x[:3]\n{SAVE}",
    ),
    "a view by ravel": (
        f"import numpy as np\nx = np.zeros(9)\ny = x.ravel()\ny += 1\n{SAVE}",
        f"import numpy as np\nx = np.zeros(9)\ny = x.ravel()\n{SAVE}",
    ),
    "out=": (
        f"import numpy as np\nx = np.zeros(9)\nnp.add(x, 1, out=x)\n{SAVE}",
        f"import numpy as np\nx = np.zeros(9)\n{SAVE}",
    ),
    "out by position": (
        f"import numpy as np\nx = np.zeros(9)\nnp.exp(x, x)\n{SAVE}",
        f"import numpy as np\nx = np.zeros(9)\n{SAVE}",
    ),
    "shuffle": (
        f"import random; random.seed(0)\nx = [1, 2]\nrandom.shuffle(x)\n{SAVE}",
        f"import random; random.seed(0)\nx = [1, 2]\n{SAVE}",
    ),
    "inplace=True": (
        f"import pandas as pd\nx = pd.read_csv('a')\nx.drop(columns='b', inplace=True)\n{SAVE}",
        f"import pandas as pd\nx = pd.read_csv('a')\n{SAVE}",
    ),
    "a column of a piece": (
        f"import pandas as pd\nx = pd.read_csv('a')\ns = x['a']; s.iloc[0] = 5\n{SAVE}",
        f"import pandas as pd\nx = pd.read_csv('a')\n{SAVE}",
    ),
    "obs is part of adata": (
        f"import anndata\nx = anndata.read_h5ad('a')\no = x.obs; o['b'] = 1\n{SAVE}",
        f"import anndata\nx = anndata.read_h5ad('a')\n{SAVE}",
    ),
    "scanpy changes what it is given": (
        f"import scanpy as sc\nx = sc.read_h5ad('a')\nsc.pp.log1p(x)\nsc.pp.log1p(x)\n{SAVE}",
        f"import scanpy as sc\nx = sc.read_h5ad('a')\nsc.pp.log1p(x)\n{SAVE}",
    ),
    "a plot writes uns": (
        f"import scanpy as sc\nx = sc.read_h5ad('a')\nsc.pl.umap(x, color='b')\n{SAVE}",
        f"import scanpy as sc\nx = sc.read_h5ad('a')\n{SAVE}",
    ),
    "a method kept under a name": (
        f"x = [1]\nf = x.append\nf(2)\n{SAVE}",
        f"x = [1]\nf = x.append\n{SAVE}",
    ),
    "functools.partial": (
        f"import functools\nx = [1]\nf = functools.partial(x.append, 2)\nf()\n{SAVE}",
        f"import functools\nx = [1]\nf = functools.partial(x.append, 2)\n{SAVE}",
    ),
    "numpy.nditer": (
        f"import numpy as np\nx = np.zeros(3)\nfor r in np.nditer(x): r[...] = 1\n{SAVE}",
        f"import numpy as np\nx = np.zeros(3)\n{SAVE}",
    ),
    "an unknown function": (
        f"import lib\nx = [1]\nlib.f(x)\n{SAVE}",
        f"import lib\nx = [1]\n{SAVE}",
    ),
    "an unknown method": (
        f"import lib\nx = lib.read()\nx.fit()\n{SAVE}",
        f"import lib\nx = lib.read()\n{SAVE}",
    ),
    "a function that changes a global": (
        f"x = [1]\ndef f():\\n    x.append(2)\nf()\nf()\n{SAVE}",
        f"x = [1]\ndef f():\\n    x.append(2)\nf()\n{SAVE}",
    ),
    "a function that binds a global": (
        f"x = 1\ndef f():\\n    global x\\n    x += 1\nf()\nf()\n{SAVE}",
        f"x = 1\ndef f():\\n    global x\\n    x += 1\nf()\n{SAVE}",
    ),
    "a function over a global that changed": (
        f"k = 1\ndef f(): return [k]\nk = 2\nx = f()\nk = 1\n{SAVE}",
        f"k = 1\ndef f(): return [k]\nx = f()\n{SAVE}",
    ),
    "a closure": (
        f"def make():\\n    n = []\\n    def f():\\n        n.append(1)\\n        return len(n)\\n    return f\nf = make()\nf()\nx = f()\n{SAVE}",
        f"def make():\\n    n = []\\n    def f():\\n        n.append(1)\\n        return len(n)\\n    return f\nf = make()\nx = f()\n{SAVE}",
    ),
    "a closure over an argument": (
        f"x = [1]\ndef make(v):\\n    return lambda: v.append(2)\nf = make(x)\nf()\n{SAVE}",
        f"x = [1]\ndef make(v):\\n    return lambda: v.append(2)\nf = make(x)\n{SAVE}",
    ),
    "a function redefined": (
        f"def f(): return 1\ndef f(): return 2\nx = f()\ndef f(): return 1\n{SAVE}",
        f"def f(): return 1\nx = f()\n{SAVE}",
    ),
    "a function that may return early": (
        f"def f(d, c):\\n    if c:\\n        return\\n    d['a'] = 1\nx = {{'a': 0}}\nf(x, 0)\nx['a'] = 0\nf(x, 1)\n{SAVE}",
        f"def f(d, c):\\n    if c:\\n        return\\n    d['a'] = 1\nx = {{'a': 0}}\nf(x, 0)\nf(x, 1)\n{SAVE}",
    ),
    "a method of the notebook's class": (
        f"class A:\\n    def __init__(self): self.v = []\\n    def add(self): self.v.append(1)\nx = A()\nx.add()\nx.add()\n{SAVE}",
        f"class A:\\n    def __init__(self): self.v = []\\n    def add(self): self.v.append(1)\nx = A()\nx.add()\n{SAVE}",
    ),
    "an attribute of the class": (
        f"class A:\\n    v = []\nx = A()\ny = A()\ny.v.append(1)\n{SAVE}",
        f"class A:\\n    v = []\nx = A()\ny = A()\n{SAVE}",
    ),
    "a property that counts": (
        f"class A:\\n    n = 0\\n    @property\\n    def p(self):\\n        self.n += 1\\n        return self.n\nx = A()\nx.p\nx.p\n{SAVE}",
        f"class A:\\n    n = 0\\n    @property\\n    def p(self):\\n        self.n += 1\\n        return self.n\nx = A()\nx.p\n{SAVE}",
    ),
    "an iterator used up": (
        f"i = iter([1, 2, 3])\nnext(i)\nx = next(i)\n{SAVE}",
        f"i = iter([1, 2, 3])\nx = next(i)\n{SAVE}",
    ),
    "a generator looked at": (
        f"g = (v for v in [1, 2])\nlist(g)\nx = list(g)\n{SAVE}",
        f"g = (v for v in [1, 2])\nx = list(g)\n{SAVE}",
    ),
    "a file handle": (
        f"h = open('a')\nh.readline()\nx = h.readline()\n{SAVE}",
        f"h = open('a')\nx = h.readline()\n{SAVE}",
    ),
    "a file written and read": (
        f"import json\nopen('a', 'w').write('1')\nopen('a', 'w').write('2')\nx = open('a').read()\nopen('a', 'w').write('1')\n{SAVE}",
        f"import json\nopen('a', 'w').write('1')\nx = open('a').read()\n{SAVE}",
    ),
    "a generator of numbers drawn from": (
        f"import numpy as np\nrng = np.random.default_rng(0)\nrng.normal()\nx = rng.normal()\n{SAVE}",
        f"import numpy as np\nrng = np.random.default_rng(0)\nx = rng.normal()\n{SAVE}",
    ),
    "a global draw in between": (
        f"import numpy as np; np.random.seed(0)\nnp.random.rand()\nx = np.random.rand(3)\n{SAVE}",
        f"import numpy as np; np.random.seed(0)\nx = np.random.rand(3)\n{SAVE}",
    ),
    "a sample drawn twice": (
        f"import numpy as np, pandas as pd; np.random.seed(0)\nd = pd.read_csv('a')\nx = d.sample(3)\nx = d.sample(3)\n{SAVE}",
        f"import numpy as np, pandas as pd; np.random.seed(0)\nd = pd.read_csv('a')\nx = d.sample(3)\n{SAVE}",
    ),
    "a seed of the other generator": (
        f"import random, numpy as np; np.random.seed(0)\nx = np.random.rand()\nrandom.seed(0)\nx = np.random.rand()\n{SAVE}",
        f"import random, numpy as np; np.random.seed(0)\nrandom.seed(0)\nx = np.random.rand()\n{SAVE}",
    ),
    "a draw shared by two names": (
        "import numpy as np\nr = np.random.rand()\nx = [r]\nr = np.random.rand()\nsave('1_a', {'x': x, 'r': r})",
        "import numpy as np\nr = np.random.rand()\nx = [r]\nsave('1_a', {'x': x, 'r': r})",
    ),
    "a look at the clock shared by two names": (
        "import time\nt = time.time()\nx = [t]\nt = time.time()\nsave('1_a', {'x': x, 't': t})",
        "import time\nt = time.time()\nx = [t]\nsave('1_a', {'x': x, 't': t})",
    ),
    "rcParams set for a saved figure": (
        "import matplotlib.pyplot as plt\nplt.rcParams['font.size'] = 20\nx = plt.figure()\nsave('1_a', {'x': x})",
        "import matplotlib.pyplot as plt\nx = plt.figure()\nsave('1_a', {'x': x})",
    ),
    "a figure drawn on again": (
        f"import matplotlib.pyplot as plt\nx, ax = plt.subplots()\nax.plot([1])\nax.plot([1])\n{SAVE}",
        f"import matplotlib.pyplot as plt\nx, ax = plt.subplots()\nax.plot([1])\n{SAVE}",
    ),
    "a library patched": (
        f"import lib\nlib.K = 2\nx = lib.f()\n{SAVE}",
        f"import lib\nx = lib.f()\n{SAVE}",
    ),
    "an option": (
        f"import pandas as pd\npd.set_option('mode.use_inf_as_na', True)\nx = pd.read_csv('a')\n{SAVE}",
        f"import pandas as pd\nx = pd.read_csv('a')\n{SAVE}",
    ),
    "a built-in function hidden": (f"len = str\nx = [len(3)]\n{SAVE}", f"x = [len(3)]\n{SAVE}"),
    "exec": (f"x = [1]\nexec('x.append(2)')\n{SAVE}", f"x = [1]\n{SAVE}"),
    "exec of computed code": (
        f"x = [1]\nc = 'x.append(2)'\nexec(c)\n{SAVE}",
        f"x = [1]\nc = 'x.append(2)'\n{SAVE}",
    ),
    "globals()": (f"x = 1\nglobals()['x'] = 2\n{SAVE}", f"x = 1\n{SAVE}"),
    "%run": (f"x = 1\n%run other.py\n{SAVE}", f"x = 1\n{SAVE}"),
    "import *": (f"f = 1\nfrom lib import *\nx = [f]\n{SAVE}", f"f = 1\nx = [f]\n{SAVE}"),
    "del": ("x = 1\ny = [x]\ndel x\nsave('1_a', {'x': y})", "y = [x]\nsave('1_a', {'x': y})"),
    "try hides state": (
        f"x0 = 1\ntry:\\n    x = [x0]\\nexcept NameError:\\n    x = []\n{SAVE}",
        f"try:\\n    x = [x0]\\nexcept NameError:\\n    x = []\n{SAVE}",
    ),
    "dir() hides state": (f"y = 1\nx = ['y' in dir()]\n{SAVE}", f"x = ['y' in dir()]\n{SAVE}"),
    "the history": (f"1\nx = [_]\n{SAVE}", f"x = [_]\n{SAVE}"),
    "a cell that failed halfway": (
        f"x = [1]\n!x.append(1 / 0 or 2)\nx.append(2); x.append(y)\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "a query reads names in its text": (
        f"import pandas as pd\nt = 1\nd = pd.read_csv('a')\nt = 2\nx = d.query('a > @t')\nt = 1\n{SAVE}",
        f"import pandas as pd\nt = 1\nd = pd.read_csv('a')\nx = d.query('a > @t')\n{SAVE}",
    ),
    "apply of a function that changes things": (
        f"import pandas as pd\nx = []\nd = pd.read_csv('a')\nd.apply(lambda r: x.append(r))\n{SAVE}",
        f"import pandas as pd\nx = []\nd = pd.read_csv('a')\n{SAVE}",
    ),
    "sorted with a key that changes things": (
        f"x = [[1]]\nsorted(x, key=lambda r: r.append(0) or 1)\n{SAVE}",
        f"x = [[1]]\n{SAVE}",
    ),
    "setdefault": (
        f"x = {{}}\nx.setdefault('a', []).append(1)\nx.setdefault('a', []).append(1)\n{SAVE}",
        f"x = {{}}\nx.setdefault('a', []).append(1)\n{SAVE}",
    ),
    "a defaultdict that is read": (
        f"import collections\nx = collections.defaultdict(list)\nx['a']\n{SAVE}",
        f"import collections\nx = collections.defaultdict(list)\n{SAVE}",
    ),
    "with": (f"x = [1]\nimport lib\nwith lib.f(x): pass\n{SAVE}", f"x = [1]\nimport lib\n{SAVE}"),
    "a walrus": (f"x = 1\n(x := 2)\n{SAVE}", f"x = 1\n{SAVE}"),
    "match": (
        f"x = [1]\nmatch x:\\n    case [a]:\\n        x.append(a)\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "a conditional": (
        f"c = 1\nx = [1]\nx.append(2) if c else None\n{SAVE}",
        f"c = 1\nx = [1]\n{SAVE}",
    ),
    "a short circuit": (f"x = [1]\n1 and x.append(2)\n{SAVE}", f"x = [1]\n{SAVE}"),
    "a sub-checkpoint read back": (
        "from p.checkpoint import load, save\ny = [1]\nsave('1_a/y', {'y': y})\ny = [2]\nsave('1_a/y', {'y': y})\nx = load('1_a/y')['y']\ny = [1]\nsave('1_a', {'x': x})",
        "from p.checkpoint import load, save\ny = [1]\nsave('1_a/y', {'y': y})\nx = load('1_a/y')['y']\nsave('1_a', {'x': x})",
    ),
    "a decorator that keeps what it is given": (
        f"import lib\nx = [1]\n@lib.keep(x)\\ndef f(): pass\nf()\nf()\n{SAVE}",
        f"import lib\nx = [1]\n@lib.keep(x)\\ndef f(): pass\nf()\n{SAVE}",
    ),
    "a cell that never ran": (f"x = [1]\n{SAVE}", f"x = [1]\nx.append(2)\n{SAVE}"),
    "a cell between that would fail": (f"x = [1]\n{SAVE}", f"x = [1]\ny = nothing.here\n{SAVE}"),
    "a default argument that keeps count": (
        f"def f(v=[]):\\n    v.append(1)\\n    return len(v)\nf()\nx = f()\n{SAVE}",
        f"def f(v=[]):\\n    v.append(1)\\n    return len(v)\nx = f()\n{SAVE}",
    ),
    "save in a function": (
        "x = [1]\ndef end(): save('1_a', {'x': x})\nend()\nx.append(2)\nend()",
        "x = [1]\ndef end(): save('1_a', {'x': x})\nend()",
    ),
}


@pytest.mark.parametrize("name", CLEAN)
def test_results_are_those_of_the_notebook(name):
    run, cells = CLEAN[name]
    assert verdict(run, cells) == Verdict("clean", unseeded=verdict(run, cells).unseeded)


@pytest.mark.parametrize("name", UNCLEAN)
def test_the_same_notebook_run_from_top_to_bottom_is_clean(name):
    cells = UNCLEAN[name][1]
    assert verdict(cells).clean


@pytest.mark.parametrize("name", UNCLEAN)
def test_results_may_not_be_those_of_the_notebook(name):
    assert not verdict(*UNCLEAN[name]).clean


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "a parameter changed, that cell and the save run",
            "cell `m = 600` ran after cells that use it; restart the kernel and run all",
        ),
        (
            "a cell that is not the same twice",
            "cell `x = x + [1]` ran more than once and changes `x` each time; restart the kernel and run all",
        ),
        (
            "a scratch cell on an object",
            "cell `x.append(2)`, which is not in the notebook, changed `x`; restart the kernel and run all",
        ),
        ("a cell that never ran", "cell `x.append(2)` has changed or did not run since"),
    ],
)
def test_the_reason_names_the_cell(name, message):
    assert verdict(*UNCLEAN[name]).reason == message


def test_code_that_never_ran_is_an_edit():
    assert verdict(*UNCLEAN["a cell that never ran"]).state == "edited"
    assert verdict(*UNCLEAN["a cell deleted"]).state == "unclean"
    assert judge(session("x = 1"), notebook("x = 2"), "1_a").state == "edited"
    assert judge(session("finish(1)"), notebook("finish(1)"), "1_a").clean  # a module saves


def test_cells_tagged_skip_execution_are_not_expected():
    cells = [
        Cell("x = 1"),
        Cell("raise RuntimeError", tags=frozenset({"skip-execution"})),
        Cell(SAVE),
    ]
    assert judge(session(f"x = 1\n{SAVE}"), cells, "1_a").clean


def test_a_cell_that_is_to_fail_may_fail():
    cells = [
        Cell("x = 1"),
        Cell("x.nothing(1 / 0)", tags=frozenset({"raises-exception"})),
        Cell(SAVE),
    ]
    assert judge(session(f"x = 1\n!x.nothing(1 / 0)\n{SAVE}"), cells, "1_a").clean
    untagged = [Cell(cell.source) for cell in cells]
    assert not judge(session(f"x = 1\n!x.nothing(1 / 0)\n{SAVE}"), untagged, "1_a").clean


def test_parameters_that_were_injected_belong_to_the_run():
    parameters = Cell("n = 1", tags=frozenset({"parameters"}))
    cells = [parameters, Cell("x = [n]"), Cell(SAVE)]
    run = session(f"n = 1\n# Parameters\\nn = 5\nx = [n]\n{SAVE}")
    assert judge(run, cells, "1_a").clean
    by_hand = session(f"n = 1\n# Parameters\\nn = 5\nx = [n]\n{SAVE}", cell="id")
    assert not judge(by_hand, cells, "1_a").clean


def test_each_save_of_a_notebook_is_judged_by_itself():
    cells = "x = [1]\nsave('1_a/part', {'x': x})\ny = [x, 2]\nsave('1_a', {'y': y})"
    run = session(f"{cells}\ny.append(3)\nsave('1_a', {{'y': y}})")
    assert judge(run, notebook(cells), "1_a/part").clean
    assert not judge(run, notebook(cells), "1_a").clean


def test_saves_in_a_loop_are_judged_as_it_runs():
    cells = "k = 1\nfor s in 'ab': save(f'1_a/{s}', {'x': [k, s]})"
    assert judge(session(cells), notebook(cells), "1_a/b").clean
    assert not judge(session(f"{cells}\nk = 2\n{cells[6:]}\nk = 1"), notebook(cells), "1_a/b").clean


def test_unseeded_random_numbers_are_told():
    cells = f"import numpy as np\nx = np.random.rand(3)\n{SAVE}"
    assert verdict(cells).unseeded == "x = np.random.rand(3)"
    assert verdict(f"{cells}\n{cells}", cells).unseeded == "x = np.random.rand(3)"
    assert verdict("import numpy as np\nnp.random.seed(0)\n" + cells).unseeded == ""


def test_a_column_set_again_leaves_the_others():
    cells = (
        "import pandas as pd\nd = pd.read_csv('a')\nd['b'] = d.a * 2\nx = d.groupby('g').b.mean()"
    )
    kinds = {"d": "frame"}
    run = session(
        f"{cells}\n{SAVE}\nd['b'] = d.a * 2\nx = d.groupby('g').b.mean()\n{SAVE}", kinds=kinds
    )
    assert judge(run, notebook(f"{cells}\n{SAVE}"), "1_a").clean
    other = session(f"{cells}\nd['a'] = 0\n{SAVE}", kinds=kinds)
    assert judge(other, notebook(f"{cells}\n{SAVE}"), "1_a").clean
    used = session(f"{cells}\nd['b'] = 0\nx = d.groupby('g').b.mean()\n{SAVE}", kinds=kinds)
    assert not judge(used, notebook(f"{cells}\n{SAVE}"), "1_a").clean


@pytest.mark.parametrize(
    "cells",
    [
        "o = a.obs\nx = a[a.obs.g == 1].copy()\no['late'] = 1",
        "o = a.uns\nx = a.copy()\no['late'] = 1",
        "o = a.obs\nx = [o.mean()]\na.obs['late'] = 1",
    ],
)
def test_obs_under_a_name_of_its_own_is_part_of_the_anndata(cells):
    cells = f"import anndata\na = anndata.read_h5ad('a')\n{cells}\n{SAVE}"
    kinds = {"a": "anndata", "o": "dict" if ".uns" in cells else "frame", "x": "anndata"}
    again = "\n".join(cells.splitlines()[3:])
    assert judge(session(cells, kinds=kinds), notebook(cells), "1_a").clean
    assert not judge(session(f"{cells}\n{again}", kinds=kinds), notebook(cells), "1_a").clean


@pytest.mark.parametrize(
    "cells",
    [
        "g = d.groupby('k')\nd['a'] = d.a * 2\nx = g.a.mean()",
        "g = d.loc\nd['a'] = 2\nx = g[:, 'a'].sum()",
        "g = d.sum\nd['a'] = 2\nx = g()",
        "g = d.rolling(3)\nd['a'] = 2\nx = g.a.sum()",
        "g = d.iterrows()\nd['a'] = 2\nx = [r.a for i, r in g]",
    ],
)
def test_what_follows_a_data_frame_sees_its_columns(cells):
    first = f"import pandas as pd\nd = pd.read_csv('a')\n{cells}\n{SAVE}"
    parts = first.splitlines()
    swapped = "\n".join([*parts[:3], parts[4], parts[3], *parts[5:]])
    kinds = {"d": "frame"}
    assert judge(session(first, kinds=kinds), notebook(first), "1_a").clean
    assert not judge(session(swapped, kinds=kinds), notebook(first), "1_a").clean


@pytest.mark.parametrize("made", ["d.pipe(f)", "d.groupby('k').obj", "f(d)", "lib.f(d)"])
def test_what_may_be_the_same_data_frame_is(made):
    cells = f"import lib, pandas as pd\ndef f(v): return v\nx = d = pd.read_csv('a')\ny = {made}"
    kinds = {"d": "frame", "y": "frame"}
    run = session(f"{cells}\ny['c'] = 1\n{SAVE}", kinds=kinds)
    assert not judge(run, notebook(f"{cells}\n{SAVE}"), "1_a").clean


@pytest.mark.parametrize(
    "cells",
    [
        "p = 'a'\nopen(p, 'w').write('1')\nx = open(p, 'r').read()",
        "import pandas as pd\np = 'a'\npd.DataFrame().to_csv(p, sep=';')\nx = pd.read_csv('a', sep=';')",
        "import pathlib\np = pathlib.Path('a')\np.write_text('1')\nx = open('a').read()",
    ],
)
def test_files_that_a_session_wrote_again_are_read_again(cells):
    lines = cells.splitlines()
    other = lines[-2].replace("'1'", "'2'").replace("DataFrame()", "DataFrame([1])")
    run = "\n".join([*lines[:-2], other, lines[-1], lines[-2], SAVE])
    assert judge(session(f"{cells}\n{SAVE}"), notebook(f"{cells}\n{SAVE}"), "1_a").clean
    assert not judge(session(run), notebook(f"{cells}\n{SAVE}"), "1_a").clean


@pytest.mark.parametrize(
    "cells",
    [
        "import torch\nx = torch.rand(3)",
        "import numpy as np, pandas as pd\nrng = np.random.default_rng(0)\nx = pd.read_csv('a').sample(3, random_state=rng)",
        "import lib, numpy as np\nrng = np.random.default_rng(0)\nx = lib.draw(rng)",
        "import lib\nlib.seed(0)\nx = lib.draw()",
    ],
)
def test_random_numbers_drawn_again_are_others(cells):
    last = cells.splitlines()[-1]
    seeded = f"import torch; torch.manual_seed(0)\n{cells}\n{SAVE}"
    run = f"import torch; torch.manual_seed(0)\n{cells}\n{last}\n{SAVE}"
    drawn = [Execution(e.source, draws=None) for e in session(run)]
    assert not judge(drawn, notebook(seeded), "1_a").clean


def test_figures_and_saves_by_computed_names_leave_inputs_alone():
    cells = (
        "import pandas as pd, matplotlib.pyplot as plt\nfrom p.checkpoint import load, save\n"
        "d = pd.read_csv('a')\nfor s in 'ab': plt.savefig(f'{s}.png'); save(f'1_a/{s}', {'s': s})\n"
        f"x = d.copy()\n{SAVE}"
    )
    assert verdict(f"{cells}\n{cells}", cells).clean


def test_functions_that_call_each_other_in_many_ways():
    """They are not followed for ever; what may have changed is not clean, the rest is."""
    names = [f"f{number}" for number in range(12)]
    lines = [
        f"def {name}(x, g):\n    return " + " + ".join(f"g({n})" for n in names) for name in names
    ]
    cells = [
        "import lab",
        "d = lab.table(3)",
        "\n\n".join(lines),
        f"y = lab.apply(d, {', '.join(names)})",
    ]
    save = 'save("1_a", {"y": y, "d": d})'
    sources = [*cells, save]
    notebook = [Cell(source) for source in sources]
    assert judge([Execution(source) for source in sources], notebook, "1_a").clean
    again = [*sources[:4], cells[3], save]
    assert not judge([Execution(source) for source in again], notebook, "1_a").clean


def test_a_table_does_not_hold_the_functions_that_made_it():
    cells = [
        "import pandas as pd",
        "def f(x):\n    return x",
        "d = pd.DataFrame({'a': map(f, [1, 2])})",
    ]
    save = 'save("1_a", {"d": d})'
    kinds = {"d": "frame"}
    ran = [Execution(source, kinds=kinds) for source in [*cells, "d.head()", "d.describe()", save]]
    assert judge(ran, [Cell(source) for source in [*cells, save]], "1_a").clean


def test_a_file_whose_path_is_computed_is_read_after_another_was_written():
    read, write = "t = p.read_text()", "open('other.txt', 'w').write('x')"
    cells = ["from pathlib import Path\np = Path('a.txt')", read, 'save("1_a", {"t": t})']
    sources = [*cells, *cells]  # saving in between is no reason
    notebook = [Cell(source) for source in cells]
    assert judge([Execution(source) for source in sources], notebook, "1_a").clean
    sources = [*cells[:2], write, *cells[1:]]
    assert not judge([Execution(source) for source in sources], notebook, "1_a").clean


def test_an_iterator_of_a_library_that_is_used_up():
    """What an unknown function returns may be what it was given, and an iterator besides."""
    kinds = {"d": "frame", "gen": "iterator", "row": "flat dict"}
    cells = ["import lab", "d = lab.table(5)", "gen = lab.stream(d)", "row = next(gen)"]
    save = 'save("1_a", {"row": row, "d": d})'
    notebook = [Cell(source) for source in [*cells, save]]
    once = [Execution(source, kinds=kinds) for source in [*cells, save]]
    assert judge(once, notebook, "1_a").clean
    again = [Execution(source, kinds=kinds) for source in [*cells, save, cells[-1], save]]
    assert not judge(again, notebook, "1_a").clean
