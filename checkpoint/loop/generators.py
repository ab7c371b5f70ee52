"""Restore the random states of a notebook, of libraries and of its own generators."""

import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..formats.kinds import is_a
from ..watch import randomness


def snapshot(objects: Iterable[Any]) -> Callable[[], None]:
    """Return a function that restores the current states.

    Parameters
    ----------
    objects
        The objects of the notebook; generators such as `np.random.default_rng(0)` are among them.
    """
    restorers = [randomness.snapshot(), *filter(None, map(_restorer, objects))]

    def restore() -> None:
        for each in restorers:
            each()

    return restore


def _restorer(value: Any) -> Callable[[], None] | None:
    """Return a function that restores a generator; None for other objects."""
    if is_a(value, "numpy.random", "Generator") or is_a(value, "numpy.random", "BitGenerator"):
        bits = getattr(value, "bit_generator", value)
        return partial(setattr, bits, "state", bits.state)
    if is_a(value, "numpy.random", "RandomState") or is_a(value, "torch", "Generator"):
        return partial(value.set_state, value.get_state())
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return partial(value.setstate, value.getstate())
    return None
