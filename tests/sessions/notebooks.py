"""Small random notebooks that resemble those of users."""

from __future__ import annotations

import random
import re

STEP = "1_out"  # the step that every notebook saves
IMPORTS = "import random\nimport numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt\nimport seaborn as sns\nimport lab"

# Each row has the cells of one idea. They keep their order, with other cells in between.
TABLES = [
    ["df = df[df.a > T]"],
    ["df = df.query('a > @T')"],
    ["sub = df[df.a > T]"],
    ["df['c'] = df.a * K"],
    ["df['a'] = df.a * K"],
    ["df['a'] *= 2"],
    ["df.drop(columns='b', inplace=True)"],
    ["df = df.drop(columns='b')"],
    ["df.loc[df.a > T, 'b'] = 0"],
    ["df.loc[(df.a > T) & (df.b > 2), 'flag'] = K"],
    ["raw = df.copy()"],
    ["raw = df"],
    ["means = []\nfor g, d in df.groupby('g'):\n    means.append(float(d.a.mean()) * K)"],
    ["df = pd.concat([df, lab.table(9)])"],
    ["df['r'] = np.random.rand(len(df))"],
    ["samp = df.sample(4)"],
    ["samp = df.sample(4, random_state=1)"],
    ["lab.annotate(df)"],
    ["lab.mark(df)"],
    ["df = lab.mark(df)"],
    ["sc = lab.score(df)"],
    ["cl = lab.cluster(df)"],
    ["m = df.groupby('g').a.mean()"],
    ["m = df.groupby('g')['b'].agg('sum')"],
    ["conf = {'k': K}\nconf['t'] = T"],
    ["df = df.sort_values('a')"],
    ["df = df.assign(q=df.a - T)"],
    ["df['b'] = df['b'].fillna(0)"],
    ["top = df.nlargest(3, 'a')"],
    ["df = df.rename(columns={'b': 'bb'})"],
    ["df = df.reset_index(drop=True)"],
    ["x = df.a.values\nx = x * K"],
    ["x = df['a'].to_numpy()", "x[0] = K"],
    ["w = df['a']", "big = w[w > T]"],
    ["big = len(df) > 6"],
    ["if len(df) > 6:\n    size = 'big'\nelse:\n    size = 'small'"],
    ["acc = []", "acc.append(df.a.mean())"],
    ["rng = np.random.default_rng(3)", "df['n'] = rng.normal(size=len(df))"],
    ["it = iter(df.a.tolist())", "first = next(it)"],
    ["n = 0", "n += len(df)"],
    ["fig, ax = plt.subplots()", "ax.plot(df.a)"],
    ["res = {}", "res['mean'] = float(df.a.mean())", "res['n'] = len(df)"],
    ["extra = lab.table(7)", "df = df.merge(extra, on='g', suffixes=('', '_e')).head(20)"],
    ["raw = df", "df['a'] = df.a + 1"],
    ["df.to_csv('tmp.csv', index=False)", "back = pd.read_csv('tmp.csv')"],
    ["step = lambda v: v + K", "df['st'] = df.a.apply(step)"],
    ["frames = []", "frames.append(df.head(3))", "both = pd.concat(frames)"],
    ["sub2 = df[df.b > 3]", "sub2['z'] = sub2.a / K"],
    ["def norm(v):\n    return (v - v.mean()) / v.std()", "df['z'] = norm(df.a)"],
    ["def scale(v):\n    return v * K", "df['s'] = scale(df.b)"],
    ["def prep(d):\n    d = d.copy()\n    d['w'] = d.a + d.b\n    return d", "df2 = prep(df)"],
    ["def addw(d):\n    d['w'] = d.a * d.b\n    return d", "df = addw(df)"],
    [
        "def maybe(d, low=T):\n    if d.a.mean() > low:\n        return d\n    d['low'] = 1\n    return d",
        "df = maybe(df)",
    ],
    [
        "def total(d):\n    out = []\n    for v in d.a:\n        out.append(v * K)\n    return sum(out)",
        "tot = total(df)",
    ],
    ["cols = ['a', 'b']", "for c in cols:\n    df[c + '2'] = df[c] * K"],
    ["log = []\nlab.keep(log)", "log.append(K)", "lab.flush()"],
    ["gen = lab.stream(df)", "row = next(gen)"],
    ["try:\n    old = seen_before\nexcept NameError:\n    old = 0"],
    ["d0 = {'k': df}", "d0['k']['a'] = d0['k']['a'] + 1"],
    ["arr = np.zeros(4)", "v = arr[:2]", "v[0] = K"],
    ["arr2 = np.arange(5.0)", "np.add(arr2, K, out=arr2)"],
    ["best = max(df.a)"],
    ["lo, hi = df.a.min(), df.a.max()"],
]
ROWS = [
    ["rows = [r for r in rows if r['a'] > T]"],
    ["kept = [r for r in rows if r['a'] > T]"],
    ["for r in rows:\n    r['a'] = r['a'] * K"],
    ["rows.append({'a': 1, 'b': 1, 'g': 'x'})"],
    ["by = {}\nfor r in rows:\n    by.setdefault(r['g'], []).append(r['a'])"],
    ["top = rows[0]"],
    ["rows.sort(key=lambda r: r['a'])"],
    ["vals = [r['a'] for r in rows]"],
    ["vals2 = [r['a'] * K for r in rows]\nvals2.pop()"],
    ["rows = sorted(rows, key=lambda r: -r['a'])"],
    ["tot = sum(r['a'] for r in rows)"],
    ["cnt = len(rows)"],
    ["both = rows + [{'a': 0, 'b': 0, 'g': 'z'}]"],
    ["d = dict(rows[0])\nd['a'] = 0"],
    ["e = rows[-1]\ne['b'] = 99"],
    ["gs = {r['g'] for r in rows}"],
    ["pick = random.choice(rows)"],
    ["a0, b0 = rows[0]['a'], rows[0]['b']"],
    ["alias = rows"],
    ["cp = list(rows)"],
    ["rows[0]['a'] = T"],
    ["h = max(rows, key=lambda r: r['a'])"],
    ["acc = []", "acc.append(rows[0]['a'])"],
    ["kept2 = [r for r in rows if r['b'] > 2]", "for r in kept2:\n    r['a'] = 0"],
    ["stats = {}", "stats['n'] = len(rows)", "stats['k'] = K"],
    ["gen = (r['a'] * K for r in rows)", "s = sum(gen)"],
    ["n = 0", "n += len(rows)"],
    ["first = rows[0]", "first['a'] = first['a'] + 1"],
    ["al = rows", "al.append({'a': .5, 'b': 5, 'g': 'y'})"],
    ["def good(r):\n    return r['a'] > T", "ok = [r for r in rows if good(r)]"],
    ["def fix(r):\n    r['a'] = r['a'] * K\n    return r", "fixed = [fix(r) for r in rows]"],
    ["def mean(xs):\n    return sum(xs) / max(len(xs), 1)", "mu = mean([r['a'] for r in rows])"],
    [
        "LOG = []\ndef note(x):\n    LOG.append(x)\n    return x",
        "noted = [note(r['b']) for r in rows]",
    ],
    ["def count(x, seen=[]):\n    seen.append(x)\n    return len(seen)", "c = count(1)"],
    [
        "class Acc:\n    def __init__(self):\n        self.v = []\n    def add(self, x):\n        self.v.append(x)\n        return len(self.v)",
        "ac = Acc()",
        "m = ac.add(rows[0]['a'])",
    ],
    [
        "def counter():\n    n = [0]\n    def up():\n        n[0] += 1\n        return n[0]\n    return up",
        "up = counter()",
        "u = up()",
    ],
    ["for k, r in enumerate(rows):\n    r['k'] = k"],
    [
        "import collections\ndd = collections.defaultdict(list)",
        "for r in rows:\n    dd[r['g']].append(r['b'])",
    ],
    ["nest = {'x': {'y': 1}}", "nest['x']['y'] = K"],
    ["state = {'n': 0}\ndef bump():\n    state['n'] += 1", "bump()", "sn = state['n']"],
]
ADATA = [
    ["lab.pl.umap(ad, color='g')"],
    ["lab.pl.umap(ad, color='cl', size=8)"],
    ["plt.hist(ad.X[:, 0], bins=9)"],
    ["ad.obs['qc'] = ad.obs['b'] > MIN"],
    ["sub = ad[ad.obs['g'] == 'x'].copy()"],
    ["ad.uns['k'] = K"],
    ["tab = ad.obs.groupby('g').b.mean()"],
    ["lab.tl.group(ad, resolution=RES, key='c2')"],
    ["raw = ad.copy()"],
    ["ad.X = ad.X * K"],
    ["o = ad.obs", "o['late'] = K"],
    ["part = ad[ad.obs['b'] > MIN]", "part.obs['p'] = 1"],
    ["ids = ad.obs['g'].tolist()"],
    ["nn = ad.n_obs"],
]
PLOTS = [
    "plt.hist(df.a, bins=10)\nplt.title('a')",
    "fig2, ax2 = plt.subplots()\nax2.scatter(df.a, df.index, s=5)",
    "plt.plot(df.a)\nplt.axhline(T)",
    "sns.stripplot(data=df, x='g', y='a', size=3)",
    "plt.bar(range(3), [1, 2, K])",
]
LOOKS = [
    "df.head()",
    "len(df)",
    "df.describe()",
    "df.columns",
    "T, K",
    "rows[:2]",
    "df.a.mean()",
    "df.g.value_counts()",
    "print(df.a.max())",
    "ad.obs.head()",
    "sum(r['a'] for r in rows)",
    "df[df.a > .5]",
    "type(df)",
    "sorted(df.a)[:3]",
    "ad.n_obs",
    "len(rows)",
    "rows",
    "df",
]
SCRATCH = [
    "df['tmp'] = 1",
    "df = df.head(5)",
    "T = 0.35",
    "K += 1",
    "x = df.a.max()",
    "tmp = df.copy()\ntmp['a'] = 0",
    "df.sort_values('a', inplace=True)",
    "rows.pop()",
    "np.random.rand()",
    "plt.rcParams['lines.width'] = 3",
    "acc.append(0)",
    "def scale(v):\n    return v",
    "lab.annotate(df)",
    "lab.score(df)",
    "df2 = df\ndf2['a'] = 0",
    "y = df.a.values\ny = y + 1",
    "list(it)",
    "next(it)",
    "rows[0]['a'] = 7",
    "z = [r['a'] for r in rows]",
    "t = rows\nt.append({'a': 0, 'b': 0, 'g': 'x'})",
    "ad.obs['q'] = 1",
    "test = ad.copy()\nlab.pp.log(test)",
    "lab.tl.group(ad, resolution=0.9)",
    "del T",
    "for g, d in df.groupby('g'):\n    d['a'] = 0",
    "sorted(rows, key=lambda r: r.update(z=1) or 0)",
    "s = df['a']\ns.iloc[0] = 50",
    "w = [df]\nw[0]['a'] = 0",
    "seen_before = 2",
    "LOG.clear()",
    "count(5)",
    "globals()['T'] = 0.1",
    "exec('K = 9')",
    "d0 = {'k': df}\nd0['k'].drop(columns='g', inplace=True)",
    "lab.K = 1",
    "nest['x']['y'] = 0",
    "bump()",
    "arr[:] = 1",
    "x0 = len(df)",
    "ad.uns['k'] = 0",
    "stats['n'] = 0",
    "part = df[df.b > 1]",
]
ADDED = [
    "u = T * 2",
    "plt.title('new')",
    "df['u'] = df.a - T",
    "df.head()",
    "df = df[df.a < 0.9]",
    "rows = rows[:6]",
    "rows.append({'a': 2, 'b': 2, 'g': 'x'})",
    "ad.obs['u'] = ad.obs['b'] * 2",
    "v9 = 1",
    "T",
]


def notebook(r: random.Random) -> list[str]:
    """Return the cells of a random notebook that saves STEP in its last cell."""
    kind = r.choices(("tables", "rows", "adata"), (60, 25, 15))[0]
    head = IMPORTS + r.choice(
        [
            "",
            "",
            "\nnp.random.seed(1)",
            "\nnp.random.seed(2); random.seed(2)",
            "\nplt.rcParams['font.size'] = 14",
            "\nsns.set_theme()",
        ]
    )
    names = f"T = {r.choice([0.2, 0.3, 0.4, 0.5])}\nK = {r.choice([2, 3])}"
    if kind == "tables":
        first = r.choice(
            [
                "df = pd.read_csv('in.csv')",
                f"df = lab.table({r.randint(0, 5)})",
                f"df = lab.table({r.randint(0, 5)})\nprint(df.shape)",
            ]
        )
        ideas = [
            *r.sample(TABLES, r.randint(3, 7)),
            *[[plot] for plot in r.sample(PLOTS, r.randint(1, 3))],
        ]
    elif kind == "rows":
        first = f"rows = lab.records({r.randint(0, 5)})"
        ideas = r.sample(ROWS, r.randint(3, 7))
    else:
        names += f"\nMIN = {r.choice([1, 2, 3])}\nRES = {r.choice([0.4, 0.6, 0.8])}"
        first = f"ad = lab.cells({r.randint(0, 5)})"
        ideas = r.sample(ADATA, r.randint(2, 5))
    looks = {
        "tables": LOOKS[:5],
        "rows": ["rows[:3]", "len(rows)", "T"],
        "adata": ["ad.n_obs", "ad.obs.head()", "T"],
    }[kind]
    ideas += [[r.choice(looks)] for _ in range(r.choice([0, 1, 1, 2]))]
    body = _merged(ideas, r)
    if kind == "adata":
        start = [
            r.choice(["lab.pp.filter(ad, low=MIN)", "ad = ad[ad.obs['b'] >= MIN].copy()"]),
            r.choice(["lab.pp.normalize(ad, target=10)", "lab.pp.normalize(ad)\nlab.pp.log(ad)"]),
            "lab.tl.group(ad, resolution=RES)",
        ]
        body = [*start, *body]
    return [head, names, first, *body, *_end(kind, body, r)]


def _merged(ideas: list[list[str]], r: random.Random) -> list[str]:
    """Return the cells of all ideas in random order, keeping the order within each idea."""
    body: list[str] = []
    for idea in r.sample(ideas, len(ideas)):
        place = 0
        for cell in idea:
            place = r.randint(place, len(body))
            body.insert(place, cell)
            place += 1
    return body


def _end(kind: str, body: list[str], r: random.Random) -> list[str]:
    main = {"tables": "df", "rows": "rows", "adata": "ad"}[kind]
    made = re.findall(r"^(\w+)(?:, \w+)? = ", "\n".join(body), re.MULTILINE)
    names = sorted({main, *made} - {"ax", "rng", "step", "it", "gen", "up", "ac"})
    if kind == "tables" and r.random() < 0.5:
        made = r.choice(
            [
                "out = df.groupby('g').a.mean()",
                "out = {'n': len(df), 'm': float(df.a.sum())}",
                "out = df.describe()",
            ]
        )
        return [
            made,
            r.choice(
                [f"save('{STEP}', {{'out': out}})", f"save('{STEP}', {{'out': out, 'df': df}})"]
            ),
        ]
    if kind == "tables" and r.random() < 0.1:
        return [
            f"figure = plt.figure()\nplt.hist(df.a, bins=8)\nsave('{STEP}', {{'figure': plt.gcf()}})"
        ]
    saved = r.sample(names, min(len(names), r.randint(1, 3)))
    inside = ", ".join(f"'{name}': {name}" for name in saved)
    return [f"save('{STEP}', {{{inside}}})"]


def is_plot(cell: str) -> bool:
    """Return whether a cell draws a plot."""
    return (
        bool(re.search(r"plt\.|ax2?\.|sns\.strip|umap", cell))
        and "save(" not in cell
        and "import" not in cell
    )


def tweaked(cell: str, r: random.Random) -> str | None:
    """Return the cell with one number changed, or None if it has no number."""
    numbers = list(re.finditer(r"(?<![\w.'])\d+(\.\d+)?(?![\w'])", cell))
    if not numbers:
        return None
    found = r.choice(numbers)
    if "." in found[0]:
        new = r.choice([n for n in ("0.2", "0.3", "0.4", "0.5", "0.6") if n != found[0]])
    else:
        new = str(max(0, int(found[0]) + r.choice([-1, 1, 2, 3])))
    return cell[: found.start()] + new + cell[found.end() :]
