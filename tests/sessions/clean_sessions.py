"""Handmade sessions whose results are those of the notebook."""

SAVE = 'save("1_a", {"x": x})'

# name: (code that ran, the notebook afterwards, or None if it is the same)
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
    "saved twice by the same cell's text": (f"x = 1\n{SAVE}\nx = 2\n{SAVE}", None),
    "captured, and all again": (
        f"%%capture out\\nx = [1]\\nprint(x)\n%%time\\nx = [x]\n{SAVE}\n" * 2,
        f"%%capture out\\nx = [1]\\nprint(x)\n%%time\\nx = [x]\n{SAVE}",
    ),
    "a look with %%time": (f"x = [1]\n%%time\\nlen(x)\n{SAVE}", f"x = [1]\n{SAVE}"),
    "another name saved before": (
        f"x = [1]\nsave('1_a/part', {{'x': x}})\nx = [x, 2]\n{SAVE}",
        None,
    ),
    "the time taken": (
        f"import time; t = time.time()\nx = [1]\nprint(time.time() - t)\n{SAVE}",
        None,
    ),
    "what is put together of an AnnData": (
        f"import anndata as ad\nx = ad.read_h5ad('a')\ny = ad.concat([x, x])\n{SAVE}",
        f"import anndata as ad\nx = ad.read_h5ad('a')\n{SAVE}",
    ),
    "scanpy on a copy": (
        f"import scanpy as sc\nx = sc.read_h5ad('a')\nsc.pp.scale(x, copy=True)\n{SAVE}",
        f"import scanpy as sc\nx = sc.read_h5ad('a')\n{SAVE}",
    ),
    "a shell command": (
        f"x = [1]\n!ls\n%timeit len(x)\n{SAVE}",
        f"x = [1]\n%timeit len(x)\n{SAVE}",
    ),
}
