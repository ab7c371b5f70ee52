"""`adopt` in folders of other users, and in folders that cannot be read or written."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hand_written import adopt, commit, write_notebook
from project_under_test import tree
from storage.members import ANNA, BEN, hand_to, only_root

from notebook_checkpoints.adopt import adopt as work
from notebook_checkpoints.adopt.adopt import Plan
from notebook_checkpoints.adopt.template_files import Added

pytestmark = [pytest.mark.slow, only_root]


def as_user(user, function):
    """Call a function in a process of another user, and return its result or error as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            said = str(function())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, said.encode()[:60_000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def lab():
    """Yield a project with results that Anna owns, in a folder that everybody may read."""
    with tempfile.TemporaryDirectory(prefix="rights-") as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "lab"
        write_notebook(root / "notebooks" / "1_a.ipynb", ['np.save("../out/x.npy", x)'])
        write_notebook(root / "notebooks" / "2_b.ipynb", ['np.load("../out/x.npy")'])
        (root / "out").mkdir()
        np.save(root / "out" / "x.npy", np.arange(3))
        commit(root)
        hand_to(root, ANNA, ANNA)
        yield root


def look(root):
    """Return the output of `adopt` without `--write`."""
    done = adopt(root)
    return done.stdout + done.stderr


def written(root):
    """Rewrite all notebooks, without git and without the template's files.

    Other users may not be able to start the interpreter that generates these files.
    """
    chain, _ = work.look(root)
    paths = [one.unit.path for one in chain.scanned]
    result = work.rewrite(root, "lab", chain, paths)
    (root / "pyproject.toml").write_text("[tool.checkpoint]\n", encoding="utf-8")
    changes = [work.Change(one.path, work.dumps(one.content).encode()) for one in result.notebooks]
    return work.write(Plan(root, Added(changes, [], "lab"), result, changes), git=False)


def test_a_folder_of_another_user(lab):
    before = tree(lab)
    assert "reads out/x.npy  from notebooks/1_a.ipynb" in as_user(BEN, lambda: look(lab))
    said = as_user(BEN, lambda: work.plan(lab, ["all"], None))
    assert "is in a git repository of another user, which git refuses to use" in said
    said = as_user(BEN, lambda: work.apply(lab, [work.Change("x/y.txt", b"")], git=False))
    assert said.startswith(f"ProjectError: {lab / 'x'} cannot be written: Permission denied. ")
    said = as_user(BEN, lambda: work.apply(lab, [work.Change("out/x.npy", b"")], git=True))
    assert "needs the right to write in the project's folders" in said
    assert tree(lab) == before


def test_folders_and_files_that_cannot_be_read(lab):
    (lab / "closed").mkdir(mode=0o700)
    (lab / "notebooks" / "2_b.ipynb").chmod(0o600)
    os.chown(lab / "notebooks" / "2_b.ipynb", 0, 0)
    said = as_user(ANNA, lambda: look(lab))
    assert "closed/: it cannot be read: Permission denied" in said
    assert "notebooks/2_b.ipynb: it cannot be read: Permission denied" in said
    # whether the results still fit is unknown, so none are taken over
    taken = as_user(ANNA, lambda: written(lab))
    assert f"missing='{lab}/notebooks/2_b.ipynb: Permission denied'" in taken
    assert not (lab / "results" / "1_a").exists()
    assert "np.asanyarray" in (lab / "notebooks" / "1_a.ipynb").read_text(encoding="utf-8")


def test_results_that_cannot_be_written(lab):
    (lab / "results").mkdir(mode=0o555)
    before = tree(lab / "results")
    said = as_user(ANNA, lambda: written(lab))
    assert f"missing='{lab}/results/1_a: Permission denied'" in said
    assert tree(lab / "results") == before
