"""Decide which answers are rejected, and why.

`hooks/pre_gen_project.py` prints the reasons. The answers are checked here, in cookiecutter's own
process, because importing modules in a hook takes time in every generation.
"""

import importlib.util
import itertools
import keyword
import re
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from answer_pipelines import read_pipeline, template_folder

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
LONGEST = 64  # characters; Windows allows 260 in a path, and slug and package are in one
STAND_IN = "refused-project-slug"  # in place of a slug that cannot be a folder name
MOST_NOTEBOOKS = 99

# In addition to constraints.txt: modules whose name differs from that of their distribution,
# packages for one platform or installed by hand, libraries that notebooks are likely to import.
ALSO_NEEDED = frozenset(
    """
    appnope argon2 attr bokeh bs4 click colorama compression crc32c dask dateutil decorator dill
    exceptiongroup fast_array_utils google google_crc32c ipykernel_launcher jupyter leidenalg
    louvain markdown_it mpl_toolkits msgpack msgspec mudata muon nbstripout nest_asyncio
    nest_asyncio2 notebook papermill pil pip pkg_resources plotly pooch pre_commit pydevd pylab
    pytest pythonjsonlogger pywin32 pywinpty rpds ruff scikit_misc scvi setuptools sklearn snakemake
    sniffio squidpy tables testing tlz tomli torch umap websocket wheel win32api win32con winpty
    xarray yaml zarr zmq
    """.split()
)
# Names inside the project that would be mistaken for the package.
OWN = frozenset(
    """
    checkpoint checkpoints data docs notebooks pipelines project results scripts src test tests
    """.split()
)


def refusals(answers: dict) -> list[str]:
    """Return a line for each answer that would not make a working project.

    Parameters
    ----------
    answers
        The answers by question, as cookiecutter passes them to templates.
    """
    slug = answers["project_slug"]
    # a replay file may have been edited, so the kept answer counts only if it was replaced
    wrong = list(slug_refusals(answers["__answered_slug"] if slug == STAND_IN else slug))
    return [
        *text_refusals("project_name", answers["project_name"], "My project", required=True),
        # the package is derived from the slug: a problem of both is reported once
        *(wrong or package_refusals(answers["package_name"])),
        *text_refusals("description", answers["description"], "Maps cells of two modalities."),
        *text_refusals("author_name", answers["author_name"], "Ada Lovelace"),
        *pipeline_refusals(answers["pipeline"]),
        *notebook_refusals(answers["notebooks"]),
    ]


def text_refusals(name: str, text: str, example: str, *, required: bool = False) -> Iterator[str]:
    """Reject text that is not one line that TOML, Markdown and a license can hold."""
    if not isinstance(text, str):  # `author_name: 1` in a configuration file
        yield refusal(name, str(text), f"must be text, got {type(text).__name__}", example)
    elif required and not text.strip():
        yield refusal(name, text, "is empty", example)
    elif bad := [char for char in text if not storable(char)]:
        reason = f"has a line break or control character ({bad[0]!r})"
        yield refusal(name, text, reason, example)


def storable(char: str) -> bool:
    """Tell whether one line of text can contain a character."""
    code = ord(char)
    return not (
        code < 32 or 127 <= code < 160 or code in (0x2028, 0x2029) or 0xD800 <= code < 0xE000
    )


def slug_refusals(slug: str) -> Iterator[str]:
    """Reject a slug that cannot name a folder on every system and a Python distribution."""
    reason = name_reason(slug, "._-")
    if reason is None and slug[-1] not in PLAIN:
        reason = "ends with neither a letter nor a digit"
    if reason is None and normal(slug) in needed():
        reason = "is the name of a package that the project depends on"
    if reason:
        yield refusal("project_slug", slug, reason, "my_project")


def package_refusals(package: str) -> Iterator[str]:
    """Reject a package that Python cannot import, or that would shadow another."""
    reason = None
    if not package.isidentifier() or not package.isascii():
        reason = "is not a Python identifier (ASCII letters, digits and _)"
    elif keyword.iskeyword(package):
        reason = "is a Python keyword"
    elif package[0] == "_":
        reason = "starts with an underscore"
    elif package.lower() in needed():
        reason = "would shadow the package of that name, which the notebooks need"
    elif package.lower() in {name.lower() for name in sys.stdlib_module_names}:
        reason = "would shadow the standard library module of that name"
    elif package.lower() in OWN:
        reason = "is the name of another part of the project"
    else:
        reason = name_reason(package, "_")
    if reason:
        yield refusal("package_name", package, reason, "my_project")


def pipeline_refusals(pipeline: str) -> Iterator[str]:
    """Reject a pipeline that does not exist, as after a typing error in `cookiecutter.json`."""
    try:
        read_pipeline(pipeline)
    except ValueError as error:
        yield refusal("pipeline", pipeline, str(error))


def notebook_refusals(answer: str) -> Iterator[str]:
    """Reject names that cannot be file names once they are numbered."""
    names = [name.strip() for name in answer.split(",")]
    example = "preprocessing, integration, visualization"
    if len(names) > MOST_NOTEBOOKS:
        yield refusal("notebooks", answer, f"has more than {MOST_NOTEBOOKS} names", example)
        return
    rules = portable_names()
    numbers = [rules.number_of(name) if name[:1].isdecimal() else None for name in names]
    seen = set()
    for name, number in zip(names, numbers, strict=True):
        reason = rules.unfit(name, bare=number is None)
        if reason is None and len(name) > LONGEST:
            reason = f"is longer than {LONGEST} characters"
        if reason is None and name.lower() in seen:
            reason = "is listed twice"
        if reason:
            what = f"{name!r} {reason}" if name else "has an empty name"
            yield refusal("notebooks", answer, what, example)
            return
        seen.add(name.lower())
    if any(numbers) and not all(numbers):
        without = names[numbers.index(None)]
        reason = f"has numbers, but not for {without!r}; give all of them a number, or none"
        yield refusal("notebooks", answer, reason, "01_import, 02_qc")
    elif any(numbers):
        for before, number in itertools.pairwise(numbers):
            if not before.key < number.key:
                reason = f"has {number.text!r} after {before.text!r}; expected rising numbers"
                yield refusal("notebooks", answer, reason, "01_import, 02_qc")
                return


def name_reason(name: str, marks: str) -> str | None:
    """Return why a name is not a file name on Linux, macOS and Windows, or None.

    Parameters
    ----------
    name
        A slug or package.
    marks
        The characters that are allowed besides ASCII letters and digits.
    """
    if bad := [char for char in name if char not in PLAIN | set(marks)]:
        return f"has {bad[0]!r}; letters, digits and {' '.join(marks)} are allowed"
    if name and name[0] not in PLAIN:
        return "starts with neither a letter nor a digit"
    if len(name) > LONGEST:
        return f"is longer than {LONGEST} characters"
    return portable_names().unportable(name)


@cache
def portable_names() -> ModuleType:
    """Return the project's own rules for file names.

    They are loaded from their file: in cookiecutter's process, `import checkpoint` may find another
    package of that name.
    """
    path = template_folder() / "checkpoint" / "project" / "names.py"
    spec = importlib.util.spec_from_file_location("answer_names", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def needed() -> frozenset[str]:
    """Return the distributions and modules that notebooks, or what they import, need."""
    path = template_folder() / "{{cookiecutter.project_slug}}" / "constraints.txt"
    pins = re.findall(r"^[\w.-]+(?===)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return ALSO_NEEDED.union(map(normal, pins))


def normal(name: str) -> str:
    """Return a distribution's name in one spelling; installers ignore case, `-`, `.` and `_`."""
    return re.sub(r"[-_.]+", "_", name).strip("_").lower()


def refusal(name: str, answer: str, reason: str, example: str | None = None) -> str:
    """Return one line: which answer, what is wrong with it, and a valid example."""
    shown = answer if len(answer) <= 80 else answer[:77] + "..."
    return f"{name} {shown!r}: {reason}." + (f" Valid example: {example!r}." if example else "")
