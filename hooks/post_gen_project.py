"""Lay out the project, check it, and print what to type next."""

import sys

TEMPLATE, ANSWERS = {{cookiecutter | handed_on}}

# cookiecutter runs this script in the folder for temporary files, where anyone can put a json.py
if not sys.flags.safe_path:
    del sys.path[0]
# `checkpoint` is imported from the template, where Python can cache its bytecode
sys.path.insert(0, TEMPLATE)

from notebook_checkpoints.generation import finish  # noqa: E402

if __name__ == "__main__":
    sys.exit(finish(TEMPLATE, ANSWERS))
