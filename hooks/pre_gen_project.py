"""Reject answers that would not make a working project, before any file is written.

`answer_refusals.py` checks them while cookiecutter renders this script, except for files on disk,
which this script checks. cookiecutter makes the project's folder before this hook runs, so
`cookiecutter.json` replaces a slug that cannot be a folder name, such as `a/b`, and keeps the
answer in `__answered_slug`.
"""

import os
import sys

REFUSALS = {{cookiecutter | refusals}}
FOLDERS = ("data", "notebooks", "results", "src", "scripts", "profiles", ".github")
FILES = (
    ".gitattributes",
    ".gitignore",
    ".pre-commit-config.yaml",
    "AGENTS.md",
    "README.md",
    "Snakefile",
    "constraints.txt",
    "environment.yml",
    "pyproject.toml",
    *(("LICENSE",) if "{{cookiecutter.license}}" != "none" else ()),
)


def main():
    """Print each reason on a line of its own; fail if there is any."""
    refusals = [*REFUSALS, *occupied_refusals()]
    sys.stderr.reconfigure(errors="backslashreplace")  # a terminal may lack characters of an answer
    for refusal in refusals:
        print(refusal, file=sys.stderr)
    return 1 if refusals else 0


def occupied_refusals():
    """Reject a folder in which files would be overwritten (`--overwrite-if-exists`)."""
    taken = [name for name in (*FOLDERS, *FILES) if not is_free(name)]
    if taken:
        yield (
            f"project_slug {os.path.basename(os.getcwd())!r}: that folder exists and contains "
            f"{', '.join(taken)}, which would be overwritten. Valid example: 'another_name'. To "
            "bring that project into the template, use `notebook-checkpoints adopt`."
        )


def is_free(folder):
    """Return whether a folder is empty or missing, and no file or link has its name."""
    if os.path.isdir(folder) and not os.path.islink(folder):
        return not os.listdir(folder)
    return not os.path.lexists(folder)


if __name__ == "__main__":
    sys.exit(main())
