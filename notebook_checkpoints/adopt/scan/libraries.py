"""What notebooks and scripts import that `pyproject.toml` does not list."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from .units import Unit

# distributions by the name of their module, where the two differ
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "cv2": "opencv-python",
    "scvi": "scvi-tools",
    "community": "python-louvain",
    "Bio": "biopython",
    "umap": "umap-learn",
    "magic": "magic-impute",
    "dotenv": "python-dotenv",
    "dateutil": "python-dateutil",
    "IPython": "ipykernel",
    "mpl_toolkits": "matplotlib",
}


def not_listed(root: Path, units: Iterable[Unit], pyproject: str) -> Iterator[str]:
    """Yield which dependencies are not listed, and which other kernels need the project."""
    units = list(units)
    listed = tomllib.loads(pyproject).get("project", {}).get("dependencies", [])
    listed_names = {
        canonicalize_name(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0])
        for requirement in listed
    }
    names = {name for unit in units for tree in unit.trees for name in _imported(tree)}
    own_modules = {unit.name for unit in units} | {path.stem for path in root.glob("*.py")}
    beside = {root / unit.folder for unit in units}
    own_modules |= {
        path.name for place in {root, root / "src"} | beside for path in place.glob("*/")
    }
    own_modules |= {path.stem for place in beside for path in place.glob("*.py")}
    missing = sorted(
        DISTRIBUTIONS.get(name, name)
        for name in names - sys.stdlib_module_names - own_modules
        if canonicalize_name(DISTRIBUTIONS.get(name, name)) not in listed_names
    )
    if missing:
        yield f"pyproject.toml does not list what notebooks import: {', '.join(missing)}"
    for unit in units:
        spec = (unit.content or {}).get("metadata", {}).get("kernelspec", {})
        kernel = spec.get("name", "python3") if isinstance(spec, dict) else "python3"
        if unit.language == "python" and kernel != "python3":
            yield f"{unit.path} runs in the kernel {kernel!r}: install the project there"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
