"""Listed folders and missing files count as inputs."""

import pytest
from front_end import HEAD

ONE, TWO = "1_preprocessing", "2_integration"
pytestmark = pytest.mark.slow


def test_samples_outside_data(notebook_of, project):
    folder = project / "samples"
    folder.mkdir()
    (folder / "a.csv").write_text("1")
    count = 'import glob, os\nn = len(glob.glob("../samples/*.csv"))'
    nb = notebook_of([HEAD, count, f'save("{ONE}", {{"n": n}})'])
    nb.run_all()
    assert nb.state() == ("current", [])
    (folder / "b.csv").write_text("1")
    assert nb.state() == ("stale", ["samples/ contains other files"])
    nb.run(2)  # saves the earlier count
    assert "Note: samples/ changed after this notebook read it." in nb.printed
    assert nb.state() == ("stale", ["samples/ contains other files"])
    nb.restart()
    nb.edit(1, 'import os\nos.chdir("../samples")\nn = len(os.listdir())\nos.chdir("../notebooks")')
    nb.run_all()
    assert nb.state() == ("current", [])
    (folder / "b.csv").unlink()
    assert nb.state() == ("stale", ["samples/ contains other files"])


def test_sub_checkpoints_that_a_notebook_finds(notebook_of, project):
    """A sample added later makes results stale; large files that a clone lacks do not."""
    samples = notebook_of([HEAD, f'for s in samples:\n    save(f"{ONE}/{{s}}", {{"n": 1}})'])
    samples.edit(0, f'{HEAD}\nsamples = ["a", "b"]')
    samples.run_all()
    find = f'import pathlib\nfound = sorted(pathlib.Path("../results/{ONE}").glob("*/n.pkl"))'
    nb = notebook_of([HEAD, find, f'save("{TWO}", {{"n": len(found)}})'], TWO)
    nb.run_all()
    assert project.state(TWO) == ("current", [])
    for path in (project / "results" / ONE).glob("*/n.pkl"):
        path.unlink()
    assert project.state(TWO) == ("current", [])
    samples.edit(0, f'{HEAD}\nsamples = ["a", "b", "c"]')
    samples.restart()
    samples.run_all()
    assert project.state(TWO) == ("stale", [f"results/{ONE}/ contains other files"])


ASKS = """import pathlib, subprocess, sys
data = pathlib.Path("../data")
found = [s for s in ("s1", "s2") if (data / f"{s}.txt").exists()]
url = data / "fetched.txt"
if not url.is_file():
    subprocess.run([sys.executable, "-c", f"open({str(url)!r}, 'w').write('1')"], check=True)
text = url.read_text()
(data.parent / "figures").mkdir(exist_ok=(data.parent / "figures").exists())
"""


def test_samples_that_code_looks_for(notebook_of, project):
    """A missing file is an input, so its arrival is noticed; fetched files are inputs, too."""
    (project / "data" / "s1.txt").write_text("1")
    nb = notebook_of([HEAD, ASKS, f'save("{ONE}", {{"n": len(found)}})'])
    nb.run_all()
    assert nb.state() == ("current", [])
    inputs = project.record()["checkpoint"]["inputs"]
    assert inputs["data/s2.txt"] is None
    assert inputs["data/fetched.txt"]["bytes"] == 1
    (project / "data" / "s2.txt").write_text("1")
    assert nb.state() == ("stale", ["data/s2.txt was missing and is there now"])
    nb.run(2)
    assert "Note: data/s2.txt was not there when this notebook asked for it." in nb.printed
    nb.restart()
    nb.run_all()
    assert nb.state() == ("current", [])


def test_completing_a_path_is_no_look_at_a_folder(notebook_of, project):
    nb = notebook_of([HEAD, f'save("{ONE}", {{"n": 1}})'])
    nb.run(0)
    nb.client.complete('open("../data/')
    assert nb.client.get_shell_msg(timeout=60)["content"]["matches"]
    nb.run(1)
    (project / "data" / "new.csv").write_text("1")
    assert nb.state() == ("current", [])


def test_the_folders_of_an_object_are_no_inputs(notebook_of, project):
    """Reading a `.zarr` lists its folders in threads, which must not make them inputs."""
    make = "import anndata, numpy as np\nx = np.eye(3)\natlas = anndata.AnnData(x, layers={'n': x})"
    nb = notebook_of([HEAD, make, f'save("{ONE}", {{"atlas.zarr": atlas}})'])
    nb.run_all()
    read = (
        f"previous = load('{ONE}')\nobs = previous.part('atlas', 'obs')\natlas = previous['atlas']"
    )
    listed = f"import os\nos.listdir('../results/{ONE}/atlas.zarr/layers')"
    nb = notebook_of([HEAD, read, listed, f'save("{TWO}", {{"n": 1}})'], TWO)
    nb.run_all()
    assert list(project.record(TWO)["checkpoint"]["inputs"]) == [f"results/{ONE}"]
