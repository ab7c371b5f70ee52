"""Handmade sessions that try to fool the replay: their results may differ from the notebook's."""

from clean_sessions import SAVE

# name: (code that ran, the notebook afterwards)
UNCLEAN = {
    "a value put back, and nothing run": (
        f"n = 10\nx = [n]\n{SAVE}\nn = 8\nx = [n]\n{SAVE}\nn = 10",
        f"n = 10\nx = [n]\n{SAVE}",
    ),
    "a cell deleted": (f"x = [3, 1]\nx.sort()\n{SAVE}", f"x = [3, 1]\n{SAVE}"),
    "half of a cell with %%time": (
        f"x = [1]\n!%%time\\nx.append(2)\\n1/0\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "a cell with %%timeit, which binds nothing": (
        f"x = 1\n%%timeit\\nx = 2\n{SAVE}",
        f"x = 1\nx = 2\n{SAVE}",
    ),
    "captured before a value changed": (
        "n = 1\n%%capture x\\nprint(n)\nn = 2\nprint(n)\n" + SAVE,
        "n = 2\n%%capture x\\nprint(n)\n" + SAVE,
    ),
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
    "a table of a column": (
        f"import pandas as pd\nx = pd.read_csv('a')\ny = x['a'].to_frame(); y.iloc[0, 0] = 5\n{SAVE}",
        f"import pandas as pd\nx = pd.read_csv('a')\n{SAVE}",
    ),
    "a sparse matrix in the format that it has": (
        f"import scipy.sparse as sp\nx = sp.csr_matrix([[1]])\ny = x.tocsr(); y.data[:] = 5\n{SAVE}",
        f"import scipy.sparse as sp\nx = sp.csr_matrix([[1]])\n{SAVE}",
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
    "a method handed to a built-in function": (
        f"x = [1]\nsorted([3, 2], key=x.append)\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "a method of an array handed to map": (
        f"import numpy as np\nx = np.zeros(3)\nlist(map(x.fill, [1]))\n{SAVE}",
        f"import numpy as np\nx = np.zeros(3)\n{SAVE}",
    ),
    "a view by einsum": (
        f"import numpy as np\nx = np.zeros(3)\nnp.einsum('i->i', x)[0] = 1\n{SAVE}",
        f"import numpy as np\nx = np.zeros(3)\n{SAVE}",
    ),
    "a list in a Series": (
        f"import pandas as pd\nx = [1]\npd.Series([x])[0].append(2)\n{SAVE}",
        f"import pandas as pd\nx = [1]\n{SAVE}",
    ),
    "a list in a row of a DataFrame": (
        f"import pandas as pd\nx = [1]\nfor i, r in pd.DataFrame({{'a': [x]}}).iterrows(): r.a.append(2)\n{SAVE}",
        f"import pandas as pd\nx = [1]\n{SAVE}",
    ),
    "a list in what a method of a Series gives": (
        f"import pandas as pd\nx = [1]\npd.concat([pd.Series([x])]).tolist()[0].append(2)\n{SAVE}",
        f"import pandas as pd\nx = [1]\n{SAVE}",
    ),
    "an alias by a property": (
        f"x = [1]\nclass A:\\n    @property\\n    def p(self): return x\nA().p.append(2)\n{SAVE}",
        f"x = [1]\nclass A:\\n    @property\\n    def p(self): return x\n{SAVE}",
    ),
    "a list in a list times two": (
        f"x = [1]\n([x] * 2)[1].append(2)\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "a list that is assigned to a slice": (
        f"x = [1]\ny = [0]; y[:] = [x]; y[0].append(2)\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "what a function that is mapped gives": (
        f"x = [1]\nlist(map(lambda k: x, [0]))[0].append(2)\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "a method handed to map, and used later": (
        f"x = [1]\nm = map(x.append, [2])\nlist(m)\n{SAVE}",
        f"x = [1]\nm = map(x.append, [2])\n{SAVE}",
    ),
    "what is in what itertools chains": (
        f"import itertools\nx = [1]\nfor v in itertools.chain([x]): v.append(2)\n{SAVE}",
        f"import itertools\nx = [1]\n{SAVE}",
    ),
    "the array that an AnnData is made of": (
        f"import anndata, numpy as np\nx = np.eye(3)\na = anndata.AnnData(x)\na.X *= 2\n{SAVE}",
        f"import anndata, numpy as np\nx = np.eye(3)\na = anndata.AnnData(x)\n{SAVE}",
    ),
    "a name of the notebook by its module": (
        f"x = [1]\nimport __main__; __main__.x.append(2)\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "a name of the notebook by sys.modules": (
        f"import sys\nx = [1]\nsys.modules['__main__'].x.append(2)\n{SAVE}",
        f"import sys\nx = [1]\n{SAVE}",
    ),
    "%timeit with options": (
        f"x = [1]\n%timeit -n1 -r 1 x.append(2)\n{SAVE}",
        f"x = [1]\n{SAVE}",
    ),
    "%prun with options": (f"x = [1]\n%prun -q x.append(2)\n{SAVE}", f"x = [1]\n{SAVE}"),
    "%memit": (f"x = [1]\n%memit x.append(2)\n{SAVE}", f"x = [1]\n{SAVE}"),
    "%%memit": (f"x = [1]\n%%memit\\nx.append(2)\n{SAVE}", f"x = [1]\n{SAVE}"),
    "the name of an index": (
        f"import pandas as pd\nx = pd.read_csv('a')\nx.index.name = 'cell'\n{SAVE}",
        f"import pandas as pd\nx = pd.read_csv('a')\n{SAVE}",
    ),
    "partition of an array": (
        f"import numpy as np\nx = np.arange(9)[::-1]\nx.partition(2)\n{SAVE}",
        f"import numpy as np\nx = np.arange(9)[::-1]\n{SAVE}",
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
    "a counter of a function in a function": (
        f"def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n    return g\ng = f()\ng()\nx = [g()]\n{SAVE}",
        f"def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n    return g\ng = f()\nx = [g()]\n{SAVE}",
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
