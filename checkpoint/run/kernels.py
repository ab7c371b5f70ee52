"""The kernels of a run, each started while the notebook before it runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import CheckpointError
from ..notebooks import notebook
from ..notebooks.recipe import OUTPUT
from ..project.chain import Step
from ..project.project import Project
from ..project.settings import FILE, LOCAL, read_kernels

if TYPE_CHECKING:
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from jupyter_client.manager import AsyncKernelManager

Wanted = tuple[str, Path, Path | None]  # name, folder to work in, folder to write into

KERNEL = "python3"
STARTING = 60  # seconds to wait for a kernel to answer
# the history file in the home folder is for the user's own sessions
ARGUMENTS = ["--IPKernelApp.log_level=ERROR", "--HistoryManager.hist_file=:memory:"]


def kernel_of(project: Project, step: Step) -> str:
    """Return the kernel of a notebook: from the settings, else the notebook, else `python3`.

    Raises `CheckpointError` if neither names one and the notebook is not in Python.
    """
    content = notebook.read_whole(step.path)
    named = read_kernels(project).get(step.name) or notebook.kernel(content)
    language = notebook.language(content)
    if named is None and language != "python":
        raise CheckpointError(
            f"{project.show(step.path)} is in {language} and names no kernel. Choose one in "
            f"JupyterLab, or set it in {FILE}: [tool.checkpoint.kernels] {step.name} = ….",
            step=step.name,
            found=language,
        )
    return named or KERNEL


def refuse_missing(project: Project, steps: Iterable[Step]) -> None:
    """Raise `CheckpointError` if the kernel of a notebook is not installed here."""
    from jupyter_client.kernelspec import KernelSpecManager

    known = sorted(KernelSpecManager().find_kernel_specs())
    for step in steps:
        kernel = kernel_of(project, step)
        if kernel not in known:
            raise CheckpointError(
                f"{project.show(step.path)} runs in the kernel {kernel!r}, which is not installed "
                f"here; there are {', '.join(known) or 'none'}. Install it, or set another: in "
                f"{FILE}, [tool.checkpoint.kernels] {step.name} = …, or in {LOCAL}, for this "
                f"machine alone, [kernels] {step.name} = ….",
                step=step.name,
                expected=known,
                found=kernel,
            )


class Kernel(NamedTuple):
    """A started kernel: the manager and client of `jupyter_client`."""

    manager: AsyncKernelManager
    client: AsyncKernelClient

    async def stop(self, *, now: bool) -> None:
        """End the kernel: at once if `now`, otherwise after its exit handlers."""
        self.client.stop_channels()
        await self.manager.shutdown_kernel(now=now)


class Kernels:
    """Start and end the kernels of a run, each in the folder of its notebook.

    Starting a kernel takes about a second and ending it some tenths of a second; both happen while
    another notebook runs.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._starting: dict[Wanted, asyncio.Task[Kernel]] = {}
        self._abandoned: list[asyncio.Task[Kernel]] = []  # cancelled while they started
        self._taken: list[Kernel] = []
        self._ending: list[asyncio.Task[None]] = []

    def prepare(self, step: Step, output: Path | None = None) -> Wanted:
        """Start a kernel for a notebook unless one is starting; return its key in `_starting`."""
        wanted = kernel_of(self._project, step), step.folder, output
        if wanted not in self._starting:
            self._starting[wanted] = asyncio.create_task(_start(*wanted))
        return wanted

    async def take(self, step: Step, output: Path | None = None) -> Kernel:
        """Return a kernel in which nothing has run, for a notebook.

        `output` is the folder into which a notebook in another language writes.
        """
        task = self._starting.pop(self.prepare(step, output))
        try:
            kernel = await asyncio.shield(task)
        except asyncio.CancelledError:
            self._abandoned.append(task)
            raise
        self._taken.append(kernel)
        return kernel

    def give_back(self, kernel: Kernel) -> asyncio.Task[None]:
        """End a kernel in which a notebook has run; return the task that waits for its end."""
        self._taken.remove(kernel)
        self._ending.append(asyncio.create_task(kernel.stop(now=False)))
        return self._ending[-1]

    async def interrupt(self) -> None:
        """Kill the busy kernels; they would log errors if nbclient left them running."""
        for kernel in self._taken:
            if kernel.manager.provisioner:
                await kernel.manager.provisioner.kill()

    async def close(self) -> None:
        """End all kernels: the finished ones in order, the unused and interrupted ones at once."""
        starting = [*self._starting.values(), *self._abandoned]
        unused = await asyncio.gather(*starting, return_exceptions=True)
        self._taken += [kernel for kernel in unused if isinstance(kernel, Kernel)]
        await asyncio.gather(*self._ending, *(kernel.stop(now=True) for kernel in self._taken))


async def _start(name: str, folder: Path, output: Path | None) -> Kernel:
    """Start a kernel; retry once, since two that start together may choose the same port."""
    from jupyter_client.kernelspec import NoSuchKernel
    from zmq import ZMQError

    try:
        try:
            return await _start_once(name, folder, output)
        except (RuntimeError, ZMQError):
            return await _start_once(name, folder, output)
    except (OSError, RuntimeError, NoSuchKernel, ZMQError) as error:
        raise CheckpointError(
            f"The kernel {name!r} cannot be started: {error}. Register it in its environment: "
            f"`python -m ipykernel install --sys-prefix --name {name}`.",
            expected=name,
        ) from error


async def _start_once(name: str, folder: Path, output: Path | None) -> Kernel:
    import zmq
    from jupyter_client.kernelspec import get_kernel_spec
    from jupyter_client.manager import AsyncKernelManager

    in_python = str(get_kernel_spec(name).language).lower() == "python"
    manager = AsyncKernelManager(kernel_name=name)
    # otherwise, a message to a port of another kernel, which has another key, would wait forever
    manager.context.setsockopt(zmq.SNDTIMEO, 10_000)
    await manager.start_kernel(
        cwd=str(folder),
        extra_arguments=ARGUMENTS if in_python else [],
        env={**os.environ, **({OUTPUT: str(output.absolute())} if output else {})},
    )
    client = manager.client()
    client.start_channels()
    kernel = Kernel(manager, client)
    try:
        await client.wait_for_ready(timeout=STARTING)
    except BaseException:
        await kernel.stop(now=True)
        raise
    client.allow_stdin = False
    return kernel
