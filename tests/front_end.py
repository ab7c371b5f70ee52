"""A simulated notebook front end with cells, a file and a real kernel."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import zmq
from jupyter_client.manager import KernelManager

from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project

HEAD = "from my_project.checkpoint import data_file, load, save"
EMPTY = ["--IPKernelApp.log_level=ERROR", "--HistoryManager.hist_file=:memory:"]


class FrontEnd:
    """A notebook that is open in a front end.

    Parameters
    ----------
    root
        The folder of the project.
    step
        The notebook's name without its suffix.
    cells
        The source of each cell.
    tags
        A tag by cell number, for the cells that have one.
    with_ids
        Whether the front end sends the id of the cell to the kernel, as JupyterLab does.
    """

    def __init__(
        self, root: Path, step: str, cells: list[str], tags: dict[int, str], with_ids: bool
    ) -> None:
        self.root, self.step, self.with_ids = root, step, with_ids
        self.ids = [f"cell-{number}" for number in range(len(cells))]
        self.cells = dict(zip(self.ids, cells, strict=True))
        self.tags = {f"cell-{number}": tag for number, tag in tags.items()}
        self.printed = ""  # output of the last cell; displays as text
        self.shown: list[dict[str, str]] = []  # its displays, by MIME type
        self.error = ""  # its traceback, without colours
        self.source = root  # the project whose package is installed
        self.save_file()
        self._manager: KernelManager | None = None

    def save_file(self) -> None:
        """Write the current cells to the file."""
        notebook = nbformat.v4.new_notebook()
        for cell_id in self.ids:
            cell = nbformat.v4.new_code_cell(self.cells[cell_id], id=cell_id)
            cell.metadata["tags"] = [self.tags[cell_id]] if cell_id in self.tags else []
            notebook.cells.append(cell)
        nbformat.write(notebook, self.root / "notebooks" / f"{self.step}.ipynb")

    def edit(self, number: int, source: str) -> None:
        """Change a cell, but not the file."""
        self.cells[f"cell-{number}"] = source

    def add(self, number: int, source: str) -> str:
        """Insert a cell at an index, but not in the file, and return its id."""
        cell_id = f"new-{len(self.cells)}"
        self.ids.insert(number, cell_id)
        self.cells[cell_id] = source
        return cell_id

    def remove(self, number: int) -> None:
        """Remove a cell, but not from the file."""
        self.ids.remove(f"cell-{number}")

    def swap(self, one: int, other: int) -> None:
        """Swap two cells, but not in the file."""
        places = [self.ids.index(f"cell-{number}") for number in (one, other)]
        self.ids[places[0]], self.ids[places[1]] = self.ids[places[1]], self.ids[places[0]]

    def run(self, *numbers: int) -> None:
        """Run cells by their numbers."""
        for number in numbers:
            self.run_cell(f"cell-{number}")

    def run_all(self) -> None:
        """Run the cells from top to bottom, except those tagged `skip-execution`."""
        for cell_id in self.ids:
            if self.tags.get(cell_id) != "skip-execution":
                self.run_cell(cell_id)

    def run_cell(self, cell_id: str) -> None:
        """Run a cell by its id."""
        self.execute(self.cells[cell_id], cell_id)

    def execute(self, source: str, cell_id: str | None = None) -> str:
        """Run code, and return `ok` or the name of the error."""
        client = self._client
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,  # an error does not cancel queued cells
        }
        message = client.session.msg("execute_request", content)
        if cell_id and self.with_ids:
            message["metadata"] = {"cellId": cell_id}
        client.shell_channel.send(message)
        said: list[str] = []
        places: dict[str | None, int] = {}
        self.shown, self.error = [], ""
        while True:
            reply = client.get_iopub_msg(timeout=60)
            if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if reply["msg_type"] == "stream":
                said.append(reply["content"]["text"])
            if reply["msg_type"] in ("display_data", "execute_result"):
                self.shown.append(reply["content"]["data"])
            if reply["msg_type"] == "display_data":
                places[reply["content"]["transient"].get("display_id")] = len(said)
            if reply["msg_type"] in ("display_data", "update_display_data"):
                place = places[reply["content"]["transient"].get("display_id")]
                said[place : place + 1] = [reply["content"]["data"]["text/plain"] + "\n"]
            if reply["msg_type"] == "error":
                self.error = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(reply["content"]["traceback"]))
            if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                break
        answer = client.get_shell_msg(timeout=60)
        while answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            answer = client.get_shell_msg(timeout=60)
        self.printed = "".join(said)
        return answer["content"].get("ename", "ok")

    def restart(self) -> None:
        """Stop the kernel; the next cell starts a new one."""
        if self._manager:
            self.client.stop_channels()
            self._manager.shutdown_kernel(now=True)
            self._manager = None

    def state(self, step: str | None = None) -> tuple[str, list[str]]:
        """Save the notebook, and return the state of its step and the reasons."""
        self.save_file()
        state = Lineage(Project(self.root)).state(step or self.step)
        return state.state, state.reasons

    @property
    def _client(self):
        if self._manager is None:
            try:
                self._start()
            except (RuntimeError, zmq.ZMQError):  # another kernel took the same port
                self._manager.shutdown_kernel(now=True)
                self._start()
        return self.client

    def _start(self):
        self._manager = KernelManager(kernel_name="python3")
        self._manager.context.setsockopt(zmq.SNDTIMEO, 10_000)  # ms, instead of waiting forever
        env = {**os.environ, "PYTHONPATH": str(self.source / "src")}
        self._manager.start_kernel(cwd=str(self.root / "notebooks"), env=env, extra_arguments=EMPTY)
        self.client = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
