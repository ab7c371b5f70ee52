"""The `checkpoint` command: one module per group of verbs, and the printing of results."""

import sys

from ..errors import missing_package

__all__ = ["main"]


def main() -> None:
    """Run the command; if a package is not installed, exit with a message that names it."""
    try:
        from .command import main as run_command

        run_command()
    except ModuleNotFoundError as error:
        missing = missing_package(error)
        if not missing:
            raise
        sys.exit(str(missing))
