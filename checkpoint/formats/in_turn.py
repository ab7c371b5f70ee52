"""Compute the blocks of a dask array in threads that do not run far ahead of their use."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

AHEAD = 2  # computed blocks that may wait for their use, besides those being computed


def compute_in_turn(blocks: list[Any], use: Callable[[Any], None]) -> None:
    """Call a function with each of some delayed blocks, in order and one at a time.

    They are computed in one go, so that tasks shared by blocks run only once.
    """
    import dask
    from dask.delayed import delayed
    from dask.system import CPU_COUNT

    last: Any = None
    used_by = {}
    for block in blocks:
        last = delayed(_then, pure=False)(use, block, last)
        used_by[last.key] = block.key
    threads = dask.config.get("num_workers", None) or CPU_COUNT
    pool = _Patient(threads, used_by)
    try:
        last.compute(scheduler="threads", pool=pool)
    finally:
        pool.end()


def _then(use: Callable[[Any], None], block: Any, before: None) -> None:
    """Use a block; `before` makes it wait for the previous one."""
    use(block)


class _Patient(ThreadPoolExecutor):
    """Threads for dask that wait while computed blocks wait for their use.

    Dask itself would compute all blocks, and hold them in memory, if they are used more slowly.

    Parameters
    ----------
    threads
        The number of threads.
    used_by
        In order, the key of each task that uses a block, and that of the block.
    """

    def __init__(self, threads: int, used_by: dict[Any, Any]) -> None:
        super().__init__(threads)
        self._may_wait = threads - 1  # so that one thread can use the next block
        self._used_by = used_by
        self._blocks = set(used_by.values())
        self._next = iter([*used_by.values(), None])
        self._needed = next(self._next)  # the block to use next, or that is used
        self._ready: set[Any] = set()  # the blocks that are computed and not used
        self._changed = threading.Condition()
        self._waiting = 0
        self._has_ended = False

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run tasks in a thread, as dask asks, once they may run."""
        return super().submit(self._run, function, *args, **kwargs)

    def end(self) -> None:
        """End without waiting for running tasks, since they may take long after Ctrl-C."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()
        self.shutdown(wait=False, cancel_futures=True)

    def _run(self, function: Any, tasks: Any, *args: Any, **kwargs: Any) -> Any:
        keys = {task[0] for task in tasks}
        if keys.isdisjoint(self._used_by):
            self._wait()
        try:
            return function(tasks, *args, **kwargs)
        finally:
            with self._changed:
                self._ready |= keys & self._blocks
                for use in keys & self._used_by.keys():
                    self._ready.discard(self._used_by[use])
                    self._needed = next(self._next)
                self._changed.notify_all()

    def _wait(self) -> None:
        with self._changed:
            while self._is_far_ahead() and self._waiting < self._may_wait:
                self._waiting += 1
                self._changed.wait()
                self._waiting -= 1
            if self._has_ended:
                raise InterruptedError("No more blocks are needed.")

    def _is_far_ahead(self) -> bool:
        enough = self._needed in self._ready and len(self._ready) >= AHEAD
        return enough and not self._has_ended
