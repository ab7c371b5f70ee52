"""Start kernels fast, by forking a process that has already imported the libraries.

    python tests/sessions/nursery.py

reads lines of JSON, `{"connection": FILE, "folder": FOLDER}`, and starts a kernel for each, with
FOLDER as working directory. Each kernel is a new IPython in a new process. It has not imported the
project; only the libraries are imported already.
"""

import importlib
import json
import os
import signal
import sys

import lab
from ipykernel.kernelapp import IPKernelApp

# what a kernel, its notebook and the first save import, except for the project itself
LIBRARIES = (
    *("ipykernel.debugger", "debugpy.server", "sqlite3", "psutil", "pandas", "pyarrow.parquet"),
    *("blake3", "filelock", "msgspec.json", "packaging.requirements", "tomllib"),
)

OPTIONS = ["--IPKernelApp.log_level=ERROR", "--HistoryManager.hist_file=:memory:"]


def serve() -> None:
    """Start kernels until standard input ends."""
    sys.modules.update(lab.install())
    for name in LIBRARIES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # this process does not wait for its children
    for line in sys.stdin:
        wanted = json.loads(line)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.chdir(wanted["folder"])
            be_kernel(wanted["connection"])


def be_kernel(connection: str) -> None:
    """Turn this process into a kernel, and exit when the kernel ends."""
    lab.restart()
    app = IPKernelApp.instance()
    app.initialize(["-f", connection, *OPTIONS])
    # as the inline backend does
    app.shell.events.register("pre_run_cell", lambda info: lab.FIGURES.clear())
    app.start()
    os._exit(0)


if __name__ == "__main__":
    serve()
