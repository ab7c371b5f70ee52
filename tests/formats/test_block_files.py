"""Stop, in the middle of a file that a library writes or reads in one call."""

import numpy as np
import pandas as pd
import pytest

from checkpoint import load, save
from checkpoint.formats import block_files

STEP = "1_preprocessing"
TABLE = pd.DataFrame(np.random.default_rng(0).random((20_000, 8))).rename(columns=str)
OBJECTS = {
    "table.parquet": TABLE,
    "table.csv": TABLE,
    "table.csv.gz": TABLE,
    "array.pkl": {"array": TABLE.to_numpy()},
    "numbers.pkl": list(range(300_000)),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Make small files large enough for several blocks."""
    monkeypatch.setattr(block_files, "BLOCK", 1 << 16)


@pytest.mark.parametrize("name", OBJECTS)
def test_stop_ends_a_file_between_two_blocks(project, monkeypatch, name):
    save(STEP, {name: OBJECTS[name]})
    before = load(STEP).path(name).read_bytes()
    blocks = []

    def stop(amount):
        blocks.append(amount)
        if len(blocks) > 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(block_files, "advance", stop)
    with pytest.raises(KeyboardInterrupt):
        save(STEP, {name: OBJECTS[name]})
    assert max(blocks) <= block_files.BLOCK
    assert sum(blocks[:3]) < len(before)
    assert load(STEP).path(name).read_bytes() == before
