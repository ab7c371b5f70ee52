"""Refuse answers that would not make a working project, before anything is written.

`answer_refusals.py` judges them while cookiecutter fills in this script. What takes a look at the
disk is judged here.

cookiecutter makes the project's folder before this hook runs. So that a slug such as `a/b` never
reaches the disk, cookiecutter.json swaps one that is no folder name for a stand-in and keeps the
answer in `__answered_slug`.
"""

import os
import sys

REFUSALS = {{cookiecutter | refusals}}


def main():
    """Print what is wrong, a line each, and fail if there is anything."""
    refusals = [*REFUSALS, *occupied_refusals()]
    # an answer may hold what this terminal cannot show
    sys.stderr.reconfigure(errors="backslashreplace")
    for refusal in refusals:
        print(refusal, file=sys.stderr)
    return 1 if refusals else 0


def occupied_refusals():
    """Refuse to lay a project over one that people have worked in (`--overwrite-if-exists`)."""
    for folder in ("data", "notebooks", "results", "src", "scripts", "profiles", ".github"):
        if not is_free(folder):
            yield (
                f"project_slug {os.path.basename(os.getcwd())!r}: is a folder with a {folder} of "
                "its own, which would be overwritten. Accepted is, for example, 'another_name'."
            )
            return


def is_free(folder):
    """Tell whether there is nothing in a folder, and nothing else in its place."""
    if os.path.isdir(folder) and not os.path.islink(folder):
        return not os.listdir(folder)
    return not os.path.lexists(folder)


if __name__ == "__main__":
    # all is written; to take the interpreter down by the rules takes longer than `main`
    os._exit(main())
