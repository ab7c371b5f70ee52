"""Adopt a project: look at it, add the template's files, rewrite notebooks, take over results."""

import ast
import posixpath
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import tomlkit

from checkpoint.errors import ProjectError
from checkpoint.notebooks.notebook import dumps
from checkpoint.project.chain import in_order
from checkpoint.project.settings import Entry

from .changes import Change, apply, difference, refuse_unclean, text_difference
from .rewrite.move import FOLDER
from .rewrite.plans import Rewritten
from .rewrite.rewrite import Result, rewrite
from .rewrite.scripts import Script, code_of, loads_of
from .scan.broken import Broken, broken_in
from .scan.chain import Chain, chain_of
from .scan.libraries import not_listed
from .scan.scan import scan
from .takeover import Taken, take_over
from .template_files import PYPROJECT, Added, template_files

ALL = "all"


class Plan(NamedTuple):
    """What `adopt --write` is about to do.

    Attributes
    ----------
    root
        The project.
    added
        The template's files.
    result
        The notebooks and scripts that are rewritten.
    changes
        All files that are written or removed.
    """

    root: Path
    added: Added
    result: Result
    changes: list[Change]

    @property
    def steps(self) -> list[Rewritten | Script]:
        """The steps that are rewritten, in running order."""
        scripts = [script for script, _ in self.result.scripts]
        rewritten: list[Rewritten | Script] = [*self.result.notebooks, *scripts]
        order = self.result.order
        return sorted(rewritten, key=lambda step: order.index(step.scanned.unit.path))


def look(root: Path) -> tuple[Chain, list[Broken]]:
    """Return the chain of a project and what is broken in it, without changing anything.

    Raises
    ------
    ProjectError
        If there are no notebooks and scripts.
    """
    if not root.is_dir():
        raise ProjectError(f"{root} is not a folder.", file=str(root))
    chain = chain_of(scan(root))
    if not chain.scanned:
        raise ProjectError(
            f"{root} has no notebooks, and no scripts that read or write files. To start a "
            "project, use `notebook-checkpoints new`.",
            file=str(root),
        )
    return chain, broken_in(root, chain)


def plan(root: Path, steps: list[str], package: str | None, *, git: bool = True) -> Plan:
    """Return what adopting would change, without changing anything.

    Parameters
    ----------
    root
        The project.
    steps
        The notebooks and scripts to rewrite, by their names or paths; `all` for all of them.
    package
        The package of the project; None to detect it.
    git
        Whether the project has to be in a clean git repository.

    Raises
    ------
    ProjectError
        If the project has no notebooks, a step does not exist, or git could not restore it.
    """
    chain, _ = look(root)
    targets = _targets(chain, steps)
    if git:
        refuse_unclean(root)
    added = template_files(root, package)
    result = rewrite(root, added.package, chain, targets)
    if ALL in steps:
        result.refused.update(_unknown(chain, targets))
    changes = {change.path: change for change in added.changes}
    for rewritten in result.notebooks:
        changes[rewritten.path] = Change(rewritten.path, dumps(rewritten.content).encode())
        if rewritten.path != rewritten.scanned.unit.path:
            changes[rewritten.scanned.unit.path] = Change(rewritten.scanned.unit.path, None)
    for script, text in result.scripts:
        changes[script.scanned.unit.path] = Change(script.scanned.unit.path, text.encode())
    if result.notebooks or result.scripts:
        before = changes[PYPROJECT].content if PYPROJECT in changes else None
        text = (before if before is not None else (root / PYPROJECT).read_bytes()).decode("utf-8")
        after = _with_steps(root, chain, result, text)
        if after != text or PYPROJECT in changes:
            changes[PYPROJECT] = Change(PYPROJECT, after.encode())
    if PYPROJECT in changes:
        text = (changes[PYPROJECT].content or b"").decode("utf-8")
        added.left.extend(not_listed(root, [scanned.unit for scanned in chain.scanned], text))
    return Plan(root, added, result, list(changes.values()))


def shown(plan: Plan) -> str:
    """Return the differences that a plan makes to notebooks, scripts and merged files."""
    parts = [
        difference(
            rewritten.scanned.unit.content,
            rewritten.content,
            rewritten.scanned.unit.path,
            rewritten.path,
        )
        for rewritten in plan.result.notebooks
    ]
    for script, text in plan.result.scripts:
        parts.append(text_difference(script.source, text, script.scanned.unit.path))
    for change in plan.changes:
        path = plan.root / change.path
        is_text = change.path in (PYPROJECT, ".gitignore")
        if is_text and path.is_file() and change.content is not None:
            before = path.read_bytes().decode("utf-8", "replace")
            parts.append(text_difference(before, change.content.decode(), change.path))
    return "\n".join(filter(None, parts))


def write(plan: Plan, *, git: bool = True) -> tuple[list[Taken], str]:
    """Carry out a plan and take over the existing results; `git` is as in `plan`.

    Returns
    -------
    tuple
        What became of the results of each step, and the folder with the originals that git cannot
        restore; empty if there are none.
    """
    originals = apply(plan.root, plan.changes, git=git)
    return take_over(plan.root, plan.steps), originals


def _targets(chain: Chain, steps: list[str]) -> list[str]:
    """Return the paths of the notebooks and scripts that `--write` names."""
    targets: list[str] = []
    linked = {path for link in chain.links for path in (link.writer, link.reader)}
    for step in steps:
        if step == ALL:
            targets += [
                scanned.unit.path
                for scanned in chain.scanned
                if not scanned.is_adopted
                if (scanned.unit.is_notebook and (scanned.uses or scanned.unit.wrong))
                or scanned.unit.path in linked
            ]
            continue
        named = step.replace("\\", "/")
        bare = posixpath.basename(named)
        matches = [
            scanned.unit.path
            for scanned in chain.scanned
            if named in (scanned.unit.path, scanned.unit.name)
            or scanned.unit.path.endswith(f"/{named}")
            or bare == posixpath.basename(scanned.unit.path)
        ]
        if len(matches) != 1:
            names = ", ".join(scanned.unit.name for scanned in chain.scanned)
            what = (
                f"{step!r} is {' and '.join(matches)}"
                if matches
                else f"No notebook or script {step!r}"
            )
            raise ProjectError(f"{what}; there are {names}.", step=step, expected=names)
        targets += matches
    return list(dict.fromkeys(targets))


def _unknown(chain: Chain, targets: list[str]) -> dict[str, str]:
    """Return why `all` skips notebooks whose files are not known, by path."""
    reasons = {}
    for scanned in chain.scanned:
        if scanned.unit.is_notebook and scanned.unit.path not in targets and not scanned.is_adopted:
            asks_snakemake = any(
                isinstance(node, ast.Name) and node.id == "snakemake"
                for tree in scanned.unit.trees
                for node in ast.walk(tree)
            )
            if asks_snakemake:
                reasons[scanned.unit.path] = "Snakemake gives it its paths when it runs"
            elif scanned.unknown:
                reasons[scanned.unit.path] = f"it {scanned.unknown[0]}"
    return reasons


def _with_steps(root: Path, chain: Chain, result: Result, text: str) -> str:
    """Return a `pyproject.toml` with the commands of scripts, and `order` where it is needed."""
    document: Any = tomlkit.parse(text)
    settings = document["tool"]["checkpoint"]
    for script, _ in result.scripts:
        entry = tomlkit.table()
        entry["run"] = script.command
        if loads := loads_of(script, result.stored):
            entry["loads"] = loads
        entry["code"] = code_of(root, script)
        settings.setdefault("steps", tomlkit.table(True))[script.step] = entry
    order = _order(root, chain, result, settings)
    if order is not None:
        array = tomlkit.array()
        array.extend(order)
        settings["order"] = array.multiline(len(order) > 4)
    after = tomlkit.dumps(document)
    if "[tool.checkpoint]" not in after.splitlines():
        raise ProjectError(
            f"{PYPROJECT}: [tool.checkpoint] is written in an unusual way.", file=PYPROJECT
        )
    return after


def _order(root: Path, chain: Chain, result: Result, settings: Any) -> list[str] | None:
    """Return the setting `order`; None if the names of the notebooks give the order already."""
    moved = {rewritten.scanned.unit.path: rewritten.path for rewritten in result.notebooks}
    scripts = {script.scanned.unit.path for script, _ in result.scripts}
    entries = {str(name): Entry(["x"], [], [], []) for name in settings.get("steps", {})}
    by_name = {
        scanned.unit.name for scanned in chain.scanned if not scanned.unit.is_notebook
    } & entries.keys()
    order = []
    for scanned in chain.scanned:
        path = moved.get(scanned.unit.path, scanned.unit.path)
        if scanned.unit.path in scripts or (
            not scanned.unit.is_notebook and scanned.unit.name in by_name
        ):
            order.append(scanned.unit.name)
        elif scanned.unit.is_notebook and path.startswith(f"{FOLDER}/"):
            order.append(PurePosixPath(path).relative_to(FOLDER).with_suffix("").as_posix())
    stems = [posixpath.basename(name) for name in order]
    order = [name for name, stem in zip(order, stems, strict=True) if stems.count(stem) == 1]
    folder = root / FOLDER
    paths = [folder / f"{name}.ipynb" for name in order if name not in entries]
    natural = in_order(folder, paths, entries, [])
    places = [step.place for step in natural]
    same = [step.name for step in natural] == [posixpath.basename(name) for name in order]
    if same and len(set(places)) == len(places) and "order" not in settings:
        return None
    return order


def report(plan: Plan, taken: list[Taken], originals: str) -> dict[str, Any]:
    """Return what was done, as data for JSON."""
    return {
        "written": [change.path for change in plan.changes if change.content is not None],
        "removed": [change.path for change in plan.changes if change.content is None],
        "refused": plan.result.refused,
        "left": plan.added.left,
        "notebooks": [
            {
                "path": rewritten.path,
                "step": rewritten.step,
                "lines": list(rewritten.lines),
                "left": rewritten.left,
            }
            for rewritten in plan.result.notebooks
        ],
        "taken": [step._asdict() for step in taken],
        "originals": originals,
    }
