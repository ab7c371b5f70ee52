"""Lay out the notebooks that were asked for, check the project, and say what to type next."""

import gc
import os
import sys

gc.disable()  # all that is imported here is in use until the end, which is near

TEMPLATE, ANSWERS = {{cookiecutter | handed_on}}

# The folder of this script, which is where the system keeps temporary files: what is called json.py
# there is not ours, and a full one takes long to list.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

from contextlib import suppress  # noqa: E402
from pathlib import Path  # noqa: E402

# The rules are part of every project, so that the same code checks it later. They are read where
# Python may keep them compiled, as it may not in the project.
sys.path.insert(0, TEMPLATE)

from checkpoint.check.layout import check_new  # noqa: E402
from checkpoint.project.project import Project  # noqa: E402
from notebook_checkpoints import layout  # noqa: E402


def main():
    """Make the project, or say why it is not one and fail, so that cookiecutter removes it."""
    for stream in (sys.stdout, sys.stderr):  # a path may hold what this terminal cannot show
        stream.reconfigure(errors="backslashreplace")
    template, root = Path(TEMPLATE), Path.cwd()
    names = [name.strip() for name in ANSWERS["notebooks"].split(",")]
    layout.lay_out(template, root, ANSWERS["package_name"], ANSWERS["pipeline"], names)
    owner = ANSWERS["author_name"].strip() or f"the authors of {ANSWERS['project_name']}"
    layout.license_as(template, root, ANSWERS["license"], owner)
    problems = check_new(root)
    with suppress(OSError):  # nobody is listening, and the project is none the worse for it
        for problem in problems:
            print(problem, file=sys.stderr)
        if not problems:
            say_what_is_next(root)
    return 1 if problems else 0


def say_what_is_next(root):
    """Print the next three things to type."""
    first = Project(root).steps()[0].path.name
    place = ANSWERS["project_slug"] if ANSWERS.get("_output_dir") == os.environ.get("PWD") else root
    print(f"{ANSWERS['project_slug']} is ready. Next:")
    print(f"  cd {quoted(str(place))}")
    print("  pip install -e .")
    print(f"  jupyter lab {quoted(f'notebooks/{first}')}", flush=True)


def quoted(path):
    """Return a path as this system's shell takes it for one word."""
    if all(char.isalnum() or char in f"/:._-{os.sep}" for char in path):
        return path
    return f'"{path}"' if os.name == "nt" else "'" + path.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    # all is written; to take the interpreter down by the rules takes longer than the checks
    os._exit(main())
