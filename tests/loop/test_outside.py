"""Which variables a loop has changed, as functions of a notebook may."""

import sys

import numpy as np
import pytest

from checkpoint.loop import outside
from checkpoint.loop.generators import snapshot
from checkpoint.loop.outside import Outside

BEGINNING = """
import functools, random
from collections import Counter, deque
import numpy as np
seen, nested, counts, last = [], {"a": [1]}, Counter(), deque()
k, array, large, text = 0, np.zeros(3), np.zeros(100_000), bytearray(b"ab")
def plain(): return 1
def with_default(x, acc=[]): acc.append(x)
def with_attribute(): with_attribute.n = 1
def counter():
    n = 0
    def count():
        nonlocal n
        n += 1000
    return count
count = counter()
class Model:
    n = 0
    def __init__(self): self.fitted = False
    def fit(self): self.fitted = True
class Slots:
    __slots__ = ("n",)
    def __init__(self): self.n = 0
class Lazy:
    @functools.cached_property
    def value(self): return 5
model, models, slots, lazy = Model(), [Model()], Slots(), Lazy()
readme = open("README.txt")
rng, numbers = np.random.default_rng(0), random.Random(0)
"""


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("", []),
        ("own = 1; _i5 = 2; In = [1]; plain(); rng.normal(); large[0] + 1", []),
        ("seen.append(1)", ["seen"]),
        ("nested['a'].append(2)", ["nested"]),
        ("counts['x'] += 1", ["counts"]),
        ("last.append(1)", ["last"]),
        ("k = 1", ["k"]),
        ("new = 1", ["new"]),
        ("del k", ["k"]),
        ("array[0] = 1", ["array"]),
        ("text[0] = 1", ["text"]),
        ("with_default(1)", ["with_default"]),
        ("with_attribute()", ["with_attribute"]),
        ("count()", ["count"]),
        ("Model.n = 1", ["Model", "model", "models"][:1]),
        ("model.fit()", ["model"]),
        ("models[0].fit()", ["models"]),
        ("slots.n += 1", ["slots"]),
        ("lazy.value", []),
        ("readme.readline()", ["readme"]),
        ("seen.append(1); seen.pop()", []),
        ("rng.spawn(1)", ["rng"]),
    ],
)
def test_what_is_changed(code, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.txt").write_text("one\ntwo\n")
    variables = {"__name__": "__main__"}
    exec(BEGINNING, variables)
    watched = Outside(variables, {"own"})
    exec(code, variables)
    assert watched.changed() == names


def test_a_variable_that_contains_itself_and_a_large_one():
    variables = {"ring": [], "large": list(range(1_000_000))}
    variables["ring"].append(variables["ring"])
    watched = Outside(variables, ())
    assert watched.changed() == []
    variables["large"].append(1)
    assert watched.changed() == ["large"]


def test_objects_of_the_projects_modules_and_of_others(monkeypatch):
    class Counts:
        n = 0

    monkeypatch.setattr(outside, "PROJECT", "my_project")
    monkeypatch.setattr(outside, "OURS", "my_project.checkpoint.")
    found = {}
    for module in ("my_project.tools", "my_project.checkpoint.storage", "scanpy.tools"):
        monkeypatch.setattr(Counts, "__module__", module)
        counts = Counts()
        watched = outside.Outside({"counts": counts}, ())
        counts.n += 1
        found[module] = watched.changed()
    assert found == {
        "my_project.tools": ["counts"],
        "my_project.checkpoint.storage": [],
        "scanpy.tools": [],
    }


def test_an_object_that_must_not_be_asked():
    class Lazy:
        @property
        def __class__(self):
            raise RuntimeError("it is not loaded yet")

    watched = Outside({"lazy": Lazy(), "model": sys.modules}, ())
    assert watched.changed() == []
    snapshot(watched.objects())()


def test_generators_draw_the_same_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.txt").write_text("one\ntwo\n")
    variables = {"__name__": "__main__"}
    exec(BEGINNING, variables)
    variables |= {"old": np.random.RandomState(1), "bits": np.random.PCG64(2)}
    variables["held"] = {"rng": np.random.default_rng(3)}
    restore = snapshot(Outside(variables, ()).objects())
    drawn = []
    for _ in range(2):
        restore()
        drawn.append(
            (
                variables["rng"].normal(),
                variables["numbers"].random(),
                variables["old"].normal(),
                variables["bits"].random_raw(),
                variables["held"]["rng"].integers(1000),
                np.random.normal(),
            )
        )
    assert drawn[0] == drawn[1]
