"""Compute the blocks of a dask array in threads that do not run far ahead of their use."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

AHEAD = 2  # computed blocks that may wait, besides those being computed, while one is used


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
        self._n_threads = threads
        self._used_by = used_by
        self._blocks = set(used_by.values())
        self._next = iter([*used_by.values(), None])
        self._needed = next(self._next)  # the block to use next, or that is used
        self._ready: set[Any] = set()  # the blocks that are computed and not used
        self._submitted: set[Any] = set()  # the tasks that wait or run
        self._running = 0  # threads
        self._waiting = 0  # threads
        self._has_ended = False
        self._changed = threading.Condition()

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run tasks in a thread, as dask asks, once they may run."""
        keys = {task[0] for task in args[0]}
        with self._changed:
            self._submitted |= keys
        return super().submit(self._run, keys, function, *args, **kwargs)

    def end(self) -> None:
        """End without waiting for running tasks, since they may take long after Ctrl-C."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()
        self.shutdown(wait=False, cancel_futures=True)

    def _run(self, keys: set[Any], function: Any, *args: Any, **kwargs: Any) -> Any:
        self._start(keys)
        try:
            return function(*args, **kwargs)
        finally:
            with self._changed:
                self._running -= 1
                self._submitted -= keys
                self._ready |= keys & self._blocks
                for use in keys & self._used_by.keys():
                    self._ready.discard(self._used_by[use])
                    self._needed = next(self._next)
                self._changed.notify_all()

    def _start(self, keys: set[Any]) -> None:
        with self._changed:
            if keys.isdisjoint(self._used_by):
                while self._is_too_early(keys):
                    self._waiting += 1
                    self._changed.wait()
                    self._waiting -= 1
                if self._has_ended:
                    raise InterruptedError("No more blocks are needed.")
            self._running += 1

    def _is_too_early(self, keys: set[Any]) -> bool:
        if self._has_ended or self._needed in keys:
            return False
        if self._needed in self._ready:  # one thread stays free to use it
            return len(self._ready) >= AHEAD and self._waiting < self._n_threads - 1
        # a task that it needs may be among those that wait: if none runs, one of them goes on
        goes_on = self._needed in self._submitted or self._running > 0
        return goes_on and len(self._ready) + self._running >= AHEAD + self._n_threads
