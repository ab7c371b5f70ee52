"""Restore the random states of a notebook, of libraries and of its own generators."""

import random
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..watch import randomness
from .outside import ATOMS


def snapshot(objects: Iterable[Any]) -> Callable[[], None]:
    """Return a function that restores the current states.

    Parameters
    ----------
    objects
        The objects of the notebook; generators such as `np.random.default_rng(0)` are among them.
    """
    held = [each for each in objects if type(each) not in ATOMS]
    restorers = [randomness.snapshot(), *filter(None, map(_restorer, held))]

    def restore() -> None:
        for each in restorers:
            each()

    return restore


def _restorer(value: Any) -> Callable[[], None] | None:
    """Return a function that restores a generator; None for other objects."""
    numpy, torch = sys.modules.get("numpy.random"), sys.modules.get("torch")
    kind = type(value)
    if numpy and issubclass(kind, numpy.Generator | numpy.BitGenerator):
        bits = getattr(value, "bit_generator", value)
        return partial(setattr, bits, "state", bits.state)
    if (numpy and kind is numpy.RandomState) or (torch and kind is torch.Generator):
        return partial(value.set_state, value.get_state())
    if issubclass(kind, random.Random) and not issubclass(kind, random.SystemRandom):
        return partial(value.setstate, value.getstate())
    return None
