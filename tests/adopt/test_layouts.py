"""Layouts of published projects: `data/processed`, roots from `cwd`, copies, scripts."""

import json

import pytest
from hand_written import adopt, write_notebook
from project_under_test import git

from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project
from notebook_checkpoints.adopt.rewrite.rewrite import rewrite
from notebook_checkpoints.adopt.scan.broken import broken_in
from notebook_checkpoints.adopt.scan.chain import chain_of
from notebook_checkpoints.adopt.scan.libraries import not_listed
from notebook_checkpoints.adopt.scan.scan import scan

pytestmark = pytest.mark.slow


def notebooks(root, folder="notebooks", **cells):
    """Write notebooks; `cells` has the source of one cell, or a list of sources, by name."""
    for name, sources in cells.items():
        sources = [sources] if isinstance(sources, str) else sources
        write_notebook(root / folder / f"{name.lstrip('_')}.ipynb", sources)


def order(root):
    return [one.unit.path for one in chain_of(scan(root)).scanned]


def rewritten(root):
    """Return the rewritten code of each notebook, and messages about code left unchanged."""
    found = chain_of(scan(root))
    result = rewrite(root, "lab", found, [one.unit.path for one in found.scanned])
    codes = {
        one.step: "\n".join("".join(c["source"]) for c in one.content["cells"])
        for one in result.notebooks
    }
    return codes, [text for one in result.notebooks for text in one.left]


def uses(root, name):
    one = next(one for one in scan(root) if one.unit.name == name)
    return {(use.writes, use.place.shown) for use in one.uses}


def test_what_notebooks_hand_on_below_data_is_no_raw_data(tmp_path):
    notebooks(
        tmp_path,
        _1_clean='raw = pd.read_csv("../data/raw/survey.csv")\n'
        'urlretrieve(URL, "../data/raw/more.csv")\nraw.to_pickle("../data/processed/clean.pkl")',
        _2_model='df = pd.read_pickle("../data/processed/clean.pkl")\n'
        'df.to_csv("../data/model.csv")',
        _3_plot='pd.read_csv("../data/model.csv").plot()',
    )
    codes, left = rewritten(tmp_path)
    assert 'pd.read_csv(data_file("raw/survey.csv"))' in codes["1_clean"]  # even if it is absent
    assert 'save("1_clean", {"clean.pkl": raw})' in codes["1_clean"]
    assert 'urlretrieve(URL, "../data/raw/more.csv")' in codes["1_clean"]
    assert 'df = previous["clean"]' in codes["2_model"]
    assert 'pd.read_csv(previous.path("model.csv")).plot()' in codes["3_plot"]
    assert len(left) == 1
    assert "it is raw data, by its folder" in left[0]


def test_a_file_that_is_read_again_after_it_was_written(tmp_path):
    notebooks(
        tmp_path,
        _1_a=['np.save("../r/x.npy", x)', 'np.load("../r/x.npy").shape'],
        _2_b='x = np.load("../r/x.npy")',
        _3_before=['y = np.load("../r/y.npy")', 'np.save("../r/y.npy", y)'],
        _4_cache='if not os.path.exists("../r/z.npy"):\n    np.save("../r/z.npy", z)\n'
        'z = np.load("../r/z.npy")',
        _5_later='def again():\n    return np.load("../r/w.npy")\nnp.save("../r/w.npy", w)\n',
    )
    codes, left = rewritten(tmp_path)
    kept = "# adopt: kept, notebooks/1_a.ipynb reads this file\nnp.save("
    assert kept in codes["1_a"]
    assert '{"x.npy": np.asanyarray(x)}' in codes["1_a"]
    assert 'np.load("../r/x.npy").shape' in codes["1_a"]
    assert 'x = previous["x"]' in codes["2_b"]
    refused = [text for text in left if "the notebook reads it, too" in text]
    assert len(refused) == 3


def test_files_that_stay_are_saved_together_at_the_end(tmp_path):
    notebooks(
        tmp_path,
        _1_a=[
            'a.to_csv("../r/a.csv")',
            'a += 1\nnp.save("../r/a.npy", a)',
            'a += 1\na.to_csv("../r/b.csv")',
        ],
        _2_b='%cd ..\na.to_csv("r/c.csv")\na += 1\na.to_csv("r/d.csv")',
    )
    codes, _ = rewritten(tmp_path)
    assert codes["1_a"].count("save(") == 2
    assert 'save("1_a/a", {"a.npy": np.asanyarray(a)})' in codes["1_a"]
    last = codes["1_a"].rpartition("save(")[2]
    assert '"a.csv": Path("../r/a.csv")' in last
    assert '"b.csv": Path("../r/b.csv")' in last
    assert 'save("2_b/c"' in codes["2_b"]  # at once: later, the path may differ


@pytest.mark.parametrize(
    "root",
    [
        "ROOT = Path.cwd().parent",
        'ROOT = Path.cwd().parents[0] if Path.cwd().name == "notebooks" else Path.cwd()',
        'here = os.getcwd()\nROOT = Path(here) if os.path.basename(here) != "notebooks" else '
        'Path("..")',
    ],
)
def test_a_root_that_is_found_from_the_working_directory(tmp_path, root):
    notebooks(tmp_path, _1_a=f'{root}\nnp.save(ROOT / "out" / "a.npy", a)')
    assert uses(tmp_path, "1_a") == {(True, "out/a.npy")}


@pytest.mark.parametrize(
    "move",
    [
        'if Path.cwd().name == "notebooks":\n    os.chdir("..")',
        "os.chdir(os.path.dirname(os.getcwd()))",
        'ROOT = Path("..").resolve()\nos.chdir(ROOT)',
        'if os.path.basename(os.getcwd()) != "notebooks":\n    pass\nelse:\n    os.chdir("..")',
        'if Path.cwd().name == "somewhere":\n    os.chdir(elsewhere)\nos.chdir("..")',
    ],
)
def test_a_notebook_that_goes_to_the_top(tmp_path, move):
    notebooks(tmp_path, _1_a=[move, 'np.save("out/a.npy", a)'], _2_b='np.load("../out/a.npy")')
    assert uses(tmp_path, "1_a") == {(True, "out/a.npy")}
    codes, _ = rewritten(tmp_path)
    assert 'save("1_a", {"a.npy": np.asanyarray(a)})' in codes["1_a"]


def test_a_notebook_that_goes_nobody_knows_where(tmp_path):
    notebooks(
        tmp_path,
        _1_a='if x:\n    os.chdir("..")\nnp.save("out/a.npy", a)',
        _2_b='os.chdir(folder())\nnp.save("out/b.npy", a)',
        _3_c='while Path.cwd().name == "notebooks":\n    os.chdir("..")\nnp.save("c.npy", a)',
    )
    assert rewritten(tmp_path) == ({}, [])


def test_a_notebook_that_goes_to_a_folder_of_another_machine(tmp_path):
    notebooks(tmp_path, _1_a='os.chdir("/home/ada/lab")\npd.read_csv("a.csv")')
    (wrong,) = broken_in(tmp_path, chain_of(scan(tmp_path)))
    assert wrong.what.startswith("reads the absolute path /home/ada/lab/a.csv, which exists on one")
    assert wrong.what.endswith("; it changes its working directory")


def test_a_root_that_is_found_from_a_script(tmp_path):
    (tmp_path / "src").mkdir()
    code = 'ROOT = Path(__file__).resolve().parents[1]\nnp.save(ROOT / "out/a.npy", a)\n'
    (tmp_path / "src" / "a.py").write_text(code, encoding="utf-8")
    code = 'np.load("../../out/a.npy")\n'
    (tmp_path / "src" / "tools").mkdir()
    (tmp_path / "src" / "tools" / "b.py").write_text(code, encoding="utf-8")
    assert uses(tmp_path, "a") == {(True, "out/a.npy")}
    assert uses(tmp_path, "b") == {(False, "out/a.npy")}  # if run in its folder


def test_what_a_notebook_needs_comes_right_before_it(tmp_path):
    notebooks(
        tmp_path,
        _00_audit='pd.read_csv("../data/a.csv")',
        _01_clean='pd.read_csv("../data/a.csv").to_csv("../out/b.csv")',
        _02_eda="1",
        _03_fit='pd.read_csv("../out/b.csv")\nlist(Path("../out").glob(f"{x}/*"))\n'
        '[open(f"{folder}/{name}") for name in names]\nopen("../out/log.txt", "w")',
    )
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "fetch.py").write_text('x.to_csv("data/a.csv")', encoding="utf-8")
    assert order(tmp_path) == [
        "scripts/fetch.py",
        "notebooks/00_audit.ipynb",
        "notebooks/01_clean.ipynb",
        "notebooks/02_eda.ipynb",
        "notebooks/03_fit.ipynb",
    ]
    links = chain_of(scan(tmp_path)).links
    assert all(link.is_certain for link in links)  # `{folder}/{name}` could be any file: no link


def test_copies_that_snakemake_and_papermill_executed_are_left_out(tmp_path):
    notebooks(tmp_path, "workflow/notebooks", a_py="mdata = mu.read(snakemake.input[0])")
    notebooks(tmp_path, "analysis", _1_qc='np.save("../out/a.npy", a)')
    notebooks(tmp_path, "logs", a_donor="1", _1_qc_donor="1", _1_qc="1")
    for name, change in {
        "a_donor": lambda content: content["cells"][0]["metadata"].update(
            tags=["snakemake-job-properties"]
        ),
        "1_qc_donor": lambda content: content["metadata"].update(
            papermill={"input_path": "../analysis/1_qc.ipynb", "output_path": "x"}
        ),
        # executed in place, so not a copy
        "1_qc": lambda content: content["metadata"].update(papermill={"input_path": "1_qc.ipynb"}),
    }.items():
        path = tmp_path / "logs" / f"{name}.ipynb"
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")
    names = ["analysis/1_qc.ipynb", "logs/1_qc.ipynb", "workflow/notebooks/a_py.ipynb"]
    assert sorted(order(tmp_path)) == names
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    done = adopt(tmp_path, "--write", "all", "--yes")
    assert "a_py.ipynb: Snakemake gives it its paths when it runs" in done.stdout


def test_a_notebook_in_another_form_is_left_out(tmp_path):
    notebooks(tmp_path, _1_qc='np.save("../out/a.npy", a)', _2_b='np.load("../out/a.npy")')
    (tmp_path / "scripts").mkdir()
    code = 'np.save("../out/a.npy", a)\n'
    headers = {
        "1_qc.py": "#!/usr/bin/env python\n# coding: utf-8\n\n# In[1]:\n\n",
        "2_b.py": "# ---\n# jupyter:\n#   jupytext:\n#     formats: ipynb,py:percent\n# ---\n",
    }
    for name, header in headers.items():
        (tmp_path / "scripts" / name).write_text(header + code, encoding="utf-8")
    (tmp_path / "scripts" / "2_b.jl").write_text('CSV.write("out/b.csv", a)', encoding="utf-8")
    assert sorted(order(tmp_path)) == [
        "notebooks/1_qc.ipynb",
        "notebooks/2_b.ipynb",
        "scripts/2_b.jl",
    ]
    assert [*rewritten(tmp_path)[0]] == ["1_qc", "2_b"]  # 2_b.jl cannot become a step


def test_paths_of_another_machine_that_vary(tmp_path):
    notebooks(tmp_path, _1_a='for s in S:\n    print(pd.read_csv(f"/scratch/{s}/x.csv"))')
    done = adopt(tmp_path, "--write", "all", "--yes", "--no-git", "--package", "lab")
    assert done.returncode == 0, done.stderr
    assert "results/1_a: nothing taken over" in done.stdout


def test_what_looks_like_a_file_and_is_none(tmp_path):
    r = {"name": "ir", "display_name": "R", "language": "R"}
    source = 'plot(x, y = "adj.P.Val")\nread.csv("a.csv")\nother("b/c.own", "d.csv")'
    write_notebook(tmp_path / "1_r.ipynb", [source], kernelspec=r)
    notebooks(
        tmp_path,
        _2_py='%load_ext rpy2.ipython\n%config Inline.formats = "x.png"\n'
        'p = Path("x") / "a.csv"\nassert p.exists(), f"not here: {p}"\n%R read.csv("b.csv")',
        _3_html='%%html\n<img src="a.png">',
    )
    named = {one.unit.name: {use.as_named for use in one.named} for one in scan(tmp_path)}
    assert named == {"1_r": {"b/c.own", "d.csv"}, "2_py": {"notebooks/x/a.csv"}, "3_html": set()}
    assert uses(tmp_path, "2_py") == {(False, "notebooks/b.csv")}


def test_figures_are_no_reason_to_doubt_what_is_broken(tmp_path):
    notebooks(
        tmp_path,
        _1_a="def draw(path):\n    plt.savefig(path)\n",
        _2_b='pd.read_csv("../out/gone.csv")',
    )
    (wrong,) = broken_in(tmp_path, chain_of(scan(tmp_path)))
    assert wrong.what.endswith("which nothing is known to write and which is not here")


def test_scripts_in_julia(tmp_path):
    notebooks(tmp_path, _1_a='a.to_csv("../data/a.csv")', _3_c='pd.read_csv("../data/b_x.csv")')
    (tmp_path / "julia").mkdir()
    code = (
        'using CSV  # not "x.csv"\nhere = pwd()\nsource = here*"/../data/a.csv"\n'
        'a = CSV.read(source, DataFrame)\nCSV.write(joinpath("../data", "b_$(name).csv"), a)\n'
    )
    (tmp_path / "julia" / "2_b.jl").write_text(code, encoding="utf-8")
    assert uses(tmp_path, "2_b") == {(False, "data/a.csv"), (True, "data/b_{name}.csv")}
    assert order(tmp_path)[1] == "julia/2_b.jl"


def test_a_dot_is_rarely_a_folder(tmp_path):
    notebooks(
        tmp_path,
        "analysis",
        _1_a='x = name.split(".")[0]\nplt.plot(y, ".")\nnp.save("../out/x.npy", x)',
        _2_b='files = [name for name in os.listdir(".")]\nnp.save("../out/y.npy", files)',
    )
    (tmp_path / "out").mkdir()
    found = chain_of(scan(tmp_path))
    result = rewrite(tmp_path, "lab", found, [one.unit.path for one in found.scanned])
    assert [one.path for one in result.notebooks] == ["notebooks/1_a.ipynb"]
    assert "may mean another file in notebooks/" in result.refused["analysis/2_b.ipynb"]


def test_what_notebooks_import_from_folders_beside_them(tmp_path):
    (tmp_path / "notebooks" / "lib").mkdir(parents=True)
    notebooks(
        tmp_path, _1_a="import lib\nimport umap\nfrom dotenv import load_dotenv\nimport numpy"
    )
    units = [one.unit for one in scan(tmp_path)]
    (todo,) = not_listed(tmp_path, units, '[project]\ndependencies = ["numpy"]\n')
    assert todo.endswith("import: python-dotenv, umap-learn")


def test_an_indented_cell_is_rewritten(tmp_path):
    notebooks(tmp_path, _1_a=["  x = 1", '\n  é = [1,\n   2]\n  np.save("../r/x.npy", é)\n'])
    codes, left = rewritten(tmp_path)
    assert '  save("1_a", {"x.npy": np.asanyarray(é)})' in codes["1_a"]
    assert left == []


def test_results_whose_inputs_are_not_here_are_stale_when_these_come(tmp_path):
    notebooks(
        tmp_path,
        _1_a='a = pd.read_csv("../data/raw.csv")\na.to_pickle("../out/a.pkl")',
        _2_b='a = pd.read_pickle("../out/a.pkl")\na.to_csv("../out/b.csv")',
        _3_c='a = pd.read_csv("../data/other.csv")\na.to_csv("../out/c.csv")',
    )
    (tmp_path / "out").mkdir()
    for name in ("b.csv", "c.csv"):
        (tmp_path / "out" / name).write_text("x\n1\n", encoding="utf-8")
    done = adopt(tmp_path, "--write", "all", "--yes", "--no-git", "--package", "lab")
    assert done.returncode == 0, done.stderr

    def states():
        return {state.step: state.state for state in Lineage(Project(tmp_path)).states()}

    assert states() == {"1_a": "missing", "2_b": "current", "3_c": "current"}
    (tmp_path / "results" / "1_a").mkdir()
    (tmp_path / "results" / "1_a" / "a.pkl").touch()
    (tmp_path / "data" / "other.csv").touch()
    assert states() == {"1_a": "unrecorded", "2_b": "stale", "3_c": "stale"}
