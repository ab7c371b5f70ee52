"""Rewrite notebooks: readers load, raw files go by `data_file`, writers become the save cell."""

from pathlib import Path
from typing import NamedTuple

from ..scan.chain import Chain
from .adopted import stored_by
from .mentions import left_over, other_texts
from .outputs import Stored
from .plans import Project, Rewritten, planned
from .refusals import left_alone, refusal
from .rewriting import Rewriting
from .scripts import Script, rewritten_script, script_of
from .statements import codes_of


class Result(NamedTuple):
    """What was rewritten.

    Attributes
    ----------
    notebooks, scripts
        In running order; scripts with their new code.
    stored
        Where each file of the chain is.
    refused
        Why others cannot be rewritten, by path.
    order
        The paths of all notebooks and scripts, in running order.
    """

    notebooks: list[Rewritten]
    scripts: list[tuple[Script, str]]
    stored: dict[str, Stored]
    refused: dict[str, str]
    order: list[str]


def rewrite(root: Path, package: str, chain: Chain, targets: list[str]) -> Result:
    """Rewrite notebooks and scripts.

    Parameters
    ----------
    root, package
        The project, and its package.
    chain
        Its notebooks and scripts.
    targets
        The paths of those to rewrite.
    """
    refused = {path: why for path in targets if (why := refusal(root, chain, path))}
    known = [path for path in targets if path not in refused]
    while new := {path: why for path in known if (why := left_alone(chain, path, known))}:
        refused |= new
        known = [path for path in known if path not in new]
    units = [chain.unit(path) for path in known]
    scripts = {one.unit.path: script_of(one) for one in units if not one.unit.is_notebook}
    texts = {
        one.unit.path: left_over(one) if one.unit.path in known else "\n".join(one.unit.cells)
        for one in chain.scanned
        if one.unit.path not in scripts
    } | other_texts(root)
    project = Project(root, package, chain, known, scripts, texts)
    codes = {
        one.unit.path: codes_of(one.unit.cells, one.unit.trees)
        for one in units
        if one.unit.path not in scripts
    }
    outputs = {path: planned(project, path, codes) for path in codes}
    stored = {path: one.stored(chain.unit(path).unit.name) for path, one in outputs.items()}
    stored |= {path: script.stored for path, script in scripts.items()}
    before = [stored_by(one) for one in chain.scanned]
    every = {text: one for own in [*before, *stored.values()] for text, one in own.items()}
    notebooks = [
        Rewriting(
            project,
            one.unit.path,
            codes[one.unit.path],
            outputs[one.unit.path],
            every,
            stored[one.unit.path],
        ).result()
        for one in chain.scanned
        if one.unit.path in outputs
    ]
    rewritten_scripts = [
        (scripts[one.unit.path], rewritten_script(scripts[one.unit.path], every))
        for one in chain.scanned
        if one.unit.path in scripts
    ]
    order = [one.unit.path for one in chain.scanned]
    return Result(notebooks, rewritten_scripts, every, refused, order)
