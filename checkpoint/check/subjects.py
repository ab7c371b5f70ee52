"""What rules judge: a project, the file of a notebook, a notebook, a code cell."""

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from ..errors import ProjectError
from ..notebooks import notebook
from ..notebooks.calls import Call, calls, imported
from ..notebooks.magics import magics, parse_cell
from ..project.chain import Step
from ..project.project import Project


class NotebookFile(NamedTuple):
    """The file of a notebook, which may be damaged."""

    where: str  # relative to the project
    content: dict | None  # its JSON; None if it cannot be read
    error: str = ""  # why it cannot be read, in words that complete "<file> …"


class Notebook:
    """A notebook with valid cells; `steps` are all steps of the project, in order."""

    def __init__(self, project: Project, step: Step, steps: list[Step], content: dict) -> None:
        self.project, self.step, self.steps = project, step, steps
        self.content = content
        self.cells = [Cell(self, cell) for cell in notebook.code_cells(content)]

    def tagged(self, tag: str) -> list["Cell"]:
        """Return the code cells with a tag."""
        return [cell for cell in self.cells if tag in notebook.tags_of(cell.json)]

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of `load`, `save`, `data_file` and `figures` in the notebook's code."""
        return imported([cell.source for cell in self.cells])


class Cell:
    """A code cell of a notebook; `json` is the cell as in the notebook's file."""

    def __init__(self, notebook_: Notebook, json: dict) -> None:
        self.notebook = notebook_
        self.json = json
        self.source = notebook.source_of(json)

    @property
    def line(self) -> str:
        """Its first line, by which people recognise it."""
        return notebook.first_line(self.source)

    @cached_property
    def tree(self) -> ast.Module | None:
        """Its code without magics, as a syntax tree; None if that is not Python."""
        return parse_cell(self.source)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """The nodes of its syntax tree."""
        return list(ast.walk(self.tree)) if self.tree else []

    @cached_property
    def shell_lines(self) -> list[str]:
        """Its magics and shell lines; all lines of a cell in another language."""
        return list(magics(self.source))

    @cached_property
    def own_calls(self) -> list[Call]:
        """Its calls of `load`, `save`, `data_file` and `figures`."""
        names = self.notebook.names
        if not any(name in self.source for name in names):
            return []  # true of most cells, and parsing is slow
        return calls(self.source, names) or []


def subjects(
    project: Project,
) -> Iterator[tuple[Project | NotebookFile | Notebook | Cell, str, str | None]]:
    """Yield what rules judge, each with its file and the first line of its cell.

    One notebook is in memory at a time, since outputs can be large.
    """
    yield project, "", None
    steps = project.steps()
    for step in steps:
        if step.is_script:
            continue
        where = project.show(step.path)
        try:
            file = NotebookFile(where, notebook.read(step.path))
        except ProjectError as error:
            reason = str(error).removeprefix(f"{error.file} ").rstrip(".")
            file = NotebookFile(where, None, reason)
        yield file, where, None
        if file.content is None or any(notebook.broken(file.content)):
            continue
        # notebooks in other languages or without code call neither load nor save
        if any(notebook.sources(file.content)) and notebook.language(file.content) == "python":
            whole = Notebook(project, step, steps, file.content)
            yield whole, where, None
            for cell in whole.cells:
                yield cell, where, cell.line
