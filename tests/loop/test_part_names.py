"""Which names parts may have."""

import numpy as np
import pandas as pd
import pytest

from checkpoint import CheckpointValueError, load, parts, save
from checkpoint.lineage.states import Lineage
from checkpoint.project.project import Project
from checkpoint.storage import clean, session

REFUSED = [
    (["a", "../b"], "contains /, which Windows"),
    (["a", ""], "part '' is empty"),
    (["con"], "is the name of a device"),
    ([1, 2], "must be a str, got 1; give [str(name) for name in …]"),
    (["a", None], "must be a str, got None"),
    (["a", "a"], "part 'a' is listed twice"),
    (["a", "A"], "part 'A' is listed twice, as 'a' on Windows and macOS"),
    (["é", "e\u0301"], "is listed twice, as 'é' on Windows and macOS"),
    (["figures"], "'figures' is reserved"),
    (["Params.json"], "'Params.json' is reserved"),
    ("ab", "a list of names, got the text 'ab'"),
    (None, "a list of names, got a NoneType"),
    (pd.DataFrame({"sample": ["a"]}), "a list of names, got a DataFrame"),
]


def test_names_that_are_refused(project):
    for names, reason in REFUSED:
        with pytest.raises(CheckpointValueError) as raised:
            next(parts("1_preprocessing", names))
        assert reason in str(raised.value), names


def test_whatever_gives_names(project):
    for names in (
        np.array(["a", "b"]),
        pd.DataFrame({"sample": ["a", "b"]})["sample"],
        {"a": 1, "b": 2},
        iter(["a", "b"]),
    ):
        assert [part.step for part in parts("1_preprocessing", names)][:1] == ["1_preprocessing/a"]


def test_what_a_step_has_of_its_own_is_no_sub_checkpoint(project):
    """A part `params.json` would turn the step's record into a folder that no command can read."""
    save("1_preprocessing", {"x": 1})
    before = project.files("1_preprocessing")
    for name in ("params.json", "Figures", "run.log"):
        with pytest.raises(CheckpointValueError, match="in the folder of a step is reserved"):
            save(f"1_preprocessing/{name}", {"x": 1})
        with pytest.raises(CheckpointValueError, match="is reserved"):
            load(f"1_preprocessing/{name}")
    assert project.files("1_preprocessing") == before
    assert Project(project).results_of("1_preprocessing/a").name == "a"


def test_a_part_that_is_no_longer_listed_is_no_damage(project):
    """A step that loaded the dropped part is stale until it loads another one."""
    one, two = "1_preprocessing", "2_integration"
    for listed in (["a", "b"], ["a"]):
        clean.clean(clean.find(Project(project), []))
        for part in parts(one, listed):
            part.save({"x": part.name})
        session.forget()
        if "b" in listed:
            load(f"{one}/b")
            save(two, {"x": 1})
            kept = project.files(two)
            session.forget()
    for file, content in kept.items():
        (project / "results" / two / file).write_bytes(content)
    states = Lineage(Project(project))
    assert states.state(one).state != "damaged"
    assert states.state(two).reasons[-1] == "results/1_preprocessing/b is missing"
