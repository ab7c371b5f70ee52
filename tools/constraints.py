"""Write constraints.txt, of the template and of every project, with today's newest versions.

Both are valid for every Python from 3.11.0 on, and agree on the packages that they share.
"""

import subprocess
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
    """Write the projects' file, then the template's within it."""
    PROJECT.write_bytes(pins(PROJECT_HEADER, "project", "project-tools"))
    within = ["--constraint", str(PROJECT)]
    TEMPLATE.write_bytes(pins(TEMPLATE_HEADER, "once", "versions", options=within))


def pins(header: str, *groups: str, options: list[str] | None = None) -> bytes:
    """Return the content of a constraints file for some dependency groups of pyproject.toml."""
    wanted = [argument for group in groups for argument in ("--group", group)]
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--universal", "--python-version"]
    written = ["--no-header", "--no-annotate", *wanted, *(options or [])]
    result = subprocess.run(
        [*command, PYTHON, *written], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return header.encode() + result.stdout


if __name__ == "__main__":
    main()
