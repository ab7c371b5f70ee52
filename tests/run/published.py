"""Projects modelled on published ones, with synthetic data."""

import json
import os
import shutil
import signal
import time
from contextlib import contextmanager

import nbformat
import psutil
from project_under_test import generate

from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project

HEAD = "from pathlib import Path\nimport os\nfrom my_project.checkpoint import load, parts, save"
PYTHON = {
    "kernelspec": {"name": "python3", "display_name": "Python", "language": "python"},
    "language_info": {"name": "python"},
}
SHELL = {
    "kernelspec": {"name": "shell", "display_name": "Shell", "language": "bash"},
    "language_info": {"name": "bash"},
}


def cells(*sources, saves=True):
    """Return code cells; if `saves`, the first and last have the tags of load and save cells."""
    made = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    if saves:
        made[0].metadata["tags"] = ["checkpoint-load"]
        made[-1].metadata["tags"] = ["checkpoint-save"]
    return made


class Chain:
    """A project with given notebooks and scripts, and methods that run, kill and query it.

    Code that calls `pause(NAME)` waits there as long as the file `pauses/NAME` exists beside the
    project.
    """

    def __init__(self, folder, notebooks, scripts, settings):
        self.project = generate(folder, pipeline="blank", notebooks="one")
        self.project.notebook("1_one").unlink()
        shutil.rmtree(self.project / "results" / "1_one", ignore_errors=True)
        for place, (metadata, made) in notebooks.items():
            path = self.project / "notebooks" / f"{place}.ipynb"
            path.parent.mkdir(exist_ok=True)
            nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=metadata), path)
        (self.project / "scripts").mkdir()
        for name, code in scripts.items():
            (self.project / "scripts" / name).write_text(code)
        (self.project / "config.yaml").write_text("min_count: 2\n")
        with (self.project / "pyproject.toml").open("a") as file:
            file.write(settings)

    def state(self, step):
        """Return the status of a step or part."""
        return Lineage(Project(self.project)).state(step)

    def killed(self, at, victim):
        """Run the chain and kill the run or its kernel at a pause; return surviving processes."""
        pauses = self.project.parent / "pauses"
        (pauses / at).touch()
        run = self.project.start("run")
        while not (pauses / "reached").exists():
            assert run.poll() is None
            time.sleep(0.1)
        below = psutil.Process(run.pid).children(recursive=True)
        number = run.pid if victim == "run" else int((pauses / "pid").read_text())
        os.kill(number, signal.SIGKILL)
        assert run.wait(30) == (-signal.SIGKILL if victim == "run" else 2)
        alive = psutil.wait_procs(below, timeout=20)[1]  # kernels check their parent once a second
        for path in (pauses / "reached", pauses / at):
            path.unlink()
        return alive


@contextmanager
def changed(path, old, new):
    """Replace a text in a file within the `with` block."""
    before = path.read_bytes()
    assert old in before.decode()
    path.write_bytes(before.decode().replace(old, new).encode())
    try:
        yield
    finally:
        path.write_bytes(before)


def install_kernel(folder, name, argv, language="python", **env):
    """Install a kernel spec in addition to that of the tests' environment."""
    place = folder / "jupyter" / "kernels" / name
    place.mkdir(parents=True)
    spec = {"argv": argv, "display_name": name, "language": language, "env": env}
    (place / "kernel.json").write_text(json.dumps(spec))
