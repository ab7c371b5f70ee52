"""A kernel for a language other than Python: each cell is an `sh` script."""

import subprocess

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class Shell(Kernel):
    """A kernel that runs each cell in a new shell, so variables do not persist."""

    implementation = "shell"
    implementation_version = "1"
    banner = ""

    @property
    def language_info(self):
        """Return the language metadata that a notebook records."""
        return {"name": "bash", "mimetype": "text/x-sh", "file_extension": ".sh"}

    def do_execute(self, code, silent, *rest, **options):
        """Run a cell and return the reply message."""
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
