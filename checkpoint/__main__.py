"""`python -m <package>.checkpoint`, or `python src/<package>/checkpoint` without installing it."""

import os
import sys

if not __package__:
    # Python put this folder first on the path, where json.py would hide the standard module
    sys.path[0:1] = []
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    __package__ = "checkpoint"

try:
    from .cli import main
except ImportError as error:  # an old Python
    sys.exit(str(error))

main()
