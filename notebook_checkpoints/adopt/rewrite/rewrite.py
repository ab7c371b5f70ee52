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
    rewritable, refused = _rewritable(root, chain, targets)
    chosen = [chain.unit(path) for path in rewritable]
    scripts = {
        scanned.unit.path: script_of(scanned) for scanned in chosen if not scanned.unit.is_notebook
    }
    texts = {
        scanned.unit.path: left_over(scanned)
        if scanned.unit.path in rewritable
        else "\n".join(scanned.unit.cells)
        for scanned in chain.scanned
        if scanned.unit.path not in scripts
    } | other_texts(root)
    project = Project(root, package, chain, rewritable, scripts, texts)
    codes = {
        scanned.unit.path: codes_of(scanned.unit.cells, scanned.unit.trees)
        for scanned in chosen
        if scanned.unit.path not in scripts
    }
    outputs = {path: planned(project, path, codes) for path in codes}
    stored = {path: written.stored(chain.unit(path).unit.name) for path, written in outputs.items()}
    stored |= {path: script.stored for path, script in scripts.items()}
    stored_before = [stored_by(scanned) for scanned in chain.scanned]
    all_stored = {
        text: where for files in [*stored_before, *stored.values()] for text, where in files.items()
    }
    notebooks = [
        Rewriting(
            project,
            scanned.unit.path,
            codes[scanned.unit.path],
            outputs[scanned.unit.path],
            all_stored,
            stored[scanned.unit.path],
        ).result()
        for scanned in chain.scanned
        if scanned.unit.path in outputs
    ]
    rewritten_scripts = [
        (scripts[scanned.unit.path], rewritten_script(scripts[scanned.unit.path], all_stored))
        for scanned in chain.scanned
        if scanned.unit.path in scripts
    ]
    order = [scanned.unit.path for scanned in chain.scanned]
    return Result(notebooks, rewritten_scripts, all_stored, refused, order)


def _rewritable(root: Path, chain: Chain, targets: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the targets that can be rewritten, and why the others cannot."""
    refused = {path: why for path in targets if (why := refusal(root, chain, path))}
    rewritable = [path for path in targets if path not in refused]
    while new := {path: why for path in rewritable if (why := left_alone(chain, path, rewritable))}:
        refused |= new
        rewritable = [path for path in rewritable if path not in new]
    return rewritable, refused
