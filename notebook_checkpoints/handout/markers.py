"""Notebooks without their solutions: the markers of nbgrader and otter, and a tag for whole cells.

nbgrader: https://nbgrader.readthedocs.io, "Creating and grading assignments".
otter: https://otter-grader.readthedocs.io, "Otter Assign", notebook format.
"""

import copy
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from checkpoint.errors import ProjectError
from checkpoint.notebooks import notebook
from checkpoint.notebooks.magics import parse

TAG = "solution"
STUBS = {
    "python": "# YOUR CODE HERE\nraise NotImplementedError()",
    "r": "# YOUR CODE HERE\nfail()",
}
TEXT_STUB = "YOUR ANSWER HERE"
# metadata of cells that tells when and how they ran
TRACES = ("execution", "papermill", "ExecuteTime")
# markers of the other tool, in lower case or misspelled, whose solutions would stay
LEFT_OVER = re.compile(
    r"(?i:\b(BEGIN|END)\s+(SOLUTION|HIDDEN\s+TEST|MARK\s+SCHEME|PROMPT|IGNORE))"
    r"|(?m:^\s*#+\s*(BEGIN|END)\s+(?!TEST CONFIG)[A-Z]{3,})|#\s*SOLUTION\b"
)
# otter leaves such a line as it is, with its solution
SMALL = re.compile(r"(?im)(?<=\S)\s*#\s*solutions?(\s+no\s*prompt)?[\s:.!]*$")


class Cleared(NamedTuple):
    """A notebook as students get it.

    Attributes
    ----------
    content
        The notebook.
    removed
        The lines that were removed.
    counts
        How many solutions and hidden tests were removed.
    solved
        The cells of `content` that had a solution, each with its outputs.
    """

    content: dict
    removed: list[str]
    counts: Counter[str]
    solved: list[tuple[dict, list]]


class _Clearing:
    """What was removed from one notebook so far."""

    def __init__(self, where: str, language: str) -> None:
        self.where = where
        self.stub = STUBS[language]
        self.assigned, self.prompt_for, self.prompt = PROMPTS[language]
        self.removed: list[str] = []
        self.counts: Counter[str] = Counter()
        self.in_raw: str | None = None  # which part of an otter notebook a raw cell has begun

    def wrong(self, source: str, what: str) -> ProjectError:
        first = notebook.first_line(source)
        return ProjectError(f"{self.where}, cell `{first}`: {what}", file=self.where, found=what)

    def take(self, lines: list[str], kind: str) -> None:
        """Record that lines were removed."""
        self.removed += lines
        self.counts[kind] += 1


def cleared(content: dict, where: str, markers: str) -> Cleared:
    """Return a notebook without solutions, hidden tests, outputs, counts and attachments.

    Parameters
    ----------
    content
        The notebook.
    where
        What to call it in messages.
    markers
        A key of `MARKERS`.

    Raises
    ------
    ProjectError
        If a marker has no counterpart or is left over, or if its language is not supported.
    """
    language = notebook.language(content)
    if language not in STUBS:
        languages = ", ".join(STUBS)
        raise ProjectError(
            f"{where} is in {language}; solutions can be replaced in {languages}.", file=where
        )
    clearing = _Clearing(where, language)
    student, solved = copy.deepcopy(content), []
    student["cells"] = []
    for cell in content["cells"]:
        before = clearing.counts["solution"]
        source = _cleared_source(cell, clearing, MARKERS[markers])
        if source is None:
            continue
        _refuse_unclean(cell, source, clearing, markers, language)
        bare = _bare(cell, source)
        student["cells"].append(bare)
        if clearing.counts["solution"] > before:
            solved.append((bare, cell.get("outputs", [])))
    if clearing.in_raw:
        raise ProjectError(f"{where}: # BEGIN {clearing.in_raw} has no # END.", file=where)
    student["metadata"] = {
        key: value
        for key, value in content["metadata"].items()
        if key in ("kernelspec", "language_info")
    }
    return Cleared(student, clearing.removed, clearing.counts, solved)


def _refuse_unclean(
    cell: dict, source: str, clearing: _Clearing, markers: str, language: str
) -> None:
    """Raise if a cell without its solution still has a marker, or is no longer valid Python."""
    is_code = cell["cell_type"] == "code"
    if marker := LEFT_OVER.search(source) or (SMALL.search(source) if is_code else None):
        raise clearing.wrong(
            source,
            f"has {marker[0].strip()!r}, which is not one of the markers of {markers} that "
            "belong together. Correct it, or choose others with --markers.",
        )
    original = notebook.source_of(cell)
    is_changed = is_code and language == "python" and source != original
    if is_changed and _is_python(original) and not _is_python(source):
        raise clearing.wrong(original, "is not valid Python without its solution.")


def _is_python(source: str) -> bool:
    try:
        parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _cleared_source(
    cell: dict, clearing: _Clearing, clear: Callable[[dict, str, _Clearing], str | None]
) -> str | None:
    """Return the source of a cell without solutions; None for a cell that students do not get."""
    source = notebook.source_of(cell)
    tags = [str(tag) for tag in notebook.tags_of(cell)]
    if TAG in tags:
        return _replaced(cell, source, clearing)
    if near := next((tag for tag in tags if tag.casefold().startswith(TAG[:-2])), None):
        raise clearing.wrong(source, f"has the tag {near!r}; that of solutions is {TAG!r}.")
    return clear(cell, source, clearing)


def _replaced(cell: dict, source: str, clearing: _Clearing) -> str:
    clearing.take(source.split("\n"), "solution")
    return clearing.stub if cell["cell_type"] == "code" else TEXT_STUB


def _bare(cell: dict, source: str) -> dict:
    """Return a cell with another source, and without traces of a run."""
    bare = copy.deepcopy(cell)
    if bare.pop("attachments", None):
        source = re.sub(r"!\[[^\]]*\]\(attachment:[^)]*\)", "", source)
    bare["source"] = source.splitlines(keepends=True)
    for key in TRACES:
        bare["metadata"].pop(key, None)
    tags = [tag for tag in notebook.tags_of(cell) if tag != TAG]
    bare["metadata"].pop("tags", None)
    if tags:
        bare["metadata"]["tags"] = tags
    if bare["cell_type"] == "code":
        bare["outputs"], bare["execution_count"] = [], None
    return bare


def _without(source: str, name: str, kind: str, stub: str, clearing: _Clearing) -> tuple[str, bool]:
    """Return a source without the lines between two markers, and whether it had any."""
    remaining: list[str] = []
    inside: list[str] | None = None
    had_any = False
    for line in source.split("\n"):
        if f"BEGIN {name}" in line:
            if inside is not None:
                raise clearing.wrong(source, f"has BEGIN {name} twice before END {name}.")
            inside, had_any = [], True
            indent = line[: len(line) - len(line.lstrip())]
            remaining += [indent + stub_line for stub_line in stub.split("\n")] if stub else []
        elif f"END {name}" in line:
            if inside is None:
                raise clearing.wrong(source, f"has END {name} without BEGIN {name}.")
            clearing.take(inside, kind)
            inside = None
        elif inside is not None:
            inside.append(line)
        else:
            remaining.append(line)
    if inside is not None:
        raise clearing.wrong(source, f"has BEGIN {name} without END {name}.")
    return "\n".join(remaining), had_any


def _nbgrader(cell: dict, source: str, clearing: _Clearing) -> str | None:
    stub = clearing.stub if cell["cell_type"] == "code" else TEXT_STUB
    source, had_solution = _without(source, "SOLUTION", "solution", stub, clearing)
    source, _ = _without(source, "HIDDEN TESTS", "hidden test", "", clearing)
    source, _ = _without(source, "MARK SCHEME", "mark scheme", "", clearing)
    grading = cell["metadata"].get("nbgrader")
    whole = isinstance(grading, dict) and grading.get("solution") is True
    if whole and not had_solution:  # as nbgrader: the cell is to be written by students
        return _replaced(cell, source, clearing)
    return source


ASSIGNED = re.compile(r"""(\s*[\w.]+(?:\[[^\]]*\])*(?:,\s*[\w.]+(?:\[[^\]]*\])*)*\s*=)(?!=)""")
# a test that says so in its first line, or in the settings that it begins with
HIDDEN = re.compile(
    r"(?is)\s*#[^\n]*\bhidden\b|\s*[\"']{3}\s*# BEGIN TEST CONFIG(?:(?!END TEST).)*\bhidden:\s*true"
)
DROPPED = ("# SOLUTION NO PROMPT", "# BEGIN PROMPT", "# END PROMPT", "# SEED", "# IGNORE")
# otter's prompts, by language: an assignment, its prompt, and the prompt for anything else
PROMPTS = {
    "python": (ASSIGNED, " ...", "..."),
    "r": (
        re.compile(r"(\s*[\w. $()]*(?:=|<-))"),
        " NULL # YOUR CODE HERE",
        "# YOUR CODE HERE",
    ),
}


def _otter(cell: dict, source: str, clearing: _Clearing) -> str | None:
    if cell["cell_type"] == "raw":
        return _otter_raw(source, clearing)
    if clearing.in_raw == "SOLUTION" and cell["cell_type"] == "markdown":
        clearing.take(source.split("\n"), "solution")
        return None
    if cell["cell_type"] != "code":
        return source
    if clearing.in_raw == "TESTS" and HIDDEN.match(source):
        clearing.take(source.split("\n"), "hidden test")
        return None
    return _otter_code(source, clearing)


def _otter_raw(source: str, clearing: _Clearing) -> str | None:
    """Follow a raw cell that begins or ends a part of the notebook; students do not get it."""
    match = re.match(r"#\s*(BEGIN|END) (\w+)|#\s*(ASSIGNMENT CONFIG|EXPORT)", source.strip())
    if not match:
        return source
    if match[2] in ("SOLUTION", "TESTS"):
        clearing.in_raw = match[2] if match[1] == "BEGIN" else None
    return None


def _otter_code(source: str, clearing: _Clearing) -> str:
    remaining: list[str] = []
    inside: list[str] | None = None
    ignored = False
    for line in source.split("\n"):
        end = line.rstrip()
        if end.endswith("# END SOLUTION"):
            if inside is None:
                raise clearing.wrong(source, "has END SOLUTION without BEGIN SOLUTION.")
            clearing.take(inside, "solution")
            inside = None
        elif inside is not None:
            inside.append(line)
        elif re.match(r"\s*#\s*BEGIN\s*IGNORE", line, re.IGNORECASE):
            ignored = True
        elif end.endswith("# END IGNORE"):
            ignored = False
        elif begun := re.match(r"(\s*)# BEGIN SOLUTION( NO PROMPT)?", line):
            inside = []
            remaining += [] if begun[2] else [begun[1] + clearing.prompt]
        elif ignored:
            clearing.take([line], "other line")
        elif end.endswith(DROPPED):
            clearing.take([end.rpartition("#")[0]], _kind(end))
        elif solved := re.match(r"(.*?)\s*# ?SOLUTION\b", end):
            clearing.take([solved[1]], "solution")
            assigned = clearing.assigned.match(solved[1])
            indent = solved[1][: len(solved[1]) - len(solved[1].lstrip())]
            remaining.append(
                assigned[1] + clearing.prompt_for if assigned else indent + clearing.prompt
            )
        else:
            remaining.append(line)
    if inside is not None:
        raise clearing.wrong(source, "has BEGIN SOLUTION without END SOLUTION.")
    if ignored:
        raise clearing.wrong(source, "has BEGIN IGNORE without END IGNORE.")
    return "\n".join(remaining)


def _kind(line: str) -> str:
    return "solution" if line.endswith("# SOLUTION NO PROMPT") else "other line"


MARKERS: dict[str, Callable[[dict, str, _Clearing], str | None]] = {
    "nbgrader": _nbgrader,
    "otter": _otter,
}
