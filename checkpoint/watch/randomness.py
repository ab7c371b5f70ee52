"""Detect whether a cell drew from the global random states of Python, NumPy and PyTorch."""

import random
import sys
from collections.abc import Callable


def states() -> dict[str, object]:
    """Return the random states of Python and of imported libraries, by name."""
    by_library: dict[str, object] = {"python": hash(random.getstate())}
    if numpy := sys.modules.get("numpy.random"):
        state = numpy.get_state()
        by_library["numpy"] = (hash(state[1].tobytes()), state[2:])
    torch = sys.modules.get("torch")
    if torch and hasattr(torch, "get_rng_state"):
        by_library["torch"] = hash(torch.get_rng_state().numpy().tobytes())
    return by_library


def moved(before: dict[str, object]) -> list[str] | None:
    """Return the names of the states that differ from `before`; None if one was added."""
    after = states()
    if after.keys() != before.keys():
        return None
    return sorted(name for name in after if after[name] != before[name])


def snapshot() -> Callable[[], None]:
    """Return a function that restores the current random states."""
    python = random.getstate()
    numpy, torch = sys.modules.get("numpy.random"), sys.modules.get("torch")
    state = numpy.get_state() if numpy else None
    tensor = torch.get_rng_state() if torch and hasattr(torch, "get_rng_state") else None

    def restore() -> None:
        random.setstate(python)
        if numpy:
            numpy.set_state(state)
        if torch and tensor is not None:
            torch.set_rng_state(tensor)

    return restore
