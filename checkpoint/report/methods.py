"""Facts for a methods section: tools, versions, inputs and parameters."""

import ast
import sys
from collections.abc import Sequence
from typing import Any

from packaging.utils import canonicalize_name

from ..notebooks import notebook
from ..notebooks.magics import parse_cell
from ..project.project import Project
from ..storage import committed
from ..storage.schema import Environment
from ..text import shape
from .facts import Facts, StepFacts, flat, value_text

# modules whose package has another name
OTHER_NAMES = {
    **{"sklearn": "scikit-learn", "skimage": "scikit-image", "skmisc": "scikit-misc"},
    **{"PIL": "pillow", "cv2": "opencv-python", "yaml": "pyyaml", "bs4": "beautifulsoup4"},
    **{"umap": "umap-learn", "scvi": "scvi-tools", "Bio": "biopython", "fitz": "pymupdf"},
}
MANY = 20  # parameters of a group that are listed
OWN = ("src", "notebooks", "scripts")  # folders of the project's modules


def methods(facts: Facts) -> str:
    """Return paragraphs on how the results were made, from their records."""
    saved = [step for step in facts.steps if step.saved.record]
    if not saved:
        return "No step has saved results yet."
    names = _listed([step.name for step in saved])
    steps = f"{len(saved)} steps" if len(saved) > 1 else "1 step"
    systems = {_system(step.saved.record.environment) for step in saved if step.saved.record}
    same = len(systems) == 1 and "" not in systems
    made_with = f" They were made with {next(iter(systems))}." if same else ""
    parts = [f"The results were made in {steps}: {names}.{made_with}"]
    parts += [_paragraph(facts.project, step, same) for step in saved]
    if left := [step.name for step in facts.steps if not step.saved.record]:
        parts.append(f"Without recorded results: {_listed(left)}.")
    return "\n\n".join(parts)


def versions(facts: Facts) -> dict[str, dict[str, list[str]]]:
    """Return the steps by version, by package: for Python, system and direct dependencies."""
    by_package: dict[str, dict[str, list[str]]] = {}
    for step in facts.steps:
        environment = step.saved.record.environment if step.saved.record else None
        if environment:
            here = {"Python": environment.python, "system": environment.system}
            for package, version in {**here, **environment.packages}.items():
                by_package.setdefault(package, {}).setdefault(version, []).append(step.name)
    return by_package


def _system(environment: Environment | None) -> str:
    return f"Python {environment.python} on {environment.system}" if environment else ""


def _paragraph(project: Project, step: StepFacts, same: bool) -> str:
    """Return a paragraph on what a step was made from, with which tools, and what it saved.

    `same` says that all steps were made with the same Python, which was named before.
    """
    record = step.saved.record
    assert record
    versions, others = _tools(project, step)
    if not same:
        versions = {_system(record.environment): "", **versions} if record.environment else {}
    tools = _listed([f"{name} {version}".strip() for name, version in versions.items()])
    with_tools = f" with {tools}" if tools else ""
    lines = [f"{step.name} was made by {_maker(step)}{with_tools}."]
    lines += ["No versions were recorded of what it ran with."] if not record.environment else []
    lines += [f"No version was recorded of {_listed(others)}."] if others else []
    inputs = [name for name in record.inputs if record.inputs[name]]
    lines += [f"It was made from {_listed(inputs)}."] if inputs else []
    if record.params:
        groups = "; ".join(_group(name, value) for name, value in record.params.items())
        lines.append(f"Parameters: {groups}.")
    shapes = {key: shape(entry) for key, entry in record.data_shapes.items()}
    files = {entry.key: shapes.get(entry.key, "") for entry in record.files.values()}
    results = [f"{key} ({size})" if size else key for key, size in files.items()]
    lines += [f"It gave {_listed(results)}."] if results else []
    if step.parts:
        lines.append(f"Its parts are {_listed([part.name for part in step.parts])}.")
    return " ".join(lines)


def _group(name: str, value: Any) -> str:
    """Return a group of parameters: `filtering (min_counts = 500, min_genes = 200)`."""
    if not isinstance(value, dict) or not value:
        return f"{name} = {value_text(value)}"
    values = flat(value)
    some = [f"{key} = {text}" for key, text in list(values.items())[:MANY]]
    more = [f"{len(values) - MANY} more"] if len(values) > MANY else []
    return f"{name} ({', '.join([*some, *more])})"


def _maker(step: StepFacts) -> str:
    if step.step is None:
        return "code that is not a step of the project"
    if step.step.is_script and step.step.entry:
        return f"the command `{' '.join(step.step.entry.run)}`"
    return f"the notebook {step.path}"


def _tools(project: Project, step: StepFacts) -> tuple[dict[str, str], list[str]]:
    """Return the recorded versions of the packages that a step's notebook imports, by name.

    Also return the imported modules without a recorded version, except those of the project.
    """
    environment = step.saved.record.environment if step.saved.record else None
    if not environment:
        return {}, []
    recorded = _recorded(project, step.name, environment)
    used: dict[str, str] = {}
    others: list[str] = []
    for module in sorted(_imports(step.notebook), key=str.lower):
        files = [project.root / place / name for place in OWN for name in (module, f"{module}.py")]
        if known := recorded.get(canonicalize_name(OTHER_NAMES.get(module, module))):
            used[known[0]] = known[1]
        elif not any(file.exists() for file in files):
            others.append(module)
    return used, others


def _recorded(project: Project, step: str, environment: Environment) -> dict[str, tuple[str, str]]:
    """Return the names and versions of installed packages, from record and `environment.txt`."""
    packages = dict(environment.packages)
    if environment.freeze:
        path = committed.locate(project.results_of(step), environment.freeze.key)
        lines = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        for line in lines.splitlines():
            name, equals, version = line.partition("==")
            if equals:
                packages.setdefault(name, version)
    return {canonicalize_name(name): (name, version) for name, version in packages.items()}


def _imports(content: dict[str, Any] | None) -> set[str]:
    """Return the packages that a notebook's code cells import, except the standard library."""
    modules: set[str] = set()
    for source in notebook.sources(content) if content else ():
        tree = parse_cell(source)
        for node in ast.walk(tree) if tree else ():
            match node:
                case ast.Import(names=names):
                    modules.update(alias.name.partition(".")[0] for alias in names)
                case ast.ImportFrom(module=str() as module, level=0):
                    modules.add(module.partition(".")[0])
    return modules - sys.stdlib_module_names


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
