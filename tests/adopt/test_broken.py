"""`adopt` without `--write`: which problems it reports, and which code only looks broken."""

import json
from pathlib import Path

import pytest
from hand_written import adopt, notebooks, write_notebook

from notebook_checkpoints.adopt.scan.broken import broken_in
from notebook_checkpoints.adopt.scan.chain import chain_of
from notebook_checkpoints.adopt.scan.scan import scan

pytestmark = pytest.mark.slow


def broken(root):
    """Return (kind, file name) of each problem."""
    return {(one.kind, Path(one.where[0]).name) for one in broken_in(root, chain_of(scan(root)))}


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"_1_a": 'np.load("../out/b.npy")'}, {("never-written", "1_a.ipynb")}),
        (
            {"_1_a": 'np.save("../a/x.npy", x)', "_2_b": 'np.load("../b/x.npy")'},
            {("differs", "2_b.ipynb")},
        ),
        (
            {"_1_a": 'np.save("../a/x.npy", x)', "_2_b": 'np.save("../a/x.npy", y)'},
            {("written-twice", "1_a.ipynb")},
        ),
        (
            {"_1_a": 'x = np.load("../a/x.npy")\nnp.save("../a/x.npy", x)'},
            {("own-input", "1_a.ipynb")},
        ),
        (
            {"_1_a": 'np.load("../a/x.npy")', "_2_b": 'np.save("../a/x.npy", x)'},
            {("order", "1_a.ipynb")},
        ),
        (
            {
                "_1_a": 'np.load("../a/y.npy")\nnp.save("../a/x.npy", x)',
                "_2_b": 'np.load("../a/x.npy")\nnp.save("../a/y.npy", x)',
            },
            {("circle", "1_a.ipynb"), ("order", "1_a.ipynb")},
        ),
        ({"_1_a": 'np.load("/home/a/x.npy")'}, {("absolute-path", "1_a.ipynb")}),
        ({"_1_a": 'np.load("../../x.npy")'}, {("outside", "1_a.ipynb")}),
        ({"_1_a": "x = = 1"}, {("unreadable", "1_a.ipynb")}),
        # no problem
        ({"_1_a": 'f.write("Total 1/2.csv\\n")\nprint("../a/x.npy")'}, set()),
        ({"_1_a": 'pd.read_csv("https://example.org/a.csv")'}, set()),
        ({"_1_a": "%matplotlib inline\n!ls\nx?"}, set()),
    ],
)
def test_what_is_broken(tmp_path, cells, found):
    notebooks(tmp_path, **cells)
    assert broken(tmp_path) == found


def test_what_nobody_knows_is_linked_and_not_called_broken(tmp_path):
    notebooks(
        tmp_path,
        _1_a='loompy.create("../o/x.loom", a)\nnp.save("../o/y.npy", x)',
        _2_b='sc.read_loom("../o/x.loom")\nF = {"y": "../o/y.npy"}\nget(F["y"])',
    )
    chain_ = chain_of(scan(tmp_path))
    assert {(link.shown, link.is_certain) for link in chain_.links} == {
        ("o/x.loom", False),
        ("o/y.npy", False),
    }
    assert broken(tmp_path) == set()


def test_files_that_cannot_be_read_are_named_and_the_rest_is_shown(tmp_path):
    folder = tmp_path / "meine Auswertung é"
    write_notebook(folder / "1 ü.ipynb", ['np.save("x y.npy", x)'])
    write_notebook(folder / "2 b.ipynb", ['np.load("x y.npy")'], minor=0)
    (folder / "latin.py").write_bytes("# caf\xe9\nopen('a.txt')".encode("latin-1"))
    (folder / "broken.ipynb").write_text("{", encoding="utf-8")
    (folder / "list.ipynb").write_text("[]", encoding="utf-8")
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "x"},
        "worksheets": [
            {
                "cells": [
                    {
                        "cell_type": "code",
                        "language": "python",
                        "outputs": [],
                        "collapsed": False,
                        "input": ["np.load('x y.npy')"],
                        "metadata": {},
                        "prompt_number": 1,
                    }
                ]
            }
        ],
    }
    (folder / "3 old.ipynb").write_text(json.dumps(old), encoding="utf-8")
    write_notebook(
        folder / "4 r.ipynb",
        ['x <- read.csv("x y.csv")'],
        kernelspec={"name": "ir", "display_name": "R", "language": "R"},
    )
    done = adopt("--json", tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {Path(link["reader"]).name for link in found["links"]} == {
        "2 b.ipynb",
        "3 old.ipynb",
    }
    unreadable = [one["where"][0] for one in found["broken"] if one["kind"] == "unreadable"]
    names = sorted(Path(path).name for path in unreadable)
    assert names == ["broken.ipynb", "latin.py", "list.ipynb"]
    languages = {one["step"]: one["language"] for one in found["order"]}
    assert languages["4 r"] == "r"
