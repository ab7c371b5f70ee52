"""No silent changes: what is saved comes back equal, with a message, or is refused."""

import warnings
from collections import Counter

import pytest
from canonical import canon, dtypes
from fidelity_table import CASES, EQUAL, NOON, REFUSED, TOLD, cells

from checkpoint import CheckpointError, CheckpointFormatError, load, save

STEP = "1_preprocessing"
FOUND = {}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::pandas.errors.PerformanceWarning")
@pytest.mark.parametrize("case", CASES)
def test_equal_told_or_refused(project, case):
    make, key, expected = CASES[case]
    save(STEP, {"before": 1})
    obj = make()
    before = canon(obj)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            save(STEP, {key: obj})
        except CheckpointError as error:
            found, said = REFUSED, [str(error)]
        else:
            checkpoint = load(STEP)
            said, again = checkpoint.record.notes, checkpoint[key]
            same = canon(again) == before and dtypes(again) == dtypes(obj)
            found = EQUAL if same else TOLD
    assert canon(obj) == before, "the object in memory has changed"
    if found is REFUSED:
        assert dict(load(STEP)) == {"before": 1}
    FOUND[case] = found if found is EQUAL or said else "wrong"
    assert FOUND[case] == expected, said


def test_nearly_all_come_back_equal(capsys):
    """Print how many do; it counts what ran in this process, so it comes after the table."""
    counts = Counter(FOUND.values())
    with capsys.disabled():
        print(f"\n{len(FOUND)} objects: {dict(counts)}")
    assert counts["wrong"] == 0
    assert counts[TOLD] + counts[REFUSED] <= 2


def test_a_refusal_names_the_innermost_key(project):
    adata = cells(uns={"fine": 1, "report": {"text": "a", "made": lambda: NOON}})
    with pytest.raises(CheckpointFormatError, match=r"uns\['report'\]\['made'\] \(function"):
        save(STEP, {"rna_adata": adata})
