"""The comparison of the `load_with_newest` sessions: it passes, and it can fail."""

import subprocess
import sys
from pathlib import Path

import older_checkpoint
import pandas as pd

SCRIPT = Path(older_checkpoint.__file__)


def run(verb, folder):
    command = [sys.executable, "-W", "ignore", str(SCRIPT), verb, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def test_what_one_environment_saves_it_loads(tmp_path):
    saved = run("save", tmp_path)
    assert saved.returncode == 0, saved.stderr
    done = run("compare", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(older_checkpoint.objects())} objects are equal, 0 differ" in done.stdout


def test_a_difference_is_named():
    before, after = older_checkpoint.table(), older_checkpoint.table()
    after.loc[1, "int8"] = 5
    described = older_checkpoint.difference(
        older_checkpoint.plain(before), older_checkpoint.plain(after)
    )
    assert "np.int8(2)" in described and "np.int8(5)" in described
    assert older_checkpoint.difference(1, 1) is None


def test_dtypes_differ():
    numbers = [pd.Series([1, 2], dtype=dtype) for dtype in ("int64", "float64", "Int64", "object")]
    shown = [older_checkpoint.plain(series) for series in numbers]
    for number, expected in enumerate(shown):
        for other in shown[number + 1 :]:
            assert older_checkpoint.difference(expected, other)
