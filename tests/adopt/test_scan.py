"""`adopt` without `--write`: the order, the map and what is broken, and nothing is changed."""

import json
import sys
from pathlib import Path

import hand_written
import pytest
from hand_written import adopt, chain, write_notebook
from project_under_test import tree

from notebook_checkpoints.adopt.broken import broken_in
from notebook_checkpoints.adopt.chain import chain_of
from notebook_checkpoints.adopt.scan import scan

pytestmark = pytest.mark.slow


def links(root):
    """Return which reads what which writes, without folders."""
    found = chain_of(scan(root)).links
    return {(Path(link.writer).name, link.shown, Path(link.reader).name) for link in found}


def broken(root):
    """Return what is broken, by kind."""
    return {(one.kind, Path(one.where[0]).name) for one in broken_in(root, chain_of(scan(root)))}


def notebooks(root, **cells):
    """Write notebooks of one cell each."""
    for name, source in cells.items():
        write_notebook(root / "notebooks" / f"{name.lstrip('_')}.ipynb", [source])


def test_a_chain_through_a_config_a_loop_a_script_and_r(tmp_path):
    chain(tmp_path)
    write_notebook(tmp_path / "notebooks" / "3_report_v2.ipynb", hand_written.OLD_REPORT)
    before = tree(tmp_path)
    done = adopt("--json", tmp_path)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path) == before
    found = json.loads(done.stdout)
    order = [one["path"] for one in found["order"]]
    assert [path for path in order if "v2" not in path] == [
        "notebooks/1_qc.ipynb",
        "notebooks/2_integrate.ipynb",
        "scripts/factors.R",
        "scripts/scores.py",
        "notebooks/3_report.ipynb",
    ]
    assert links(tmp_path) == {
        ("1_qc.ipynb", "results/qc/{sample}_qc.npy", "2_integrate.ipynb"),
        ("2_integrate.ipynb", "results/tables/embedding.tsv", "factors.R"),
        ("2_integrate.ipynb", "results/embedding.npy", "scores.py"),
        ("2_integrate.ipynb", "results/embedding.npy", "3_report.ipynb"),
        ("2_integrate.ipynb", "results/joint.npy", "3_report.ipynb"),
        ("2_integrate.ipynb", "results/model.pkl", "3_report.ipynb"),
        ("2_integrate.ipynb", "results/tables/embedding.tsv", "3_report.ipynb"),
        ("scores.py", "results/scores.csv", "3_report.ipynb"),
    }
    assert {(one["kind"], one["where"][0]) for one in found["broken"]} == {
        ("differs", "notebooks/3_report_v2.ipynb"),
        ("absolute-path", "notebooks/3_report_v2.ipynb"),
    }
    text = adopt(tmp_path).stdout
    assert "reads results/scores.csv  from scripts/scores.py" in text
    assert "notebooks/2_integrate.ipynb writes results/embedding.npy" in text
    assert "Nothing was changed." in text
    assert '-->|"results/scores.csv"|' in adopt("--mermaid", tmp_path).stdout


@pytest.mark.parametrize(
    ("writes", "reads"),
    [
        ('np.save("../out/a.npy", x)', 'np.load("../out/a.npy")'),
        ('np.save("../out/a.npy", x)', 'np.load(os.path.join("..", "out", "a.npy"))'),
        ('np.save("../out/a.npy", x)', 'np.load(Path("..") / "out" / "a.npy")'),
        ('np.save("../out/a.npy", x)', 'OUT = "../out/"\nnp.load(OUT + "a.npy")'),
        ('np.save("../out/a.npy", x)', 'OUT = Path("../out").resolve()\nnp.load(f"{OUT}/a.npy")'),
        ('np.save("../out/a.npy", x)', 'os.chdir("..")\nnp.load("out/a.npy")'),
        ('np.save("../out/a.npy", x)', 'np.load("../{}/{}.npy".format("out", "a"))'),
        ('np.save("../out/./a.npy", x)', 'np.load(Path.cwd().parent / "out" / "a.npy")'),
        ('adata.write("../out/a.h5ad")', 'sc.read("../out/a.h5ad")'),
        (
            'with open("../out/a.pkl", "wb") as f:\n    pickle.dump(x, f)',
            'pickle.load(Path("../out/a.pkl").open("rb"))',
        ),
        ("!Rscript x.R > ../out/a.csv", 'pd.read_csv("../out/a.csv")'),
        (
            'for s in S:\n    np.save(f"../out/{s}.npy", x)',
            '[np.load(f"../out/{n}.npy") for n in S]',
        ),
        ('for s in S:\n    np.save(f"../out/{s}.npy", x)', 'Path("../out").glob("*.npy")'),
    ],
)
def test_ways_to_spell_a_path(tmp_path, writes, reads):
    notebooks(tmp_path, _1_a=writes, _2_b=reads)
    (found,) = links(tmp_path)
    assert (found[0], found[2]) == ("1_a.ipynb", "2_b.ipynb")


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
        # nothing is wrong with these
        ({"_1_a": 'f.write("Total 1/2.csv\\n")\nprint("../a/x.npy")'}, set()),
        ({"_1_a": 'pd.read_csv("https://example.org/a.csv")'}, set()),
        ({"_1_a": "%matplotlib inline\n!ls\nx?"}, set()),
    ],
)
def test_what_is_broken(tmp_path, cells, found):
    notebooks(tmp_path, **cells)
    assert broken(tmp_path) == found


CONFIG = """from pathlib import Path
import os
DATA = Path("../data")
OUT_DIR = Path("..") / "out"
TABLES = os.path.join("..", "out", "tables")
SAMPLES = ["a", "b"]
PATHS = {"out": "../out"}
HERE = Path(__file__).parent
SET = "../out"
if os.environ.get("X"):
    SET = "/scratch"
"""


@pytest.mark.parametrize(
    ("reads", "found"),
    [
        ('from config import OUT_DIR\nnp.load(OUT_DIR / "a.npy")', "out/a.npy"),
        ('from config import OUT_DIR as o\nnp.load(f"{o}/a.npy")', "out/a.npy"),
        ('from config import *\nnp.load(os.path.join(TABLES, "a.npy"))', "out/tables/a.npy"),
        ('import config as cfg\nnp.load(Path(cfg.OUT_DIR) / "a.npy")', "out/a.npy"),
        ('import config\nnp.load(config.PATHS["out"] + "/a.npy")', "out/a.npy"),
        ('from config import SAMPLES\nfor s in SAMPLES: np.load(f"../out/{s}.npy")', "out/{s}.npy"),
        ('sys.path.append("../code")\nfrom other import OUT\nnp.load(OUT)', "out/other.npy"),
        # not certain
        ('from config import SET\nnp.load(f"{SET}/a.npy")', "{SET}/a.npy"),
        ('from config import HERE\nnp.load(HERE / "a.npy")', "{HERE}/a.npy"),
        ('import config\nconfig.OUT_DIR = x\nnp.load(f"{config.OUT_DIR}/a.npy")', None),
        ('from config import OUT_DIR\nOUT_DIR = f()\nnp.load(f"{OUT_DIR}/a.npy")', None),
        ('sys.path.insert(0, "../code")\nfrom both import OUT\nnp.load(f"{OUT}/a")', "{OUT}/a"),
    ],
)
def test_paths_that_a_module_beside_the_notebook_gives(tmp_path, reads, found):
    for path, text in {
        "notebooks/config.py": CONFIG,
        "code/other.py": 'OUT = "../out/other.npy"',
        "notebooks/both.py": 'OUT = "../a"',
        "code/both.py": 'OUT = "../b"',
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    notebooks(tmp_path, _1_a=reads)
    (one,) = scan(tmp_path)
    (use,) = one.uses
    assert found is None or use.place.shown == found
    assert use.is_certain == (found is not None and not found.startswith("{"))
    assert "{s}" not in reads or use.place.values == (frozenset("ab"),)


def test_numbers_give_the_order_of_what_is_not_linked(tmp_path):
    notebooks(tmp_path, _1_a="1", _2_b='np.save("../out/b.npy", x)', _3_c='np.load("../out/b.npy")')
    write_notebook(tmp_path / "old" / "0_try.ipynb", ["1"])
    order = [one["step"] for one in json.loads(adopt("--json", tmp_path).stdout)["order"]]
    assert order == ["1_a", "2_b", "3_c", "0_try"]


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


def test_nothing_to_adopt(tmp_path):
    for path, reason in ((tmp_path, "has no notebooks"), (tmp_path / "x", "is not a folder")):
        done = adopt(path)
        assert done.returncode == 1
        assert reason in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_and_environments_are_not_followed(tmp_path):
    notebooks(tmp_path, _1_a='np.save("../a/x.npy", x)')
    (tmp_path / "loop").symlink_to(tmp_path)
    write_notebook(tmp_path / "env2" / "2_b.ipynb", ["1"])
    (tmp_path / "env2" / "pyvenv.cfg").touch()
    assert [one.unit.path for one in scan(tmp_path)] == ["notebooks/1_a.ipynb"]
