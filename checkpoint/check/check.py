"""Check a project against all rules: `checkpoint check`, its pre-commit hook and its workflow."""

from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError
from ..project.project import Project, is_project
from ..project.settings import check_settings, read_ignored
from . import habits, keys, layout, leftovers, raw_data  # noqa: F401  register their rules
from .rules import RULES, Finding, Problem, problems, rule


def check(root: Path) -> list[Problem]:
    """Check the project in a folder against the rules, except those that its settings ignore."""
    project = Project(root)
    if not is_project(root) and not project.notebooks.is_dir():
        what = "is not a project: it has no pyproject.toml with a [tool.checkpoint] table"
        return [Problem("tree", ".", None, what, "Give the top folder of a project")]
    ignored: list[str] = []
    try:
        project.steps()
        check_settings(project)
        ignored = read_ignored(project)
    except ProjectError as error:
        if error.key in (None, "order"):  # it is unknown which notebooks are the steps
            return list(problems(project, [RULES["settings"]], whole=True))
    return list(problems(project, [rule for rule in RULES.values() if rule.name not in ignored]))


@rule(
    "settings",
    Project,
    finds="an unknown or invalid setting in `[tool.checkpoint]`",
    why="a misspelled setting would be silently ignored",
)
def _settings(project: Project) -> Iterator[Finding]:
    file = "pyproject.toml"
    try:
        check_settings(project)
    except ProjectError as error:
        what = str(error).removeprefix(file).lstrip(": ").rstrip(".")
        yield Finding(what, "Correct it in the file", file)
        return
    for name in read_ignored(project):
        if name not in RULES:
            what = f"[tool.checkpoint] ignore: {name!r} is not a rule"
            yield Finding(what, f"The rules are {', '.join(RULES)}", file)
