"""The kernels of a run, each started while the notebook before it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckpointError
from ..project.chain import Step
from .selection import KERNEL

if TYPE_CHECKING:
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from jupyter_client.manager import AsyncKernelManager

# without the history file in the home folder, which holds the user's own sessions
ARGUMENTS = ["--IPKernelApp.log_level=ERROR", "--HistoryManager.hist_file=:memory:"]


class Kernel:
    """A kernel that has started and in which nothing has run.

    Attributes
    ----------
    manager, client
        The manager and client of `jupyter_client`.
    """

    def __init__(self, manager: AsyncKernelManager, client: AsyncKernelClient) -> None:
        self.manager = manager
        self.client = client

    async def stop(self, *, now: bool) -> None:
        """End the kernel: at once, or after its exit handlers."""
        self.client.stop_channels()
        await self.manager.shutdown_kernel(now=now)


class Kernels:
    """Starts and ends the kernels of a run, which work in the folders of their notebooks.

    Starting a kernel takes about a second, ending it some tenths; both happen while a notebook
    runs.
    """

    def __init__(self) -> None:
        self._starting: list[tuple[Path, asyncio.Task[Kernel]]] = []
        self._taken: list[Kernel] = []
        self._ending: list[asyncio.Task[None]] = []

    def prepare(self, step: Step) -> None:
        """Start a kernel for a notebook, unless one is starting already."""
        folder = step.path.parent
        if all(place != folder for place, _ in self._starting):
            self._starting.append((folder, asyncio.create_task(_start(folder))))

    async def take(self, step: Step) -> Kernel:
        """Return a kernel for a notebook, in which nothing has run."""
        self.prepare(step)
        starting = next(entry for entry in self._starting if entry[0] == step.path.parent)
        self._starting.remove(starting)
        try:
            kernel = await asyncio.shield(starting[1])
        except asyncio.CancelledError:
            self._starting.append(starting)  # for `close`
            raise
        self._taken.append(kernel)
        return kernel

    def give_back(self, kernel: Kernel) -> None:
        """End a kernel in which a notebook has run, without waiting for it."""
        self._taken.remove(kernel)
        self._ending.append(asyncio.create_task(kernel.stop(now=False)))

    async def interrupt(self) -> None:
        """Kill the busy kernels; they would log errors if nbclient left them while they run."""
        for kernel in self._taken:
            if kernel.manager.provisioner:
                await kernel.manager.provisioner.kill()

    async def close(self) -> None:
        """End all kernels: the finished ones in order, the unused and interrupted ones at once."""
        unused = await asyncio.gather(*(task for _, task in self._starting), return_exceptions=True)
        self._taken += [kernel for kernel in unused if isinstance(kernel, Kernel)]
        await asyncio.gather(*self._ending, *(kernel.stop(now=True) for kernel in self._taken))


async def _start(folder: Path) -> Kernel:
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import start_new_async_kernel

    try:
        manager, client = await start_new_async_kernel(
            kernel_name=KERNEL, cwd=str(folder), extra_arguments=ARGUMENTS
        )
    except (OSError, RuntimeError, NoSuchKernel) as error:
        raise CheckpointError(
            f"The kernel {KERNEL!r} cannot be started: {error}. Register it in the project's "
            "environment: `python -m ipykernel install --sys-prefix`.",
            expected=KERNEL,
        ) from error
    client.allow_stdin = False
    return Kernel(manager, client)
