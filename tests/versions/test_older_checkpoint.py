"""The script of the nox session `load_with_newest`: it passes, and it can detect differences."""

import sys

import older_checkpoint
import pandas as pd
import pytest


@pytest.mark.filterwarnings("ignore")
def test_what_one_environment_saves_it_loads(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for verb in ("save", "compare"):
        monkeypatch.setattr(sys, "argv", ["older_checkpoint.py", verb, str(tmp_path)])
        assert older_checkpoint.main() == 0
    said = capsys.readouterr().out
    assert f"{len(older_checkpoint.objects())} objects are equal, 0 differ" in said


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
