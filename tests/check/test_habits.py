"""Rules about the code of cells, with code that breaks them and code that only seems to."""

from pathlib import Path

import pytest

from checkpoint.check.check import check
from checkpoint.check.rules import RULES
from checkpoint.check.subjects import Cell, Notebook
from checkpoint.notebooks.notebook import code_cell
from checkpoint.notebooks.skeleton import skeleton
from checkpoint.project.chain import Step
from checkpoint.project.project import Project

PROJECT = Project(Path("my_project"))
NAMES = ("1_preprocessing", "2_integration", "3_umap")
STEPS = [Step(Path(f"{name}.ipynb"), place) for place, name in enumerate(NAMES, 1)]


def broken_by(source):
    """Return the rules that a cell of 2_integration breaks."""
    content = skeleton("my_project", "2_integration", "1_preprocessing")
    content["cells"].append(code_cell("judged", source))
    cell = Notebook(PROJECT, STEPS[1], STEPS, content).cells[-1]
    rules = [rule for rule in RULES.values() if rule.subject is Cell]
    return [rule.name for rule in rules for _ in dict.fromkeys(rule.judge(cell))]


@pytest.mark.parametrize(
    "source",
    [
        'pd.read_csv("/home/me/counts.csv")',
        'DATA = Path("/mnt/lab/data")',
        r'open("C:\\Users\\me\\x.txt")',
        'p = Path("~/results").expanduser()',
        'f"/scratch/{user}/x"',
        'glob.glob("/home/me/d/*.h5ad")',
        '"/scratch/me/{}/x".format(s)',
        'open("/home/me/my (copy)/x.h5ad")',
        'read("/tank/lab x/counts.h5ad")',
        "!ls /home/me/x",
        "%run ~/x.py",
    ],
)
def test_absolute_paths(source):
    assert broken_by(source) == ["absolute-path"]


@pytest.mark.parametrize(
    "source",
    [
        'import os\nos.chdir("..")',
        'from os import chdir\nchdir("..")',
        "%cd ..",
        "cd ..",
    ],
)
def test_changes_of_the_working_directory(source):
    assert broken_by(source) == ["chdir"]


@pytest.mark.parametrize(
    "source",
    [
        'table.to_csv("../data/clean.csv")',
        'adata.write("../data/clean.h5ad")',
        'adata.write_h5ad(data_file("rna.h5ad"))',
        'np.save("data/x.npy", x)',
        'with open("../data/x.txt", "w") as f:\n    f.write("x")',
        'open(data_file("a.csv"), mode="a")',
        'Path("../data/x.txt").open("w")',
        'Path("../data/x.txt").write_text("x")',
        'table.to_csv(path_or_buf=data_file("x.csv"))',
        'table.to_csv(data_file("x.csv").with_suffix(".tsv"))',
        'table.to_csv(Path("../data") / name)',
        'table.to_csv("../data/" + name)',
        'df.to_csv("../data/{}.csv".format(p))',
        '(Path("..") / "data" / "x").mkdir()',
        'np.save(os.path.join("..", "data", "x.npy"), x)',
        'shutil.copy(source, f"../data/{name}")',
        'data_file("x.csv").unlink()',
        'os.replace("../data/a", "b")',
        'from os import remove\nremove("../data/a")',
        'Path("../data/a").replace("b")',
        'df.write_parquet("../data/x.parquet")',
        'def f():\n    Path("../data/x").touch()',
        "!wget -P ../data https://example.org/x.h5",
        "!wget -qO ../data/x https://example.org",
        "!curl --output=../data/x https://example.org",
        "!cp x.csv ../data/",
        "!cp x ../data/ && ls",
        "!mv ../data/x.csv ../results/",
        "!unzip -q x.zip -d ../data",
        "!tar xf x.tar -C ../data",
        "!mkdir ../data/x",
        "!gunzip ../data/x.gz",
        "!sort x >../data/x",
        "out = !rm ../data/x.csv",
        "%%writefile ../data/x.txt\nx",
        "%%bash\nls\nrm -r ../data",
    ],
)
def test_writing_into_data(source):
    assert broken_by(source) == ["writes-data"]


@pytest.mark.parametrize(
    "source",
    [
        'if "x" in dir():\n    x.to_csv("x.csv")',
        'if "x" in globals().keys():\n    x.to_csv("x.csv")',
        'if "x" in locals():\n    save("2_integration", {"x": x})',
        'save("2_integration", {"x": x if "x" in globals() else None})',
        'save("2_integration", {k: 1 for k in n if k in globals()})',
        'd = {}\nif "x" in dir():\n    d["x"] = x\nsave("2_integration", d)',
        'try:\n    x.to_csv("x.csv")\nexcept NameError:\n    pass',
        'try:\n    x.to_csv("x.csv")\nexcept (NameError, KeyError):\n    pass',
    ],
)
def test_saves_that_depend_on_a_name(source):
    assert broken_by(source) == ["guarded-save"]


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ('save("1_preprocessing", {})', "save-step"),
        ('save("2_integration_v2", {})', "save-step"),
        ('load("3_umap")', "load-later"),
        ('load("0_nothing/sub")', "load-unknown"),
    ],
)
def test_steps_of_load_and_save(source, rule):
    assert broken_by(source) == [rule]


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
        'f.write(f"../data/{name} is done")',
        '(FIGDIR / "data").mkdir()',
        '(figures("2_integration") / "data").mkdir()',
        'p = data_file("a.csv")\np = "../results/x.csv"\ndf.to_csv(p)',
        'shutil.unpack_archive(data_file("x.zip"), tmp)',
        'df.replace("data/a", "data/b")',
        '"data/old".replace("data/", "")',
        'names.remove("../data/README.md")',
        'f.move("data/a", "data/b")',
        'np.savetxt("x.csv", a, header="data/x")',
        "!unzip -o ../data/x.zip -d ../results/x",
        "!ls -d ../data/x",
        "!grep -o ../data/x.csv foo",
        "!tar -C ../data -czf ../results/raw.tgz .",
        "!cellranger count --id x -d ../data/fastqs",
        "!docker run --rm -v ../data/x image",
        "!gzip -dc ../data/x.gz > x",
        "!gunzip --stdout ../data/x.gz",
        "!tee log < ../data/x",
        "!gunzip -c ../data/x.gz | head",
        "!wget https://x.org/data/f.csv -P ../results",
        "!curl -s https://x.com/samples/data/x.h5 | md5sum",
        "!rm -rf old-data",
        "!touch ../results/x; ls ../data",
        "%%writefile run.sh\nrm ../data/x",
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
def test_what_only_looks_like_it(source):
    assert broken_by(source) == []


def test_a_problem_names_the_notebook_and_the_cell_once(project):
    project.change_cell("2_integration", 'import os\n\nos.chdir("..")\nos.chdir("..")')
    (problem,) = check(project)
    assert (problem.rule, problem.file, problem.cell) == (
        "chdir",
        "notebooks/2_integration.ipynb",
        "import os",
    )
    assert 'os.chdir("..")'.replace('"', "'") in problem.what


def test_a_second_loop_over_the_same_parts():
    content = skeleton("my_project", "2_integration", "1_preprocessing")
    loop = "from my_project.checkpoint import parts\nfor part in parts({!r}, {}): part.save({{}})"
    looped = [("2_integration", ["a"]), ("1_x", ["a"]), ("2_integration", ["b"])]
    loops = [loop.format(*each) for each in looped]
    content["cells"] += [code_cell(f"loop-{i}", source) for i, source in enumerate(loops)]
    cells = Notebook(PROJECT, STEPS[1], STEPS, content).cells[-3:]
    assert [bool(list(RULES["second-loop"].judge(cell))) for cell in cells] == [False, False, True]
