"""Random sessions in real kernels: results that differ from the notebook's are never `current`."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest
from front_end import FrontEnd
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from project_under_test import generate
from sessions import lab
from sessions.notebooks import STEP, notebook
from sessions.simulate import MIXES, Person, fresh, repeatable, stage

from checkpoint.project.project import Project
from checkpoint.replay import Cell, judge
from checkpoint.storage import committed, kernel_run
from checkpoint.storage.checkpoint import Checkpoint
from checkpoint.storage.json_record import parse

IMPORT = "from my_project.checkpoint import save"
SESSIONS = 8
NURSERY = Path(__file__).with_name("nursery.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a generated project with one notebook."""
    root = generate(tmp_path_factory.mktemp("kernels"), pipeline="blank", notebooks="out")
    lab.table(3).to_csv(root / "notebooks" / "in.csv", index=False)
    return root


@pytest.fixture(scope="module")
def nursery(project):
    """Yield a nursery whose kernels can import the project, and a folder for their sockets."""
    env = {**os.environ, "PYTHONPATH": str(project / "src"), "OPENBLAS_NUM_THREADS": "1"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # so that kernels share the project's bytecode
    command = [sys.executable, str(NURSERY)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    with (
        tempfile.TemporaryDirectory() as sockets,  # socket paths must be under 100 characters
        subprocess.Popen(command, env=env, text=True, start_new_session=True, **pipes) as process,
    ):
        yield process, sockets
        os.killpg(process.pid, signal.SIGTERM)  # a failed test may leave a kernel behind


class RealKernel(FrontEnd):
    """A front end with the interface that `Person` needs of a kernel."""

    def __init__(self, root, cells, with_ids, nursery):
        super().__init__(root, STEP, cells, {}, with_ids)
        (self.nursery, self.sockets), self.client = nursery, None

    def run(self, source, cell=None):
        return self.execute(source, cell) == "ok"

    def restart(self):
        if self.client:
            self.client.shutdown()
            self.client.stop_channels()
            self.client = None

    @property
    def _client(self):
        if self.client is None:
            connection, _ = write_connection_file(
                fname=str(self.root.parent / "kernel.json"),  # the last kernel has read it
                transport="ipc",  # with TCP, another process might take the port before the kernel
                ip=f"{self.sockets}/kernel",
            )
            wanted = {"connection": connection, "folder": str(self.root / "notebooks")}
            print(json.dumps(wanted), file=self.nursery.stdin, flush=True)
            self.client = BlockingKernelClient(connection_file=connection)
            self.client.load_connection_file()
            self.client.start_channels(hb=False)  # it takes a slow start for a death
            self.client.wait_for_ready(timeout=60)
        return self.client


def work(project, nursery, mix, number):
    """Let a person work in a notebook; return its front end, without cell ids for odd numbers."""
    r = random.Random(f"{mix} {number}")
    cells = [IMPORT, *notebook(r)]
    front_end = RealKernel(project, cells, number % 2 == 0, nursery)
    person = Person(r, MIXES[mix], cells, front_end)
    try:
        person.work()
    finally:
        front_end.restart()
    front_end.ids, front_end.cells = person.ids, dict(zip(person.ids, cells, strict=True))
    return front_end


def is_true(front_end):
    """Return whether the results are the notebook's, or vary between runs for lack of a seed."""
    cells = [front_end.cells[cell_id] for cell_id in front_end.ids]
    project, own = Project(front_end.root), cells[1:]  # without the cell that imports `save`
    saved = Checkpoint(project, STEP)
    if lab.canonical({key: saved[key] for key in saved}) == fresh(own):
        return True
    folder = project.results_of(STEP)
    executions = kernel_run.executions_of(folder, parse(committed.read_raw(folder)).run)
    verdict = judge(executions, [Cell(source) for source in cells], STEP)
    return verdict.unseeded and not repeatable(own)


@pytest.mark.parametrize("mix", MIXES)
def test_no_session_is_current_that_is_not(project, nursery, mix):
    found = Counter()
    with stage():
        for number in range(SESSIONS):
            front_end = work(project, nursery, mix, number)
            state, _ = front_end.state()
            assert state != "current" or is_true(front_end), f"session {number} of {mix}"
            found[state] += 1
            shutil.rmtree(project / "results" / STEP, ignore_errors=True)
            (project / "notebooks" / "tmp.csv").unlink(missing_ok=True)
    assert found["missing"] < SESSIONS / 2
    assert found["current"] > SESSIONS / 8  # guards against calling every session unclean


def test_cells_that_run_others_and_cells_that_end_without_a_result(project):
    """`%%capture` runs a cell inside another; a cell interrupted in an `await` has no result."""
    hides = "%%capture\ny = 1\n1 / n"
    cells = [f"%%capture\n{IMPORT}\n", "n = 1", "%%capture out\nprint(n)\nx = [n]", hides]
    front = FrontEnd(project, STEP, [*cells, f"save('{STEP}', {{'x': x}})"], {}, with_ids=True)
    try:
        for _ in range(2):
            front.run_all()
            assert front.state() == ("current", [])
        front.execute("", "empty")
        stop = threading.Timer(1, lambda: front._manager.interrupt_kernel())
        stop.start()
        waits = "import asyncio\nx.append(2)\nawait asyncio.sleep(30)"
        assert front.execute(waits, "scratch") == "CancelledError"
        front.run(4)
        assert front.state()[0] == "unclean"
        front.edit(1, "n = 0")
        front.restart()
        front.run_all()
        assert front.state() == ("unclean", ["cell `%%capture` ended in an error that it hides"])
    finally:
        front.restart()
