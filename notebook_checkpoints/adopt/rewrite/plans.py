"""What rewriting a notebook needs to know about the others, and its result."""

import ast
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from checkpoint.notebooks import notebook

from ..scan.chain import Chain
from ..scan.places import HOLE
from ..scan.uses import Scanned, Use
from .inputs import why_not
from .outputs import Outputs, Stored, plan
from .scripts import Script
from .statements import Code


class Rewritten(NamedTuple):
    """A notebook after it was rewritten.

    Attributes
    ----------
    scanned
        The notebook as it was.
    path
        Its new path, from the top of the project.
    content
        Its JSON.
    stored
        Where each file is that it wrote, by its path with holes.
    inputs
        The checkpoints, by step and part, and files that it reads, from the top of the project.
    left
        What stayed as it was, one sentence each.
    """

    scanned: Scanned
    path: str
    content: dict[str, Any]
    stored: dict[str, Stored]
    inputs: list[Stored | Use]
    left: list[str]

    @property
    def step(self) -> str:
        """Its step."""
        return posixpath.basename(self.path).removesuffix(".ipynb")

    @property
    def lines(self) -> tuple[int, int]:
        """The number of lines of code before and after."""
        before, after = (
            sum(1 for source in sources for line in source.splitlines() if line.strip())
            for sources in (self.scanned.unit.cells, notebook.sources(self.content))
        )
        return before, after


class Project(NamedTuple):
    """What rewriting a notebook needs to know about the others.

    Attributes
    ----------
    root, package
        The project, and its package.
    chain
        Its notebooks and scripts.
    targets
        The paths of those that are rewritten now.
    scripts
        The scripts among them, by path.
    texts
        By path, the code of others, configuration files, and the strings left over in those that
        are rewritten: if such a text has the name of a file, the file may be read there.
    """

    root: Path
    package: str
    chain: Chain
    targets: list[str]
    scripts: dict[str, Script]
    texts: dict[str, str]


def planned(project: Project, path: str, codes: dict[str, list[Code]]) -> Outputs:
    """Return what becomes of the files that a notebook writes."""
    scanned = project.chain.unit(path)

    def unclear(use: Use) -> str:
        same = [write for write in scanned.writes if write.place.matches(use.place)]
        if len(same) > 1:
            return "it is written more than once"
        others = [writer for writer, _ in project.chain.writers(use.place) if writer is not scanned]
        if others:
            return f"{others[0].unit.path} writes it, too"
        own = [read for _, read in _readers(project, use, path)]
        if not all(_reads_after(codes[path], use, read) for read in own):
            return "the notebook reads it, too"
        return ""

    def still_read(use: Use) -> str:
        for reader, read in _readers(project, use):
            name = reader.unit.path
            same = read.place.text == use.place.text
            follows = name in project.targets and reader is not scanned and same
            if not follows or (
                name not in project.scripts and why_not(codes[name][read.cell], read)
            ):
                certain = read in reader.reads and (same or HOLE not in read.place.text)
                return f"{name} {'reads' if certain else 'may read'}"
        stem = max(use.place.name.split(HOLE), key=len)
        named = (name for name, text in project.texts.items() if len(stem) > 4 and stem in text)
        return next((f"{name} may read" for name in named), "")

    return plan(scanned, codes[path], unclear, still_read)


def _reads_after(codes: list[Code], use: Use, read: Use) -> bool:
    """Tell whether a notebook reads a file again that it has surely written before."""
    if read.place.text != use.place.text:
        return True  # only perhaps the same
    if use.call is None or read.call is None:
        return False
    functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    around = [*codes[read.cell].around(read.call)]
    outer = [node for node in codes[use.cell].around(use.call) if isinstance(node, ast.stmt)]
    plain = all(isinstance(node, ast.Expr | ast.With) for node in outer)
    later = (use.cell, use.call.lineno) < (read.cell, read.call.lineno)
    return plain and later and not any(isinstance(node, functions) for node in around)


def _readers(project: Project, use: Use, path: str = "") -> Iterator[tuple[Scanned, Use]]:
    """Yield who may read a file: all notebooks and scripts, or only the one at `path`."""
    for reader in project.chain.scanned:
        if not path or reader.unit.path == path:
            for read in [*reader.reads, *(() if path else reader.named)]:
                if any(place.matches(use.place) for place in read.places):
                    yield reader, read
