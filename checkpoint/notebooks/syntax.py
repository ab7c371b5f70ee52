"""Python code as text and as a syntax tree."""

import ast
import io
import warnings


def parse(source: str) -> ast.Module:
    """Parse a cell's or module's code, without a word on what Python merely warns of.

    Raises
    ------
    SyntaxError, ValueError
        If it is not Python, or nested too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (RecursionError, MemoryError) as error:
            raise ValueError("the code is nested too deeply") from error


def lines_of(source: str) -> list[str]:
    """Return the lines as Python counts them, with their ends; `splitlines` finds more."""
    return list(io.StringIO(source, newline=""))
