"""Habits that break a chain of notebooks, and code that only looks like it."""

import subprocess

import nbformat
import pytest

from checkpoint.check.habits import RULES
from checkpoint.check.layout import check

NOTEBOOK = "notebooks/2_integration.ipynb"


def with_cell(project, source, cell=3):
    path = project / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[cell].source = source
    nbformat.write(notebook, path)
    return check(project)


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ('pd.read_csv("/home/me/counts.csv")', "absolute-path"),
        ('DATA = Path("/mnt/lab/data")', "absolute-path"),
        (r'open("C:\\Users\\me\\x.txt")', "absolute-path"),
        ('p = Path("~/results").expanduser()', "absolute-path"),
        ('f"/scratch/{user}/x"', "absolute-path"),
        ('import os\nos.chdir("..")', "chdir"),
        ('from os import chdir\nchdir("..")', "chdir"),
        ("%cd ..", "chdir"),
        ("cd ..", "chdir"),
        ('table.to_csv("../data/clean.csv")', "writes-data"),
        ('adata.write_h5ad(data_file("rna.h5ad"))', "writes-data"),
        ('np.save("data/x.npy", x)', "writes-data"),
        ('with open("../data/x.txt", "w") as f:\n    f.write("x")', "writes-data"),
        ('Path("../data/x.txt").write_text("x")', "writes-data"),
        ('DATA = Path("..") / "data/raw"\n(DATA / "x.txt").touch()', "writes-data"),
        ('out = data_file("x.csv")\ntable.to_csv(path_or_buf=out)', "writes-data"),
        ('raw = data_file("a.csv")\nopen(raw, mode="a")', "writes-data"),
        ('shutil.copy(source, f"../data/{name}")', "writes-data"),
        ('data_file("x.csv").unlink()', "writes-data"),
        ("!wget -P ../data https://example.org/x.h5", "writes-data"),
        ("!cp x.csv ../data/", "writes-data"),
        ("%%writefile ../data/x.txt\nx", "writes-data"),
        ('glob.glob("/home/me/d/*.h5ad")', "absolute-path"),
        ('"/scratch/me/{}/x".format(s)', "absolute-path"),
        ('open("/home/me/my (copy)/x.h5ad")', "absolute-path"),
        ('read("/tank/lab x/counts.h5ad")', "absolute-path"),
        ("!ls /home/me/x", "absolute-path"),
        ("%run ~/x.py", "absolute-path"),
        ('subprocess.run(["rm", "../data/x"])', "writes-data"),
        ('os.system("rm ../data/x")', "writes-data"),
        ('os.replace("../data/a", "b")', "writes-data"),
        ('Path("../data/a").replace("b")', "writes-data"),
        ('for f in Path("../data").glob("*"):\n    f.unlink()', "writes-data"),
        ('p = data_file("x.csv")\ndf.to_csv(p.with_suffix(".tsv"))', "writes-data"),
        ('df.to_csv("../data/{}.csv".format(p))', "writes-data"),
        ('D: Path = Path("../data")\ndf.to_csv(D / "x.csv")', "writes-data"),
        ('(Path("..") / "data" / "x").mkdir()', "writes-data"),
        ('np.save(os.path.join("..", "data", "x.npy"), x)', "writes-data"),
        ("!mv ../data/x.csv ../results/", "writes-data"),
        ("!unzip -q x.zip -d ../data", "writes-data"),
        ("!tar xf x.tar -C ../data", "writes-data"),
        ("!mkdir ../data/x", "writes-data"),
        ("!sed -i s/a/b/ ../data/x.csv", "writes-data"),
        ("!sed -i '' s/a/b/ ../data/x.csv", "writes-data"),
        ("!cp x ../data/ && ls", "writes-data"),
        ("!sort x >../data/x", "writes-data"),
        ('for p in sorted(Path("../data").glob("*.tmp")):\n    p.unlink()', "writes-data"),
        ('A, B = Path("../data"), Path("../results")\ndf.to_csv(A / "x.csv")', "writes-data"),
        ('R = Path.cwd().parent\ndf.to_csv(R / "data" / "x.csv")', "writes-data"),
        ('df.to_csv("{}/x.csv".format("../data"))', "writes-data"),
        ('df.to_csv("%s/x.csv" % "../data")', "writes-data"),
        ('os.system(f"wget -O ../data/{name} {url}")', "writes-data"),
        ('subprocess.run(["wget", "-O", str(data_file("x")), url])', "writes-data"),
        ("!wget -qO ../data/x https://example.org", "writes-data"),
        ("!curl --output=../data/x https://example.org", "writes-data"),
        ("!cd ../data && wget https://example.org", "writes-data"),
        ("%%bash\ncd ../data\nwget https://example.org", "writes-data"),
        ("out = !rm ../data/x.csv", "writes-data"),
        ('df.write_parquet("../data/x.parquet")', "writes-data"),
        ('def f():\n    Path("../data/x").touch()', "writes-data"),
        ('try:\n    x.to_csv("x.csv")\nexcept (NameError, KeyError):\n    pass', "guarded-save"),
        ('if "x" in globals().keys():\n    x.to_csv("x.csv")', "guarded-save"),
        ('save("2_integration", {k: 1 for k in n if k in globals()})', "guarded-save"),
        ('try:\n    x.to_csv("x.csv")\nexcept NameError:\n    pass', "guarded-save"),
        ('d = {}\nif "x" in dir():\n    d["x"] = x\nsave("2_integration", d)', "guarded-save"),
        ('save("1_preprocessing", {})', "save-step"),
        ('save("2_integration_v2", {})', "save-step"),
        ('load("3_visualization")', "load-later"),
        ('load("0_nothing/sub")', "load-unknown"),
        ('if "x" in dir():\n    x.to_csv("x.csv")', "guarded-save"),
        ('if "x" in locals():\n    save("2_integration", {"x": x})', "guarded-save"),
        (
            'save("2_integration", {"x": x if "x" in globals() else None})',
            "guarded-save",
        ),
    ],
)
def test_a_habit_is_named_with_its_cell(project, source, rule):
    assert [(problem.rule, problem.file) for problem in with_cell(project, source)] == [
        (rule, NOTEBOOK)
    ]


@pytest.mark.parametrize(
    "source",
    [
        'pd.read_csv(data_file("counts.csv"))',
        'open("../data/x.txt").read()',
        'open("../data/x.txt", "rb")',
        'rna = read(data_file("x.h5ad"))\nrna.write("x.h5ad")',
        'shutil.copy(data_file("x.csv"), "x.csv")',
        'text.replace("data/", "results/")',
        "!ls ../data",
        "!cp ../data/x.csv .",
        'h5["/obs/cell_type"]',
        '"""/home/me/x is where it was"""',
        "# os.chdir('/home/me')",
        'base + "/sub/folder"',
        'f"{base}/sub/folder"',
        'requests.get("https://example.org/a/b")',
        'plt.ylabel("cells / gene")',
        're.sub("/[a-z]+/", "", x)',
        'df.to_hdf("../results/x.h5", key="data")',
        'cols.remove("data")',
        'f.write("data")',
        '(FIGDIR / "data").mkdir()',
        '(figures("2_integration") / "data").mkdir()',
        'p = data_file("a.csv")\np = "../results/x.csv"\ndf.to_csv(p)',
        'shutil.unpack_archive(data_file("x.zip"), tmp)',
        'p = data_file("x.h5ad")\nlog.write(f"{p} read\\n")',
        'df.replace("data/a", "data/b")',
        '"data/old".replace("data/", "")',
        'f = data_file("x")\nwith open("o", "w") as f:\n    json.dump(x, f)',
        'path = "../data/x.csv"\ndef export(df, path):\n    df.to_csv(path)',
        'path = "../data/x.csv"\nfor path, n in files:\n    os.remove(path)',
        'names.remove("../data/README.md")',
        'f.move("data/a", "data/b")',
        'np.savetxt("x.csv", a, header="data/x")',
        "!unzip -o ../data/x.zip -d ../results/x",
        "!ls -d ../data/x",
        "!grep -o ../data/x.csv foo",
        "!tar -C ../data -czf ../results/raw.tgz .",
        "!cellranger count --id x -d ../data/fastqs",
        "!gzip -dc ../data/x.gz > x",
        "!gunzip --stdout ../data/x.gz",
        "!tee log < ../data/x",
        "!gunzip -c ../data/x.gz | head",
        "!wget https://x.org/data/f.csv -P ../results",
        "!curl -s https://x.com/samples/data/x.h5 | md5sum",
        "!rm -rf old-data",
        "!touch ../results/x; ls ../data",
        'open("/dev/null", "w")',
        'subprocess.run("ls", executable="/bin/bash")',
        'h5["/data/barcodes"]',
        'pd.read_hdf(p, "/tables/x")',
        'plt.title("/a/b")',
        'get("/v1/models/x")',
        r're.split(r"n:\d", s)',
        'if "FAST" not in globals():\n    FAST = False\nsave("2_integration", {})',
        "with contextlib.chdir(tmp):\n    pass",
        '"""\n%cd x\n!rm ../data/x\n"""',
        'print("%d objects"\n      % len(previous))',
        'if "x" in columns:\n    x.to_csv("x.csv")',
        'if "x" in dir():\n    print(x)',
        'save("2_integration/part", {})',
        'load("2_integration/part")',
    ],
)
def test_what_only_looks_like_it(project, source):
    assert with_cell(project, source) == []


def test_a_variable_of_an_earlier_cell(project):
    with_cell(project, 'OUT = Path("../data")')
    problems = with_cell(project, 'x.to_csv(OUT / "x.csv")\nsave("2_integration", {})', cell=-1)
    assert [problem.rule for problem in problems] == ["writes-data"]
    assert problems[0].cell == 'x.to_csv(OUT / "x.csv")'


def test_results_that_no_notebook_makes(project):
    (project / "results" / "2_integration_v2").mkdir()
    (problem,) = check(project)
    assert (problem.rule, problem.file) == ("orphan-results", "results/2_integration_v2")


def test_large_results_in_git(project):
    table = project / "results" / "1_preprocessing" / "table.csv"
    table.write_bytes(b"x" * 5_000_001)
    assert check(project) == []
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    (problem,) = check(project)
    assert (problem.rule, problem.file) == (
        "large-tracked",
        "results/1_preprocessing/table.csv",
    )


def settings(project, text):
    path = project / "pyproject.toml"
    old = path.read_text(encoding="utf-8")
    path.write_text(old.replace("[tool.checkpoint]\n", f"[tool.checkpoint]\n{text}\n"), "utf-8")


def test_rules_can_be_switched_off(project):
    settings(project, 'ignore = ["absolute-path"]')
    assert with_cell(project, 'open("/home/me/x")') == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('ignore = ["absolute"]', "'absolute', which is no rule"),
        ('ignore = "chdir"', "ignore is not a list of rules"),
        ("colour = 1", "colour is no setting"),
        ("resources = 3", "resources is not a table"),
        ('resources.2_integration.mem_mb = "x"', "mem_mb is a number of megabytes"),
        ("resources.2_integration.runtime = 0", "runtime cannot be 0; it is at least 1"),
        ("resources.2_integration.mem_mb = true", "resources.2_integration.mem_mb cannot be True"),
        ("ignore = [", "is not valid TOML"),
    ],
)
def test_a_setting_that_is_none(project, text, said):
    settings(project, text)
    (problem,) = check(project)
    assert problem.rule == "settings"
    assert said in problem.what


def test_the_names_of_the_rules_are_those_that_are_given():
    assert len(set(RULES)) == len(RULES)
