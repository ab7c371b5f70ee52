"""Write the constraints.txt of the template and of its projects, with today's newest versions.

Both are valid for every Python from 3.11.0 on, and agree on the packages that they share. With
`--keep`, listed versions stay and only missing packages are added, so that the files of a fork
differ from the original's in few lines.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "{{cookiecutter.project_slug}}" / "constraints.txt"
TEMPLATE = ROOT / "constraints.txt"
PYTHON = "3.11"

PROJECT_HEADER = """\
# Versions that this project was tested with, for Python 3.11 to 3.13. Install them with
#
#     pip install -c constraints.txt -e .
#
# Packages that are not listed here are not restricted.
"""
TEMPLATE_HEADER = """\
# Versions for the template's tests and tools; those of projects are in the template folder.
# Written by `make constraints`.
"""


def main() -> None:
    """Write the projects' constraints file, then the template's, constrained by the first."""
    keep = "--keep" in sys.argv[1:]
    write_pins(PROJECT, PROJECT_HEADER, ["project", "project-tools"], keep)
    within = ["--constraint", str(PROJECT)]
    write_pins(TEMPLATE, TEMPLATE_HEADER, ["once", "versions"], keep, within)


def write_pins(
    path: Path, header: str, groups: list[str], keep: bool, options: list[str] | None = None
) -> None:
    """Write a constraints file for some dependency groups of pyproject.toml."""
    wanted = [argument for group in groups for argument in ("--group", group)]
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--universal", "--python-version"]
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, path.name)
        if keep:  # uv keeps the versions that it finds in its output file
            written.write_bytes(path.read_bytes())
        output = ["--no-header", "--no-annotate", "--output-file", str(written)]
        subprocess.run(
            [*command, PYTHON, *output, *wanted, *(options or [])],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        path.write_bytes(header.encode() + written.read_bytes())


if __name__ == "__main__":
    main()
