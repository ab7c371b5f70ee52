"""A kernel of another language than Python: each cell is a script of `sh`."""

import subprocess

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class Shell(Kernel):
    """Runs the cells, without keeping variables from one to the next."""

    implementation = "shell"
    implementation_version = "1"
    banner = ""

    @property
    def language_info(self):
        """Return what a notebook says of its language."""
        return {"name": "bash", "mimetype": "text/x-sh", "file_extension": ".sh"}

    def do_execute(self, code, silent, *rest, **options):
        """Run a cell."""
        done = subprocess.run(
            ["sh", "-ec", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        reply = {"status": "ok", "user_expressions": {}}
        if done.returncode:
            error = {"ename": "ShellError", "evalue": str(done.returncode)}
            reply = {"status": "error", **error, "traceback": [done.stdout]}
            self.send_response(self.iopub_socket, "error", {**error, "traceback": [done.stdout]})
        else:
            text = {"name": "stdout", "text": done.stdout}
            self.send_response(self.iopub_socket, "stream", text)
        return {"execution_count": self.execution_count, "payload": [], **reply}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=Shell)
