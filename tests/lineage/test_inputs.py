"""The files that results are made from, found while the notebook runs, in a real kernel."""

import json
import os
import shutil
import sqlite3
import sys

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from front_end import HEAD, FrontEnd

ONE, TWO = "1_preprocessing", "2_integration"
pytestmark = pytest.mark.slow


@pytest.fixture
def lab(project):
    """Return a project with input files of many kinds."""
    data = project / "data"
    (data / "samples").mkdir()
    table = pd.DataFrame({"a": [1, 2]})
    table.to_csv(data / "table.csv")
    table.to_csv(data / "samples" / "s1.csv")
    for name in ("early", "pandas", "arrow", "lazy", "schema"):
        table.to_parquet(data / f"{name}.parquet")
    np.save(data / "array.npy", np.arange(3))
    anndata.AnnData(np.ones((2, 2))).write_h5ad(data / "cells.h5ad")
    write_10x(data / "tenx.h5")
    (data / "mtx").mkdir()
    for name, text in {"matrix.mtx": MATRIX, "barcodes.tsv": "c\n", "genes.tsv": "g\tg\n"}.items():
        (data / "mtx" / name).write_text(text)
    with h5py.File(data / "plain.h5", "w") as file:
        file["x"] = [1]
    for name in ("notes.db", "uri.db"):
        connection = sqlite3.connect(data / name)
        connection.execute("create table t (a)")
        connection.close()
    for name in ("shown.txt", "piped.txt"):
        (data / name).write_text("1")
    (project / "config.yaml").write_text("n: 1\n")
    (project / "notebooks" / "helpers.py").write_text("K = 1\n")
    (project / "notebooks" / "setup.py").write_text("J = 1\n")
    for path in data.rglob("*.*"):
        os.utime(path, (1.6e9, 1.6e9))  # process start times are not exact
    return project


MATRIX = "%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 1\n"


def write_10x(path):
    with h5py.File(path, "w") as file:
        matrix = file.create_group("matrix")
        matrix["data"], matrix["indices"], matrix["indptr"] = [1], [0], [0, 1]
        matrix["shape"], matrix["barcodes"] = [1, 1], np.array([b"c"])
        features = matrix.create_group("features")
        for name in ("id", "name", "feature_type", "genome"):
            features[name] = np.array([b"g"])


CELLS = [
    'import pyarrow.parquet as pq\nearly = pq.read_table("../data/early.parquet")',
    HEAD,
    "import sqlite3, helpers, pathlib\nimport numpy as np, pandas as pd",
    "%run setup.py",
    'config = pathlib.Path("..", "config.yaml").read_text()',
    'folder = pathlib.Path("../data")\npd.read_csv(folder / "table.csv")',
    'np.load(folder / "array.npy")',
    'pd.read_parquet(folder / "pandas.parquet")',
    'pq.ParquetFile(folder / "arrow.parquet").read()',
    "import anndata, h5py, scanpy",
    'anndata.read_h5ad(folder / "cells.h5ad"); scanpy.read_10x_h5(folder / "tenx.h5")',
    'scanpy.read_10x_mtx(folder / "mtx")',
    'with h5py.File(folder / "plain.h5") as file: x = file["x"][:]',
    'sqlite3.connect(folder / "notes.db").execute("select * from t").fetchall()',
    "import subprocess\nshown = !cat ../data/shown.txt",
    'subprocess.run(["cat", folder / "piped.txt"])',
    'sqlite3.connect(f"file:{folder}/uri.db?mode=ro", uri=True).execute("select * from t")',
    'pq.read_schema(folder / "schema.parquet")',
    'samples = [pd.read_csv(path) for path in (folder / "samples").glob("*.csv")]',
    'pd.DataFrame({"a": [1]}).to_csv("../own.csv"); pd.read_csv("../own.csv")',
    'pathlib.Path("../flag").touch()',
    "try:\n    open('../data/later.txt')\nexcept FileNotFoundError:\n    pass",
    f"try:\n    load('{TWO}')\nexcept FileNotFoundError:\n    pass",
    f'save("{ONE}", {{"n": len(samples)}})',
]
READ = [
    *("config.yaml", "data/array.npy", "data/arrow.parquet", "data/cells.h5ad"),
    *("data/early.parquet", "data/later.txt", "data/mtx/barcodes.tsv", "data/mtx/genes.tsv"),
    *("data/mtx/matrix.mtx", "data/notes.db", "data/pandas.parquet"),
    *("data/piped.txt", "data/plain.h5", "data/samples/", "data/samples/s1.csv"),
    *("data/schema.parquet", "data/shown.txt", "data/table.csv", "data/tenx.h5", "data/uri.db"),
    f"results/{TWO}",
]


@pytest.fixture
def notebook(lab):
    front_end = FrontEnd(lab, ONE, CELLS, {}, with_ids=True)
    for cell_id in front_end.ids:
        assert front_end.execute(front_end.cells[cell_id], cell_id) == "ok", front_end.printed
    yield front_end
    front_end.restart()


def test_what_the_session_read_are_its_inputs(notebook, lab):
    record = json.loads((lab / "results" / ONE / "params.json").read_text())["checkpoint"]
    assert list(record["inputs"]) == READ
    own = ["notebooks/helpers.py", "notebooks/setup.py", "src/my_project/__init__.py"]
    assert list(record["modules"]) == own
    assert record.get("notes", []) == []
    assert notebook.state() == ("current", [])
    for name in READ[:-1]:
        path = lab / name
        if name.endswith("/"):
            (path / "s2.csv").write_text("a\n1\n")
            changed, undo = f"{name} contains other files", (path / "s2.csv").unlink
        elif path.exists():
            content = path.read_bytes()
            path.write_bytes(content + b"0")
            changed, undo = f"{name} changed", lambda p=path, c=content: p.write_bytes(c)
        else:
            path.write_text("x")
            changed, undo = f"{name} was missing and is there now", path.unlink
        assert notebook.state() == ("stale", [changed])
        undo()
        assert notebook.state() == ("current", [])
    for name, text in (("helpers.py", "K = 2\n"), ("setup.py", "J = 2\n")):
        path = lab / "notebooks" / name
        before = path.read_text()
        path.write_text(text)
        assert notebook.state() == ("edited", [f"notebooks/{name} changed"])
        path.write_text(before)


def test_a_checkpoint_that_is_made_later(notebook, lab):
    from checkpoint import save
    from checkpoint.storage import session

    session.forget()
    save(TWO, {"a": 1})
    assert notebook.state() == ("stale", [f"results/{TWO} was regenerated"])


@pytest.mark.parametrize("read", ["pd.read_parquet('{}')", "get_ipython().getoutput('wc -c {}')"])
def test_results_that_are_read_by_path(project, read):
    from checkpoint import save
    from checkpoint.storage import session

    session.forget()
    save(ONE, {"table": pd.DataFrame({"a": [1]})})
    os.utime(project / "results" / ONE / "table.parquet", (1.6e9, 1.6e9))
    read = f"import pandas as pd\nt = {read.format(f'../results/{ONE}/table.parquet')}"
    nb = FrontEnd(project, TWO, [HEAD, read, f'save("{TWO}", {{"n": len(t)}})'], {}, True)
    try:
        nb.run_all()
        assert nb.state() == ("current", [])
        session.forget()
        save(ONE, {"table": pd.DataFrame({"a": [2]})})
        reason = f"results/{ONE} was regenerated with different content"
        assert nb.state() == ("stale", [reason])
    finally:
        nb.restart()


def test_a_file_that_changed_after_it_was_read(project):
    raw = project / "data" / "raw.txt"
    raw.write_text("1")
    cells = [HEAD, 'text = open("../data/raw.txt").read()', f'save("{ONE}", {{"t": text}})']
    nb = FrontEnd(project, ONE, cells, {}, True)
    try:
        nb.run(0, 1)
        raw.write_text("22")
        nb.run(2)
        assert "Note: data/raw.txt changed after this notebook read it." in nb.printed
        assert nb.state() == ("stale", ["data/raw.txt changed"])
    finally:
        nb.restart()


def test_the_modules_of_another_copy(project, tmp_path):
    """A copied project may import modules of the installed original, so its results are unclean."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    tools = "src/my_project/tools.py"
    (project / tools).write_text("N = 1\n")
    (copy / tools).write_text("N = 2\n")
    cells = [HEAD, "from my_project.tools import N", f'save("{ONE}", {{"n": N}})']
    nb = FrontEnd(copy, ONE, cells, {}, True)
    nb.source = project
    try:
        nb.run_all()
        assert str(project / "src" / "my_project") in nb.printed
        assert "pip install -c constraints.txt -e ." in nb.printed
        state, reasons = nb.state()
        assert state == "unclean"
        assert str(project / "src" / "my_project") in reasons[0]
        (project / tools).unlink()  # now only the copy has the module
        nb.restart()
        nb.edit(1, "try:\n    from my_project.tools import N\nexcept ImportError:\n    N = 0")
        nb.run_all()
        assert nb.state()[0] == "unclean"
    finally:
        nb.restart()


def test_a_file_that_comes_after_a_cell_missed_it(notebook_of, project):
    """The failed first read had no effect, so the file is an input like any other."""
    read = 'text = open("../data/raw.txt").read()'
    nb = notebook_of([HEAD, read, f'save("{ONE}", {{"t": text}})'])
    nb.run(0)
    assert nb.execute(read, "cell-1") == "FileNotFoundError"
    (project / "data" / "raw.txt").write_text("1")
    nb.run(1, 2)
    assert nb.state() == ("current", [])
    (project / "data" / "raw.txt").write_text("2")
    assert nb.state() == ("stale", ["data/raw.txt changed"])


def test_a_checkpoint_that_was_loaded_twice(notebook_of, project):
    """Variables made from the first version are outdated until their cells run again."""
    from checkpoint import save
    from checkpoint.storage import session

    load, use = f'previous = load("{ONE}")', 'x = previous["x"]'
    nb = notebook_of([HEAD, load, use, f'save("{TWO}", {{"x": x}})'], step=TWO)
    nb.run(0)
    assert nb.execute(load, "cell-1") == "CheckpointNotFoundError"
    save(ONE, {"x": 1})
    nb.run(1, 2, 1, 3)
    assert nb.state() == ("current", [])
    session.forget()
    save(ONE, {"x": 2})
    nb.run(1, 3)
    reason = f"cell `{use}` did not run since results/{ONE} was read with other content"
    assert f"Note: Not a clean run: {reason}; restart the kernel and run all." in nb.printed
    assert nb.state() == ("unclean", [f"{reason}; restart the kernel and run all"])
    nb.run(2, 1, 3)  # in another order
    assert nb.state()[0] == "unclean"
    nb.run_all()
    assert "Note" not in nb.printed
    assert nb.state() == ("current", [])
    session.forget()
    save(ONE, {"x": 3})
    assert nb.state()[0] == "stale"
    nb.run(1, 2, 3)
    assert nb.state() == ("current", [])


def test_a_checkpoint_that_a_cell_loaded_twice(notebook_of, project):
    """It is unknown which version the cell's results come from, so they are stale."""
    from checkpoint import save
    from checkpoint.storage import session

    save(ONE, {"x": 1})
    other = project / "notebooks" / "other"
    shutil.copytree(project / "results" / ONE, other)
    session.forget()
    save(ONE, {"x": 2})
    copy = f'shutil.copytree("other", "../results/{ONE}", dirs_exist_ok=True)'
    read = f'load("{ONE}")["x"]'
    cells = [HEAD, f"import shutil\nx = {read}\n{copy}\nx += {read}", f'save("{TWO}", {{"x": x}})']
    nb = notebook_of(cells, step=TWO)
    nb.run_all()
    assert nb.state()[0] == "stale"


def test_a_checkpoint_that_a_module_loads(notebook_of, project):
    """After a change of the checkpoint, all cells that loaded it have to run again."""
    from checkpoint import save
    from checkpoint.storage import session

    get = f"from .checkpoint import load\n\n\ndef get():\n    return load('{ONE}')['x']\n"
    (project / "src" / "my_project" / "tools.py").write_text(get)
    save(ONE, {"x": 1})
    tools = "from my_project import tools"
    cells = [HEAD, tools, "a = tools.get()", "b = tools.get()", f'save("{TWO}", {{"x": [a, b]}})']
    nb = notebook_of(cells, step=TWO)
    nb.run_all()
    assert nb.state() == ("current", [])
    session.forget()
    save(ONE, {"x": 2})
    nb.run(3, 4)
    assert nb.state()[0] == "unclean"
    nb.run(2, 3, 4)
    assert nb.state() == ("current", [])


def test_scripts_count_as_they_were_when_they_ran(notebook_of, project):
    notebooks = project / "notebooks"
    (notebooks / "setup.py").write_text(f"{HEAD}\nJ = 1\n")
    (notebooks / "more.py").write_text("K = 1\n")
    FrontEnd(project, "0_helper", ["H = 1"], {}, True)
    cells = ["%run setup.py", "%run more.py", "%run 0_helper.ipynb"]
    nb = notebook_of([*cells, f'save("{ONE}", {{"n": J + K + H}})'])
    nb.run_all()
    assert nb.state() == ("current", [])
    for name in ("setup.py", "0_helper.ipynb"):
        before = (notebooks / name).read_text()
        (notebooks / name).write_text(before.replace("= 1", "= 2"))
        assert nb.state() == ("edited", [f"notebooks/{name} changed"])
        (notebooks / name).write_text(before)
    (notebooks / "more.py").write_text("K = 2\n")
    nb.run(3)
    assert nb.state() == ("edited", ["notebooks/more.py changed"])


@pytest.mark.parametrize(
    "command",
    [
        "t = !{python} ../scripts/tool.py",
        "!{python} ../scripts/tool.py > out.txt\nt = open('out.txt').read()",
        "%%bash --out t\n{python} ../scripts/tool.py",
        "import subprocess\nt = subprocess.check_output('{python} ../scripts/tool.py', shell=True)",
        "import subprocess\nt = subprocess.check_output(['{python}', 'tool.py'], cwd='../scripts')",
    ],
)
def test_scripts_that_commands_name(notebook_of, project, command):
    """Scripts count as they were when the command ran, even if edited after the kernel started."""
    script = project / "scripts" / "tool.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text("print(0)\n")
    run = command.replace("{python}", sys.executable)
    nb = notebook_of([HEAD, run, f'save("{ONE}", {{"t": list(t)}})'])
    nb.run(0)
    script.write_text("print(1)\n")
    nb.run(1, 2)
    assert nb.state() == ("current", [])
    script.write_text("print(2)\n")
    assert nb.state() == ("edited", ["scripts/tool.py changed"])
    nb.run(2)
    assert nb.state() == ("edited", ["scripts/tool.py changed"])


def test_files_that_commands_name(notebook_of, project):
    """Files that commands leave unchanged are inputs; files they make, change or remove are not."""
    for name in ("a b.txt", "one.txt", "two.txt"):
        (project / "data" / name).write_text("0")
    (project / "notebooks" / "sorted.txt").write_text("of an earlier run")
    cells = [
        HEAD,
        "import subprocess; subprocess.run(['cat', '../data/a b.txt'])",
        "!cat ../data/o*.txt ../data/two.txt > sorted.txt",
        "!cp sorted.txt copy.txt",
        "!cat copy.txt > last.txt",
        "!rm copy.txt",
        "!sort -r ../data/one.txt > sorted.txt",
        f'save("{ONE}", {{"t": open("last.txt").read()}})',
    ]
    nb = notebook_of(cells)
    nb.run(0)
    for name in ("one.txt", "two.txt"):
        (project / "data" / name).write_text("1")
    nb.run(*range(1, len(cells)))
    assert nb.state() == ("current", [])
    for name in ("a b.txt", "one.txt", "two.txt"):
        path = project / "data" / name
        content = path.read_text()
        path.write_text("2")
        assert nb.state() == ("stale", [f"data/{name} changed"])
        path.write_text(content)


def test_a_text_that_names_no_file(notebook_of):
    nb = notebook_of([HEAD, 'separator = "a\\0b"', f'save("{ONE}", {{"s": separator}})'])
    nb.run_all()
    assert nb.state() == ("current", [])


def test_results_of_a_hand_written_cell_that_are_read_by_path(notebook_of, project):
    folder = project / "results" / "manual"
    folder.mkdir()
    (folder / "labels.csv").write_text("a\n1\n")
    read = 't = open("../results/manual/labels.csv").read()'
    nb = notebook_of([HEAD, read, f'save("{ONE}", {{"t": t}})'])
    nb.run_all()
    assert nb.state() == ("current", [])
    (folder / "labels.csv").write_text("a\n2\n")
    assert nb.state() == ("stale", ["results/manual was regenerated with different content"])
