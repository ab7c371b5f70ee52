"""The library that random notebooks import: data, analysis and plots with global state.

It is small and fast, and shares the traits of pandas, matplotlib and scanpy that matter here:
functions that change their argument and return nothing, a current figure, global options.
"""

from __future__ import annotations

import random
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd

OPTIONS: dict = {}
FIGURES: list = []
KEPT: list = []


class Figure:
    """A figure: the options when it was created, and the drawing calls."""

    def __init__(self):
        self.calls = [sorted(OPTIONS.items())]

    def __getattr__(self, name):
        if name not in ("plot", "hist", "scatter", "set_title", "axhline"):
            raise AttributeError(name)
        return lambda *a, **k: self.calls.append((name, canonical(a), canonical(k)))


class Adata:
    """A stand-in for AnnData: a table `obs`, a matrix `X` and a dict `uns`."""

    def __init__(self, obs, X, uns=()):
        self.obs, self.X, self.uns = obs, X, dict(uns)

    def copy(self):
        return Adata(self.obs.copy(), self.X.copy(), self.uns)

    def __getitem__(self, rows):
        return Adata(self.obs[rows].copy(), self.X[np.asarray(rows)], self.uns)

    @property
    def n_obs(self):
        return len(self.obs)


def canonical(value):
    """Return a comparable form of a value, which is equal for equal values."""
    match value:
        case pd.DataFrame():
            columns = [(str(n), canonical(value.iloc[:, i])) for i, n in enumerate(value.columns)]
            return ("frame", columns, canonical(list(value.index)))
        case pd.Series():
            return (
                "series",
                str(value.name),
                canonical(value.tolist()),
                canonical(list(value.index)),
            )
        case np.ndarray():
            return ("array", canonical(value.tolist()))
        case dict():
            return ("dict", [(canonical(k), canonical(v)) for k, v in value.items()])
        case list() | tuple():
            return (type(value).__name__, [canonical(v) for v in value])
        case set():
            return ("set", sorted(map(repr, value)))
        case Figure():
            return ("figure", list(value.calls))  # more may be drawn after the save
        case Adata():
            return ("adata", canonical(value.obs), canonical(value.X), canonical(value.uns))
        case float():
            return repr(float(value))
        case bool() | int() | str() | None:
            return repr(value)
        case _ if callable(value):
            return "function"
    return repr(value) if isinstance(value, np.generic) else type(value).__name__


# ---------------------------------------------------------------- data


def table(seed, rows=12):
    """Return a random table, which depends only on the seed."""
    r = random.Random(seed)
    return pd.DataFrame(
        {
            "a": [r.randint(0, 100) / 100 for _ in range(rows)],
            "b": [r.randint(0, 9) for _ in range(rows)],
            "g": [r.choice("xyz") for _ in range(rows)],
        }
    )


def records(seed):
    """Return random rows as dicts."""
    return table(seed, 8).to_dict("records")


def cells(seed):
    """Return random cells as an AnnData-like object."""
    rows = table(seed)
    return Adata(rows[["g", "b"]].copy(), rows[["a", "b"]].to_numpy(float))


# ---------------------------------------------------------------- functions


def annotate(frame):
    """Add the column `note`, whose values change with each call."""
    frame["note"] = frame["a"].rank() + frame.get("note", 0)


def mark(frame):
    """Add a column, the same on each call, and return the table itself."""
    frame["high"] = frame["a"] > frame["a"].mean()
    return frame


def score(frame):
    """Return a number without changing the table."""
    return float((frame["a"] * frame["b"]).sum())


def cluster(frame, k=3):
    """Return random labels from NumPy's global state."""
    return [int(label) for label in np.random.randint(0, k, len(frame))]


def keep(value):
    """Keep a reference to an object that `flush` will change."""
    KEPT.append(value)


def flush():
    """Change every object that `keep` has kept."""
    for value in KEPT:
        value.append(len(value))


def stream(frame):
    """Yield the rows as dicts."""
    yield from frame.to_dict("records")


def _filter(adata, low=2):
    kept = (adata.obs["b"] >= low).to_numpy()
    adata.obs, adata.X = adata.obs[kept].copy(), adata.X[kept]


def _normalize(adata, target=1.0):
    sums = adata.X.sum(axis=1, keepdims=True)
    adata.X = adata.X / np.where(sums == 0, 1, sums) * target


def _log(adata):
    adata.X = np.log1p(adata.X)


def _group(adata, resolution=0.5, key="cl"):
    adata.obs[key] = [str(int(v * 10 * resolution) % 3) for v in adata.X[:, 0]]
    adata.uns[key] = {"resolution": resolution}


def _umap(adata, color=None, size=5):
    if color:
        adata.uns.setdefault(f"{color}_colors", list(range(adata.obs[color].nunique())))
    current().calls.append(("umap", color, size))


pp = SimpleNamespace(filter=_filter, normalize=_normalize, log=_log)
tl = SimpleNamespace(group=_group)
pl = SimpleNamespace(umap=_umap)

# ---------------------------------------------------------------- plots


def current():
    """Return the current figure; create one if there is none."""
    if not FIGURES:
        FIGURES.append(Figure())
    return FIGURES[-1]


def _figure(**_):
    FIGURES.append(Figure())
    return FIGURES[-1]


def _subplots(*_, **__):
    figure = _figure()
    return figure, figure


def _drawing(name):
    return lambda *a, **k: current().calls.append((name, canonical(a), canonical(k)))


def _stripplot(**options):
    np.random.uniform()  # as seaborn does
    current().calls.append(("strip", canonical(options)))


def install():
    """Return entries for `sys.modules`: this module, and stand-ins for pyplot and seaborn."""
    pyplot = ModuleType("matplotlib.pyplot")
    for name in ("plot", "hist", "scatter", "title", "axhline", "bar"):
        setattr(pyplot, name, _drawing(name))
    pyplot.figure, pyplot.subplots, pyplot.gcf = _figure, _subplots, current
    pyplot.rcParams, pyplot.show = OPTIONS, lambda: None
    matplotlib = ModuleType("matplotlib")
    matplotlib.pyplot = pyplot
    seaborn = ModuleType("seaborn")
    seaborn.stripplot = _stripplot
    seaborn.set_theme = lambda **_: OPTIONS.update({"font.size": 12, "grid": True})
    return {
        "lab": sys.modules[__name__],
        "matplotlib": matplotlib,
        "matplotlib.pyplot": pyplot,
        "seaborn": seaborn,
    }


def restart():
    """Reset all global state, as in a new kernel."""
    KEPT.clear()
    FIGURES.clear()
    OPTIONS.clear()
    OPTIONS.update({"font.size": 10, "lines.width": 1})
    np.random.seed(None)
    random.seed()
