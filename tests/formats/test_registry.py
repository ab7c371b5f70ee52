"""The registry of formats, and what depends on it: README, `.gitignore`, rules of `check`."""

import errno
import re

import pytest
from project_under_test import TEMPLATE

from checkpoint.check.layout import IGNORED
from checkpoint.errors import CheckpointFormatError
from checkpoint.formats import BY_SUFFIX, FORMATS
from checkpoint.formats.registry import ANY, Format

GITIGNORE = TEMPLATE / "{{cookiecutter.project_slug}}" / ".gitignore"


def fails(error):
    def write(obj, path):
        raise error

    return Format(".x", "text", "the same", write, reader=lambda path, details: write(None, path))


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.suffix)
def test_the_readme_lists_every_format(entry):
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("| ")]
    row = f"| {entry.holds} | `{entry.suffix}` | {entry.comes_back} |"
    assert any(f"`{entry.suffix}`" in line for line in rows), f"add to the formats table: {row}"


def test_the_readme_lists_no_other_format():
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Formats")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    assert set(re.findall(r"`(\.[\w.]+)`", "".join(rows))) == BY_SUFFIX.keys()


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.suffix)
def test_git_ignores_what_is_large(entry):
    rule = f"*{entry.suffix}{'/' if entry.is_folder else ''}"
    rules = GITIGNORE.read_text(encoding="utf-8").splitlines()
    todo = "add it, or write large=False" if entry.large else "remove it, or write large=True"
    assert (rule in rules) is entry.large, f"{rule} in .gitignore of the template: {todo}"
    assert (rule in IGNORED) is entry.large, f"{rule} in IGNORED of check/layout.py: {todo}"


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.suffix)
def test_a_suffix_is_in_lower_case_with_its_dot(entry):
    assert re.fullmatch(r"(\.[a-z0-9]+)+", entry.suffix)
    assert BY_SUFFIX[entry.suffix] is entry


def test_a_format_that_names_no_types_is_chosen_by_its_suffix_only():
    entry = fails(ValueError())
    assert not entry.is_default("text") and entry.refusal("text") is None
    assert entry._replace(types=ANY).is_default("text")


def test_errors_of_a_format_say_what_it_cannot_hold(tmp_path):
    entry = fails(ValueError("too\n  odd."))
    for call in (lambda: entry.write(1, tmp_path), lambda: entry.read(tmp_path, None)):
        with pytest.raises(CheckpointFormatError, match=r"^too odd$"):
            call()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no room"), MemoryError()])
def test_errors_of_the_machine_are_raised_as_they_are(tmp_path, error):
    entry = fails(error)
    for call in (lambda: entry.write(1, tmp_path), lambda: entry.read(tmp_path, None)):
        with pytest.raises(type(error)) as raised:
            call()
        assert raised.value is error
