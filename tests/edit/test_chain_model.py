"""Property test: whatever changes in a chain, each notebook loads the same steps as before."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project_under_test import ProjectUnderTest

from checkpoint.check.check import check
from checkpoint.edit.chain import move, new, remove, rename
from checkpoint.errors import ProjectError
from checkpoint.project.project import Project


class Model:
    """A chain whose notebooks are identified by the word in their names, without the number."""

    def __init__(self, root):
        self.root = root

    def read(self):
        """Return the words in running order, and by word the words that a notebook loads."""
        words, loads = [], {}
        for step in self.root.steps():
            source = self.root.code(step)
            words.append(step.partition("_")[2])
            loads[words[-1]] = [
                line.split('"')[1].partition("_")[2]
                for line in source.splitlines()
                if "load(" in line
            ]
            assert f'"{step}",' in source  # saves under its own name
        return words, loads


operations = st.lists(
    st.tuples(
        st.sampled_from("new rename move remove".split()), st.integers(0, 9), st.integers(1, 9)
    ),
    max_size=6,
)


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(done=operations)
def test_whatever_is_done_the_notebooks_load_the_same(blank_project, tmp_path_factory, done):
    root = ProjectUnderTest(tmp_path_factory.mktemp("model") / "p")
    shutil.copytree(blank_project, root)
    model = Model(root)
    for count, (operation, which, number) in enumerate(done):
        words, loads = model.read()
        project = Project(root)
        known = root.steps()
        if not known:
            return
        step = known[which % len(known)]
        word = step.partition("_")[2]
        try:
            if operation == "new":
                new(project, f"n{count}", after=step)
                words.insert(words.index(word) + 1, f"n{count}")
                loads[f"n{count}"] = [word]
            elif operation == "rename":
                rename(project, step, f"r{count}")
                words = [f"r{count}" if one == word else one for one in words]
                loads = {
                    f"r{count}" if one == word else one: [
                        f"r{count}" if other == word else other for other in found
                    ]
                    for one, found in loads.items()
                }
            elif operation == "move":
                move(project, step, number)
                words = None
            else:
                remove(project, step)
                words.remove(word)
                del loads[word]
        except ProjectError as error:
            assert operation in ("move", "remove"), error
        now, loaded = model.read()
        assert loaded == loads
        assert words is None or now == words
        numbers = [one.number.last for one in project.steps()]
        assert numbers == list(range(1, len(numbers) + 1))
        if not numbers:
            return
        assert {problem.rule for problem in check(root)} <= {"load-later"}
