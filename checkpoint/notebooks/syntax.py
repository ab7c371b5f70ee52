"""Python code as syntax trees and lines."""

import ast
import io
import warnings


def parse(source: str) -> ast.Module:
    """Return the syntax tree of a cell or module, without showing Python's syntax warnings.

    Raises
    ------
    SyntaxError, ValueError
        If it is not valid Python, or nested too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (RecursionError, MemoryError) as error:
            raise ValueError("the code is nested too deeply") from error


def lines_of(source: str) -> list[str]:
    """Return the lines with their ends, counted like Python; `splitlines` splits at more."""
    return list(io.StringIO(source, newline=""))
