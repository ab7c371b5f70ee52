"""Blocks of dask arrays are used in order, and are not all in memory if that is slow."""

import threading
import time

import numpy as np
import pytest

from checkpoint.formats import in_blocks, in_turn

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
N_BLOCKS = 40


class Made:
    """Count the blocks that are made and not used."""

    def __init__(self, pause=0.0, slow_blocks=()):
        self.pause, self.made, self.used, self.most = pause, 0, [], 0
        self.slow_blocks = slow_blocks
        self._lock = threading.Lock()

    def array(self):
        chunks = ((5,) * N_BLOCKS, (3,))
        return da.map_blocks(self.make, chunks=chunks, dtype="f8", meta=np.empty((0, 0)))

    def make(self, block_info=None):
        with self._lock:
            self.made += 1
            self.most = max(self.most, self.made - len(self.used))
        number = block_info[None]["chunk-location"][0]
        if number in self.slow_blocks:
            time.sleep(0.5)
        return np.full((5, 3), float(number))

    def use(self, block):
        time.sleep(self.pause)
        self.used.append(int(block[0, 0]))


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.versions
def test_slow_use_does_not_fill_the_memory(threads):
    made = Made(pause=0.01)
    with dask.config.set(num_workers=threads):
        in_blocks.each_block(made.array() + 0, made.use)
    assert made.used == list(range(N_BLOCKS))
    assert made.most <= in_turn.AHEAD + 2 * threads < N_BLOCKS


@pytest.mark.parametrize("slow", [0, 3, 20])
@pytest.mark.parametrize("threads", [2, 8])
@pytest.mark.versions
def test_a_slow_block_does_not_fill_the_memory(threads, slow):
    made = Made(slow_blocks=[slow])
    with dask.config.set(num_workers=threads):
        in_blocks.each_block(made.array() + 0, made.use)
    assert made.used == list(range(N_BLOCKS))
    assert made.most <= in_turn.AHEAD + 2 * threads


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_tasks_that_blocks_share_run_once(threads):
    made = Made()
    array = made.array()
    with dask.config.set(num_workers=threads):
        in_blocks.each_block(array + 0 * array.mean(axis=0) + 0 * array[::-1], made.use)
    assert made.used == list(range(N_BLOCKS)) and made.made == N_BLOCKS


def test_an_error_ends_the_threads():
    before = set(threading.enumerate())
    made = Made()

    def use(block):
        if block[0, 0] == 3:
            raise OSError("the disk is gone")
        made.use(block)

    with dask.config.set(num_workers=4), pytest.raises(OSError, match="the disk is gone"):
        in_blocks.each_block(made.array(), use)
    assert made.used == [0, 1, 2]
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()
