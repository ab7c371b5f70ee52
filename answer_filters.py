"""What the questions and the rendered files do with answers, as filters of Jinja.

cookiecutter imports this from beside `cookiecutter.json`, which names the extension. The filters
are a few plain lines each, and quicker than the same in Jinja, which is translated anew in every
generation.
"""

import string
import sys
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import Extension

from answer_refusals import DIGITS, LETTERS, LONGEST, STAND_IN, refusals

# what Markdown may take for more than text, wherever it stands
MARKUP = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>&#|~$"})


class AnswerFilters(Extension):
    """Makes the functions below, and `refusals`, known to Jinja."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for function in (package_name, answered_slug, refusals, toml, markdown, handed_on):
            environment.filters[function.__name__] = function


def package_name(slug: str) -> str:
    """Return the name of a package that fits a project's."""
    name = slug.lower().replace("-", "_").replace(".", "_")
    return f"project_{name}" if name[:1].isdecimal() else name


def answered_slug(answers: dict) -> str:
    """Return the slug that was answered, and put a stand-in for one that is no folder name."""
    for name in ("description", "author_name"):  # left empty in a configuration file
        answers[name] = "" if answers[name] is None else answers[name]
    slug = answers["project_slug"]
    if set(slug) - LETTERS - DIGITS - set("._-") or not slug.strip("._-") or len(slug) > LONGEST:
        answers["project_slug"] = STAND_IN
    return slug


def toml(text: str) -> str:
    """Return text as a string of TOML, quotes included."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def markdown(text: str) -> str:
    """Return text so that a line of Markdown that begins with it shows it as it is."""
    text = text.strip()
    number = text[: len(text) - len(text.lstrip(string.digits))]
    rest = text.removeprefix(number).translate(MARKUP)
    # at the beginning: a list, numbered or not, or the line under a heading
    mark = rest[:1] in (".", ")") if number else rest[:1] in ("-", "+", "=")
    return f"{number}\\{rest}" if mark else number + rest


def handed_on(answers: dict) -> tuple[str, dict]:
    """Return the template's folder, where cookiecutter fills in hooks, and the answers.

    For the last hook: the next generation of this process may be of another version of the
    template, as when cruft updates a project, and has to find its own modules.
    """
    for module in (__name__, refusals.__module__):
        sys.modules.pop(module, None)
    return str(Path.cwd()), dict(answers)
