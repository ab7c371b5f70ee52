"""What the questions and the rendered files do with answers, as filters of Jinja.

cookiecutter imports this from beside `cookiecutter.json`, which names the extension. The filters
are a few plain lines each, and quicker than the same in Jinja, which is translated anew in every
generation.
"""

import os
import string

from jinja2 import Environment
from jinja2.ext import Extension

from answer_refusals import DIGITS, LETTERS, LONGEST, refusals

# what Markdown may take for more than text, wherever it stands
MARKUP = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>&#|~$"})


class AnswerFilters(Extension):
    """Makes the functions below, `refusals` and the working directory known to Jinja."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for function in (package_name, answered_slug, refusals, toml, markdown):
            environment.filters[function.__name__] = function
        environment.globals["working_directory"] = os.getcwd


def package_name(slug: str) -> str:
    """Return the name of a package that fits a project's."""
    name = slug.lower().replace("-", "_").replace(".", "_")
    return f"project_{name}" if name[:1].isdecimal() else name


def answered_slug(answers: dict) -> str:
    """Return the slug that was answered, and put a stand-in for one that is no folder name."""
    slug = answers["project_slug"]
    if set(slug) - LETTERS - DIGITS - set("._-") or not slug.strip("._-") or len(slug) > LONGEST:
        answers["project_slug"] = "refused-project-slug"
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
