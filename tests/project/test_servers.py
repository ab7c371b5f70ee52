"""Finding notebooks that are open in a real Jupyter server."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from jupyter_client import BlockingKernelClient
from project_under_test import ONE, TWO

from checkpoint import ProjectError
from checkpoint.edit.chain import rename
from checkpoint.project.project import Project
from checkpoint.project.servers import CLOSE, advice, sessions

pytestmark = pytest.mark.slow


@pytest.fixture
def server(project, tmp_path, monkeypatch):
    """Start a Jupyter server in the project; yield a function that sends it API requests."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    options = ["--ServerApp.ip=127.0.0.1", "--no-browser", "--allow-root"]
    options += [f"--ServerApp.root_dir={project}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(300):
        if files := list((tmp_path / "runtime").glob("jpserver-*.json")):
            break
        time.sleep(0.1)
    info = json.loads(files[0].read_text(encoding="utf-8"))

    def ask(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {info['token']}", "Content-Type": "application/json"}
        with urlopen(Request(f"{info['url']}api/{path}", data, headers)) as answer:
            return json.loads(answer.read() or "null")

    yield ask
    process.terminate()
    process.wait(timeout=30)


def opened(ask, path):
    """Open a notebook as a front end does; return its kernel's id and a client."""
    body = {"path": path, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    kernel = ask("sessions", body)["kernel"]["id"]
    file = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"kernel-{kernel}.json"
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    client.hb_channel.pause()  # the heartbeat may give up on a kernel that is still starting
    client.kernel_info()
    client.get_shell_msg(timeout=60)
    # the server may start to listen only after the kernel has reported that it is busy
    wait_until(
        lambda: client.kernel_info() and ask(f"kernels/{kernel}")["execution_state"] == "idle"
    )
    return kernel, client


def wait_until(condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError


def test_a_server_tells_which_notebooks_are_open(server, project):
    project_ = Project(project)
    (Path(os.environ["JUPYTER_RUNTIME_DIR"]) / "jpserver-1.json").write_text("{")  # half-written
    assert sessions(project_) == {}
    said = advice(project_, [f"{ONE}.ipynb", f"{TWO}.ipynb"], CLOSE)
    assert said == f"If {ONE}.ipynb or {TWO}.ipynb is open, c{CLOSE[1:]}"
    kernel, client = opened(server, f"notebooks/{TWO}.ipynb")
    wait_until(lambda: sessions(project_) == {project.notebook(TWO): False})
    assert advice(project_, [f"{ONE}.ipynb", f"{TWO}.ipynb"], CLOSE) == (
        f"Open in Jupyter: {TWO}.ipynb. {CLOSE}"
    )
    client.execute("import time; time.sleep(60)")
    wait_until(lambda: sessions(project_) == {project.notebook(TWO): True})
    with pytest.raises(
        ProjectError, match=f"A cell of notebooks/{TWO}.ipynb is running in Jupyter"
    ):
        rename(project_, TWO, "matching")
    assert project.notebook(TWO).exists()
    server(f"kernels/{kernel}/interrupt", {})
    wait_until(lambda: not sessions(project_)[project.notebook(TWO)])
    assert rename(project_, TWO, "matching") == {TWO: "2_matching"}
    client.stop_channels()
