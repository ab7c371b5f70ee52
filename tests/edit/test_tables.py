"""Renaming steps in the settings in `pyproject.toml`, in the many forms that TOML allows."""

import tomllib

import pytest

from checkpoint.edit.tables import rename_in

NAMES = {"2_b": "3_b", "3_c": "2_c"}


@pytest.mark.parametrize(
    "text",
    [
        """[project]
name = "2_b"  # 2_b

[tool.checkpoint]
ignore = ["chdir"]

[tool.checkpoint.resources]
# 3_c needs much
3_c = { mem_mb = 2000 }  # 3_c

# and this little
4_d={}

[tool.ruff]
2_b = 1
""",
        """[tool.checkpoint]
# 2_b
[tool.checkpoint.resources.2_b]  # 2_b
runtime = 30  # 2_b

[tool.checkpoint.resources.4_d]
""",
        """[tool.checkpoint]
resources.3_c = {}
# 2_b
resources."2_b" = { a = 1 }
resources.4_d.mem_mb = 3
[tool.ruff]
""",
        """[tool.checkpoint]
[tool.checkpoint.resources]
2_b.mem_mb = 3
'2_b'.runtime = 3
3_c = { mem_mb = 2000 }
""",
        """[tool.checkpoint]
resources = {2_b = {mem_mb=1}, 3_c = { mem_mb = 2000 }}\r
""",
        """[tool.checkpoint]
[tool.checkpoint.resources.2_b]
mem_mb = 1
[tool.ruff]
line-length = 1
[tool.checkpoint.resources.3_c]  # 3_c
mem_mb = 2
""",
    ],
)
def test_only_the_keys_change(text):
    before, renamed = tomllib.loads(text), rename_in(text, NAMES)
    resources = before["tool"]["checkpoint"]["resources"]
    expected = {NAMES.get(step, step): asked for step, asked in resources.items()}
    assert tomllib.loads(renamed)["tool"]["checkpoint"]["resources"] == expected
    assert rename_in(renamed, {new: old for old, new in NAMES.items()}) == text


def test_what_tomlkit_would_get_wrong_is_not_written(monkeypatch):
    monkeypatch.setattr("tomlkit.dumps", lambda document: "[tool.checkpoint]\n")
    text = "[tool.checkpoint]\n[tool.checkpoint.resources]\n2_b = {}\n"
    assert rename_in(text, NAMES) is None


def test_where_results_can_be_fetched_follows():
    text = '[tool.checkpoint.sources]\n2_b = { urls = ["2_b.zip"] }  # 2_b\n[tool.checkpoint]\n'
    assert rename_in(text, NAMES) == text.replace("\n2_b = ", "\n3_b = ")
