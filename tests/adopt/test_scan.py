"""`adopt` without `--write` shows the order and the map, and changes nothing."""

import json
import sys
import time
from pathlib import Path

import hand_written
import pytest
from hand_written import adopt, chain, notebooks, write_notebook
from project_under_test import tree

from notebook_checkpoints.adopt.rewrite.scripts import why_no_step
from notebook_checkpoints.adopt.scan.chain import chain_of
from notebook_checkpoints.adopt.scan.scan import scan
from notebook_checkpoints.adopt.scan.shown import as_text

pytestmark = pytest.mark.slow


def links(root):
    """Return (writer's file name, path, reader's file name) for each link."""
    found = chain_of(scan(root)).links
    return {(Path(link.writer).name, link.shown, Path(link.reader).name) for link in found}


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


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('torch.save(obj=m, f="../o/x.pt")', "writes o/x.pt"),
        ('pd.to_pickle(df, "../o/x.pkl")', "writes o/x.pkl"),
        ('pq.write_table(t, "../o/x.parquet")', "writes o/x.parquet"),
        ('mu.write("../o/x.h5mu", mdata)', "writes o/x.h5mu"),
        ('lf.sink_parquet("../o/x.parquet")', "writes o/x.parquet"),
        ('zarr.open("../o/x.zarr", mode="w")', "writes o/x.zarr"),
        ('scipy.sparse.save_npz("../o/x.npz", m)', "writes o/x.npz"),
        ('nib.save(img, "../o/x.nii")', "writes o/x.nii"),
        ('yaml.dump(x, open("../o/x.yaml", "w"))', "writes o/x.yaml"),
        ('pd.ExcelFile("../o/x.xlsx")', "reads o/x.xlsx"),
        ('dd.read_csv("../o/*.csv")', "reads o/{*}.csv"),
        ('shutil.copyfile(src="../o/x.csv", dst="../o/y.csv")', "reads o/x.csv, writes o/y.csv"),
        ('Path("../o/x.csv").replace("../o/y.csv")', "reads o/x.csv, writes o/y.csv"),
        ('sc.pl.umap(a, save="_x.png")', "writes notebooks/figures/{…}_x.png"),
        ('sc.settings.figdir = "../f"\nsc.pl.umap(a, save=True)', "writes f/{…}.pdf"),
        # other ways to spell a path
        ('pd.read_csv("../o/%s_x.csv" % s)', "reads o/{s}_x.csv"),
        ('pd.read_csv("/".join(["..", "o", "x.csv"]))', "reads o/x.csv"),
        ('P = Path("../o/x.h5ad")\npd.read_csv(P.with_suffix(".csv"))', "reads o/x.csv"),
        ('np.load("../o/x_raw.npy".replace("_raw", "_qc"))', "reads o/x_qc.npy"),
        ('for p in ["../o/a.npy", "../o/b.npy"]: np.load(p)', "reads o/a.npy, reads o/b.npy"),
        ('np.load("..\\\\o\\\\x.npy")', "reads o/x.npy"),
        # shell
        ("!cp ../o/x.csv ../p/", "reads o/x.csv, writes p/x.csv"),
        ("!cp ../o/{s}.csv ../p/{s}.csv", "reads o/{s}.csv, writes p/{s}.csv"),
        ("!gunzip -c ../o/x.gz > ../o/x.csv", "reads o/x.gz, writes o/x.csv"),
        ("!wget https://e.org/x.csv -P ../o", "writes o/x.csv"),
        ('os.system("mv ../o/x.csv ../o/y.csv")', "reads o/x.csv, writes o/y.csv"),
        ('subprocess.run(["cp", "../o/x.csv", "../o/y.csv"])', "reads o/x.csv, writes o/y.csv"),
        ("%%R\nout <- '../o/x.csv'\nwrite.csv(a, out)", "writes o/x.csv"),
        # read or written: unknown
        ('sqlite3.connect("../o/x.db")', "names o/x.db"),
        ('pd.HDFStore("../o/x.h5")', "names o/x.h5"),
        ('h5py.File("../o/x.h5", MODE)', "names o/x.h5"),
        ('subprocess.run(["tool", "--in", "../o/x.csv"])', "names o/x.csv"),
        ("!tool ../o/x.csv", "names o/x.csv"),
        ('F = {"a": "../o/a.npy"}\nfor k in F: get(F[k])', "names o/a.npy"),
        ("np.load(path)", "reads a file whose path is known only when it runs"),
        ("for i in x: i.to_csv(p)", "writes a file whose path is known only when it runs"),
        # no files
        ('sns.load_dataset("iris")', ""),
        ('pd.read_csv(io.StringIO("a"))\nwith open(x) as f: json.load(f)', ""),
        ('df["CD4/CD8.high"]; df.rename(columns={"a.b": "c/d"})', ""),
        ('if name == "x.csv" or n.endswith(".csv"): print("../o/x.csv")', ""),
        ("x = df['a'] / 2 + df['b'] % 3\nN = 5; f(N)", ""),
    ],
)
def test_what_reads_and_what_writes(tmp_path, line, found):
    """What cannot be known is listed as such, so that no file is silently missing from the map."""
    notebooks(tmp_path, _1_a=line)
    (one,) = scan(tmp_path)
    uses = [("writes" if use.writes else "reads", use.places) for use in one.uses]
    uses += [("names", use.places) for use in one.named]
    said = [f"{verb} {place.shown}" for verb, places in uses for place in places]
    text = as_text(chain_of([one]), [])
    assert all(line.partition(" ")[2] in text for line in said)
    if "when it runs" in found:
        assert found in text
    else:
        assert sorted(said) == sorted(filter(None, found.split(", ")))


def test_a_script_in_r_that_gives_its_paths_names(tmp_path):
    (tmp_path / "1_a.R").write_text(
        'dir <- "results"\nout <- file.path(dir, "a.csv")\nx <- read.csv(paste0(dir, "/raw.csv"))\n'
        'write.csv(x, file = out)  # "no.csv"\nsaveRDS(x, file.path(base, "b.rds"))\n'
        'H5File$new("results/c.h5")\n',
        encoding="utf-8",
    )
    (one,) = scan(tmp_path)
    found = {(use.writes, use.place.shown) for use in one.uses}
    assert found == {
        (False, "results/raw.csv"),
        (True, "results/a.csv"),
        (True, "{base}/b.rds"),
    }
    assert {use.place.shown for use in one.named} == {"results/c.h5"}
    assert why_no_step(one).startswith("it is unknown whether")


def test_a_module_is_no_step(tmp_path):
    (tmp_path / "src").mkdir()
    code = 'def write(x):\n    x.to_csv("results/a.csv")\ndef read(path):\n    pd.read_csv(path)\n'
    (tmp_path / "src" / "io.py").write_text(code, encoding="utf-8")
    (one,) = scan(tmp_path)
    assert why_no_step(one) == "it only defines functions, which others call"
    assert [(w, line) for w, line in one.unclear] == [(False, "pd.read_csv(path)")]
    (tmp_path / "src" / "io.py").write_text(f"{code}\nwrite(1)", encoding="utf-8")
    assert "is known only when it runs" in why_no_step(scan(tmp_path)[0])


def test_the_folder_of_a_notebook_that_moves_and_functions_of_ones_own(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "lab.py").write_text("def read_csv(name): ...", encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.npy").touch()
    notebooks(
        tmp_path,
        _1_a='%cd ..\nnp.load("out/x.npy")',
        _2_b='from lab import read_csv\ndef to_csv(x): ...\nread_csv("x.csv")\nto_csv("y.csv")',
    )
    (tmp_path / "3_c.py").write_bytes(
        "# coding: latin-1\n# caf\xe9\nopen('out/c.txt', 'w')".encode("latin-1")
    )
    a, b, c = sorted(scan(tmp_path), key=lambda one: one.unit.name)
    assert [use.place.shown for use in (*a.uses, *c.uses)] == ["out/x.npy", "out/c.txt"]
    assert (b.uses, [use.as_named for use in b.named]) == ([], ["x.csv", "y.csv"])
    assert why_no_step(c) == "it is written in latin-1; save it as UTF-8"


def test_names_that_stand_for_each_other_take_no_time(tmp_path):
    names = [f"v{number}" for number in range(14)]
    pairs = list(zip(names, names[7:], strict=False))
    lines = [f"{a} = {b} + '/x.csv' + str({c})" for a in names for b, c in pairs]
    notebooks(tmp_path, _1_a="\n".join([*lines, "pd.read_csv(v0)"]))
    began = time.monotonic()
    assert len(scan(tmp_path)[0].unclear) == 1
    assert time.monotonic() - began < 30


def test_numbers_give_the_order_of_what_is_not_linked(tmp_path):
    notebooks(tmp_path, _1_a="1", _2_b='np.save("../out/b.npy", x)', _3_c='np.load("../out/b.npy")')
    write_notebook(tmp_path / "old" / "0_try.ipynb", ["1"])
    order = [one["step"] for one in json.loads(adopt("--json", tmp_path).stdout)["order"]]
    assert order == ["1_a", "2_b", "3_c", "0_try"]


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
