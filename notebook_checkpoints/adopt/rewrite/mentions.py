"""Names of files in code and configuration, which may be read in a way that adopt cannot see."""

import ast
import os
from pathlib import Path

from checkpoint.files import LEFTOVERS
from checkpoint.notebooks.calls import dotted

from ..scan.unclear_paths import parts_of
from ..scan.units import LARGEST, SKIPPED
from ..scan.uses import Scanned

TEXTS = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".smk", ".nf", ".jl", ".m", ".pl")
NAMES = ("Snakefile", "Makefile", "makefile", "Justfile", "justfile")


def left_over(scanned: Scanned) -> str:
    """Return the strings in a notebook's code that are not part of a known path.

    Printed strings and docstrings are skipped.
    """
    explained = {
        inner
        for use in scanned.uses
        if use.path is not None
        for inner in parts_of(scanned.names, use.path)
    }
    texts = []
    for tree in scanned.unit.trees:
        said = {
            id(inner)
            for node in ast.walk(tree)
            if (isinstance(node, ast.Call) and dotted(node.func) in ("print", "display"))
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            for inner in ast.walk(node)
        }
        texts += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in explained | said
        ]
    return "\n".join(texts)


def other_texts(root: Path) -> dict[str, str]:
    """Return configuration files and workflows, by path."""
    texts = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name for name in folders if name[0] != "." and name not in LEFTOVERS | SKIPPED
        ]
        for name in files:
            path = Path(folder, name)
            is_text = (path.suffix in TEXTS or name in NAMES) and path.is_file()
            if is_text and path.stat().st_size < LARGEST:
                where = path.relative_to(root).as_posix()
                texts[where] = path.read_text(encoding="utf-8", errors="replace")
    return texts
