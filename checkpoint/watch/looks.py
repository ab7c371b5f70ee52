"""Code that asks whether a file is there, and goes another way if it is not.

Python has no audit event for that, so the functions that answer are wrapped. Only what the user's
own code asks counts: libraries look for their settings in many places.
"""

import functools
import os
import pathlib
import sys
from collections.abc import Callable
from typing import Any

from . import files

QUESTIONS = ("exists", "isfile", "isdir", "is_file", "is_dir")
NOTED_BY = "_looks_noted_by"  # one project's checkpoint, or several in one process


def begin() -> None:
    """Note from now on what is asked for and is not there."""
    for owner in (os.path, pathlib.Path):
        for name in QUESTIONS:
            function = getattr(owner, name, None)
            if callable(function) and __name__ not in getattr(function, NOTED_BY, ()):
                setattr(owner, name, _noting(function, name, owner))


def _noting(function: Callable[..., bool], name: str, owner: Any) -> Callable[..., bool]:
    @functools.wraps(function)
    def noting(*args: Any, **kwargs: Any) -> bool:
        there = function(*args, **kwargs)
        if not there and (args or kwargs) and _is_users(sys._getframe(1)):
            files.look(args[0] if args else next(iter(kwargs.values())))
        return there

    # where pickle looks for it
    is_class = isinstance(owner, type)
    noting.__module__ = "pathlib" if is_class else owner.__name__
    noting.__qualname__ = f"Path.{name}" if is_class else name
    setattr(noting, NOTED_BY, {__name__, *getattr(function, NOTED_BY, ())})
    return noting


def _is_users(frame: Any) -> bool:
    name, file = frame.f_globals.get("__name__"), frame.f_code.co_filename
    return not (files.is_ours(str(name)) or files.is_installed(file) or file.startswith("<frozen"))
