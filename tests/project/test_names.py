"""File names that mean the same file on every system."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.project.names import unportable


@pytest.mark.parametrize(
    "name", ["umap", "leiden_0.5", "umap (RNA)", "größe", "a.b.csv", "console"]
)
def test_good(name):
    assert unportable(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        ".x",
        "a/b",
        "a\\b",
        "a:b",
        "a\n",
        "a.",
        "a ",
        "CON",
        "aux.csv",
        "a" * 101,
    ],
)
def test_bad(name):
    assert unportable(name)


@given(st.text(min_size=1, max_size=20))
def test_a_good_name_makes_a_file_of_that_name(tmp_path_factory, name):
    if unportable(name) is None:
        folder = tmp_path_factory.mktemp("names")
        (folder / name).touch()
        assert [path.name for path in folder.iterdir()] == [name]
