"""No silent changes: what is saved comes back equal, with a message, or is refused."""

import shutil
from collections import Counter
from functools import cache

import pytest
from canonical import canon, dtypes
from fidelity_table import CASES
from made import EQUAL, NOON, REFUSED, TOLD, cells

from checkpoint import CheckpointError, CheckpointFormatError, load, save
from checkpoint.storage import session

pytestmark = pytest.mark.versions
STEP = "1_preprocessing"
FOUND = {}
HELD = [case for case, (_, _, expected) in CASES.items() if expected is not REFUSED]
AT_ONCE = 40  # cases per save, since each save takes time


@pytest.fixture(scope="module")
def of_all_cases(blank_project, tmp_path_factory):
    return shutil.copytree(blank_project, tmp_path_factory.mktemp("cases") / "my_project")


@pytest.fixture
def in_a_project(of_all_cases, monkeypatch):
    monkeypatch.chdir(of_all_cases / "notebooks")
    session.forget()
    yield
    session.forget()


@cache
def saved(number):
    """Save `AT_ONCE` cases from `number` on; return objects, canonical forms, checkpoint, errors.

    The result is cached, so that each case is saved once.
    """
    cases = HELD[number : number + AT_ONCE]
    objects = {name_of(case): CASES[case][0]() for case in cases}
    before = {name: canon(obj) for name, obj in objects.items()}
    taken, refusals = dict(objects), {}
    while True:
        try:
            save(f"{STEP}/{number}", taken)
        except CheckpointError as error:
            refusals[error.key] = str(error)
            del taken[error.key]
        else:
            return objects, before, load(f"{STEP}/{number}"), refusals


def name_of(case):
    return f"case {HELD.index(case)}/{CASES[case][1]}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", HELD)
def test_equal_or_told(in_a_project, case):
    objects, before, checkpoint, refusals = saved(HELD.index(case) // AT_ONCE * AT_ONCE)
    name = name_of(case)
    assert name not in refusals, refusals[name]
    obj = objects[name]
    said = [note for note in checkpoint.record.notes if name in note]
    again = checkpoint[name]
    same = canon(again) == before[name] and dtypes(again) == dtypes(obj)
    found = EQUAL if same else TOLD
    assert canon(obj) == before[name], "the object in memory has changed"
    FOUND[case] = found if found is EQUAL or said else "wrong"
    assert FOUND[case] == CASES[case][2], said


@pytest.mark.parametrize("case", [case for case in CASES if case not in HELD])
def test_refused(project, case):
    make, key, _ = CASES[case]
    save(STEP, {"before": 1})
    obj = make()
    before = canon(obj)
    with pytest.raises(CheckpointError):
        save(STEP, {key: obj})
    assert canon(obj) == before, "the object in memory has changed"
    assert dict(load(STEP)) == {"before": 1}
    FOUND[case] = REFUSED


def test_nearly_all_come_back_equal(capsys):
    """At most two cases may differ or be refused; only cases that this process ran are counted."""
    counts = Counter(FOUND.values())
    with capsys.disabled():
        print(f"\n{len(FOUND)} objects: {dict(counts)}")
    assert counts["wrong"] == 0
    assert counts[TOLD] + counts[REFUSED] <= 2


def test_a_refusal_names_the_innermost_key(project):
    adata = cells(uns={"fine": 1, "report": {"text": "a", "made": lambda: NOON}})
    with pytest.raises(CheckpointFormatError, match=r"uns\['report'\]\['made'\] \(function"):
        save(STEP, {"rna_adata": adata})
