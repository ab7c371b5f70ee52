"""Raw files that change while a notebook works with them, in a real kernel."""

import os
import time

import pytest
from front_end import HEAD

ONE = "1_preprocessing"
pytestmark = pytest.mark.slow


def test_a_raw_file_that_was_named_twice(notebook_of, project):
    raw = project / "data" / "raw.txt"
    raw.write_text("1")
    cells = [HEAD, 'p = data_file("raw.txt")', "t = p.read_text()", f'save("{ONE}", {{"t": t}})']
    nb = notebook_of(cells)
    nb.run(0, 1, 2)
    raw.write_text("2")
    nb.run(1, 3)
    reason = "cell `t = p.read_text()` did not run since data/raw.txt was read with other content"
    assert nb.state() == ("unclean", [f"{reason}; restart the kernel and run all"])
    nb.run_all()
    assert nb.state() == ("current", [])


def test_a_raw_file_that_had_other_content_only_while_it_was_read(notebook_of, project):
    raw = project / "data" / "raw.txt"
    raw.write_text("1")
    times = raw.stat().st_atime_ns, raw.stat().st_mtime_ns
    time.sleep(3.1)  # a younger file has no time in the record, and is compared by its size only
    cells = [HEAD, 'p = data_file("raw.txt")', "t = p.read_text()", f'save("{ONE}", {{"t": t}})']
    nb = notebook_of(cells)
    nb.run(0, 1)
    raw.write_text("2")
    nb.run(2)
    raw.write_text("1")
    os.utime(raw, ns=times)
    nb.run(3)
    assert "data/raw.txt changed after this notebook read it." in nb.printed
    assert nb.state() == ("stale", ["data/raw.txt changed"])
    nb.run(1, 2, 3)
    assert nb.state() == ("current", [])
    nb.restart()
    time.sleep(3.1)
    nb.run(0, 1)
    raw.touch()
    nb.run(2, 3)
    assert nb.state() == ("current", [])
