"""Random sessions: the replay never calls results clean that differ from the notebook's."""

import pytest
from sessions.simulate import MIXES, sessions


def false_answers(mix, count, seed):
    false, clean = [], 0
    for session in sessions(mix, count, seed):
        verdict = session.verdict()
        clean += verdict.clean
        if session.false(verdict):
            false.append((session.number, verdict))
    assert clean > count / 8  # guards against calling every session unclean
    return false


@pytest.mark.parametrize("mix", MIXES)
def test_no_session_is_clean_that_is_not(mix):
    assert false_answers(mix, 12, seed=1) == []


@pytest.mark.slow
@pytest.mark.parametrize("mix", MIXES)
def test_no_session_of_many_is_clean_that_is_not(mix):
    assert false_answers(mix, 100, seed=2) == []
