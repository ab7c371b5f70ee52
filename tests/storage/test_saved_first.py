"""Telling which of two checkpoints was saved first."""

import pytest

from checkpoint.storage.parts import is_older
from checkpoint.storage.schema import FileEntry, Record, Run


def record(timestamp, mtime_ns=None):
    log = FileEntry("session.json", 1, "", mtime_ns)
    run = Run([], log=log) if mtime_ns else None
    return Record(
        timestamp=timestamp,
        format=1,
        step="1_one",
        files={},
        inputs={},
        param_hashes={},
        modules={},
        run=run,
    )


NOON, LATER = "2020-01-01T12:00:00+00:00", "2020-01-01T12:00:01+00:00"
NOON_IN_BERLIN = "2020-01-01T13:00:00+01:00"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (record(NOON, 10), record(NOON, 20), True),  # saved in the same second
        (record(NOON, 20), record(NOON, 10), False),
        (record(NOON), record(LATER), True),  # saved by scripts
        (record(NOON), record(NOON_IN_BERLIN), False),
        (record(NOON_IN_BERLIN), record(LATER, 10), True),
        (record("yesterday"), record(NOON), False),  # edited by hand
        (record("2020-01-01"), record(NOON), False),
    ],
)
def test_which_was_saved_first(first, second, expected):
    assert is_older(first, second) is expected
