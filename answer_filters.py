"""Jinja filters that derive answers from others and format them for rendered files.

A filter is faster than the same logic in Jinja, which is compiled again for every generation.
"""

import string
import sys

from jinja2 import Environment
from jinja2.ext import Extension

from answer_pipelines import read_pipeline, template_folder
from answer_refusals import LONGEST, PLAIN, STAND_IN, refusals
from answer_source import template_record

# characters that Markdown may interpret, wherever they are in a line
MARKUP = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>&#|~$"})


class AnswerFilters(Extension):
    """Registers the filters."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for function in (package_name, answered_slug, refusals, toml, markdown, handed_on):
            environment.filters[function.__name__] = function
        environment.filters["pipeline"] = read_pipeline
        environment.filters["template_record"] = template_record


def package_name(slug: str) -> str:
    """Return a package name derived from the slug."""
    name = slug.lower().replace("-", "_").replace(".", "_")
    return f"project_{name}" if name[:1].isdecimal() else name


def answered_slug(answers: dict) -> str:
    """Return the slug as it was answered, and replace it if it cannot be a folder name."""
    for name in ("description", "author_name"):  # left empty in a configuration file
        answers[name] = "" if answers[name] is None else answers[name]
    slug = answers["project_slug"]
    if set(slug) - PLAIN - set("._-") or not slug.strip("._-") or len(slug) > LONGEST:
        answers["project_slug"] = STAND_IN
    return slug


def toml(text: str) -> str:
    """Return text as a TOML string, with its quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def markdown(text: str) -> str:
    """Return text escaped so that Markdown shows it unchanged at the start of a line."""
    text = text.strip()
    number = text[: len(text) - len(text.lstrip(string.digits))]
    rest = text.removeprefix(number).translate(MARKUP)
    # at the start of a line: a list, numbered or not, or the underline of a heading
    mark = rest[:1] in (".", ")") if number else rest[:1] in ("-", "+", "=")
    return f"{number}\\{rest}" if mark else number + rest


def handed_on(answers: dict) -> tuple[str, dict]:
    """Return what the post-gen hook needs: the template's folder, and the answers.

    The hook is rendered last. The next generation in this process may use another version of the
    template, as when cruft updates a project, so this one's modules are removed from memory.
    """
    asks = read_pipeline(answers["pipeline"])["asks_for_notebooks"]
    names = [name.strip() for name in answers["notebooks"].split(",")] if asks else []
    for module in [name for name in sys.modules if name.startswith("answer_")]:
        del sys.modules[module]
    return str(template_folder()), {**answers, "notebooks": names}
