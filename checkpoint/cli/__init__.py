"""The `checkpoint` command: a module per group of verbs, and how they show what they did."""

from .command import main

__all__ = ["main"]
