"""Long operations show a progress bar, in notebooks and terminals, and leave one line."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from project_under_test import ONE

pytestmark = pytest.mark.slow
LINES = r"""
import numpy as np
from pathlib import Path
import my_project.checkpoint.progress as progress
from my_project.checkpoint import data_file, load, save
progress.PATIENCE = progress.PAUSE = 0
"""
SAVE = f"""
save("{ONE}", {{"x.npy": np.zeros(5_000_000), "raw": Path("../data/raw.bin")}})
values = load("{ONE}")["x"]
"""
EXPECTED = [
    "Wrote x.npy: 40.0 MB in 0 s",
    "Wrote raw.bin: 9.0 MB in 0 s",
    "Hashed x.npy: 40.0 MB in 0 s",
    "Hashed raw.bin: 9.0 MB in 0 s",
    "Hashed data/raw.bin: 9.0 MB in 0 s",
    "Read x.npy: 40.0 MB in 0 s",
]


@pytest.fixture
def raw(project):
    (project / "data" / "raw.bin").write_bytes(b"x" * 9_000_000)
    return project


def test_in_a_notebook(raw):
    """An executed notebook keeps only the final line of each bar, so that it stays readable."""
    cells = [nbformat.v4.new_code_cell(code) for code in (LINES, SAVE)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, resources={"metadata": {"path": str(raw / "notebooks")}})
    shown = []
    show = client.process_message
    client.process_message = lambda message, *rest: (shown.append(message), show(message, *rest))[1]
    client.execute(env=raw.environment())
    outputs = notebook.cells[1].outputs
    displayed = [one.data for one in outputs if one.output_type == "display_data"]
    displayed = [data for data in displayed if " MB in " in data["text/plain"]]
    lines = [data["text/plain"] for data in displayed]
    printed = "".join(one.text for one in outputs if one.output_type == "stream")
    lines += [line for line in printed.splitlines() if " MB in " in line]
    assert {line[:-4] for line in EXPECTED} == {line[:-4] for line in lines}
    assert all(set(data) == {"text/plain"} for data in displayed)
    bars = [
        one["content"]["data"]["text/plain"]
        for one in shown
        if one["msg_type"] == "update_display_data"
    ]
    bar = next(bar for bar in bars if bar.startswith("Writing x.npy") and "/40.0 MB" in bar)
    assert bar.endswith("left")


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
def test_in_a_terminal_and_in_a_log(raw):
    code = LINES + SAVE
    command = [sys.executable, "-c", code]
    folder = raw / "notebooks"
    done = subprocess.run(
        command, cwd=folder, env=raw.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if " MB in " in line]
    assert {line[:-4] for line in EXPECTED} == {line[:-4] for line in lines}
    assert "left" not in done.stdout + done.stderr

    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**raw.environment(), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 1 << 16):
            shown += block
    except OSError:  # end of the pseudo-terminal on Linux
        os.close(ours)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Writing x.npy" in shown and b"/40.0 MB" in shown
    assert "Wrote x.npy: 40.0 MB in " in printed
